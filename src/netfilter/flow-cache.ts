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

/** Entries are given up, all of them, when there are more. */
const MAX_ENTRIES = 131_072
const SMALLEST = 64

/** 32-bit words of an entry: one line of a processor's cache. */
const WORDS = 16
const SOURCE = 0
const DESTINATION = 1
const PORTS = 2
/** Protocol, and the port of ingress above it. */
const PROTOCOL_INGRESS = 3
const NEW_SOURCE = 4
const NEW_DESTINATION = 5
const NEW_PORTS = 6
/** What is added to the header's and, above it, the transport's checksum. */
const DELTAS = 7
const WAY = 8
const HASH = 9
/** Which of the three new words differ from the old ones. */
const PARTS = 12
/** Ethernet addresses of the frame as it comes, destination first, in three words. */
const ETHERNET = 13
const SOURCE_PART = 1
const DESTINATION_PART = 2
const PORTS_PART = 4
/** Of the entry as doubles: when the last packet came. */
const SEEN = 5

const IP = ETHERNET_HEADER_BYTES
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
  ingress: number
}

export class FlowCache {
  /** Of the packet for which `find` said MISSING. */
  readonly missing: CacheKey = { source: 0, destination: 0, ports: 0, protocol: 0, ingress: 0 }
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
   * The entry for a frame that came in at the port `ingress`. A frame with anything unusual about it is UNFIT, and one
   * that comes with other Ethernet addresses than its flow's first packets.
   */
  find(frame: Uint8Array, ingress: number): number {
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
    const last = protocol | (ingress << 8)
    const words = this.#words
    const slots = this.#slots
    const mask = this.#mask
    let slot = hash(source, destination, ports, last) & mask
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
    while (entry >= 0) {
      const at = entry * WORDS
      if (
        words[at + PORTS] === ports &&
        words[at + SOURCE] === source &&
        words[at + DESTINATION] === destination &&
        words[at + PROTOCOL_INGRESS] === last
      )
        return hasAddresses(frame, words, at + ETHERNET) ? entry : UNFIT
      slot = (slot + 1) & mask
      entry = slots[slot]! - 1
    }
    return this.#miss(source, destination, ports, protocol, ingress)
  }

