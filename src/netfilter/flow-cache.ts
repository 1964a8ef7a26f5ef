// Established flows in a table of numbers, each direction with all that is done to its packets: new addresses and ports,
// and by how much the checksums change (RFC 1624). As Linux' flowtable (nf_flow_table_ip.c). IPv4 with TCP or UDP, no
// options, no fragments; of TCP only segments that change no state. Who makes entries, and what else has to be true for
// a packet to be changed by one, is host/fast-path.ts.

import type { Micros } from '../base/time.js'
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { ACK, FIN, RST, SYN } from '../wire/tcp.js'
import type { Flow } from './flow.js'

/** What `find` says besides the number of an entry: no entry, and a packet that entries are not made for. */
export const MISSING = -1
export const UNFIT = -2

/** Flows beyond these get none until others have ended. */
const MAX_ENTRIES = 131_072
const SMALLEST = 64

/** 32-bit words of an entry: half a line of a processor's cache. What flows have in common is in their way. */
const WORDS = 8
const SOURCE = 0
const DESTINATION = 1
const PORTS = 2
/** Bit 0: UDP, else TCP; above it the number of the way. */
const WAY = 3
const NEW_PORTS = 4
/** What is added to the header's and, above it, the transport's checksum. */
const DELTAS = 5
/** Of the entry as doubles: when the last packet came. */
const SEEN = 3
const UDP = 1

const IP = ETHERNET_HEADER_BYTES
const TTL = IP + 8
const TRANSPORT = IP + 20
const FLAGS = TRANSPORT + 13
const TCP_CHECKSUM = TRANSPORT + 16
const UDP_CHECKSUM = TRANSPORT + 6
const STATE_FLAGS = SYN | FIN | RST | ACK
const FRAGMENT = 0x3fff
/** ~m + m' for a TTL that goes down by one. */
const TTL_DELTA = 0xffff - 0x100

/** What identifies a flow's direction; words as signed 32-bit numbers. */
export interface CacheKey {
  source: number
  destination: number
  /** Source port in the high half. */
  ports: number
  protocol: number
}

/** Addresses and ports of a packet, as in CacheKey. */
export type Addressing = Pick<CacheKey, 'source' | 'destination' | 'ports'>

/** What happens alike to the packets of all flows that go one way. */
export interface WayChanges {
  /** The TTL goes down, and the frame gets other Ethernet addresses: in three words, destination first. */
  readonly routed: boolean
  readonly after0: number
  readonly after1: number
  readonly after2: number
  /** The addresses that packets have afterwards; undefined where they stay as they are. */
  readonly newSource: number | undefined
  readonly newDestination: number | undefined
}

