// Deadlines in order of (time, insertion): the earliest first, and ties in the order in which they were set, so
// that every run breaks them the same way. A binary heap with positions kept in the entries: set, move and
// cancel are O(log n). What is compared is in arrays of numbers: tens of thousands of timers are not looked at one by one.

import { type Micros, NEVER } from './time.js'

/** One deadline of `owner`. Made by the heap; `at` is NEVER while it is not armed. */
export interface Timer<Owner> {
  readonly owner: Owner
  at: Micros
  position: number
}

/**
 * No object literal: once most of those survive, V8 makes them in the old generation, and with them whatever is made in the
 * same breath and stored into them - here their owners, and all that these lead to.
 */
class OwnedTimer<Owner> implements Timer<Owner> {
  readonly owner: Owner
  at: Micros = NEVER
  position = -1

  constructor(owner: Owner) {
    this.owner = owner
  }
}

/** Timers that a new heap has room for, once it has one. */
const SMALLEST = 8

export class TimerHeap<Owner> {
  readonly #timers: Timer<Owner>[] = []
  /** By position, as `#timers`: when, and the how-manieth that was set. */
  #times = new Float64Array(0)
  #orders = new Float64Array(0)
  #order = 0

  /** A timer for `owner`, not armed. */
  timer(owner: Owner): Timer<Owner> {
    return new OwnedTimer(owner)
  }

  /** Arms or moves `timer`; NEVER disarms it. Setting the time it already has keeps its place. */
  set(timer: Timer<Owner>, at: Micros): void {
    if (timer.at === at) return
    timer.at = at
    if (at === NEVER) return this.#remove(timer)
    let position = timer.position
    if (position < 0) {
      position = this.#timers.length
      this.#timers.push(timer)
      if (position === this.#times.length) this.#grow()
    }
    this.#times[position] = at
    this.#orders[position] = this.#order++
    this.#sift(position)
  }

  /** Time of the earliest deadline, NEVER when there is none. */
  next(): Micros {
    return this.#timers.length === 0 ? NEVER : this.#times[0]!
  }

  /** Whether the earliest deadline is due at `now`. No time is given back: a number on its own would need memory. */
  isDue(now: Micros): boolean {
    return this.#timers.length > 0 && this.#times[0]! <= now
  }

  /** Takes the earliest timer that is due at `now`; it is disarmed. */
  due(now: Micros): Timer<Owner> | undefined {
    if (!this.isDue(now)) return undefined
    const first = this.#timers[0]!
    first.at = NEVER
    this.#remove(first)
    return first
  }

  get size(): number {
    return this.#timers.length
  }

  #remove(timer: Timer<Owner>): void {
    const position = timer.position
    if (position < 0) return
    timer.position = -1
    const last = this.#timers.pop()!
    if (last === timer) return
    const from = this.#timers.length
    this.#timers[position] = last
    this.#times[position] = this.#times[from]!
    this.#orders[position] = this.#orders[from]!
    this.#sift(position)
  }

  #grow(): void {
    const room = Math.max(SMALLEST, this.#times.length * 2)
    const times = new Float64Array(room)
    times.set(this.#times)
    this.#times = times
    const orders = new Float64Array(room)
    orders.set(this.#orders)
    this.#orders = orders
  }

  /** Moves what is at `position` up or down to where it belongs. */
  #sift(position: number): void {
    const timers = this.#timers
    const times = this.#times
    const orders = this.#orders
    const timer = timers[position]!
    const at = times[position]!
    const order = orders[position]!
    let hole = position
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      const other = times[parent]!
      if (other < at || (other === at && orders[parent]! < order)) break
      this.#move(parent, hole)
      hole = parent
    }
    const size = timers.length
    for (let child = hole * 2 + 1; child < size; child = hole * 2 + 1) {
      const right = child + 1
      if (right < size) {
        const left = times[child]!
        const other = times[right]!
        if (other < left || (other === left && orders[right]! < orders[child]!)) child = right
      }
      const other = times[child]!
      if (at < other || (at === other && order < orders[child]!)) break
      this.#move(child, hole)
      hole = child
    }
    timers[hole] = timer
    times[hole] = at
    orders[hole] = order
    timer.position = hole
  }

  #move(from: number, to: number): void {
    const timer = this.#timers[from]!
    this.#timers[to] = timer
    this.#times[to] = this.#times[from]!
    this.#orders[to] = this.#orders[from]!
    timer.position = to
  }
}
