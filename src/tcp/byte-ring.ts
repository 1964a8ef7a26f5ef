// Bytes of a stream by their offset in the stream, kept in a ring whose size is a power of two and doubles on
// demand, so that an idle connection costs nothing. Knows no sequence numbers and no limits: its owner asks only
// for what its window or buffer size allows.

const SMALLEST_BYTES = 4096
const EMPTY = new Uint8Array(0)
/** Rings that wait for the next connection; more are left to the garbage collector. */
const RINGS_KEPT = 256

/** The smallest rings of a host's connections, used again: a short connection puts little into what is dear to make. */
export class RingMemory {
  readonly #free: Uint8Array[] = []

  /** `capacity` bytes; what is in them means nothing. */
  take(capacity: number): Uint8Array {
    const used = capacity === SMALLEST_BYTES ? this.#free.pop() : undefined
    return used ?? new Uint8Array(capacity)
  }

  /** Nobody uses `bytes` any more. */
  giveBack(bytes: Uint8Array): void {
    if (bytes.length === SMALLEST_BYTES && this.#free.length < RINGS_KEPT) this.#free.push(bytes)
  }
}

export class ByteRing {
  readonly #memory: RingMemory
  #bytes: Uint8Array = EMPTY
  #mask = 0

  constructor(memory: RingMemory) {
    this.#memory = memory
  }

  /** Bytes of memory the ring holds. */
  get capacity(): number {
    return this.#bytes.length
  }

  /** Makes room for the stream's bytes [from, to); what is kept of them so far stays. */
  reserve(from: number, to: number): void {
    const old = this.#bytes
    if (to - from <= old.length) return
    let capacity = Math.max(SMALLEST_BYTES, old.length * 2)
    while (capacity < to - from) capacity *= 2
    const bytes = this.#memory.take(capacity)
    const mask = capacity - 1
    if (old.length > 0) {
      // The old ring holds [from, from + old.length): in it the part up to its end, then the part that wrapped.
      const split = from & this.#mask
      const first = old.length - split
      copyInto(bytes, mask, from, old, split, old.length)
      copyInto(bytes, mask, from + first, old, 0, split)
      this.#memory.giveBack(old)
    }
    this.#bytes = bytes
    this.#mask = mask
  }

  /** Stores `source[start, end)` at `offset` of the stream; room was reserved. */
  put(offset: number, source: Uint8Array, start: number, end: number): void {
    copyInto(this.#bytes, this.#mask, offset, source, start, end)
  }

  /** Copies `length` bytes from `offset` of the stream to `into` at `at`. */
  copyTo(offset: number, length: number, into: Uint8Array, at: number): void {
    const bytes = this.#bytes
    const start = offset & this.#mask
    const first = Math.min(length, bytes.length - start)
    into.set(bytes.subarray(start, start + first), at)
    if (first < length) into.set(bytes.subarray(0, length - first), at + first)
  }

  /** Up to `length` bytes from `offset` of the stream where they lie, as far as they do in one piece. */
  view(offset: number, length: number): Uint8Array {
    const start = offset & this.#mask
    return this.#bytes.subarray(start, Math.min(start + length, this.#bytes.length))
  }

  /** Gives the memory back. */
  release(): void {
    this.#memory.giveBack(this.#bytes)
    this.#bytes = EMPTY
    this.#mask = 0
  }
}

function copyInto(
  ring: Uint8Array,
  mask: number,
  offset: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  const at = offset & mask
  const first = Math.min(end - start, ring.length - at)
  // A view costs as much as the copy of a short text.
  ring.set(first === source.length ? source : source.subarray(start, start + first), at)
  if (start + first < end) ring.set(source.subarray(start + first, end), 0)
}