export class FlowCache {
  /** Of the packet for which `find` said MISSING. */
  readonly missing: CacheKey = { source: 0, destination: 0, ports: 0, protocol: 0 }
  #words = new Int32Array(SMALLEST * WORDS)
  #doubles = new Float64Array(this.#words.buffer)
  /** Entry + 1 by hash, 0 where there is none. */
  #slots = new Int32Array(SMALLEST * 2)
  #mask = SMALLEST * 2 - 1
  /** Flow of each entry; undefined for one that is free. */
  #flows: (Flow | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#flows.length - this.#free.length
  }

  /**
   * The entry for a frame; UNFIT when there is anything unusual about it. Where the frame came from, and its Ethernet
   * addresses, are not asked for.
   */
  find(frame: Uint8Array): number {
    const length = frame.length
    if (length < TRANSPORT + 8) return UNFIT
    // The flow is looked up before all is known to be right: a processor waits for memory meanwhile, or it waits later.
    const protocol = frame[23]!
    const s0 = (frame[26]! << 8) | frame[27]!
    const s1 = (frame[28]! << 8) | frame[29]!
    const d0 = (frame[30]! << 8) | frame[31]!
    const d1 = (frame[32]! << 8) | frame[33]!
    const source = (s0 << 16) | s1
    const destination = (d0 << 16) | d1
    const ports = (frame[34]! << 24) | (frame[35]! << 16) | (frame[36]! << 8) | frame[37]!
    const words = this.#words
    const slots = this.#slots
    const mask = this.#mask
    let slot = hash(source, destination, ports) & mask
    let entry = slots[slot]! - 1
    const total = (frame[16]! << 8) | frame[17]!
    const fragment = (frame[20]! << 8) | frame[21]!
    const high = frame[18]! + frame[22]! + frame[24]!
    const low = frame[15]! + frame[19]! + frame[25]!
    const sum = 0x4500 + high * 256 + low + protocol + total + fragment + s0 + s1 + d0 + d1
    // Never above 10 words: folding twice is enough. The header's checksum is right.
    const folded = (sum & 0xffff) + (sum >>> 16)
    if ((folded & 0xffff) + (folded >>> 16) !== 0xffff) return UNFIT
    if (frame[12] !== 0x08 || frame[13] !== 0 || frame[IP] !== 0x45) return UNFIT
    if (total + IP !== length || (fragment & FRAGMENT) !== 0) return UNFIT
    if (protocol === PROTOCOL_TCP) {
      if (length < TRANSPORT + 20 || (frame[FLAGS]! & STATE_FLAGS) !== ACK) return UNFIT
    } else if (protocol !== PROTOCOL_UDP) return UNFIT
    const udp = protocol === PROTOCOL_UDP ? UDP : 0
    while (entry >= 0) {
      const at = entry * WORDS
      if (
        words[at + PORTS] === ports &&
        words[at + SOURCE] === source &&
        words[at + DESTINATION] === destination &&
        (words[at + WAY]! & UDP) === udp
      )
        return entry
      slot = (slot + 1) & mask
      entry = slots[slot]! - 1
    }
    return this.#miss(source, destination, ports, protocol)
  }

  #miss(source: number, destination: number, ports: number, protocol: number): number {
    const { missing } = this
    missing.source = source
    missing.destination = destination
    missing.ports = ports
    missing.protocol = protocol
    return MISSING
  }

  /** The number that was given for the way of an entry. */
  wayOf(entry: number): number {
    return this.#words[entry * WORDS + WAY]! >>> 1
  }

  /**
   * Changes a frame for which `find` gave `entry`; `changes`: those of its way. Byte by byte, without a function for
   * it: V8 would call it, more often than not.
   */
  translate(entry: number, frame: Uint8Array, changes: WayChanges, now: Micros): void {
    const words = this.#words
    const at = entry * WORDS
    const deltas = words[at + DELTAS]!
    this.#doubles[entry * (WORDS / 2) + SEEN] = now
    if (changes.routed) {
      const { after0, after1, after2 } = changes
      frame[0] = after0 >>> 24
      frame[1] = after0 >>> 16
      frame[2] = after0 >>> 8
      frame[3] = after0
      frame[4] = after1 >>> 24
      frame[5] = after1 >>> 16
      frame[6] = after1 >>> 8
      frame[7] = after1
      frame[8] = after2 >>> 24
      frame[9] = after2 >>> 16
      frame[10] = after2 >>> 8
      frame[11] = after2
      frame[TTL] = frame[TTL]! - 1
    }
    // RFC 1624 equation 3; a delta of 0 leaves the checksum as it is.
    const header = (~((frame[24]! << 8) | frame[25]!) & 0xffff) + (deltas & 0xffff)
    const headerSum = ~((header & 0xffff) + (header >>> 16))
    frame[24] = headerSum >>> 8
    frame[25] = headerSum
    const delta = deltas >>> 16
    // Not translated at all.
    if (delta === 0) return
    const { newSource, newDestination } = changes
    if (newSource !== undefined) {
      frame[26] = newSource >>> 24
      frame[27] = newSource >>> 16
      frame[28] = newSource >>> 8
      frame[29] = newSource
    }
    if (newDestination !== undefined) {
      frame[30] = newDestination >>> 24
      frame[31] = newDestination >>> 16
      frame[32] = newDestination >>> 8
      frame[33] = newDestination
    }
    const ports = words[at + NEW_PORTS]!
    frame[34] = ports >>> 24
    frame[35] = ports >>> 16
    frame[36] = ports >>> 8
    frame[37] = ports
    if (frame[23] !== PROTOCOL_TCP) return updateUdp(frame, delta)
    const transport = (~((frame[TCP_CHECKSUM]! << 8) | frame[TCP_CHECKSUM + 1]!) & 0xffff) + delta
    const sum = ~((transport & 0xffff) + (transport >>> 16))
    frame[TCP_CHECKSUM] = sum >>> 8
    frame[TCP_CHECKSUM + 1] = sum
  }

  /**
   * An entry for packets with `key`, which is not in the table; `after`: what they have after translation. `way` is the
   * caller's number for what `changes` belongs to.
   */
  add(
    key: Readonly<CacheKey>,
    after: Readonly<Addressing>,
    owner: { readonly flow: Flow; readonly reply: boolean },
    route: { readonly way: number; readonly routed: boolean; readonly now: Micros },
  ): void {
    const { flow, reply } = owner
    const entry = this.#free.pop() ?? this.#flows.length
    this.#flows[entry] = flow
    if (entry * WORDS >= this.#words.length) this.#grow()
    const words = this.#words
    const at = entry * WORDS
    words[at + SOURCE] = key.source
    words[at + DESTINATION] = key.destination
    words[at + PORTS] = key.ports
    words[at + WAY] = (route.way << 1) | (key.protocol === PROTOCOL_UDP ? UDP : 0)
    words[at + NEW_PORTS] = after.ports
    words[at + DELTAS] = deltasOf(key, after, route.routed)
    this.#doubles[entry * (WORDS / 2) + SEEN] = route.now
    if (reply) flow.replyEntry = entry
    else flow.originalEntry = entry
    this.#place(entry)
  }

  /** Whether there is no room for one more. */
  get isFull(): boolean {
    return this.size >= MAX_ENTRIES
  }

  /** When the last packet of a flow came that has an entry. */
  lastSeen(flow: Flow): Micros {
    return Math.max(this.#seenAt(flow.originalEntry), this.#seenAt(flow.replyEntry))
  }

  /** Takes the entries of a flow away. */
  evict(flow: Flow): void {
    if (flow.originalEntry >= 0) this.#remove(flow.originalEntry)
    if (flow.replyEntry >= 0) this.#remove(flow.replyEntry)
    flow.originalEntry = MISSING
    flow.replyEntry = MISSING
  }

  /** Flows that have entries; one with two comes twice. */
  flows(): Flow[] {
    return this.#flows.filter((flow) => flow !== undefined)
  }

  clear(): void {
    if (this.#flows.length === 0) return
    for (const flow of this.#flows) {
      if (flow === undefined) continue
      flow.originalEntry = MISSING
      flow.replyEntry = MISSING
    }
    this.#flows = []
    this.#free.length = 0
    this.#slots.fill(0)
  }

  #seenAt(entry: number): Micros {
    return entry < 0 ? 0 : this.#doubles[entry * (WORDS / 2) + SEEN]!
  }

  #place(entry: number): void {
    const slots = this.#slots
    let slot = this.#homeOf(entry)
    while (slots[slot] !== 0) slot = (slot + 1) & this.#mask
    slots[slot] = entry + 1
  }

  /** What follows without a gap moves up unless it would pass its own first slot (Knuth 6.4 R). */
  #remove(entry: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let hole = this.#homeOf(entry)
    while (slots[hole] !== entry + 1) hole = (hole + 1) & mask
    for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      if (((next - this.#homeOf(slots[next]! - 1)) & mask) < ((next - hole) & mask)) continue
      slots[hole] = slots[next]!
      hole = next
    }
    slots[hole] = 0
    this.#flows[entry] = undefined
    this.#free.push(entry)
  }

  /** The first slot that an entry may be in. */
  #homeOf(entry: number): number {
    const words = this.#words
    const at = entry * WORDS
    return hash(words[at + SOURCE]!, words[at + DESTINATION]!, words[at + PORTS]!) & this.#mask
  }

  #grow(): void {
    const words = new Int32Array(this.#words.length * 2)
    words.set(this.#words)
    this.#words = words
    this.#doubles = new Float64Array(words.buffer)
    this.#slots = new Int32Array((words.length / WORDS) * 2)
    this.#mask = this.#slots.length - 1
    // The last one is not placed yet.
    for (let entry = 0; entry < this.#flows.length - 1; entry++)
      if (this.#flows[entry] !== undefined) this.#place(entry)
  }
}

function hash(source: number, destination: number, ports: number): number {
  let h = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b)
  h ^= Math.imul(ports, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}

/** UDP without a checksum stays so (RFC 768). */
function updateUdp(frame: Uint8Array, delta: number): void {
  const before = (frame[UDP_CHECKSUM]! << 8) | frame[UDP_CHECKSUM + 1]!
  if (before === 0) return
  const sum = (~before & 0xffff) + delta
  const after = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff || 0xffff
  frame[UDP_CHECKSUM] = after >>> 8
  frame[UDP_CHECKSUM + 1] = after
}

/** Sum of ~m + m' over the words that change, folded to 1 .. 0xffff; 0 when nothing is touched. */
function deltasOf(before: Readonly<Addressing>, after: Readonly<Addressing>, routed: boolean): number {
  const translated =
    before.source !== after.source || before.destination !== after.destination || before.ports !== after.ports
  const addresses = wordDelta(before.source, after.source) + wordDelta(before.destination, after.destination)
  const header = (translated ? addresses : 0) + (routed ? TTL_DELTA : 0)
  const transport = translated ? addresses + wordDelta(before.ports, after.ports) : 0
  return fold(header) | (fold(transport) << 16)
}

function wordDelta(before: number, after: number): number {
  const gone = (~before & 0xffff) + ((~before >>> 16) & 0xffff)
  return gone + (after & 0xffff) + (after >>> 16)
}

function fold(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16)
  return folded
}
