// Neighbour discovery, RFC 4861: solicitations and advertisements, which are to IPv6 what ARP is to IPv4. The bodies
// of ICMPv6 messages; router messages are not known.

import { getUint48, setUint48 } from '../base/bytes.js'
import type { Ipv6, Mac } from './address.js'
import type { IcmpMessage } from './icmp.js'
import { ICMPV6_NEIGHBOR_ADVERTISEMENT, ICMPV6_NEIGHBOR_SOLICITATION } from './icmpv6.js'
import { getIpv6, IPV6_ADDRESS_BYTES, setIpv6 } from './ipv6.js'

const OPTION_SOURCE_ADDRESS = 1
const OPTION_TARGET_ADDRESS = 2
const OPTION_BYTES = 8
/** A target address and one link-layer address option, behind the 8 bytes of ICMPv6. */
export const NEIGHBOR_BODY_BYTES = IPV6_ADDRESS_BYTES + OPTION_BYTES

/** Flags of an advertisement, in the message's second word. */
export const NEIGHBOR_SOLICITED = 0x4000_0000
export const NEIGHBOR_OVERRIDE = 0x2000_0000

export interface NeighborMessage {
  /** The address that is asked for or told. */
  target: Ipv6
  /** Of the sender in a solicitation, of the target in an advertisement; undefined when it was left out. */
  mac: Mac | undefined
}

/** Reads the body of a solicitation or an advertisement; false when it is malformed (RFC 4861 section 7.1). */
export function parseNeighbor(message: IcmpMessage, into: NeighborMessage): boolean {
  const { bytes, payloadStart, payloadEnd, type } = message
  if (payloadEnd - payloadStart < IPV6_ADDRESS_BYTES || message.code !== 0) return false
  into.target = getIpv6(bytes, payloadStart)
  into.mac = undefined
  const wanted = type === ICMPV6_NEIGHBOR_SOLICITATION ? OPTION_SOURCE_ADDRESS : OPTION_TARGET_ADDRESS
  for (let at = payloadStart + IPV6_ADDRESS_BYTES; at + 2 <= payloadEnd; ) {
    const length = bytes[at + 1]! * 8
    if (length === 0 || at + length > payloadEnd) return false
    if (bytes[at] === wanted && length >= OPTION_BYTES) into.mac = getUint48(bytes, at + 2)
    at += length
  }
  return true
}

/** The body of a message of `type` about `target`, with the link-layer address `mac`. */
export function neighborBody(type: number, target: Ipv6, mac: Mac): Uint8Array {
  const body = new Uint8Array(NEIGHBOR_BODY_BYTES)
  setIpv6(body, 0, target)
  body[IPV6_ADDRESS_BYTES] =
    type === ICMPV6_NEIGHBOR_ADVERTISEMENT ? OPTION_TARGET_ADDRESS : OPTION_SOURCE_ADDRESS
  body[IPV6_ADDRESS_BYTES + 1] = 1
  setUint48(body, IPV6_ADDRESS_BYTES + 2, mac)
  return body
}

/** ff02::1:ffXX:XXXX, where a solicitation for `target` goes (RFC 4291 section 2.7.1). */
export function solicitedNodeAddress(target: Ipv6): Ipv6 {
  return 0xff02_0000_0000_0000_0000_0001_ff00_0000n | (target & 0xff_ffffn)
}

/** 33:33 and the last four bytes of a multicast address (RFC 2464 section 7). */
export function multicastMac(address: Ipv6): Mac {
  return 0x3333_0000_0000 + Number(address & 0xffff_ffffn)
}