  #miss(source: number, destination: number, ports: number, protocol: number, ingress: number): number {
    const { missing } = this
    missing.source = source
    missing.destination = destination
    missing.ports = ports
    missing.protocol = protocol
    missing.ingress = ingress
    return MISSING
  }

  /** The number that was given for the way of an entry. */
  wayOf(entry: number): number {
    return this.#words[entry * WORDS + WAY]!
  }

  /** Translates a frame for which `find` gave `entry`; `routed`: its TTL goes down. */
  translate(entry: number, frame: Uint8Array, routed: boolean, now: Micros): void {
    const words = this.#words
    const at = entry * WORDS
    const deltas = words[at + DELTAS]!
    this.#doubles[entry * (WORDS / 2) + SEEN] = now
    if (routed) frame[22] = frame[22]! - 1
    const header = updated((frame[24]! << 8) | frame[25]!, deltas & 0xffff)
    frame[24] = header >>> 8
    frame[25] = header
    const transport = deltas >>> 16
    // Not translated at all.
    if (transport === 0) return
    const parts = words[at + PARTS]!
    if ((parts & SOURCE_PART) !== 0) writeWord(frame, 26, words[at + NEW_SOURCE]!)
    if ((parts & DESTINATION_PART) !== 0) writeWord(frame, 30, words[at + NEW_DESTINATION]!)
    if ((parts & PORTS_PART) !== 0) writeWord(frame, 34, words[at + NEW_PORTS]!)
    if (frame[23] === PROTOCOL_TCP) {
      const sum = updated((frame[TCP_CHECKSUM]! << 8) | frame[TCP_CHECKSUM + 1]!, transport)
      frame[TCP_CHECKSUM] = sum >>> 8
      frame[TCP_CHECKSUM + 1] = sum
    } else updateUdp(frame, transport)
  }

  /**
   * An entry for packets with `key`, which is not in the table; `source`, `destination` and `ports` as they are after
   * translation; `ethernet`: the addresses of the frame as it comes, destination first. `way` is the caller's.
   */
  add(
    key: Readonly<CacheKey>,
    after: { readonly source: number; readonly destination: number; readonly ports: number },
    flow: Flow,
    reply: boolean,
    options: {
      readonly ethernet: readonly [number, number, number]
      readonly routed: boolean
      readonly way: number
      readonly now: Micros
    },
  ): void {
    const entry = this.#free.pop() ?? this.#flows.length
    this.#flows[entry] = flow
    if (entry * WORDS >= this.#words.length) this.#grow()
    const words = this.#words
    const at = entry * WORDS
    words[at + SOURCE] = key.source
    words[at + DESTINATION] = key.destination
    words[at + PORTS] = key.ports
    words[at + PROTOCOL_INGRESS] = key.protocol | (key.ingress << 8)
    words[at + NEW_SOURCE] = after.source
    words[at + NEW_DESTINATION] = after.destination
    words[at + NEW_PORTS] = after.ports
    words.set(options.ethernet, at + ETHERNET)
    words[at + PARTS] = partsOf(key, after)
    words[at + DELTAS] = deltasOf(key, after, options.routed)
    words[at + WAY] = options.way
    words[at + HASH] = hash(key.source, key.destination, key.ports, words[at + PROTOCOL_INGRESS]!)
    this.#doubles[entry * (WORDS / 2) + SEEN] = options.now
    if (reply) flow.replyEntry = entry
    else flow.originalEntry = entry
    this.#place(entry)
  }

  /** Whether there is room for one more. */
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
    let slot = this.#words[entry * WORDS + HASH]! & this.#mask
    while (slots[slot] !== 0) slot = (slot + 1) & this.#mask
    slots[slot] = entry + 1
  }

  /** What follows without a gap moves up unless it would pass its own first slot (Knuth 6.4 R). */
  #remove(entry: number): void {
    const slots = this.#slots
    const mask = this.#mask
    const home = (at: number) => this.#words[(slots[at]! - 1) * WORDS + HASH]! & mask
    let hole = this.#words[entry * WORDS + HASH]! & mask
    while (slots[hole] !== entry + 1) hole = (hole + 1) & mask
    for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      if (((next - home(next)) & mask) < ((next - hole) & mask)) continue
      slots[hole] = slots[next]!
      hole = next
    }
    slots[hole] = 0
    this.#flows[entry] = undefined
    this.#free.push(entry)
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

function hash(source: number, destination: number, ports: number, last: number): number {
  let h = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b)
  h ^= Math.imul(ports ^ last, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}

function hasAddresses(frame: Uint8Array, words: Int32Array, at: number): boolean {
  return (
    ((frame[0]! << 24) | (frame[1]! << 16) | (frame[2]! << 8) | frame[3]!) === words[at] &&
    ((frame[4]! << 24) | (frame[5]! << 16) | (frame[6]! << 8) | frame[7]!) === words[at + 1] &&
    ((frame[8]! << 24) | (frame[9]! << 16) | (frame[10]! << 8) | frame[11]!) === words[at + 2]
  )
}

function writeWord(frame: Uint8Array, at: number, value: number): void {
  frame[at] = value >>> 24
  frame[at + 1] = value >>> 16
  frame[at + 2] = value >>> 8
  frame[at + 3] = value
}

/** A checksum after what it covers changed by `delta`, RFC 1624 equation 3; a delta of 0 leaves it as it is. */
function updated(checksum: number, delta: number): number {
  const sum = (~checksum & 0xffff) + delta
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff
}

/** UDP without a checksum stays so (RFC 768). */
function updateUdp(frame: Uint8Array, delta: number): void {
  const before = (frame[UDP_CHECKSUM]! << 8) | frame[UDP_CHECKSUM + 1]!
  if (before === 0) return
  const after = updated(before, delta) || 0xffff
  frame[UDP_CHECKSUM] = after >>> 8
  frame[UDP_CHECKSUM + 1] = after
}

function partsOf(
  before: Readonly<CacheKey>,
  after: { readonly source: number; readonly destination: number; readonly ports: number },
): number {
  const source = before.source === after.source ? 0 : SOURCE_PART
  const destination = before.destination === after.destination ? 0 : DESTINATION_PART
  return source | destination | (before.ports === after.ports ? 0 : PORTS_PART)
}

/** Sum of ~m + m' over the words that change, folded to 1 .. 0xffff; 0 when nothing is touched. */
function deltasOf(
  before: Readonly<CacheKey>,
  after: { readonly source: number; readonly destination: number; readonly ports: number },
  routed: boolean,
): number {
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
