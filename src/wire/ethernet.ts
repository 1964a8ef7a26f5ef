// Ethernet II frames: the 14 bytes in front. No preamble, no frame check sequence, no 802.3 length form, no VLAN tag.

import { getUint16, getUint48, setUint16, setUint48 } from '../base/bytes.js'
import type { Mac } from './address.js'
import type { DropReason } from './drop-reason.js'

export const ETHERNET_HEADER_BYTES = 14

export const ETHERTYPE_IPV4 = 0x0800
export const ETHERTYPE_ARP = 0x0806
export const ETHERTYPE_IPV6 = 0x86dd

export interface EthernetHeader {
  destination: Mac
  source: Mac
  etherType: number
}

/** A record to parse into. */
export function ethernetHeader(): EthernetHeader {
  return { destination: 0, source: 0, etherType: 0 }
}

export function parseEthernet(frame: Uint8Array, into: EthernetHeader): DropReason | undefined {
  if (frame.length < ETHERNET_HEADER_BYTES) return 'truncated'
  into.destination = getUint48(frame, 0)
  into.source = getUint48(frame, 6)
  into.etherType = getUint16(frame, 12)
  return undefined
}

/** Writes the header to the front of `frame`; the payload begins at ETHERNET_HEADER_BYTES. */
export function writeEthernet(frame: Uint8Array, destination: Mac, source: Mac, etherType: number): void {
  setUint48(frame, 0, destination)
  setUint48(frame, 6, source)
  setUint16(frame, 12, etherType)
}

/** The group bit: broadcast and multicast frames (IEEE 802 section 8.2.2). */
export function isGroupMac(mac: Mac): boolean {
  return (Math.floor(mac / 0x100_0000_0000) & 1) === 1
}
