// Frames built by hand from the layouts of the RFCs, as hexadecimal, and a few words to work with bytes in tests.

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s+/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** RFC 1071 section 3: these bytes sum to ddf2. */
export const RFC_1071_EXAMPLE = hex('0001 f203 f4f5 f6f7')

/** A well-known header: 192.168.0.1 to 192.168.0.199, UDP, DF, checksum b861. */
export const IPV4_HEADER = hex('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7')

/** Who has 10.36.0.0? Tell 10.36.0.1. */
export const ARP_WHO_HAS = hex(`
  ffff ffff ffff 02de adbe ef01 0806
  0001 0800 06 04 0001 02de adbe ef01 0a24 0001 0000 0000 0000 0a24 0000`)

/** SYN, ACK from 10.36.0.0 port 80 to 10.244.1.5 port 40000; MSS 1460, NOP, window scale 7; checksums computed by hand. */
export const SYN_ACK = hex(`
  02de adbe ef02 02de adbe ef01 0800
  4500 0030 0000 4000 4006 24ac 0a24 0000 0af4 0105
  0050 9c40 0000 0001 0000 0002 7012 ffff d158 0000
  0204 05b4 0103 0307`)
