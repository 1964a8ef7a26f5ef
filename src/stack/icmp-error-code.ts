// What an ICMP error means to a socket: the errno that Linux gives for it (icmp_err_convert) and whether RFC 9293
// section 3.9.2.2 and RFC 1122 section 4.2.3.9 call it hard.

import type { ErrnoCode } from '../base/errors.js'
import { ICMP_DEST_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED } from '../wire/icmp.js'

export interface IcmpErrorMeaning {
  readonly code: ErrnoCode
  readonly hard: boolean
}

/** The codes of Destination Unreachable, 0 to 15. */
const UNREACHABLE: readonly IcmpErrorMeaning[] = [
  { code: 'ENETUNREACH', hard: false },
  { code: 'EHOSTUNREACH', hard: false },
  // Linux says ENOPROTOOPT, which no program here knows.
  { code: 'ECONNREFUSED', hard: true },
  { code: 'ECONNREFUSED', hard: true },
  { code: 'EMSGSIZE', hard: false },
  { code: 'EHOSTUNREACH', hard: false },
  { code: 'ENETUNREACH', hard: true },
  { code: 'EHOSTUNREACH', hard: true },
  { code: 'EHOSTUNREACH', hard: true },
  { code: 'ENETUNREACH', hard: true },
  { code: 'EHOSTUNREACH', hard: true },
  { code: 'ENETUNREACH', hard: false },
  { code: 'EHOSTUNREACH', hard: false },
  { code: 'EHOSTUNREACH', hard: true },
  { code: 'EHOSTUNREACH', hard: true },
  { code: 'EHOSTUNREACH', hard: true },
]

/** Undefined for a message that says nothing to a socket. */
export function icmpErrorMeaning(type: number, code: number): IcmpErrorMeaning | undefined {
  if (type !== ICMP_DEST_UNREACHABLE) return { code: 'EHOSTUNREACH', hard: false }
  return UNREACHABLE[code]
}

export function isFragmentationNeeded(type: number, code: number): boolean {
  return type === ICMP_DEST_UNREACHABLE && code === ICMP_FRAGMENTATION_NEEDED
}
