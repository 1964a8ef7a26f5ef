// Fragmentation and reassembly of IPv4 packets, RFC 791 section 3.2 and RFC 815, with Linux' time limit (30 s) and
// a limit of memory. Overlapping fragments discard the whole packet (RFC 5722's rule, which Linux applies to IPv4).

import { setUint16 } from '../base/bytes.js'
import { type Micros, NEVER, SECOND } from '../base/time.js'
import type { Timer, TimerHeap } from '../base/timer-heap.js'
import { ETHERNET_HEADER_BYTES, ETHERTYPE_IPV4 } from '../wire/ethernet.js'
import type { IpHeader } from '../wire/ip.js'
import { IPV4_HEADER_BYTES, writeIpv4Header } from '../wire/ipv4.js'
import type { Counters } from './counters.js'
import type { Expiring } from './expiring.js'
import { FlowTable } from './flow-table.js'

const REASSEMBLY_TIME: Micros = 30 * SECOND
/** ipfrag_high_thresh. */
const MEMORY_BYTES = 4 * 1024 * 1024
const MAX_PACKET_BYTES = 65_535

/**
 * Cuts a frame whose packet is longer than `mtuBytes` into frames that fit, with blank Ethernet headers. Simplified:
 * IP options are left out.
 */
export function fragment(frame: Uint8Array, header: IpHeader, mtuBytes: number): Uint8Array[] {
  const step = (mtuBytes - IPV4_HEADER_BYTES) & ~7
  const frames: Uint8Array[] = []
  const part: IpHeader = { ...header, dontFragment: false }
  for (let at = header.payloadStart; at < header.payloadEnd; at += step) {
    const end = Math.min(at + step, header.payloadEnd)
    const bytes = new Uint8Array(ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES + end - at)
    part.totalLength = IPV4_HEADER_BYTES + end - at
    part.fragmentOffset = header.fragmentOffset + at - header.payloadStart
    part.moreFragments = end < header.payloadEnd || header.moreFragments
    const payload = writeIpv4Header(bytes, ETHERNET_HEADER_BYTES, part)
    bytes.set(frame.subarray(at, end), payload)
    frames.push(bytes)
  }
  return frames
}

interface Piece {
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
}

class Assembly implements Expiring {
  readonly header: IpHeader
  /** In order of their offset. */
  readonly pieces: Piece[] = []
  /** Bytes of payload, -1 until the last fragment came. */
  length = -1
  received = 0
  /** Frame of the fragment at offset 0: an ICMP error needs it. */
  first: Uint8Array | undefined
  readonly interfaceIndex: number
  readonly timer: Timer<Expiring>
  readonly #owner: Reassembly

  constructor(owner: Reassembly, timers: TimerHeap<Expiring>, header: IpHeader, interfaceIndex: number) {
    this.#owner = owner
    this.header = { ...header }
    this.interfaceIndex = interfaceIndex
    this.timer = timers.timer(this)
  }

  expire(): void {
    this.#owner.expire(this)
  }
}

export class Reassembly {
  readonly #timers: TimerHeap<Expiring>
  readonly #counters: Counters
  /** Told of a packet that stays incomplete, with the frame of its first fragment. */
  readonly #timedOut: (first: Uint8Array, interfaceIndex: number) => void
  /** By addresses, identification (in the place of a port) and protocol. */
  readonly #assemblies = new FlowTable<Assembly>()
  /** The same, oldest first. */
  readonly #order = new Set<Assembly>()
  #memory = 0

  constructor(
    timers: TimerHeap<Expiring>,
    counters: Counters,
    timedOut: (first: Uint8Array, interfaceIndex: number) => void,
  ) {
    this.#timers = timers
    this.#counters = counters
    this.#timedOut = timedOut
  }

