// Short-lived byte arrays cut from larger pieces: a view costs a fraction of an array with memory of its own. A piece lives
// as long as any array of it, so arrays that are kept for long are not taken from here. Nothing small is used twice;
// large arrays, whose memory costs more to get than to fill, are used again when they were given back.

const PIECE_BYTES = 64 * 1024
/** What is larger has a buffer of its own. */
const LARGEST_BYTES = 4096
/** Room for a frame of 64 KiB with all headers. */
const BUFFER_BYTES = PIECE_BYTES + 512
/** Of a buffer that is used again: headers have bytes that nobody writes. */
const CLEARED_BYTES = 512
/** Buffers that wait; more are left to the garbage collector. */
const BUFFERS_KEPT = 64

export class Slab {
  #piece = new ArrayBuffer(0)
  #used = 0
  readonly #free: ArrayBuffer[] = []
  /** Taken, and not given back. */
  readonly #lent = new WeakSet<ArrayBufferLike>()

  /** `length` bytes, all zero; of more than 4096 only the first 512 are. */
  take(length: number): Uint8Array {
    if (length > LARGEST_BYTES) return this.#takeBuffer(length)
    if (this.#used + length > this.#piece.byteLength) {
      this.#piece = new ArrayBuffer(PIECE_BYTES)
      this.#used = 0
    }
    const bytes = new Uint8Array(this.#piece, this.#used, length)
    this.#used += (length + 7) & ~7
    return bytes
  }

  /** Nobody uses `bytes` any more. What was not taken from here, or is small, is left alone. */
  giveBack(bytes: Uint8Array): void {
    if (bytes.length <= LARGEST_BYTES || !this.#lent.delete(bytes.buffer)) return
    if (this.#free.length < BUFFERS_KEPT) this.#free.push(bytes.buffer as ArrayBuffer)
  }

  #takeBuffer(length: number): Uint8Array {
    if (length > BUFFER_BYTES) return new Uint8Array(length)
    const used = this.#free.pop()
    const buffer = used ?? new ArrayBuffer(BUFFER_BYTES)
    this.#lent.add(buffer)
    if (used !== undefined) new Uint8Array(used, 0, CLEARED_BYTES).fill(0)
    return new Uint8Array(buffer, 0, length)
  }
}
