// Deadlines in order of (time, insertion): the earliest first, and ties in the order in which they were set, so
// that every run breaks them the same way. A binary heap with positions kept in the entries: set, move and
// cancel are O(log n).

import { type Micros, NEVER } from './time.js'

/** One deadline of `owner`. Made by the heap; `at` is NEVER while it is not armed. */
export interface Timer<Owner> {
  readonly owner: Owner
  at: Micros
  order: number
  position: number
}

export class TimerHeap<Owner> {
  readonly #heap: Timer<Owner>[] = []
  #order = 0

  /** A timer for `owner`, not armed. */
  timer(owner: Owner): Timer<Owner> {
    return { owner, at: NEVER, order: 0, position: -1 }
  }

  /** Arms or moves `timer`; NEVER disarms it. Setting the time it already has keeps its place. */
  set(timer: Timer<Owner>, at: Micros): void {
    if (timer.at === at) return
    timer.at = at
    if (at === NEVER) return this.#remove(timer)
    timer.order = this.#order++
    if (timer.position < 0) {
      timer.position = this.#heap.length
      this.#heap.push(timer)
    }
    this.#up(timer)
    this.#down(timer)
  }

  /** Time of the earliest deadline, NEVER when there is none. */
  next(): Micros {
    return this.#heap.length === 0 ? NEVER : this.#heap[0]!.at
  }

  /** Whether the earliest deadline is due at `now`. No time is given back: a number on its own would need memory. */
  isDue(now: Micros): boolean {
    const first = this.#heap[0]
    return first !== undefined && first.at <= now
  }

  /** Takes the earliest timer that is due at `now`; it is disarmed. */
  due(now: Micros): Timer<Owner> | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.at > now) return undefined
    first.at = NEVER
    this.#remove(first)
    return first
  }

  get size(): number {
    return this.#heap.length
  }

  #remove(timer: Timer<Owner>): void {
    const position = timer.position
    if (position < 0) return
    timer.position = -1
    const last = this.#heap.pop()!
    if (last === timer) return
    this.#heap[position] = last
    last.position = position
    this.#up(last)
    this.#down(last)
  }

  #before(a: Timer<Owner>, b: Timer<Owner>): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order)
  }

  #up(timer: Timer<Owner>): void {
    const heap = this.#heap
    while (timer.position > 0) {
      const parent = heap[(timer.position - 1) >> 1]!
      if (!this.#before(timer, parent)) return
      this.#swap(parent, timer)
    }
  }

  #down(timer: Timer<Owner>): void {
    const heap = this.#heap
    for (;;) {
      const left = heap[timer.position * 2 + 1]
      if (left === undefined) return
      const right = heap[timer.position * 2 + 2]
      const child = right !== undefined && this.#before(right, left) ? right : left
      if (!this.#before(child, timer)) return
      this.#swap(timer, child)
    }
  }

  /** Exchanges `upper` with its child `lower`. */
  #swap(upper: Timer<Owner>, lower: Timer<Owner>): void {
    const position = upper.position
    upper.position = lower.position
    lower.position = position
    this.#heap[upper.position] = upper
    this.#heap[lower.position] = lower
  }
}
