// ICMPv6 messages, RFC 4443, in the record of icmp.ts: unlike ICMP's, their checksum covers a pseudo header.

import type { IpAddress } from './address.js'
import { pseudoHeaderSum } from './checksum.js'
import type { DropReason } from './drop-reason.js'
import { ICMP_HEADER_BYTES, type IcmpMessage, parseIcmp, writeIcmp } from './icmp.js'
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

/** As `parseIcmp`. */
export function parseIcmpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  source: IpAddress,
  destination: IpAddress,
  into: IcmpMessage,
): DropReason | undefined {
  const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_ICMPV6, end - start)
  return parseIcmp(bytes, start, end, into, pseudo)
}

/** As `writeIcmp`. */
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
  const length = ICMP_HEADER_BYTES + payloadEnd - payloadStart
  const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_ICMPV6, length)
  return writeIcmp(bytes, start, type, code, rest, payload, payloadStart, payloadEnd, pseudo)
}
