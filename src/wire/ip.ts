// The header of an IP packet of either version as one record, so that everything above the codecs - hooks, conntrack,
// rules, transports - has one packet to deal with. Which version a packet is says its first nibble.

import { type IpAddress, NO_ADDRESS } from './address.js'
import type { DropReason } from './drop-reason.js'
import { IPV4_HEADER_BYTES, parseIpv4Header, writeIpv4Header } from './ipv4.js'
import { IPV6_HEADER_BYTES, parseIpv6Header, writeIpv6Header } from './ipv6.js'

export const PROTOCOL_ICMP = 1
export const PROTOCOL_TCP = 6
export const PROTOCOL_UDP = 17
export const PROTOCOL_ICMPV6 = 58

export interface IpHeader {
  version: 4 | 6
  /** Differentiated services and ECN: the second byte of IPv4, the traffic class of IPv6. */
  tos: number
  /** Header and payload, in IPv6 too. */
  totalLength: number
  identification: number
  /** Always true of IPv6, where only a sender makes fragments. */
  dontFragment: boolean
  moreFragments: boolean
  /** In bytes, a multiple of 8. */
  fragmentOffset: number
  /** Time to live; hop limit of IPv6. */
  ttl: number
  /** Of the payload: behind IPv6's extension headers. */
  protocol: number
  source: IpAddress
  destination: IpAddress
  /** Offsets into the bytes that were parsed. `payloadEnd` is headerStart + totalLength: padding is cut off. */
  headerStart: number
  payloadStart: number
  payloadEnd: number
}

/** A zeroed record to parse into, without addresses. */
export function ipHeader(): IpHeader {
  return {
    version: 4,
    tos: 0,
    totalLength: 0,
    identification: 0,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 0,
    protocol: 0,
    source: NO_ADDRESS,
    destination: NO_ADDRESS,
    headerStart: 0,
    payloadStart: 0,
    payloadEnd: 0,
  }
}

/** Reads and verifies a header of the version that the first nibble tells. */
export function parseIpHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: IpHeader,
): DropReason | undefined {
  if (end <= start) return 'truncated'
  return bytes[start]! >> 4 === 6
    ? parseIpv6Header(bytes, start, end, into)
    : parseIpv4Header(bytes, start, end, into)
}

/** Writes the header without options; gives the offset of the payload. Offsets in `header` are not used. */
export function writeIpHeader(bytes: Uint8Array, start: number, header: IpHeader): number {
  return header.version === 6 ? writeIpv6Header(bytes, start, header) : writeIpv4Header(bytes, start, header)
}

/** Bytes of a header without options. */
export function ipHeaderBytes(version: 4 | 6): number {
  return version === 6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES
}

/** The protocol number of a family's ICMP. */
export function icmpProtocol(version: 4 | 6): number {
  return version === 6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP
}
