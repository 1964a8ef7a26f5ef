// SCTP (RFC 9260), only as far as who passes packets on must know it: the common header with its ports and its
// CRC-32c, and an INIT chunk to open an association with. There is no SCTP endpoint here.

import { setUint16, setUint32 } from '../base/bytes.js'
import type { Port } from './address.js'

export const PROTOCOL_SCTP = 132
/** Ports, verification tag, checksum. */
export const SCTP_HEADER_BYTES = 12
export const SCTP_CHECKSUM_OFFSET = 8

const CHUNK_INIT = 1
const INIT_BYTES = 20

/** CRC-32c, reflected, byte by byte (RFC 9260 appendix A). */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  return crc
})

/** Computes and writes the checksum of the packet `bytes[start, end)`. It does not cover the IP addresses. */
export function writeSctpChecksum(bytes: Uint8Array, start: number, end: number): void {
  const at = start + SCTP_CHECKSUM_OFFSET
  setUint32(bytes, at, 0)
  let crc = 0xffff_ffff
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[i]!) & 0xff]!
  crc = ~crc >>> 0
  // Its bytes go out in the order of the reflected polynomial: lowest first.
  for (let i = 0; i < 4; i++) bytes[at + i] = (crc >>> (8 * i)) & 0xff
}

/** Writes a packet with one INIT chunk; gives the offset after it. `tag` is the initiate tag, not 0. */
export function writeSctpInit(
  bytes: Uint8Array,
  start: number,
  sourcePort: Port,
  destinationPort: Port,
  tag: number,
): number {
  const end = start + SCTP_HEADER_BYTES + INIT_BYTES
  setUint16(bytes, start, sourcePort)
  setUint16(bytes, start + 2, destinationPort)
  // The verification tag of an INIT is 0.
  setUint32(bytes, start + 4, 0)
  const chunk = start + SCTP_HEADER_BYTES
  bytes[chunk] = CHUNK_INIT
  bytes[chunk + 1] = 0
  setUint16(bytes, chunk + 2, INIT_BYTES)
  setUint32(bytes, chunk + 4, tag)
  setUint32(bytes, chunk + 8, 65_536)
  setUint16(bytes, chunk + 12, 1)
  setUint16(bytes, chunk + 14, 1)
  setUint32(bytes, chunk + 16, tag)
  writeSctpChecksum(bytes, start, end)
  return end
}
