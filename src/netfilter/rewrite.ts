// Changing addresses and ports of a packet in place, with every checksum that covers them brought up to date by the
// difference (RFC 1624) and not computed anew: a packet that was damaged on its way stays recognizably so.

import { getUint16, getUint32, setUint16, setUint32 } from '../base/bytes.js'
import type { Packet } from '../stack/hooks.js'
import type { QuotedPacket } from '../stack/quoted-packet.js'
import type { Ipv4 } from '../wire/address.js'
import { checksumOf, onesSum, updateChecksum, updateChecksum32 } from '../wire/checksum.js'
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.js'
import { PROTOCOL_SCTP, SCTP_HEADER_BYTES, writeSctpChecksum } from '../wire/sctp.js'

const SOURCE_OFFSET = 12
const DESTINATION_OFFSET = 16
const HEADER_CHECKSUM_OFFSET = 10
const TCP_CHECKSUM_OFFSET = 16
const UDP_CHECKSUM_OFFSET = 6
const ICMP_CHECKSUM_OFFSET = 2
const ICMP_IDENTIFIER_OFFSET = 4

/** Gives a packet another source. `port`: port of TCP and UDP, identifier of an ICMP query. */
export function rewriteSource(packet: Packet, address: Ipv4, port: number): void {
  const { bytes, header } = packet
  rewrite(bytes, header.headerStart, header.payloadStart, header.payloadEnd, true, address, port)
  header.source = address
}

/** Gives a packet another destination. `port`: port of TCP and UDP, identifier of an ICMP query. */
export function rewriteDestination(packet: Packet, address: Ipv4, port: number): void {
  const { bytes, header } = packet
  rewrite(bytes, header.headerStart, header.payloadStart, header.payloadEnd, false, address, port)
  header.destination = address
}

/** Gives the packet that an ICMP error quotes another source or destination. */
export function rewriteQuoted(quoted: QuotedPacket, source: boolean, address: Ipv4, port: number): void {
  rewrite(quoted.bytes, quoted.headerStart, quoted.payloadStart, quoted.payloadEnd, source, address, port)
}

/** Gives only the IP header another source or destination: of an ICMP error. */
export function rewriteAddress(packet: Packet, source: boolean, address: Ipv4): void {
  const { bytes, header } = packet
  replaceAddress(bytes, header.headerStart, source, address)
  if (source) header.source = address
  else header.destination = address
}

/** Computes the checksum of an ICMP error whose quoted packet was changed. */
export function refreshIcmpChecksum(packet: Packet): void {
  const { bytes, header } = packet
  const at = header.payloadStart + ICMP_CHECKSUM_OFFSET
  setUint16(bytes, at, 0)
  setUint16(bytes, at, checksumOf(onesSum(bytes, header.payloadStart, header.payloadEnd)))
}

function rewrite(
  bytes: Uint8Array,
  headerStart: number,
  payloadStart: number,
  payloadEnd: number,
  source: boolean,
  address: Ipv4,
  port: number,
): void {
  const before = replaceAddress(bytes, headerStart, source, address)
  const protocol = bytes[headerStart + 9]!
  if (protocol === PROTOCOL_ICMP) return replaceIdentifier(bytes, payloadStart, port)
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
  const updated = updateChecksum(updateChecksum32(checksum, before, address), portBefore, port)
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
function replaceAddress(bytes: Uint8Array, headerStart: number, source: boolean, address: Ipv4): Ipv4 {
  const at = headerStart + (source ? SOURCE_OFFSET : DESTINATION_OFFSET)
  const before = getUint32(bytes, at)
  const checksumAt = headerStart + HEADER_CHECKSUM_OFFSET
  setUint32(bytes, at, address)
  setUint16(bytes, checksumAt, updateChecksum32(getUint16(bytes, checksumAt), before, address))
  return before
}

function replaceIdentifier(bytes: Uint8Array, payloadStart: number, identifier: number): void {
  const at = payloadStart + ICMP_IDENTIFIER_OFFSET
  const checksumAt = payloadStart + ICMP_CHECKSUM_OFFSET
  const updated = updateChecksum(getUint16(bytes, checksumAt), getUint16(bytes, at), identifier)
  setUint16(bytes, at, identifier)
  setUint16(bytes, checksumAt, updated)
}
