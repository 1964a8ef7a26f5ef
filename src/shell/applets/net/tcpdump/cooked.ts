// Linux' cooked header, version 2 (LINKTYPE_LINUX_SLL2): what stands before a packet of the device `any` in a file. In
// here frames are Ethernet's, whatever they came from.

import { getUint16, getUint32, getUint48, setUint16, setUint32, setUint48 } from '../../../../base/bytes.js'
import { MAC_BROADCAST, MAC_ZERO } from '../../../../wire/address.js'
import { ETHERNET_HEADER_BYTES, isGroupMac, writeEthernet } from '../../../../wire/ethernet.js'

export const SLL2_BYTES = 20

const ARPHRD_ETHER = 1
const ARPHRD_LOOPBACK = 772
const MAC_BYTES = 6

/** Packet types by their number. */
const KINDS = ['In', 'B', 'M', 'P', 'Out']

/** The kind of a packet that an interface saw. */
export function kindOf(frame: Uint8Array, direction: 'in' | 'out'): string {
  if (direction === 'out') return 'Out'
  const destination = getUint48(frame, 0)
  if (!isGroupMac(destination)) return 'In'
  return destination === MAC_BROADCAST ? 'B' : 'M'
}

/** The packet of an Ethernet frame with a cooked header in place of its own. */
export function cook(
  frame: Uint8Array,
  interfaceIndex: number,
  isLoopback: boolean,
  kind: string,
): Uint8Array {
  const cooked = new Uint8Array(SLL2_BYTES + frame.length - ETHERNET_HEADER_BYTES)
  setUint16(cooked, 0, getUint16(frame, 12))
  setUint32(cooked, 4, interfaceIndex)
  setUint16(cooked, 8, isLoopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER)
  cooked[10] = KINDS.indexOf(kind)
  cooked[11] = MAC_BYTES
  setUint48(cooked, 12, getUint48(frame, 6))
  cooked.set(frame.subarray(ETHERNET_HEADER_BYTES), SLL2_BYTES)
  return cooked
}

/** The way back; the destination's MAC is lost. Undefined when the bytes are too short. */
export function uncook(
  bytes: Uint8Array,
): { readonly frame: Uint8Array; readonly interfaceIndex: number; readonly kind: string } | undefined {
  if (bytes.length < SLL2_BYTES) return undefined
  const frame = new Uint8Array(ETHERNET_HEADER_BYTES + bytes.length - SLL2_BYTES)
  writeEthernet(frame, MAC_ZERO, getUint48(bytes, 12), getUint16(bytes, 0))
  frame.set(bytes.subarray(SLL2_BYTES), ETHERNET_HEADER_BYTES)
  return { frame, interfaceIndex: getUint32(bytes, 4), kind: KINDS[bytes[10]!] ?? '?' }
}
