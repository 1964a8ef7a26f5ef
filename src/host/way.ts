// The way of frames through a node: what all frames of some flows have in common, and what has to be true of a frame, of
// the bridge and of the next hop for it to be gone. Which flow goes which way, and going it, is fast-path.ts.

import { hasWorkLeft, type Offload, segmentBytes } from '../base/offload.js'
import type { Micros } from '../base/time.js'
import { MAC_AGEING, type MacEntry } from '../fabric/bridge.js'
import type { WayChanges } from '../netfilter/flow-cache.js'
import type { Tally } from '../netfilter/flow-recorder.js'
import type { Interface } from '../stack/interface.js'
import type { Neighbor } from '../stack/neighbors.js'
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js'
import { longestPacket } from '../wire/segmentation.js'

/** Both Ethernet addresses of a frame in three words, destination first. */
export type AddressWords = readonly [number, number, number]

export interface WayOptions extends Pick<WayChanges, 'newSource' | 'newDestination'> {
  readonly ingress: number
  readonly egress: number
  /** Addresses of the frame as it comes, and as it leaves. */
  readonly before: AddressWords
  readonly after: AddressWords
  /** The bridge's entries of the sender and of where the frame goes, as it comes; undefined from the LAN. */
  readonly learnt?: MacEntry | undefined
  readonly known?: MacEntry | undefined
  /** The same as it leaves; undefined towards the LAN, and when it is not routed. */
  readonly learntAfter?: MacEntry | undefined
  readonly knownAfter?: MacEntry | undefined
  /** Undefined from pod to pod on the bridge; else the frame is routed from one interface to the other. */
  readonly input?: Interface | undefined
  readonly output?: Interface | undefined
  readonly neighbor?: Neighbor | undefined
  readonly mtuBytes: number
  readonly tally: Tally
}

export class Way implements WayChanges {
  readonly ingress: number
  readonly egress: number
  readonly before0: number
  readonly before1: number
  readonly before2: number
  readonly after0: number
  readonly after1: number
  readonly after2: number
  readonly newSource: number | undefined
  readonly newDestination: number | undefined
  readonly routed: boolean
  readonly learnt: MacEntry | undefined
  readonly known: MacEntry | undefined
  readonly learntAfter: MacEntry | undefined
  readonly knownAfter: MacEntry | undefined
  readonly input: Interface | undefined
  readonly output: Interface | undefined
  readonly neighbor: Neighbor | undefined
  readonly mtuBytes: number
  readonly tally: Tally
  /** Until then no entry of the bridge that the way needs is too old, whatever is heard of it. */
  #freshUntil: Micros = 0

  constructor(options: WayOptions) {
    this.ingress = options.ingress
    this.egress = options.egress
    this.before0 = options.before[0]
    this.before1 = options.before[1]
    this.before2 = options.before[2]
    this.after0 = options.after[0]
    this.after1 = options.after[1]
    this.after2 = options.after[2]
    this.newSource = options.newSource
    this.newDestination = options.newDestination
    this.routed = options.input !== undefined
    this.learnt = options.learnt
    this.known = options.known
    this.learntAfter = options.learntAfter
    this.knownAfter = options.knownAfter
    this.input = options.input
    this.output = options.output
    this.neighbor = options.neighbor
    this.mtuBytes = options.mtuBytes
    this.tally = options.tally
  }

  /** What flows that go the same way have alike. */
  get key(): string {
    const { ingress, egress, newSource, newDestination, tally } = this
    const before = `${this.before0} ${this.before1} ${this.before2}`
    const after = `${this.after0} ${this.after1} ${this.after2}`
    return `${ingress} ${egress} ${before} ${after} ${newSource} ${newDestination} ${tally.number}`
  }

  /** Whether another way with the same key was not made anew since: a neighbour, an entry of the bridge. */
  isSame(other: Way): boolean {
    return (
      this.neighbor === other.neighbor &&
      this.learnt === other.learnt &&
      this.known === other.known &&
      this.learntAfter === other.learntAfter &&
      this.knownAfter === other.knownAfter &&
      this.input === other.input &&
      this.tally === other.tally
    )
  }

  /**
   * Whether a frame may go this way now: what the bridge, the neighbours and the link would say. That the bridge's
   * entries lead where they led is not asked: it counts as a change when they do not.
   */
  isOpen(ingress: number, frame: Uint8Array, now: Micros, offload: Offload): boolean {
    if (ingress !== this.ingress || !hasAddresses(frame, this)) return false
    if (now >= this.#freshUntil && !this.#isFresh(now)) return false
    const length =
      segmentBytes(offload) === 0 ? frame.length - ETHERNET_HEADER_BYTES : longestPacket(frame, offload)
    if (length > this.mtuBytes) return false
    const { neighbor } = this
    if (neighbor === undefined) return true
    // Routed: the last hop is told to the sender, and work that the interface does not take is done by the link.
    if (frame[22]! <= 1 || (hasWorkLeft(offload) && !this.output!.offload)) return false
    const { state } = neighbor
    return state === 'REACHABLE' || state === 'DELAY' || state === 'PROBE'
  }

  #isFresh(now: Micros): boolean {
    const seen = Math.min(this.known?.seen ?? now, this.knownAfter?.seen ?? now)
    this.#freshUntil = seen + MAC_AGEING
    return now < this.#freshUntil
  }
}

/** `wordAt` three times, but V8 would call it. */
function hasAddresses(frame: Uint8Array, { before0, before1, before2 }: Way): boolean {
  return (
    ((frame[0]! << 24) | (frame[1]! << 16) | (frame[2]! << 8) | frame[3]!) === before0 &&
    ((frame[4]! << 24) | (frame[5]! << 16) | (frame[6]! << 8) | frame[7]!) === before1 &&
    ((frame[8]! << 24) | (frame[9]! << 16) | (frame[10]! << 8) | frame[11]!) === before2
  )
}

/** 32 bits, signed: no number that needs memory. */
export function wordAt(frame: Uint8Array, at: number): number {
  return (frame[at]! << 24) | (frame[at + 1]! << 16) | (frame[at + 2]! << 8) | frame[at + 3]!
}
