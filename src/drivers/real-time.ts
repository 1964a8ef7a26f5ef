// Emulated time that follows the machine's clock. All threads of an emulation share one zero: they are given the
// moment of the start and read the same monotonic clock. What a thread waits for is in one heap, on one timer of its
// event loop, so that a thread that naps (sleeper.ts) knows when the first of them is due.

import { performance } from 'node:perf_hooks'
import { MILLISECOND, type Micros, NEVER } from '../base/time.js'
import { type Timer, TimerHeap } from '../base/timer-heap.js'
import type { Clock } from '../posix/process.js'

/** setTimeout takes at most 2^31-1 ms; waking early only looks again. */
const LONGEST_TIMEOUT_MS = 2_000_000_000
/** More than TLS ever takes from bytes that come to bytes that go. */
const STIRRED_TURNS = 10

/** Calls its owner back once it is due; setting it again replaces what was set. */
export interface Alarm {
  /** NEVER: it is off. */
  set(at: Micros): void
}

export class RealTime {
  /** `performance.timeOrigin + performance.now()` at the emulation's zero, in milliseconds; the same in all threads. */
  readonly zero: number
  readonly #startUnixMillis: number
  /** From the clock of this thread to emulated time, in milliseconds. */
  readonly #offset: number
  readonly #alarms = new TimerHeap<() => void>()
  #timer: NodeJS.Timeout | undefined
  /** When the timer fires: not after the first alarm. It stays when that moves away, as retransmissions' do all the time. */
  #wake: Micros = NEVER
  #yielding = 0
  /** Turns of the event loop that are still wanted. */
  #stirred = 0
  #stirring = false
  #closed = false

  constructor(startUnixMillis: number, zero: number = RealTime.here()) {
    this.#startUnixMillis = startUnixMillis
    this.zero = zero
    this.#offset = performance.timeOrigin - zero
  }

  static here(): number {
    return performance.timeOrigin + performance.now()
  }

  now(): Micros {
    return Math.max(0, Math.round((performance.now() + this.#offset) * 1000))
  }

  unixMillis(): number {
    return Math.floor(this.#startUnixMillis + performance.now() + this.#offset)
  }

  sleep(duration: Micros, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#alarms.set(timer, NEVER)
        // Nobody waits any more: nothing that would keep the process.
        if (this.#alarms.size === 0) this.#disarm()
        reject(signal?.reason)
      }
      const timer = this.#alarms.timer(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#set(timer, this.now() + Math.max(0, duration))
    })
  }

  alarm(onDue: () => void): Alarm {
    const timer = this.#alarms.timer(onDue)
    return { set: (at) => this.#set(timer, at) }
  }

  /** When the first alarm is due. */
  nextAlarm(): Micros {
    return this.#alarms.next()
  }

  /** Lets happen what is due. For those who cannot wait for the event loop's timer, which is later by up to a millisecond. */
  ring(): void {
    const now = this.now()
    // Those that are set meanwhile are for the next time: they must not keep the thread from everything else.
    for (let left = this.#alarms.size; left > 0; left--) {
      const due = this.#alarms.due(now)
      if (due === undefined) break
      due.owner()
    }
    this.#arm()
  }

  /** Whether a program lets others in, and goes on at the next turn of the event loop. */
  get yielding(): boolean {
    return this.#yielding > 0
  }

  /**
   * Something is at work that goes by the event loop and not by alarms - OpenSSL, a module that is loaded: the thread does
   * not nap for some turns, and not before `work` has settled.
   */
  stir(work?: Promise<unknown>): void {
    this.#stirred = STIRRED_TURNS
    if (work !== undefined) {
      this.#yielding++
      const done = () => {
        this.#yielding--
        this.stir()
      }
      work.then(done, done)
    }
    if (this.#stirring) return
    this.#stirring = true
    this.#yielding++
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    if (--this.#stirred > 0 && !this.#closed) return void setImmediate(() => this.#turn())
    this.#stirring = false
    this.#yielding--
  }

  /** Stops: who still sleeps is never woken, and no timer keeps the process alive. */
  close(): void {
    this.#closed = true
    this.#disarm()
  }

  #set(timer: Timer<() => void>, at: Micros): void {
    this.#alarms.set(timer, at)
    this.#arm()
  }

  #arm(): void {
    const next = this.#alarms.next()
    if (next >= this.#wake || this.#closed) return
    this.#disarm()
    this.#wake = next
    const milliseconds = Math.ceil((next - this.now()) / MILLISECOND)
    const within = Math.min(Math.max(0, milliseconds), LONGEST_TIMEOUT_MS)
    this.#timer = setTimeout(() => {
      this.#disarm()
      this.ring()
    }, within)
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#wake = NEVER
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
        if (spent < MILLISECOND) return undefined
        spent = 0
        this.#yielding++
        return new Promise((resolve) => {
          setImmediate(() => {
            this.#yielding--
            resolve()
          })
        })
      },
    }
  }
}
