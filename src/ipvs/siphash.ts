// SipHash-1-3 of one 32-bit word, cut to 32 bits: hsiphash of Linux on a 64-bit machine (lib/siphash.c), which the
// scheduler mh hashes addresses with. BigInt is quick enough for one hash a connection.

const MASK = 0xffff_ffff_ffff_ffffn

/** Both 64-bit halves of a key. */
export type SipKey = readonly [bigint, bigint]

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK
}

class SipState {
  #v0: bigint
  #v1: bigint
  #v2: bigint
  #v3: bigint

  constructor([k0, k1]: SipKey) {
    this.#v0 = 0x736f6d6570736575n ^ k0
    this.#v1 = 0x646f72616e646f6dn ^ k1
    this.#v2 = 0x6c7967656e657261n ^ k0
    this.#v3 = 0x7465646279746573n ^ k1
  }

  compress(word: bigint): void {
    this.#v3 ^= word
    this.#round()
    this.#v0 ^= word
  }

  finish(): bigint {
    this.#v2 ^= 0xffn
    for (let i = 0; i < 3; i++) this.#round()
    return this.#v0 ^ this.#v1 ^ this.#v2 ^ this.#v3
  }

  #round(): void {
    this.#v0 = (this.#v0 + this.#v1) & MASK
    this.#v1 = rotate(this.#v1, 13n) ^ this.#v0
    this.#v0 = rotate(this.#v0, 32n)
    this.#v2 = (this.#v2 + this.#v3) & MASK
    this.#v3 = rotate(this.#v3, 16n) ^ this.#v2
    this.#v0 = (this.#v0 + this.#v3) & MASK
    this.#v3 = rotate(this.#v3, 21n) ^ this.#v0
    this.#v2 = (this.#v2 + this.#v1) & MASK
    this.#v1 = rotate(this.#v1, 17n) ^ this.#v2
    this.#v2 = rotate(this.#v2, 32n)
  }
}

/** Hash of `word` (unsigned 32 bits) as an unsigned 32-bit number. */
export function halfSipHash32(word: number, key: SipKey): number {
  const state = new SipState(key)
  // The message's four bytes, and its length in the highest byte.
  state.compress((4n << 56n) | BigInt(word))
  return Number(state.finish() & 0xffff_ffffn)
}
