// The Internet checksum: RFC 1071 (computation) and RFC 1624 (incremental update, which NAT needs). Sums are kept
// partial, so that a header, a pseudo header and a payload may be summed apart.

import type { Ipv4 } from './address.js'

/**
 * Adds the 16-bit words of `bytes[start, end)` to `initial`; a last odd byte counts as the high half of a word.
 * The result is not folded. Only the last of several parts may have an odd length.
 */
export function onesSum(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let sum = initial
  const even = end - ((end - start) & 1)
  for (let at = start; at < even; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!
  if (even < end) sum += bytes[even]! << 8
  return sum
}

/** The checksum of a partial sum: folded to 16 bits and complemented. 0 for data that has its right checksum in it. */
export function checksumOf(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000)
  return ~sum & 0xffff
}

/** Partial sum of the pseudo header of TCP and UDP (RFC 9293 section 3.1, RFC 768); `length` is header and payload. */
export function pseudoHeaderSum(source: Ipv4, destination: Ipv4, protocol: number, length: number): number {
  return (
    (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length
  )
}

/** `checksum` after a 16-bit word that it covers changed: HC' = ~(~HC + ~m + m'), RFC 1624 equation 3. */
export function updateChecksum(checksum: number, oldWord16: number, newWord16: number): number {
  return checksumOf((~checksum & 0xffff) + (~oldWord16 & 0xffff) + newWord16)
}

/** As `updateChecksum`, for an aligned 32-bit word: an address. */
export function updateChecksum32(checksum: number, old32: number, new32: number): number {
  return checksumOf(
    (~checksum & 0xffff) + (~(old32 >>> 16) & 0xffff) + (~old32 & 0xffff) + (new32 >>> 16) + (new32 & 0xffff),
  )
}
