// A clock whose time passes only when nothing else can happen: sleepers wake in order of time. For tests of programs
// without a network. Ends never by itself: `run` drives it until a promise settles.

import type { Micros } from '../../src/base/time.js'
import { SECOND } from '../../src/base/time.js'
import type { Clock } from '../../src/posix/process.js'

interface Sleeper {
  readonly at: Micros
  readonly order: number
  readonly wake: () => void
}

export class VirtualClock implements Clock {
  readonly #startUnixMillis: number
  readonly #sleepers: Sleeper[] = []
  #now: Micros = 0
  #order = 0

  constructor(startUnixMillis = Date.UTC(2021, 8, 13, 12, 36, 38)) {
    this.#startUnixMillis = startUnixMillis
  }

  now(): Micros {
    return this.#now
  }

  unixMillis(): number {
    return this.#startUnixMillis + Math.floor(this.#now / 1000)
  }

  sleep(duration: Micros, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper: Sleeper = { at: this.#now + Math.max(0, duration), order: this.#order++, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  spend(duration: Micros): Promise<void> {
    return this.sleep(duration)
  }

  /** Lets time pass until `result` settles; fails when nothing is left to wait for, or at `limit` of emulated time. */
  async run<Value>(result: Promise<Value>, limit: Micros = 3600 * SECOND): Promise<Value> {
    let settled = false
    const done = () => {
      settled = true
    }
    result.then(done, done)
    for (;;) {
      await settle()
      if (settled) return await result
      if (!this.#wakeNext(limit)) throw new Error(`nothing happens any more at ${this.#now} us`)
    }
  }

  /** Lets `duration` pass. */
  async pass(duration: Micros): Promise<void> {
    const until = this.#now + duration
    do await settle()
    while (this.#wakeNext(until))
    this.#now = until
  }

  #wakeNext(limit: Micros): boolean {
    let next: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (
        next === undefined ||
        sleeper.at < next.at ||
        (sleeper.at === next.at && sleeper.order < next.order)
      ) {
        next = sleeper
      }
    }
    if (next === undefined || next.at > limit) return false
    this.#sleepers.splice(this.#sleepers.indexOf(next), 1)
    this.#now = next.at
    next.wake()
    return true
  }
}

/** Until all promises that can make progress have made it. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
