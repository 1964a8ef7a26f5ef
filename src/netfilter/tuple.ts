// A tuple: one direction of a flow, as conntrack names it (Linux: nf_conntrack_tuple). Reading it from a packet,
// turning it around.

import { getUint16 } from '../base/bytes.js'
import type { Packet } from '../stack/hooks.js'
import { isIcmpError } from '../stack/icmp.js'
import type { QuotedPacket } from '../stack/quoted-packet.js'
import { type IpAddress, NO_ADDRESS } from '../wire/address.js'
import { ICMPV6_ECHO_REPLY, ICMPV6_ECHO_REQUEST, isIcmpv6Error } from '../wire/icmpv6.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { PROTOCOL_SCTP } from '../wire/sctp.js'

export interface Tuple {
  source: IpAddress
  destination: IpAddress
  protocol: number
  /** Port of TCP and UDP; identifier of an ICMP query; 0 of other protocols. */
  sourcePort: number
  /** Port of TCP and UDP; type << 8 | code of an ICMP query; 0 of other protocols. */
  destinationPort: number
}

/** ICMP queries and what answers them: echo, timestamp, information, address mask (RFC 792, RFC 950). */
const ICMP_ANSWERS: Readonly<Record<number, number>> = {
  8: 0,
  0: 8,
  13: 14,
  14: 13,
  15: 16,
  16: 15,
  17: 18,
  18: 17,
}

/** ICMPv6 echo (RFC 4443). */
const ICMPV6_ANSWERS: Readonly<Record<number, number>> = {
  [ICMPV6_ECHO_REQUEST]: ICMPV6_ECHO_REPLY,
  [ICMPV6_ECHO_REPLY]: ICMPV6_ECHO_REQUEST,
}

/** The type that answers a query, undefined when it is none. */
function answerTo(protocol: number, type: number): number | undefined {
  return (protocol === PROTOCOL_ICMPV6 ? ICMPV6_ANSWERS : ICMP_ANSWERS)[type]
}

/** ICMP or ICMPv6. */
export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6
}

/** Whether a packet is an error of ICMP or ICMPv6 about another one. */
export function isIcmpErrorPacket({ bytes, header }: Packet): boolean {
  const type = bytes[header.payloadStart] ?? 0
  if (header.protocol === PROTOCOL_ICMPV6) return isIcmpv6Error(type)
  return header.protocol === PROTOCOL_ICMP && isIcmpError(type)
}

/**
 * Whether a packet is ICMPv6 of one link, which belongs to no flow: multicast listeners, routers, neighbours
 * (Linux: noct_valid_new of nf_conntrack_proto_icmpv6.c).
 */
export function isLinkIcmpv6({ bytes, header }: Packet): boolean {
  if (header.protocol !== PROTOCOL_ICMPV6) return false
  const type = bytes[header.payloadStart] ?? 0
  return (type >= 130 && type <= 136) || type === 143
}

/** Types of queries, that is of what begins a flow. */
const ICMP_QUERIES: readonly number[] = [8, 13, 15, 17]

/** Whether an ICMP tuple is that of a query, not of an answer. */
export function isQuery({ protocol, destinationPort }: Tuple): boolean {
  const type = destinationPort >> 8
  return protocol === PROTOCOL_ICMPV6 ? type === ICMPV6_ECHO_REQUEST : ICMP_QUERIES.includes(type)
}

/** A tuple to read into. */
export function makeTuple(): Tuple {
  return { source: NO_ADDRESS, destination: NO_ADDRESS, protocol: 0, sourcePort: 0, destinationPort: 0 }
}

export function copyTuple({ source, destination, protocol, sourcePort, destinationPort }: Tuple): Tuple {
  return { source, destination, protocol, sourcePort, destinationPort }
}

/** Whether packets of a protocol carry ports that conntrack knows. */
export function hasPorts(protocol: number): boolean {
  return protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP || protocol === PROTOCOL_SCTP
}

/** Reads the tuple of a whole packet; false when there is too little of it, or it is ICMP but no query. */
export function tupleOf(packet: Packet, into: Tuple): boolean {
  const { bytes, header } = packet
  const { payloadStart, payloadEnd, protocol } = header
  into.source = header.source
  into.destination = header.destination
  into.protocol = protocol
  into.sourcePort = 0
  into.destinationPort = 0
  switch (protocol) {
    case PROTOCOL_TCP:
    case PROTOCOL_UDP:
    case PROTOCOL_SCTP:
      if (payloadEnd - payloadStart < 8) return false
      into.sourcePort = getUint16(bytes, payloadStart)
      into.destinationPort = getUint16(bytes, payloadStart + 2)
      return true
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
      if (payloadEnd - payloadStart < 8 || answerTo(protocol, bytes[payloadStart]!) === undefined)
        return false
      into.sourcePort = getUint16(bytes, payloadStart + 4)
      into.destinationPort = getUint16(bytes, payloadStart)
      return true
    default:
      return true
  }
}

/** The tuple of the packet that an ICMP error quotes. */
export function tupleOfQuoted(quoted: QuotedPacket, into: Tuple): boolean {
  into.source = quoted.source
  into.destination = quoted.destination
  into.protocol = quoted.protocol
  into.sourcePort = quoted.sourcePort
  into.destinationPort = quoted.destinationPort
  if (isIcmp(quoted.protocol)) {
    into.destinationPort = quoted.word >>> 16
    return answerTo(quoted.protocol, into.destinationPort >> 8) !== undefined
  }
  if (!hasPorts(quoted.protocol)) {
    into.sourcePort = 0
    into.destinationPort = 0
  }
  return true
}

/** The tuple of answers to `tuple`; undefined for an ICMP message that has none. */
export function invert(tuple: Tuple): Tuple | undefined {
  const { source, destination, protocol, sourcePort, destinationPort } = tuple
  if (!isIcmp(protocol)) {
    return {
      source: destination,
      destination: source,
      protocol,
      sourcePort: destinationPort,
      destinationPort: sourcePort,
    }
  }
  const type = answerTo(protocol, destinationPort >> 8)
  if (type === undefined) return undefined
  const answer = (type << 8) | (destinationPort & 0xff)
  return { source: destination, destination: source, protocol, sourcePort, destinationPort: answer }
}
