// A learning Ethernet switch (IEEE 802.1D section 7, without spanning tree): a machine of its own between others, and
// the bridge cni0 inside a node's host, which calls `forward` itself and so needs no copy of the frame.

import { ChangeCount } from '../base/change-count.js'
import { invariant } from '../base/errors.js'
import type { Machine, Outgoing } from '../base/machine.js'
import { GIVEN_AWAY, type Offload } from '../base/offload.js'
import { type Micros, NEVER, SECOND } from '../base/time.js'
import type { Mac } from '../wire/address.js'
import { ETHERNET_HEADER_BYTES, ethernetHeader, isGroupMac, parseEthernet } from '../wire/ethernet.js'
import { EgressQueue } from './egress-queue.js'

/** How long an address is remembered without a frame from it (802.1D table 7-5, Linux' default). */
export const MAC_AGEING: Micros = 300 * SECOND

const MAX_MAC_ENTRIES = 16_384

/** 01-80-C2-00-00-00 to -0F are for the bridge itself and never forwarded (802.1D table 7-10). */
const RESERVED_FIRST: Mac = 0x0180c2000000
const RESERVED_LAST: Mac = 0x0180c200000f

/** What `egress` says besides a port. */
export const NOWHERE = -1
export const FLOOD = -2

/** A row of `bridge fdb`. */
export interface MacRow {
  readonly mac: Mac
  readonly port: number
  readonly age: Micros
}

/** What is known of an address. */
export interface MacEntry {
  port: number
  seen: Micros
}

/** Sender and destination of frames that came in through one port, both known. */
interface StationPair {
  ingress: number
  /** The destination's address and the sender's, in three words. */
  first: number
  second: number
  third: number
  sender: MacEntry
  destination: MacEntry
}

/** How many pairs are remembered; a power of two. */
const PAIRS = 256

export interface BridgeCounters {
  received: number
  /** Frames sent to the one port where their destination is. */
  forwarded: number
  /** Frames sent to all other ports: group addresses and unknown destinations. */
  flooded: number
  /** Frames that went nowhere: destination behind the port they came from or isolated from it, reserved or malformed. */
  filtered: number
}

export class Bridge implements Machine {
  readonly counters: BridgeCounters = { received: 0, forwarded: 0, flooded: 0, filtered: 0 }
  readonly #ports = new Map<number, string>()
  readonly #isolated = new Set<number>()
  /** Counts when an address is forgotten, and when it moves: who keeps an entry has to ask again. */
  readonly #changes: ChangeCount
  readonly #macs = new Map<Mac, MacEntry>()
  /**
   * The last frames' pairs of addresses, by some bits of port and destination: most frames are between two stations
   * that have just been looked up, and comparing words spares numbers of 48 bits. Emptied when an entry goes.
   */
  #pairs: (StationPair | undefined)[] = []
  readonly #header = ethernetHeader()
  readonly #outgoing = new EgressQueue()
  #nextPort = 0

  constructor(changes = new ChangeCount()) {
    this.#changes = changes
  }

  /**
   * A new port; its number is never used again. Isolated ports exchange no frames with each other, only with the others
   * (Linux: `bridge link set ... isolated on`): bridges of which each has one to every other make no loop.
   */
  addPort(name: string, { isolated = false }: { readonly isolated?: boolean } = {}): number {
    const port = this.#nextPort++
    this.#ports.set(port, name)
    if (isolated) this.#isolated.add(port)
    return port
  }

