// Received data: what is in order and waits for the user, and what came early and waits for the gap before it to
// be filled (SHLD-31). Works on stream offsets, which do not wrap; the TCB translates sequence numbers and trims
// segments to the window first. Bytes go to their final place in the ring at once; only the ranges of early data
// are kept beside it, sorted, disjoint, not touching.

import { ByteRing, RingMemory } from './byte-ring.js'

/** Early ranges kept; a segment that would make one more is not queued and must be sent again. */
const MAX_RANGES = 1024

export class ReceiveBuffer {
  readonly limit: number
  /** Offset of the next octet the user reads. */
  start = 0
  /** Offset of the next octet expected: RCV.NXT as an offset. */
  next = 0
  readonly #ring: ByteRing
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  #finished = false

  constructor(limit: number, memory = new RingMemory()) {
    this.limit = limit
    this.#ring = new ByteRing(memory)
  }

  /** Octets in order that wait for the user. */
  get readable(): number {
    return this.next - this.start
  }

  /** There is a gap: data behind one that has not arrived. */
  get hasGap(): boolean {
    return this.#starts.length > 0
  }

  get capacity(): number {
    return this.#ring.capacity
  }

  /** Places `bytes[from, to)` at `offset` (not before `next`); the number of octets by which `next` moved on. */
  insert(offset: number, bytes: Uint8Array, from: number, to: number): number {
    const end = offset + (to - from)
    if (end === offset) return 0
    if (offset > this.next && !this.#queue(offset, end)) return 0
    this.#ring.reserve(this.start, end)
    this.#ring.put(offset, bytes, from, to)
    if (offset > this.next) return 0
    const before = this.next
    this.next = end
    if (this.#starts.length > 0) this.#absorb()
    return this.next - before
  }

  /** Copies up to `into.length` octets out, in order; how many. */
  readInto(into: Uint8Array): number {
    const count = Math.min(into.length, this.readable)
    if (count > 0) this.#ring.copyTo(this.start, count, into, 0)
    this.skip(count)
    return count
  }

  /** Octets in order where they lie, the first ones at least; undefined when there are none. Valid until the next call. */
  peek(): Uint8Array | undefined {
    return this.readable === 0 ? undefined : this.#ring.view(this.start, this.readable)
  }

  /** The user has used `count` octets, which are there. */
  skip(count: number): void {
    this.start += count
    if (this.#finished && this.readable === 0) this.#ring.release()
  }

  /** Nothing more will come: forgets early data, and gives the memory back unless the user has yet to read. */
  finish(): void {
    this.#starts.length = 0
    this.#ends.length = 0
    this.#finished = true
    if (this.readable === 0) this.#ring.release()
  }

  /** Adds [start, end) to the early ranges, joined with those it overlaps or touches; false when there are too many. */
  #queue(start: number, end: number): boolean {
    const starts = this.#starts
    const ends = this.#ends
    let first = starts.length
    while (first > 0 && ends[first - 1]! >= start) first--
    let last = first
    while (last < starts.length && starts[last]! <= end) last++
    if (last === first && starts.length >= MAX_RANGES) return false
    if (last > first) {
      start = Math.min(start, starts[first]!)
      end = Math.max(end, ends[last - 1]!)
    }
    starts.splice(first, last - first, start)
    ends.splice(first, last - first, end)
    return true
  }

  /** Takes the ranges that `next` has reached. */
  #absorb(): void {
    let taken = 0
    while (taken < this.#starts.length && this.#starts[taken]! <= this.next) {
      this.next = Math.max(this.next, this.#ends[taken]!)
      taken++
    }
    if (taken === 0) return
    this.#starts.splice(0, taken)
    this.#ends.splice(0, taken)
  }
}
