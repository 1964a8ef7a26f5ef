// Frames across threads: a ring of variable-length records in shared memory, one producer and one consumer.
// Nothing is copied but the frame itself; nobody is woken here: the driver rings the consumer's bell after `publish`
// (drivers/doorbell.ts). A full ring drops the frame, as a full transmit queue of a device does, and counts it.
//
// Layout in 32-bit words, each position on a cache line of its own: [0] tail (producer), [16] head (consumer); data from
// byte 256. A record is a word each for length, port, offload and time, then the payload, all rounded up to 8
// bytes; length -1 means: go on at the start. Positions run freely modulo 2^32.

import type { Offload } from '../base/offload.js'
import type { Micros } from '../base/time.js'

const TAIL = 0
const HEAD = 16
const HEADER_BYTES = 256
const RECORD_HEADER_BYTES = 16
const WRAP = -1

/** Default size: 64 frames of 64 KiB would not fit, 2,700 of 1,514 bytes do. */
export const RING_CAPACITY_BYTES = 4 * 1024 * 1024

export function ringBuffer(capacityBytes: number = RING_CAPACITY_BYTES): SharedArrayBuffer {
  if (capacityBytes < 4096 || (capacityBytes & (capacityBytes - 1)) !== 0) {
    throw new RangeError(`ring capacity must be a power of two of at least 4096 bytes, not ${capacityBytes}`)
  }
  return new SharedArrayBuffer(HEADER_BYTES + capacityBytes)
}

/** Makes a ring as good as new, once neither of its ends is used any more. */
export function emptyRing(buffer: SharedArrayBuffer): void {
  const words = new Int32Array(buffer)
  Atomics.store(words, TAIL, 0)
  Atomics.store(words, HEAD, 0)
}

const recordBytes = (length: number) => (RECORD_HEADER_BYTES + length + 7) & ~7

export class RingProducer {
  /** Frames that found the ring full. */
  dropped = 0
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #capacity: number
  #tail: number
  #cachedHead: number

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
    this.#bytes = new Uint8Array(buffer)
    this.#capacity = buffer.byteLength - HEADER_BYTES
    this.#tail = Atomics.load(this.#words, TAIL)
    this.#cachedHead = Atomics.load(this.#words, HEAD)
  }

  /**
   * Copies `frame` in; visible to the consumer after `publish`. `port` tells several wires in one ring apart, `offload`
   * what is left to do of it (base/offload.ts); of `now` the consumer gets 32 bits. False (and counted) when there is no
   * room.
   */
  write(frame: Uint8Array, port = 0, offload: Offload = 0, now: Micros = 0): boolean {
    const need = recordBytes(frame.length)
    const position = this.#tail & (this.#capacity - 1)
    const untilEnd = this.#capacity - position
    const total = untilEnd < need ? untilEnd + need : need
    if (!this.#hasRoom(total)) {
      this.dropped++
      return false
    }
    let at = HEADER_BYTES + position
    if (untilEnd < need) {
      this.#words[at >> 2] = WRAP
      at = HEADER_BYTES
    }
    this.#words[at >> 2] = frame.length
    this.#words[(at >> 2) + 1] = port
    this.#words[(at >> 2) + 2] = offload
    this.#words[(at >> 2) + 3] = now
    this.#bytes.set(frame, at + RECORD_HEADER_BYTES)
    this.#tail = (this.#tail + total) | 0
    return true
  }

  /** Makes what was written visible to a consumer that looks. */
  publish(): void {
    Atomics.store(this.#words, TAIL, this.#tail)
  }

  #hasRoom(total: number): boolean {
    if (((this.#tail - this.#cachedHead) | 0) + total <= this.#capacity) return true
    this.#cachedHead = Atomics.load(this.#words, HEAD)
    return ((this.#tail - this.#cachedHead) | 0) + total <= this.#capacity
  }
}

export class RingConsumer {
  /** Of the frame that was read last. */
  port = 0
  offload: Offload = 0
  /** When it was written, modulo 2^32. */
  written = 0
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #capacity: number
  #head: number
  #tail: number

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
    this.#bytes = new Uint8Array(buffer)
    this.#capacity = buffer.byteLength - HEADER_BYTES
    this.#head = Atomics.load(this.#words, HEAD)
    this.#tail = this.#head
  }

  /** Next frame, a view of the shared memory that is valid until `release`; undefined when there is none. */
  read(): Uint8Array | undefined {
    if (this.empty()) return undefined
    let at = HEADER_BYTES + (this.#head & (this.#capacity - 1))
    let length = this.#words[at >> 2]!
    if (length === WRAP) {
      this.#head = (this.#head + this.#capacity - (this.#head & (this.#capacity - 1))) | 0
      at = HEADER_BYTES
      length = this.#words[at >> 2]!
    }
    this.port = this.#words[(at >> 2) + 1]!
    this.offload = this.#words[(at >> 2) + 2]!
    this.written = this.#words[(at >> 2) + 3]!
    this.#head = (this.#head + recordBytes(length)) | 0
    return this.#bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length)
  }

  /** Gives the room of all frames read so far back to the producer. */
  release(): void {
    Atomics.store(this.#words, HEAD, this.#head)
  }

  /** Whether all frames are read that were there at the last look (`empty`, or a `read` past them). */
  get exhausted(): boolean {
    return this.#head === this.#tail
  }

  empty(): boolean {
    if (this.#head !== this.#tail) return false
    this.#tail = Atomics.load(this.#words, TAIL)
    return this.#head === this.#tail
  }
}
