// ICMP messages, RFC 792: the 8 bytes in front and what follows them. What an error means is in stack/icmp.

import { getUint32, setUint16, setUint32 } from '../base/bytes.js'
import { checksumOf, onesSum } from './checksum.js'
import type { DropReason } from './drop-reason.js'

export const ICMP_HEADER_BYTES = 8

export const ICMP_ECHO_REPLY = 0
export const ICMP_DEST_UNREACHABLE = 3
export const ICMP_REDIRECT = 5
export const ICMP_ECHO_REQUEST = 8
export const ICMP_TIME_EXCEEDED = 11
export const ICMP_PARAMETER_PROBLEM = 12

/** Codes of ICMP_DEST_UNREACHABLE. */
export const ICMP_NET_UNREACHABLE = 0
export const ICMP_HOST_UNREACHABLE = 1
export const ICMP_PROTOCOL_UNREACHABLE = 2
export const ICMP_PORT_UNREACHABLE = 3
export const ICMP_FRAGMENTATION_NEEDED = 4
export const ICMP_ADMIN_PROHIBITED = 13

/** Codes of ICMP_TIME_EXCEEDED. */
export const ICMP_TTL_EXCEEDED = 0
export const ICMP_REASSEMBLY_TIME_EXCEEDED = 1

export interface IcmpMessage {
  type: number
  code: number
  /** Second word, 32 bits: identifier << 16 | sequence of an echo; the next hop's MTU in its low half (RFC 1191); or unused. */
  rest: number
  /** Echoed data, or the packet that an error quotes: `bytes[payloadStart, payloadEnd)`. */
  bytes: Uint8Array
  payloadStart: number
  payloadEnd: number
}

/** A zeroed record to parse into. */
export function icmpMessage(): IcmpMessage {
  return { type: 0, code: 0, rest: 0, bytes: new Uint8Array(0), payloadStart: 0, payloadEnd: 0 }
}

/**
 * Reads `bytes[start, end)` and verifies the checksum. `into.bytes` refers to `bytes`. `pseudoSum`: of the pseudo header
 * that ICMPv6's checksum covers.
 */
export function parseIcmp(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: IcmpMessage,
  pseudoSum = 0,
): DropReason | undefined {
  if (end - start < ICMP_HEADER_BYTES) return 'truncated'
  if (checksumOf(onesSum(bytes, start, end, pseudoSum)) !== 0) return 'bad-checksum'
  into.type = bytes[start]!
  into.code = bytes[start + 1]!
  into.rest = getUint32(bytes, start + 4)
  into.bytes = bytes
  into.payloadStart = start + ICMP_HEADER_BYTES
  into.payloadEnd = end
  return undefined
}

/** Writes a message and copies `payload[payloadStart, payloadEnd)` behind it; gives the offset after it. */
export function writeIcmp(
  bytes: Uint8Array,
  start: number,
  type: number,
  code: number,
  rest: number,
  payload: Uint8Array,
  payloadStart: number,
  payloadEnd: number,
  pseudoSum = 0,
): number {
  const end = start + ICMP_HEADER_BYTES + payloadEnd - payloadStart
  // First the payload: it may lie where the header goes.
  bytes.set(payload.subarray(payloadStart, payloadEnd), start + ICMP_HEADER_BYTES)
  bytes[start] = type
  bytes[start + 1] = code
  setUint16(bytes, start + 2, 0)
  setUint32(bytes, start + 4, rest)
  setUint16(bytes, start + 2, checksumOf(onesSum(bytes, start, end, pseudoSum)))
  return end
}
