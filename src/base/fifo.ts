// What waits, first come, first served: a ring that keeps its memory. An array that is emptied forgets its elements' memory, and
// gets it anew with the next one; where that is thousands of times a second, it is most of the garbage.

/** Places of a new queue that holds something; a power of two. */
const SMALLEST = 8
/** More than these were a burst, whose memory is not kept. */
const LONG = 1024

export class Fifo<Value> {
  #ring: (Value | undefined)[] = []
  /** Counts of what was taken and added; their difference is what waits. */
  #head = 0
  #tail = 0

  get length(): number {
    return this.#tail - this.#head
  }

  /** The next to be taken. */
  get first(): Value | undefined {
    return this.length === 0 ? undefined : this.#ring[this.#head & (this.#ring.length - 1)]
  }

  push(value: Value): void {
    if (this.length === this.#ring.length) this.#grow()
    this.#ring[this.#tail++ & (this.#ring.length - 1)] = value
  }

  shift(): Value | undefined {
    if (this.#head === this.#tail) return undefined
    const at = this.#head++ & (this.#ring.length - 1)
    const value = this.#ring[at]
    // What is not here any more is not to be kept alive from here.
    this.#ring[at] = undefined
    if (this.#head === this.#tail) this.#restart()
    return value
  }

  /** Takes everything. */
  clear(): Value[] {
    const all = [...this]
    this.#ring.fill(undefined)
    this.#restart()
    return all
  }

  /** In order; nothing may be added or taken meanwhile. */
  *[Symbol.iterator](): IterableIterator<Value> {
    for (let at = this.#head; at < this.#tail; at++) yield this.#ring[at & (this.#ring.length - 1)]!
  }

  #restart(): void {
    this.#head = 0
    this.#tail = 0
    if (this.#ring.length > LONG) this.#ring = []
  }

  #grow(): void {
    const ring: (Value | undefined)[] = [...this]
    const capacity = Math.max(SMALLEST, ring.length * 2)
    this.#tail = ring.length
    this.#head = 0
    while (ring.length < capacity) ring.push(undefined)
    this.#ring = ring
  }
}
