// Short-lived byte arrays cut from larger pieces: a view costs a fraction of an array with memory of its own. Nothing is
// used twice; a piece lives as long as any array of it, so arrays that are kept for long are not taken from here.

const PIECE_BYTES = 64 * 1024
/** What is larger is made by itself. */
const LARGEST_BYTES = 4096

export class Slab {
  #piece = new ArrayBuffer(0)
  #used = 0

  /** `length` bytes, all zero. */
  take(length: number): Uint8Array {
    if (length > LARGEST_BYTES) return new Uint8Array(length)
    if (this.#used + length > this.#piece.byteLength) {
      this.#piece = new ArrayBuffer(PIECE_BYTES)
      this.#used = 0
    }
    const bytes = new Uint8Array(this.#piece, this.#used, length)
    this.#used += (length + 7) & ~7
    return bytes
  }
}
