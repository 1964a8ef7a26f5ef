// The IPv4 header, RFC 791. Options are skipped when read and never written. Fragments are only described here;
// they are put together in stack/.

import { getUint16, getUint32, setUint16, setUint32 } from '../base/bytes.js'
import type { Ipv4 } from './address.js'
import { checksumOf, onesSum } from './checksum.js'
import type { DropReason } from './drop-reason.js'
import type { IpHeader } from './ip.js'

export const IPV4_HEADER_BYTES = 20

const DONT_FRAGMENT = 0x4000
const MORE_FRAGMENTS = 0x2000

/** Reads and verifies a header: version, lengths, checksum (RFC 1122 section 3.2.1). */
export function parseIpv4Header(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: IpHeader,
): DropReason | undefined {
  if (end - start < IPV4_HEADER_BYTES) return 'truncated'
  if (bytes[start]! >> 4 !== 4) return 'bad-version'
  const headerBytes = (bytes[start]! & 0x0f) * 4
  if (headerBytes < IPV4_HEADER_BYTES) return 'bad-header-length'
  if (headerBytes > end - start) return 'truncated'
  if (checksumOf(onesSum(bytes, start, start + headerBytes)) !== 0) return 'bad-checksum'
  const totalLength = getUint16(bytes, start + 2)
  if (totalLength < headerBytes) return 'bad-length'
  if (totalLength > end - start) return 'truncated'
  const fragment = getUint16(bytes, start + 6)
  into.version = 4
  into.tos = bytes[start + 1]!
  into.totalLength = totalLength
  into.identification = getUint16(bytes, start + 4)
  into.dontFragment = (fragment & DONT_FRAGMENT) !== 0
  into.moreFragments = (fragment & MORE_FRAGMENTS) !== 0
  into.fragmentOffset = (fragment & 0x1fff) * 8
  into.ttl = bytes[start + 8]!
  into.protocol = bytes[start + 9]!
  into.source = getUint32(bytes, start + 12)
  into.destination = getUint32(bytes, start + 16)
  into.headerStart = start
  into.payloadStart = start + headerBytes
  into.payloadEnd = start + totalLength
  return undefined
}

/** Writes a header of 20 bytes with its checksum; gives the offset of the payload. Offsets in `header` are not used. */
export function writeIpv4Header(bytes: Uint8Array, start: number, header: IpHeader): number {
  bytes[start] = 0x45
  bytes[start + 1] = header.tos
  setUint16(bytes, start + 2, header.totalLength)
  setUint16(bytes, start + 4, header.identification)
  setUint16(
    bytes,
    start + 6,
    (header.dontFragment ? DONT_FRAGMENT : 0) |
      (header.moreFragments ? MORE_FRAGMENTS : 0) |
      (header.fragmentOffset >> 3),
  )
  bytes[start + 8] = header.ttl
  bytes[start + 9] = header.protocol
  setUint16(bytes, start + 10, 0)
  setUint32(bytes, start + 12, header.source as Ipv4)
  setUint32(bytes, start + 16, header.destination as Ipv4)
  setUint16(bytes, start + 10, checksumOf(onesSum(bytes, start, start + IPV4_HEADER_BYTES)))
  return start + IPV4_HEADER_BYTES
}
