// Data the user wrote and the peer has not acknowledged. Works on stream offsets (octets since the SYN); the
// translation from sequence numbers is the TCB's.

import { ByteRing, RingMemory } from './byte-ring.js'

export class SendBuffer {
  readonly limit: number
  /** Offset of the first octet not acknowledged. */
  start = 0
  /** Offset after the last octet written. */
  end = 0
  readonly #ring: ByteRing

  constructor(limit: number, memory = new RingMemory()) {
    this.limit = limit
    this.#ring = new ByteRing(memory)
  }

  get length(): number {
    return this.end - this.start
  }

  get space(): number {
    return this.limit - (this.end - this.start)
  }

  /** Queues as much of `bytes` as fits; the number of bytes taken. */
  write(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.space)
    if (taken <= 0) return 0
    this.#ring.reserve(this.start, this.end + taken)
    this.#ring.put(this.end, bytes, 0, taken)
    this.end += taken
    return taken
  }

  /** Forgets the first `count` octets: they were acknowledged. */
  acknowledge(count: number): void {
    this.start += count
  }

  copyTo(offset: number, length: number, into: Uint8Array, at: number): void {
    this.#ring.copyTo(offset, length, into, at)
  }

  /** Drops everything, with its memory. */
  clear(): void {
    this.start = this.end
    this.#ring.release()
  }
}
