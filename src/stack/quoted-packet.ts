// The packet that an ICMP error quotes: an IP header and at least 8 bytes behind it (RFC 792). It is cut short,
// so its lengths and transport checksum prove nothing; only its numbers are read.

import { getUint16, getUint32 } from '../base/bytes.js'
import type { IpAddress, Port } from '../wire/address.js'
import { ICMP_HEADER_BYTES } from '../wire/icmp.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from '../wire/ip.js'
import { IPV4_HEADER_BYTES } from '../wire/ipv4.js'
import { getIpv6, IPV6_HEADER_BYTES } from '../wire/ipv6.js'

export interface QuotedPacket {
  protocol: number
  source: IpAddress
  destination: IpAddress
  /** Ports of TCP and UDP; for an ICMP echo both are its identifier. */
  sourcePort: Port
  destinationPort: Port
  /** First word behind the ports: TCP's sequence number; of an ICMP echo, its type and code in the upper half. */
  word: number
  bytes: Uint8Array
  headerStart: number
  payloadStart: number
  payloadEnd: number
}

/** A zeroed record to parse into. */
export function quotedPacket(): QuotedPacket {
  return {
    protocol: 0,
    source: 0,
    destination: 0,
    sourcePort: 0,
    destinationPort: 0,
    word: 0,
    bytes: new Uint8Array(0),
    headerStart: 0,
    payloadStart: 0,
    payloadEnd: 0,
  }
}

/** Reads the quoted packet in `bytes[start, end)`; false when there is too little of it or it is a later fragment. */
export function parseQuotedPacket(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: QuotedPacket,
): boolean {
  const payloadStart = parseQuotedHeader(bytes, start, end, into)
  if (payloadStart === undefined || end - payloadStart < ICMP_HEADER_BYTES) return false
  if (into.protocol === PROTOCOL_ICMP || into.protocol === PROTOCOL_ICMPV6) {
    into.sourcePort = getUint16(bytes, payloadStart + 4)
    into.destinationPort = into.sourcePort
    into.word = getUint32(bytes, payloadStart)
  } else {
    into.sourcePort = getUint16(bytes, payloadStart)
    into.destinationPort = getUint16(bytes, payloadStart + 2)
    into.word = getUint32(bytes, payloadStart + 4)
  }
  into.bytes = bytes
  into.headerStart = start
  into.payloadStart = payloadStart
  into.payloadEnd = end
  return true
}

/** The offset of the payload; undefined when there is too little of the header or it is a later fragment's. */
function parseQuotedHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: QuotedPacket,
): number | undefined {
  if (end - start < IPV4_HEADER_BYTES) return undefined
  if (bytes[start]! >> 4 === 6) {
    // Simplified: a quoted packet with extension headers is not understood.
    if (end - start < IPV6_HEADER_BYTES) return undefined
    into.protocol = bytes[start + 6]!
    into.source = getIpv6(bytes, start + 8)
    into.destination = getIpv6(bytes, start + 24)
    return start + IPV6_HEADER_BYTES
  }
  const headerBytes = (bytes[start]! & 15) * 4
  if (bytes[start]! >> 4 !== 4 || headerBytes < IPV4_HEADER_BYTES) return undefined
  if ((getUint16(bytes, start + 6) & 0x1fff) !== 0) return undefined
  into.protocol = bytes[start + 9]!
  into.source = getUint32(bytes, start + 12)
  into.destination = getUint32(bytes, start + 16)
  return start + headerBytes
}
