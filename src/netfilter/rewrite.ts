// Changing addresses and ports of a packet in place, with every checksum that covers them brought up to date by the
// difference (RFC 1624) and not computed anew: a packet that was damaged on its way stays recognizably so.

import { getUint16, getUint32, setUint16, setUint32 } from '../base/bytes.js'
import type { Packet } from '../stack/hooks.js'
import type { QuotedPacket } from '../stack/quoted-packet.js'
import { type IpAddress, isIpv6 } from '../wire/address.js'
import {
  checksumOf,
  onesSum,
  pseudoHeaderSum,
  updateChecksum,
  updateChecksumAddress,
} from '../wire/checksum.js'
import { isIcmpv6Error } from '../wire/icmpv6.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { getIpv6, setIpv6 } from '../wire/ipv6.js'
import { PROTOCOL_SCTP, SCTP_HEADER_BYTES, writeSctpChecksum } from '../wire/sctp.js'

const SOURCE_OFFSET = 12
const DESTINATION_OFFSET = 16
/** In an IPv6 header, which has no checksum. */
const SOURCE_OFFSET_6 = 8
const DESTINATION_OFFSET_6 = 24
const HEADER_CHECKSUM_OFFSET = 10
const TCP_CHECKSUM_OFFSET = 16
const UDP_CHECKSUM_OFFSET = 6
const ICMP_CHECKSUM_OFFSET = 2
const ICMP_IDENTIFIER_OFFSET = 4

/** Gives a packet another source. `port`: port of TCP and UDP, identifier of an ICMP query. */
export function rewriteSource(packet: Packet, address: IpAddress, port: number): void {
  const { bytes, header } = packet
  rewrite(bytes, header, true, address, port)
  header.source = address
}

/** Gives a packet another destination. `port`: port of TCP and UDP, identifier of an ICMP query. */
export function rewriteDestination(packet: Packet, address: IpAddress, port: number): void {
  const { bytes, header } = packet
  rewrite(bytes, header, false, address, port)
  header.destination = address
}

/** Gives the packet that an ICMP error quotes another source or destination. */
export function rewriteQuoted(quoted: QuotedPacket, source: boolean, address: IpAddress, port: number): void {
  rewrite(quoted.bytes, quoted, source, address, port)
}

/** Gives only the IP header another source or destination: of an ICMP error. */
export function rewriteAddress(packet: Packet, source: boolean, address: IpAddress): void {
  const { bytes, header } = packet
  replaceAddress(bytes, header.headerStart, source, address)
  if (source) header.source = address
  else header.destination = address
}

/** Computes the checksum of an ICMP error whose quoted packet was changed. */
export function refreshIcmpChecksum(packet: Packet): void {
  const { bytes, header } = packet
  const { payloadStart, payloadEnd, source, destination, protocol } = header
  const at = payloadStart + ICMP_CHECKSUM_OFFSET
  setUint16(bytes, at, 0)
  const isV6 = protocol === PROTOCOL_ICMPV6
  const pseudo = isV6 ? pseudoHeaderSum(source, destination, protocol, payloadEnd - payloadStart) : 0
  setUint16(bytes, at, checksumOf(onesSum(bytes, payloadStart, payloadEnd, pseudo)))
}

function rewrite(
  bytes: Uint8Array,
  at: Pick<QuotedPacket, 'headerStart' | 'payloadStart' | 'payloadEnd' | 'protocol'>,
  source: boolean,
  address: IpAddress,
  port: number,
): void {
  const { headerStart, payloadStart, payloadEnd, protocol } = at
  const before = replaceAddress(bytes, headerStart, source, address)
  if (protocol === PROTOCOL_ICMP) return replaceIdentifier(bytes, payloadStart, port)
  if (protocol === PROTOCOL_ICMPV6)
    return replaceIcmpv6(bytes, payloadStart, payloadEnd, before, address, port)
  if (protocol === PROTOCOL_SCTP) return replaceSctpPort(bytes, payloadStart, payloadEnd, source, port)
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return
  const portAt = payloadStart + (source ? 0 : 2)
  const portBefore = getUint16(bytes, portAt)
  setUint16(bytes, portAt, port)
  const checksumAt = payloadStart + (protocol === PROTOCOL_TCP ? TCP_CHECKSUM_OFFSET : UDP_CHECKSUM_OFFSET)
  // A quoted TCP header may be cut off before its checksum.
  if (checksumAt + 2 > payloadEnd) return
  const checksum = getUint16(bytes, checksumAt)
  // UDP without a checksum stays so (RFC 768).
  if (protocol === PROTOCOL_UDP && checksum === 0) return
  const updated = updateChecksum(updateChecksumAddress(checksum, before, address), portBefore, port)
  setUint16(bytes, checksumAt, protocol === PROTOCOL_UDP && updated === 0 ? 0xffff : updated)
}

/** A CRC is not brought up to date by a difference but computed anew, as Linux does; a quoted packet is not whole. */
function replaceSctpPort(
  bytes: Uint8Array,
  payloadStart: number,
  payloadEnd: number,
  source: boolean,
  port: number,
): void {
  const at = payloadStart + (source ? 0 : 2)
  if (getUint16(bytes, at) === port) return
  setUint16(bytes, at, port)
  if (payloadEnd - payloadStart > SCTP_HEADER_BYTES) writeSctpChecksum(bytes, payloadStart, payloadEnd)
}

/** Gives the address that was there. */
function replaceAddress(
  bytes: Uint8Array,
  headerStart: number,
  source: boolean,
  address: IpAddress,
): IpAddress {
  if (isIpv6(address)) {
    const at = headerStart + (source ? SOURCE_OFFSET_6 : DESTINATION_OFFSET_6)
    const before = getIpv6(bytes, at)
    setIpv6(bytes, at, address)
    return before
  }
  const at = headerStart + (source ? SOURCE_OFFSET : DESTINATION_OFFSET)
  const before = getUint32(bytes, at)
  const checksumAt = headerStart + HEADER_CHECKSUM_OFFSET
  setUint32(bytes, at, address)
  setUint16(bytes, checksumAt, updateChecksumAddress(getUint16(bytes, checksumAt), before, address))
  return before
}

/** Unlike ICMP's, the checksum of ICMPv6 covers the addresses. */
function replaceIcmpv6(
  bytes: Uint8Array,
  payloadStart: number,
  payloadEnd: number,
  before: IpAddress,
  address: IpAddress,
  identifier: number,
): void {
  if (payloadStart + ICMP_IDENTIFIER_OFFSET + 2 > payloadEnd) return
  const checksumAt = payloadStart + ICMP_CHECKSUM_OFFSET
  setUint16(bytes, checksumAt, updateChecksumAddress(getUint16(bytes, checksumAt), before, address))
  // An error has no identifier; only queries are given another one.
  if (isIcmpv6Error(bytes[payloadStart]!)) return
  replaceIdentifier(bytes, payloadStart, identifier)
}

function replaceIdentifier(bytes: Uint8Array, payloadStart: number, identifier: number): void {
  const at = payloadStart + ICMP_IDENTIFIER_OFFSET
  const checksumAt = payloadStart + ICMP_CHECKSUM_OFFSET
  const updated = updateChecksum(getUint16(bytes, checksumAt), getUint16(bytes, at), identifier)
  setUint16(bytes, at, identifier)
  setUint16(bytes, checksumAt, updated)
}