  /** Takes a fragment; a new frame with the whole packet (blank Ethernet header) when it was the last one missing. */
  add(frame: Uint8Array, header: IpHeader, interfaceIndex: number, now: Micros): Uint8Array | undefined {
    this.#counters.IpReasmReqds++
    const { source, destination, identification, protocol } = header
    let assembly = this.#assemblies.get(source, destination, identification, 0, protocol)
    if (assembly === undefined) {
      assembly = new Assembly(this, this.#timers, header, interfaceIndex)
      this.#assemblies.add(source, destination, identification, 0, protocol, assembly)
      this.#order.add(assembly)
      this.#timers.set(assembly.timer, now + REASSEMBLY_TIME)
    }
    if (!this.#place(assembly, frame, header)) {
      this.#counters.IpReasmFails++
      this.#drop(assembly)
      return undefined
    }
    if (assembly.received === assembly.length) {
      this.#drop(assembly)
      this.#counters.IpReasmOKs++
      return this.#join(assembly)
    }
    for (const oldest of this.#order) {
      if (this.#memory <= MEMORY_BYTES) break
      this.#counters.IpReasmFails++
      this.#drop(oldest)
    }
    return undefined
  }

  /** The time of an assembly is over: RFC 792 asks for an error, but only when the first fragment is there. */
  expire(assembly: Assembly): void {
    this.#counters.IpReasmTimeout++
    this.#counters.IpReasmFails++
    this.#drop(assembly)
    if (assembly.first !== undefined) this.#timedOut(assembly.first, assembly.interfaceIndex)
  }

  /** Puts a fragment into its place; false when it contradicts what is there. */
  #place(assembly: Assembly, frame: Uint8Array, header: IpHeader): boolean {
    const start = header.fragmentOffset
    const end = start + header.payloadEnd - header.payloadStart
    if (end === start || end + IPV4_HEADER_BYTES > MAX_PACKET_BYTES) return false
    if (header.moreFragments) {
      // All but the last are multiples of 8 bytes.
      if ((end & 7) !== 0 || (assembly.length >= 0 && end > assembly.length)) return false
    } else {
      if (assembly.length >= 0 && assembly.length !== end) return false
      assembly.length = end
    }
    const pieces = assembly.pieces
    let at = pieces.length
    while (at > 0 && pieces[at - 1]!.start > start) at--
    const before = pieces[at - 1]
    const after = pieces[at]
    // The very same fragment once more (a duplicate on the way) is no overlap.
    if (before !== undefined && before.start === start && before.end === end) return true
    if ((before !== undefined && before.end > start) || (after !== undefined && after.start < end))
      return false
    if (assembly.length >= 0 && pieces.length > 0 && pieces[pieces.length - 1]!.end > assembly.length)
      return false
    pieces.splice(at, 0, { start, end, bytes: frame.slice(header.payloadStart, header.payloadEnd) })
    assembly.received += end - start
    this.#memory += end - start
    if (start === 0) {
      assembly.first = frame.slice()
      Object.assign(assembly.header, header)
    }
    return true
  }

  #join(assembly: Assembly): Uint8Array {
    const totalLength = IPV4_HEADER_BYTES + assembly.length
    const frame = new Uint8Array(ETHERNET_HEADER_BYTES + totalLength)
    if (assembly.first !== undefined) frame.set(assembly.first.subarray(0, ETHERNET_HEADER_BYTES))
    setUint16(frame, 12, ETHERTYPE_IPV4)
    const payload = writeIpv4Header(frame, ETHERNET_HEADER_BYTES, {
      ...assembly.header,
      totalLength,
      moreFragments: false,
      fragmentOffset: 0,
    })
    for (const piece of assembly.pieces) frame.set(piece.bytes, payload + piece.start)
    return frame
  }

  #drop(assembly: Assembly): void {
    const { source, destination, identification, protocol } = assembly.header
    this.#assemblies.remove(source, destination, identification, 0, protocol, assembly)
    this.#order.delete(assembly)
    this.#timers.set(assembly.timer, NEVER)
    this.#memory -= assembly.received
  }
}
