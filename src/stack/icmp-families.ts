// ICMP's errors and ICMPv6's are the same ones under other numbers. The stack speaks of them by ICMP's (RFC 792); here
// they are turned into ICMPv6's (RFC 4443) and back, as RFC 7915 section 5 does between the families.

import {
  ICMP_ADMIN_PROHIBITED,
  ICMP_DEST_UNREACHABLE,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_HOST_UNREACHABLE,
  ICMP_NET_UNREACHABLE,
  ICMP_PARAMETER_PROBLEM,
  ICMP_PORT_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
  type IcmpMessage,
} from '../wire/icmp.js'
import {
  ICMPV6_ADDRESS_UNREACHABLE,
  ICMPV6_ADMIN_PROHIBITED,
  ICMPV6_DEST_UNREACHABLE,
  ICMPV6_NO_ROUTE,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_PORT_UNREACHABLE,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNKNOWN_NEXT_HEADER,
} from '../wire/icmpv6.js'

interface IcmpError {
  readonly type: number
  readonly code: number
}

/** Codes of "destination unreachable" in both families. */
const UNREACHABLE: readonly (readonly [icmp: number, icmpv6: number])[] = [
  [ICMP_NET_UNREACHABLE, ICMPV6_NO_ROUTE],
  [ICMP_ADMIN_PROHIBITED, ICMPV6_ADMIN_PROHIBITED],
  [ICMP_HOST_UNREACHABLE, ICMPV6_ADDRESS_UNREACHABLE],
  [ICMP_PORT_UNREACHABLE, ICMPV6_PORT_UNREACHABLE],
]

/** An error of ICMP as ICMPv6 has it. */
export function icmpv6ErrorOf(type: number, code: number): IcmpError {
  if (type === ICMP_TIME_EXCEEDED) return { type: ICMPV6_TIME_EXCEEDED, code }
  if (type !== ICMP_DEST_UNREACHABLE) return { type: ICMPV6_PARAMETER_PROBLEM, code: 0 }
  if (code === ICMP_FRAGMENTATION_NEEDED) return { type: ICMPV6_PACKET_TOO_BIG, code: 0 }
  if (code === ICMP_PROTOCOL_UNREACHABLE) {
    return { type: ICMPV6_PARAMETER_PROBLEM, code: ICMPV6_UNKNOWN_NEXT_HEADER }
  }
  const same = UNREACHABLE.find(([icmp]) => icmp === code)
  return { type: ICMPV6_DEST_UNREACHABLE, code: same?.[1] ?? ICMPV6_ADMIN_PROHIBITED }
}

/** An error of ICMPv6 as ICMP has it; undefined for what is no error or not known. */
export function icmpErrorOf({ type, code }: IcmpMessage): IcmpError | undefined {
  switch (type) {
    case ICMPV6_DEST_UNREACHABLE: {
      const same = UNREACHABLE.find(([, icmpv6]) => icmpv6 === code)
      return { type: ICMP_DEST_UNREACHABLE, code: same?.[0] ?? ICMP_HOST_UNREACHABLE }
    }
    case ICMPV6_PACKET_TOO_BIG:
      return { type: ICMP_DEST_UNREACHABLE, code: ICMP_FRAGMENTATION_NEEDED }
    case ICMPV6_TIME_EXCEEDED:
      return { type: ICMP_TIME_EXCEEDED, code }
    case ICMPV6_PARAMETER_PROBLEM:
      return code === ICMPV6_UNKNOWN_NEXT_HEADER
        ? { type: ICMP_DEST_UNREACHABLE, code: ICMP_PROTOCOL_UNREACHABLE }
        : { type: ICMP_PARAMETER_PROBLEM, code: 0 }
    default:
      return undefined
  }
}