  /** Takes a port away, with the addresses learnt there and the frames that wait for it. */
  removePort(port: number): void {
    this.#changes.value++
    this.#pairs = []
    this.#ports.delete(port)
    this.#isolated.delete(port)
    for (const [mac, entry] of this.#macs) if (entry.port === port) this.#macs.delete(mac)
    this.#outgoing.removePort(port)
  }

  ports(): ReadonlyMap<number, string> {
    return this.#ports
  }

  /** Addresses that are remembered at `now`, in the order in which they were first seen. */
  macs(now: Micros): MacRow[] {
    return [...this.#macs]
      .map(([mac, entry]) => ({ mac, port: entry.port, age: now - entry.seen }))
      .filter((row) => row.age < MAC_AGEING)
  }

  /** What is known of `mac`, were it too old or not. */
  entry(mac: Mac): MacEntry | undefined {
    return this.#macs.get(mac)
  }

  /** Learns where `frame` came from; the port that it leaves through, FLOOD for all others, NOWHERE for none. */
  egress(ingress: number, frame: Uint8Array, now: Micros): number {
    invariant(this.#ports.has(ingress), `bridge has no port ${ingress}`)
    this.counters.received++
    const pair = frame.length < ETHERNET_HEADER_BYTES ? undefined : this.#pairs[pairIndex(ingress, frame)]
    if (pair !== undefined && pair.ingress === ingress && isOf(pair, frame)) {
      this.#seeAgain(pair.sender, ingress, now)
      return this.#towards(pair.destination, ingress, now)
    }
    const header = this.#header
    // A group address is never a sender (Linux: br_handle_frame drops it).
    if (parseEthernet(frame, header) !== undefined || isGroupMac(header.source)) {
      this.counters.filtered++
      return NOWHERE
    }
    const sender = this.#learn(header.source, ingress, now)
    if (header.destination >= RESERVED_FIRST && header.destination <= RESERVED_LAST) {
      this.counters.filtered++
      return NOWHERE
    }
    const known = isGroupMac(header.destination) ? undefined : this.#macs.get(header.destination)
    if (known !== undefined && sender !== undefined) this.#remember(ingress, frame, sender, known)
    return this.#towards(known, ingress, now)
  }

  #towards(known: MacEntry | undefined, ingress: number, now: Micros): number {
    if (known === undefined || now - known.seen >= MAC_AGEING) {
      this.counters.flooded++
      return FLOOD
    }
    if (known.port === ingress || this.#separates(ingress, known.port)) {
      this.counters.filtered++
      return NOWHERE
    }
    this.counters.forwarded++
    return known.port
  }

  /** As `egress`; calls `output` for every port that `frame` leaves through. Keeps nothing of it. */
  forward(ingress: number, frame: Uint8Array, now: Micros, output: (port: number) => void): void {
    const egress = this.egress(ingress, frame, now)
    if (egress === FLOOD) {
      this.#flood(ingress, output)
    } else if (egress !== NOWHERE) output(egress)
  }

  receive(port: number, frame: Uint8Array, now: Micros, offload: Offload = 0): void {
    const egress = this.egress(port, frame, now)
    if (egress === NOWHERE) return
    const own = (offload & GIVEN_AWAY) === 0 ? frame.slice() : frame
    if (egress !== FLOOD) return this.#outgoing.push(egress, own, offload | GIVEN_AWAY)
    // Several have the same frame: it is nobody's to change.
    const given = this.#ports.size > 2 ? offload & ~GIVEN_AWAY : offload | GIVEN_AWAY
    this.#flood(port, (each) => this.#outgoing.push(each, own, given))
  }

  /** Nothing happens by time alone: an address that is too old is noticed when it is looked up. */
  advance(_now: Micros): void {}

  transmit(): Outgoing | undefined {
    return this.#outgoing.shift() ? this.#outgoing : undefined
  }

  deadline(): Micros {
    return NEVER
  }

  #flood(ingress: number, output: (port: number) => void): void {
    for (const port of this.#ports.keys())
      if (port !== ingress && !this.#separates(ingress, port)) output(port)
  }

  #separates(one: number, other: number): boolean {
    return this.#isolated.size > 0 && this.#isolated.has(one) && this.#isolated.has(other)
  }

  /** The entry of `mac`; undefined when there is no place for one. */
  #learn(mac: Mac, port: number, now: Micros): MacEntry | undefined {
    const known = this.#macs.get(mac)
    if (known !== undefined) {
      this.#seeAgain(known, port, now)
      return known
    }
    if (this.#macs.size >= MAX_MAC_ENTRIES) {
      this.#changes.value++
      this.#pairs = []
      for (const [old, { seen }] of this.#macs) if (now - seen >= MAC_AGEING) this.#macs.delete(old)
      // Still full: frames to further stations are flooded, which is always right.
      if (this.#macs.size >= MAX_MAC_ENTRIES) return undefined
    }
    const entry = { port, seen: now }
    this.#macs.set(mac, entry)
    return entry
  }

  #seeAgain(entry: MacEntry, port: number, now: Micros): void {
    entry.seen = now
    if (entry.port === port) return
    entry.port = port
    this.#changes.value++
  }

  #remember(ingress: number, frame: Uint8Array, sender: MacEntry, destination: MacEntry): void {
    const first = wordAt(frame, 0)
    const second = wordAt(frame, 4)
    const third = wordAt(frame, 8)
    const index = pairIndex(ingress, frame)
    const pair = this.#pairs[index]
    if (pair === undefined) {
      if (this.#pairs.length === 0) this.#pairs = new Array(PAIRS).fill(undefined)
      this.#pairs[index] = { ingress, first, second, third, sender, destination }
      return
    }
    pair.ingress = ingress
    pair.first = first
    pair.second = second
    pair.third = third
    pair.sender = sender
    pair.destination = destination
  }
}

function pairIndex(ingress: number, frame: Uint8Array): number {
  return ((ingress << 2) ^ frame[5]!) & (PAIRS - 1)
}

function isOf(pair: StationPair, frame: Uint8Array): boolean {
  return (
    wordAt(frame, 0) === pair.first && wordAt(frame, 4) === pair.second && wordAt(frame, 8) === pair.third
  )
}

/** 32 bits, signed: no number that needs memory. */
function wordAt(frame: Uint8Array, at: number): number {
  return (frame[at]! << 24) | (frame[at + 1]! << 16) | (frame[at + 2]! << 8) | frame[at + 3]!
}
