// The IPv6 header, RFC 8200, and addresses as bytes. Extension headers are skipped when read, but for the fragment
// header, which is described; none is ever written.

import { getUint16, getUint32, setUint16, setUint32 } from '../base/bytes.js'
import type { Ipv6 } from './address.js'
import type { DropReason } from './drop-reason.js'
import type { IpHeader } from './ip.js'

export const IPV6_HEADER_BYTES = 40
export const IPV6_ADDRESS_BYTES = 16

const EXTENSION_HOP_BY_HOP = 0
const EXTENSION_ROUTING = 43
const EXTENSION_FRAGMENT = 44
const EXTENSION_DESTINATION = 60
/** More extension headers than a sane packet has. */
const MOST_EXTENSIONS = 8

export function getIpv6(bytes: Uint8Array, at: number): Ipv6 {
  let address = 0n
  for (let i = 0; i < IPV6_ADDRESS_BYTES; i += 4)
    address = (address << 32n) | BigInt(getUint32(bytes, at + i))
  return address
}

export function setIpv6(bytes: Uint8Array, at: number, address: Ipv6): void {
  for (let i = 0; i < 4; i++)
    setUint32(bytes, at + 4 * i, Number((address >> BigInt(96 - 32 * i)) & 0xffffffffn))
}

/** Reads and verifies a header and the extension headers behind it. */
export function parseIpv6Header(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: IpHeader,
): DropReason | undefined {
  if (end - start < IPV6_HEADER_BYTES) return 'truncated'
  const word = getUint32(bytes, start)
  if (word >>> 28 !== 6) return 'bad-version'
  const totalLength = IPV6_HEADER_BYTES + getUint16(bytes, start + 4)
  if (totalLength > end - start) return 'truncated'
  into.version = 6
  into.tos = (word >>> 20) & 0xff
  into.totalLength = totalLength
  into.identification = 0
  into.dontFragment = true
  into.moreFragments = false
  into.fragmentOffset = 0
  into.ttl = bytes[start + 7]!
  into.source = getIpv6(bytes, start + 8)
  into.destination = getIpv6(bytes, start + 24)
  into.headerStart = start
  into.payloadEnd = start + totalLength
  return skipExtensions(bytes, start, into)
}

/** Finds the payload and its protocol behind the extension headers (RFC 8200 section 4). */
function skipExtensions(bytes: Uint8Array, start: number, into: IpHeader): DropReason | undefined {
  let next = bytes[start + 6]!
  let at = start + IPV6_HEADER_BYTES
  for (let i = 0; i <= MOST_EXTENSIONS; i++) {
    const isFragment = next === EXTENSION_FRAGMENT
    if (
      !isFragment &&
      next !== EXTENSION_HOP_BY_HOP &&
      next !== EXTENSION_ROUTING &&
      next !== EXTENSION_DESTINATION
    ) {
      into.protocol = next
      into.payloadStart = at
      return undefined
    }
    if (at + 8 > into.payloadEnd) return 'truncated'
    const length = isFragment ? 8 : (bytes[at + 1]! + 1) * 8
    if (at + length > into.payloadEnd) return 'truncated'
    if (isFragment) {
      const field = getUint16(bytes, at + 2)
      into.fragmentOffset = field & 0xfff8
      into.moreFragments = (field & 1) !== 0
      into.identification = getUint32(bytes, at + 4)
    }
    next = bytes[at]!
    at += length
  }
  return 'bad-header-length'
}

/** Writes a header of 40 bytes with flow label 0; gives the offset of the payload. */
export function writeIpv6Header(bytes: Uint8Array, start: number, header: IpHeader): number {
  setUint32(bytes, start, (0x6000_0000 | (header.tos << 20)) >>> 0)
  setUint16(bytes, start + 4, header.totalLength - IPV6_HEADER_BYTES)
  bytes[start + 6] = header.protocol
  bytes[start + 7] = header.ttl
  setIpv6(bytes, start + 8, header.source as Ipv6)
  setIpv6(bytes, start + 24, header.destination as Ipv6)
  return start + IPV6_HEADER_BYTES
}
