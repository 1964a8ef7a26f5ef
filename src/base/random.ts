// Seeded randomness, split by name: every part of an emulation draws from a stream of its own, so that a new
// user of randomness in one part does not change what another part draws. sfc32 (Chris Doty-Humphrey,
// PractRand); not for secrets.

/** Hashes text to 32 bits (FNV-1a with an avalanche step). */
export function hash32(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

export class Random {
  readonly #path: string
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** The stream named `path`; the same path gives the same draws in every run. */
  constructor(path: string) {
    this.#path = path
    this.#a = hash32(`${path}/a`)
    this.#b = hash32(`${path}/b`)
    this.#c = hash32(`${path}/c`)
    for (let i = 0; i < 12; i++) this.uint32()
  }

  /** An independent stream; does not advance this one. */
  fork(name: string): Random {
    return new Random(`${this.#path}/${name}`)
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    const t = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    return t >>> 0
  }

  /** Uniform in [0, 1). */
  float(): number {
    return this.uint32() / 0x1_0000_0000
  }

  /** Uniform integer in [0, limit); limit is a positive integer up to 2^32. */
  int(limit: number): number {
    return Math.floor(this.float() * limit)
  }

  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<Item>(items: Item[]): Item[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1)
      const swap = items[i]!
      items[i] = items[j]!
      items[j] = swap
    }
    return items
  }
}
