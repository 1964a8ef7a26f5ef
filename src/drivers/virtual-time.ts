// Emulated time that a driver moves: programs' sleeps are entries of a heap, and nothing happens between them.

import type { Micros } from '../base/time.js'
import { TimerHeap } from '../base/timer-heap.js'
import type { Clock } from '../posix/process.js'

export class VirtualTime {
  now: Micros = 0
  readonly #startUnixMillis: number
  readonly #heap = new TimerHeap<() => void>()

  constructor(startUnixMillis: number) {
    this.#startUnixMillis = startUnixMillis
  }

  unixMillis(): number {
    return this.#startUnixMillis + Math.floor(this.now / 1000)
  }

  /** When the next sleeper wakes. */
  deadline(): Micros {
    return this.#heap.next()
  }

  /** Wakes who is due; their programs go on in the next turn of the event loop. True when there was any. */
  fire(): boolean {
    let fired = false
    for (let timer = this.#heap.due(this.now); timer !== undefined; timer = this.#heap.due(this.now)) {
      fired = true
      timer.owner()
    }
    return fired
  }

  sleep(duration: Micros, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    // It would poison the heap, and with it everybody's time.
    if (Number.isNaN(duration)) return Promise.reject(new TypeError('sleep: not a number'))
    return new Promise((resolve, reject) => {
      const timer = this.#heap.timer(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      const onAbort = () => {
        this.#heap.set(timer, Number.POSITIVE_INFINITY)
        reject(signal?.reason)
      }
      this.#heap.set(timer, this.now + Math.max(0, Math.round(duration)))
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /**
   * A clock for the programs of one pod. Computing costs them what they say it does, one after the other: the pod has
   * one processor, so that a hundred busy programs get no more done in a second than one.
   */
  clock(): Clock {
    let processorFree: Micros = 0
    return {
      now: () => this.now,
      unixMillis: () => this.unixMillis(),
      sleep: (duration, signal) => this.sleep(duration, signal),
      spend: (duration) => {
        processorFree = Math.max(processorFree, this.now) + duration
        return this.sleep(processorFree - this.now)
      },
    }
  }
}
