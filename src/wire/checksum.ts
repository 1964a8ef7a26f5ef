// The Internet checksum: RFC 1071 (computation) and RFC 1624 (incremental update, which NAT needs). Sums are kept
// partial, so that a header, a pseudo header and a payload may be summed apart.

import { type IpAddress, isIpv6 } from './address.js'

/** From here on a view that reads 32 bits at a time pays for making it. */
const LONG_BYTES = 256

/**
 * Adds the 16-bit words of `bytes[start, end)` to `initial`; a last odd byte counts as the high half of a word.
 * The result is not folded. Only the last of several parts may have an odd length.
 */
export function onesSum(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let at = start
  let sum = initial
  if (end - start >= LONG_BYTES) {
    at = end - ((end - start) & 7)
    sum += longSum(bytes, start, at)
  }
  // The bytes of all high halves and of all low halves summed apart: one multiplication instead of a shift a word.
  let high = 0
  let low = 0
  for (; at + 8 <= end; at += 8) {
    high += bytes[at]! + bytes[at + 2]! + bytes[at + 4]! + bytes[at + 6]!
    low += bytes[at + 1]! + bytes[at + 3]! + bytes[at + 5]! + bytes[at + 7]!
  }
  for (; at + 2 <= end; at += 2) {
    high += bytes[at]!
    low += bytes[at + 1]!
  }
  if (at < end) high += bytes[at]!
  return sum + high * 256 + low
}

/** Of a whole number of 8 bytes. */
function longSum(bytes: Uint8Array, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let high = 0
  let low = 0
  for (let at = start; at < end; at += 8) {
    const first = view.getInt32(at)
    const second = view.getInt32(at + 4)
    high += (first >>> 16) + (second >>> 16)
    low += (first & 0xffff) + (second & 0xffff)
  }
  return high + low
}

/** The checksum of a partial sum: folded to 16 bits and complemented. 0 for data that has its right checksum in it. */
export function checksumOf(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000)
  return ~sum & 0xffff
}

/**
 * Partial sum of the pseudo header of TCP, UDP and ICMPv6 (RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1);
 * `length` is header and payload.
 */
export function pseudoHeaderSum(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  length: number,
): number {
  return addressSum(source) + addressSum(destination) + protocol + length
}

/** Partial sum of an address. */
export function addressSum(address: IpAddress): number {
  if (!isIpv6(address)) return (address >>> 16) + (address & 0xffff)
  let sum = 0
  for (let rest: bigint = address; rest > 0n; rest >>= 16n) sum += Number(rest & 0xffffn)
  return sum
}

/** `checksum` after a 16-bit word that it covers changed: HC' = ~(~HC + ~m + m'), RFC 1624 equation 3. */
export function updateChecksum(checksum: number, oldWord16: number, newWord16: number): number {
  return checksumOf((~checksum & 0xffff) + (~oldWord16 & 0xffff) + newWord16)
}

/** As `updateChecksum`, for an address that the checksum or its pseudo header covers. */
export function updateChecksumAddress(checksum: number, before: IpAddress, after: IpAddress): number {
  // Complementing every word of the old address adds 0xffff for each, which is zero in ones' complement arithmetic.
  const words = isIpv6(before) ? 8 : 2
  return checksumOf((~checksum & 0xffff) + (words * 0xffff - addressSum(before)) + addressSum(after))
}
