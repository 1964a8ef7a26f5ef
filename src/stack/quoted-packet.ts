// The packet that an ICMP error quotes: an IPv4 header and at least 8 bytes behind it (RFC 792). It is cut short,
// so its lengths and transport checksum prove nothing; only its numbers are read.

import { getUint16, getUint32 } from '../base/bytes.js'
import type { Ipv4, Port } from '../wire/address.js'
import { ICMP_HEADER_BYTES } from '../wire/icmp.js'
import { IPV4_HEADER_BYTES, PROTOCOL_ICMP } from '../wire/ipv4.js'

export interface QuotedPacket {
  protocol: number
  source: Ipv4
  destination: Ipv4
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
  if (end - start < IPV4_HEADER_BYTES + ICMP_HEADER_BYTES || bytes[start]! >> 4 !== 4) return false
  const headerBytes = (bytes[start]! & 15) * 4
  const payloadStart = start + headerBytes
  if (headerBytes < IPV4_HEADER_BYTES || end - payloadStart < ICMP_HEADER_BYTES) return false
  if ((getUint16(bytes, start + 6) & 0x1fff) !== 0) return false
  into.protocol = bytes[start + 9]!
  into.source = getUint32(bytes, start + 12)
  into.destination = getUint32(bytes, start + 16)
  if (into.protocol === PROTOCOL_ICMP) {
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
