// A network interface of a stack, as `ip link` and `ip addr` know it. Plain state: what happens with its frames is
// in ip.ts.

import type { Offload } from '../base/offload.js'
import type { Micros } from '../base/time.js'
import {
  type InterfaceAddress,
  type IpAddress,
  isIpv6,
  lastAddress,
  type Mac,
  networkOf,
} from '../wire/address.js'
import { forEachPacket } from '../wire/segmentation.js'

/**
 * Sees the packets of an interface, as a packet(7) socket does: real ones of at most its MTU, checksums computed. They
 * are only lent.
 */
export type PacketTap = (packet: Uint8Array, direction: 'in' | 'out', now: Micros) => void

export interface Interface {
  /** As `ip link` numbers them; 1 is lo. */
  readonly index: number
  readonly name: string
  readonly mac: Mac
  mtuBytes: number
  readonly loopback: boolean
  up: boolean
  /** Takes frames with work left to do (`ethtool -K tso on tx on`); what leaves through another is finished first. */
  readonly offload: boolean
  /** The first is the primary address. */
  addresses: readonly InterfaceAddress[]
  receivedFrames: number
  receivedBytes: number
  sentFrames: number
  sentBytes: number
  /** Undefined when nobody listens. */
  taps: ReadonlySet<PacketTap> | undefined
}

/** How an interface is made. */
export interface InterfaceOptions {
  readonly name: string
  readonly mac: Mac
  readonly mtuBytes: number
  readonly addresses: readonly InterfaceAddress[]
  readonly loopback?: boolean
  readonly up?: boolean
  readonly offload?: boolean
}

/** The interface number LOOPBACK_INDEX is lo in every stack. */
export const LOOPBACK_INDEX = 1

export function makeInterface(index: number, options: InterfaceOptions): Interface {
  return {
    index,
    name: options.name,
    mac: options.mac,
    mtuBytes: options.mtuBytes,
    loopback: options.loopback ?? false,
    up: options.up ?? true,
    offload: options.offload ?? false,
    addresses: [...options.addresses],
    receivedFrames: 0,
    receivedBytes: 0,
    sentFrames: 0,
    sentBytes: 0,
    taps: undefined,
  }
}

/** Shows a frame to the taps of an interface. */
export function showToTaps(
  taps: ReadonlySet<PacketTap>,
  frame: Uint8Array,
  offload: Offload,
  direction: 'in' | 'out',
  now: Micros,
): void {
  forEachPacket(frame, offload, (packet) => {
    for (const tap of taps) tap(packet, direction, now)
  })
}

/**
 * The directed broadcast address of an interface's address, undefined where there is none (RFC 3021 for /31).
 * Only the highest address of a prefix: the lowest one (`.0`) is an ordinary host address, as in Linux since 5.14.
 */
export function broadcastOf(address: InterfaceAddress): IpAddress | undefined {
  if (isIpv6(address.address) || address.prefixLength >= 31) return undefined
  return lastAddress(networkOf(address))
}
