// ARP for IPv4 over Ethernet, RFC 826. Only the packet: the table of neighbours is in stack/.

import { getUint16, getUint32, getUint48, setUint16, setUint32, setUint48 } from '../base/bytes.js'
import type { Ipv4, Mac } from './address.js'
import type { DropReason } from './drop-reason.js'
import { ETHERTYPE_IPV4 } from './ethernet.js'

export const ARP_BYTES = 28

export const ARP_REQUEST = 1
export const ARP_REPLY = 2

const HARDWARE_ETHERNET = 1

export interface ArpPacket {
  operation: number
  senderMac: Mac
  senderAddress: Ipv4
  targetMac: Mac
  targetAddress: Ipv4
}

/** A record to parse into. */
export function arpPacket(): ArpPacket {
  return { operation: 0, senderMac: 0, senderAddress: 0, targetMac: 0, targetAddress: 0 }
}

/** Bytes after the packet are padding of a short frame and are ignored. */
export function parseArp(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: ArpPacket,
): DropReason | undefined {
  if (end - start < ARP_BYTES) return 'truncated'
  if (getUint16(bytes, start) !== HARDWARE_ETHERNET || getUint16(bytes, start + 2) !== ETHERTYPE_IPV4)
    return 'bad-format'
  if (bytes[start + 4] !== 6 || bytes[start + 5] !== 4) return 'bad-format'
  into.operation = getUint16(bytes, start + 6)
  into.senderMac = getUint48(bytes, start + 8)
  into.senderAddress = getUint32(bytes, start + 14)
  into.targetMac = getUint48(bytes, start + 18)
  into.targetAddress = getUint32(bytes, start + 24)
  return undefined
}

/** Writes the packet; gives the offset after it. */
export function writeArp(bytes: Uint8Array, start: number, packet: ArpPacket): number {
  setUint16(bytes, start, HARDWARE_ETHERNET)
  setUint16(bytes, start + 2, ETHERTYPE_IPV4)
  bytes[start + 4] = 6
  bytes[start + 5] = 4
  setUint16(bytes, start + 6, packet.operation)
  setUint48(bytes, start + 8, packet.senderMac)
  setUint32(bytes, start + 14, packet.senderAddress)
  setUint48(bytes, start + 18, packet.targetMac)
  setUint32(bytes, start + 24, packet.targetAddress)
  return start + ARP_BYTES
}
