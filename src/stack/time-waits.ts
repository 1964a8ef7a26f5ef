// Connections of a stack in TIME-WAIT that nobody holds any more, without their sockets: what is left of each
// (tcp/time-wait.ts), and when it is over. All last equally long, so that a queue is enough for nearly all of them.

import { type Micros, NEVER } from '../base/time.js'
import type { Timer, TimerHeap } from '../base/timer-heap.js'
import type { Remains } from '../tcp/time-wait.js'
import type { Endpoint } from '../wire/address.js'
import type { Expiring } from './expiring.js'

export class TimeWait {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly ttl: number
  readonly tos: number
  remains: Remains
  /** Its time has passed, or another connection has taken its place. */
  over = false

  constructor(
    at: { readonly local: Endpoint; readonly remote: Endpoint },
    sent: { readonly ttl: number; readonly tos: number },
    remains: Remains,
  ) {
    this.local = at.local
    this.remote = at.remote
    this.ttl = sent.ttl
    this.tos = sent.tos
    this.remains = remains
  }
}

/** So many entries that are done with are worth copying the others. */
const MANY = 1024

export class TimeWaits implements Expiring {
  readonly #timers: TimerHeap<Expiring>
  readonly #timer: Timer<Expiring>
  readonly #onOver: (wait: TimeWait) => void
  /** By when they are over. */
  #queue: TimeWait[] = []
  #head = 0
  /** Those for which the queue's order does not hold. */
  readonly #alone = new Map<TimeWait, Timer<Expiring>>()

  /** `onOver` hears of each whose time has passed. */
  constructor(timers: TimerHeap<Expiring>, onOver: (wait: TimeWait) => void) {
    this.#timers = timers
    this.#timer = timers.timer(this)
    this.#onOver = onOver
  }

  add(wait: TimeWait): void {
    const { until } = wait.remains
    const last = this.#queue[this.#queue.length - 1]
    if (last !== undefined && last.remains.until > until) return this.#watch(wait)
    this.#queue.push(wait)
    if (this.#timer.at === NEVER) this.#timers.set(this.#timer, until)
  }

  /** What is left of `wait` after a segment came for it. */
  update(wait: TimeWait, remains: Remains): void {
    const { until } = wait.remains
    wait.remains = remains
    if (remains.until !== until) this.#watch(wait)
  }

  remove(wait: TimeWait): void {
    wait.over = true
    const timer = this.#alone.get(wait)
    if (timer === undefined) return
    this.#alone.delete(wait)
    this.#timers.set(timer, NEVER)
  }

  list(): TimeWait[] {
    const queued = this.#queue.slice(this.#head).filter((wait) => !this.#isPassed(wait))
    return [...queued, ...this.#alone.keys()]
  }

  expire(now: Micros): void {
    for (;;) {
      const first = this.#queue[this.#head]
      if (first === undefined) break
      if (!this.#isPassed(first)) {
        if (first.remains.until > now) break
        this.#onOver(first)
      }
      this.#head++
    }
    if (this.#head === this.#queue.length || this.#head >= MANY) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    this.#timers.set(this.#timer, this.#queue[this.#head]?.remains.until ?? NEVER)
  }

  /** The queue has nothing to do with it any more. */
  #isPassed(wait: TimeWait): boolean {
    return wait.over || this.#alone.has(wait)
  }

  #watch(wait: TimeWait): void {
    let timer = this.#alone.get(wait)
    if (timer === undefined) {
      timer = this.#timers.timer({ expire: () => this.#onOver(wait) })
      this.#alone.set(wait, timer)
    }
    this.#timers.set(timer, wait.remains.until)
  }
}
