// ICMPv6 messages, RFC 4443, in the record of icmp.ts: unlike ICMP's, their checksum covers a pseudo header.

import { getUint32, setUint16, setUint32 } from '../base/bytes.js'
import type { IpAddress } from './address.js'
import { checksumOf, onesSum, pseudoHeaderSum } from './checksum.js'
import type { DropReason } from './drop-reason.js'
import { ICMP_HEADER_BYTES, type IcmpMessage } from './icmp.js'
import { PROTOCOL_ICMPV6 } from './ip.js'

export const ICMPV6_DEST_UNREACHABLE = 1
export const ICMPV6_PACKET_TOO_BIG = 2
export const ICMPV6_TIME_EXCEEDED = 3
export const ICMPV6_PARAMETER_PROBLEM = 4
export const ICMPV6_ECHO_REQUEST = 128
export const ICMPV6_ECHO_REPLY = 129
export const ICMPV6_NEIGHBOR_SOLICITATION = 135
export const ICMPV6_NEIGHBOR_ADVERTISEMENT = 136

/** Codes of ICMPV6_DEST_UNREACHABLE. */
export const ICMPV6_NO_ROUTE = 0
export const ICMPV6_ADMIN_PROHIBITED = 1
export const ICMPV6_ADDRESS_UNREACHABLE = 3
export const ICMPV6_PORT_UNREACHABLE = 4

/** Code of ICMPV6_PARAMETER_PROBLEM: a next header that nobody takes. */
export const ICMPV6_UNKNOWN_NEXT_HEADER = 1

/** Errors are the types below 128. */
export function isIcmpv6Error(type: number): boolean {
  return type < 128
}

/** Reads `bytes[start, end)` and verifies the checksum. `into.bytes` refers to `bytes`. */
export function parseIcmpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  source: IpAddress,
  destination: IpAddress,
  into: IcmpMessage,
): DropReason | undefined {
  if (end - start < ICMP_HEADER_BYTES) return 'truncated'
  const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_ICMPV6, end - start)
  if (checksumOf(onesSum(bytes, start, end, pseudo)) !== 0) return 'bad-checksum'
  into.type = bytes[start]!
  into.code = bytes[start + 1]!
  into.rest = getUint32(bytes, start + 4)
  into.bytes = bytes
  into.payloadStart = start + ICMP_HEADER_BYTES
  into.payloadEnd = end
  return undefined
}

/** Writes a message and copies `payload[payloadStart, payloadEnd)` behind it; gives the offset after it. */
export function writeIcmpv6(
  bytes: Uint8Array,
  start: number,
  type: number,
  code: number,
  rest: number,
  payload: Uint8Array,
  payloadStart: number,
  payloadEnd: number,
  source: IpAddress,
  destination: IpAddress,
): number {
  const end = start + ICMP_HEADER_BYTES + payloadEnd - payloadStart
  // First the payload: it may lie where the header goes.
  bytes.set(payload.subarray(payloadStart, payloadEnd), start + ICMP_HEADER_BYTES)
  bytes[start] = type
  bytes[start + 1] = code
  setUint16(bytes, start + 2, 0)
  setUint32(bytes, start + 4, rest)
  const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_ICMPV6, end - start)
  setUint16(bytes, start + 2, checksumOf(onesSum(bytes, start, end, pseudo)))
  return end
}
