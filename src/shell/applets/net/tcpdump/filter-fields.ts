// What a filter can ask of a frame: where its protocols begin, addresses, ports, and numbers at any place. As the code
// that libpcap compiles, it looks at lengths and types only; a place behind the frame's end makes the filter fail.

import { getUint16, getUint32 } from '../../../../base/bytes.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
} from '../../../../wire/ethernet.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../../wire/ip.js'

/** A filter that is wrong; the message is libpcap's. */
export class FilterError extends Error {}

/** The frame at hand. */
export interface Subject {
  frame: Uint8Array
  /** Of the frame on the wire: `frame` may be cut. */
  length: number
  direction: 'in' | 'out'
  /** Something behind the frame's end was asked for: it is not wanted, whatever else was said. */
  outside: boolean
}

export type Test = (subject: Subject) => boolean

export const NETWORK_START = ETHERNET_HEADER_BYTES
const PROTOCOL_SCTP = 132

/** EtherTypes of names. */
export const ETHER_TYPES: Readonly<Record<string, number>> = {
  ip: ETHERTYPE_IPV4,
  ip6: ETHERTYPE_IPV6,
  arp: ETHERTYPE_ARP,
  rarp: 0x8035,
}

/** IP protocols of names. */
export const IP_PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: PROTOCOL_ICMP,
  igmp: 2,
  tcp: PROTOCOL_TCP,
  udp: PROTOCOL_UDP,
  icmp6: PROTOCOL_ICMPV6,
  sctp: PROTOCOL_SCTP,
  esp: 50,
  ah: 51,
}

/** A number of 1, 2 or 4 bytes. */
export function load(subject: Subject, at: number, size: number): number {
  const { frame } = subject
  if (at < 0 || at + size > frame.length) {
    subject.outside = true
    return 0
  }
  return size === 1 ? frame[at]! : size === 2 ? getUint16(frame, at) : getUint32(frame, at)
}

export function etherType(subject: Subject): number {
  return load(subject, 12, 2)
}

/** Whether it is a packet of this IP protocol, of either version or the one that is named. */
export function isProtocol(subject: Subject, protocol: number, version?: 4 | 6): boolean {
  const type = etherType(subject)
  if (type === ETHERTYPE_IPV4 && version !== 6) return load(subject, NETWORK_START + 9, 1) === protocol
  if (type !== ETHERTYPE_IPV6 || version === 4) return false
  const next = load(subject, NETWORK_START + 6, 1)
  // A first fragment of IPv6 tells its protocol behind the fragment header.
  return next === protocol || (next === 44 && load(subject, NETWORK_START + 40, 1) === protocol)
}

/** Where an IPv4 packet's payload begins, an IPv6 packet's without extension headers; undefined in later fragments. */
export function transportStart(subject: Subject): number | undefined {
  const type = etherType(subject)
  if (type === ETHERTYPE_IPV6) return NETWORK_START + 40
  if (type !== ETHERTYPE_IPV4 || (load(subject, NETWORK_START + 6, 2) & 0x1fff) !== 0) return undefined
  return NETWORK_START + (load(subject, NETWORK_START, 1) & 0x0f) * 4
}

/** A port of TCP, UDP or SCTP, of those of `protocols`; undefined where there is none. */
export function portOf(
  subject: Subject,
  end: 'src' | 'dst',
  protocols: readonly number[],
): number | undefined {
  if (!protocols.some((protocol) => isProtocol(subject, protocol))) return undefined
  const start = transportStart(subject)
  return start === undefined ? undefined : load(subject, start + (end === 'src' ? 0 : 2), 2)
}

/** Where a frame has an IP address of this length; undefined where it has none. `arp`: ARP's addresses count too. */
export function addressAt(
  subject: Subject,
  end: 'src' | 'dst',
  bits: 32 | 128,
  scope: readonly number[],
): number | undefined {
  const type = etherType(subject)
  if (!scope.includes(type)) return undefined
  const isSource = end === 'src'
  if (bits === 128) return type === ETHERTYPE_IPV6 ? NETWORK_START + (isSource ? 8 : 24) : undefined
  if (type === ETHERTYPE_IPV4) return NETWORK_START + (isSource ? 12 : 16)
  return type === ETHERTYPE_ARP || type === ETHER_TYPES.rarp
    ? NETWORK_START + (isSource ? 14 : 24)
    : undefined
}
