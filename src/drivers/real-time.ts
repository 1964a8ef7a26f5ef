// Emulated time that follows the machine's clock. All threads of an emulation share one zero: they are given the
// moment of the start and read the same monotonic clock.

import { performance } from 'node:perf_hooks'
import { MILLISECOND, type Micros } from '../base/time.js'
import type { Clock } from '../posix/process.js'

/** setTimeout takes at most 2^31-1 ms. */
const LONGEST_TIMEOUT_MS = 2_000_000_000

export class RealTime {
  /** `performance.timeOrigin + performance.now()` at the emulation's zero, in milliseconds; the same in all threads. */
  readonly zero: number
  readonly #startUnixMillis: number
  readonly #timers = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(startUnixMillis: number, zero: number = RealTime.here()) {
    this.#startUnixMillis = startUnixMillis
    this.zero = zero
  }

  static here(): number {
    return performance.timeOrigin + performance.now()
  }

  now(): Micros {
    return Math.max(0, Math.round((RealTime.here() - this.zero) * 1000))
  }

  unixMillis(): number {
    return Math.floor(this.#startUnixMillis + RealTime.here() - this.zero)
  }

  sleep(duration: Micros, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const end = this.now() + duration
      let timer: NodeJS.Timeout | undefined
      const onAbort = () => {
        this.#clear(timer)
        reject(signal?.reason)
      }
      const wait = () => {
        this.#clear(timer)
        if (this.#closed) return
        const left = end - this.now()
        if (left <= 0) {
          signal?.removeEventListener('abort', onAbort)
          resolve()
          return
        }
        timer = setTimeout(wait, Math.min(Math.ceil(left / MILLISECOND), LONGEST_TIMEOUT_MS))
        this.#timers.add(timer)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      wait()
    })
  }

  /** Stops: who still sleeps is never woken, and no timer keeps the process alive. */
  close(): void {
    this.#closed = true
    for (const timer of [...this.#timers]) this.#clear(timer)
  }

  #clear(timer: NodeJS.Timeout | undefined): void {
    if (timer === undefined) return
    clearTimeout(timer)
    this.#timers.delete(timer)
  }

  /** The clock that programs see. Computing takes the time that it takes; `spend` lets others in now and then. */
  clock(): Clock {
    let spent: Micros = 0
    return {
      now: () => this.now(),
      unixMillis: () => this.unixMillis(),
      sleep: (duration, signal) => this.sleep(duration, signal),
      spend: (duration) => {
        spent += duration
        if (spent < MILLISECOND) return Promise.resolve()
        spent = 0
        return new Promise((resolve) => setImmediate(resolve))
      },
    }
  }
}
