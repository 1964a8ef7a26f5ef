// What a thread tells of itself in memory that another thread reads, because only it can know: how much memory its heap
// and buffers take, looked at while it works, as it does not change while it sleeps; how long it napped (sleeper.ts), which
// to its event loop looks like work; and how many messages it has sent, and whether it holds some back.

import { performance } from 'node:perf_hooks'
import type { Worker } from 'node:worker_threads'
import { RealTime } from './real-time.js'
import type { ThreadUsage } from './usage-meter.js'

const INTERVAL_MS = 500

/** Positions: bytes; milliseconds of naps that are over; since when it naps, 0 when it does not; messages; 1 when it holds some. */
const MEMORY = 0
const NAPPED = 1
const NAPS_SINCE = 2
const POSTED = 3
const HOLDS_BACK = 4
const WORDS = 5

export function threadGauge(): Float64Array {
  return new Float64Array(new SharedArrayBuffer(WORDS * Float64Array.BYTES_PER_ELEMENT))
}

export function ownMemoryBytes(): number {
  // Unlike the module v8, this is there without loading anything.
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The measured side. */
export class ThreadGauge {
  readonly #words: Float64Array
  #next = 0

  constructor(words: Float64Array) {
    this.#words = words
  }

  /** To be called often: measures now and then. */
  look(): void {
    const now = performance.now()
    if (now < this.#next) return
    this.#next = now + INTERVAL_MS
    this.#words[MEMORY] = ownMemoryBytes()
  }

  /** Something waits for the next message. */
  holdsBack(): void {
    this.#words[HOLDS_BACK] = 1
  }

  /** A message was sent, with all that waited for it. */
  posted(): void {
    this.#words[POSTED]!++
    this.#words[HOLDS_BACK] = 0
  }

  /** As it was last measured. */
  get memoryBytes(): number {
    return this.#words[MEMORY]!
  }

  napBegins(): void {
    this.#words[NAPS_SINCE] = RealTime.here()
  }

  napEnds(): void {
    const since = this.#words[NAPS_SINCE]!
    this.#words[NAPS_SINCE] = 0
    this.#words[NAPPED]! += RealTime.here() - since
  }
}

/**
 * The number of the message, counted from 1, with which a thread will have told all that it has to tell until now; it
 * was sent, or will be soon.
 */
export function messagesUntilNow(gauge: Float64Array): number {
  const posted = gauge[POSTED]!
  // Looked at after: what is held back now is in the next message, or in a later one if that one was just sent.
  return gauge[HOLDS_BACK] === 1 ? posted + 1 : gauge[POSTED]!
}

export function workerUsage(worker: Worker | undefined, gauge: Float64Array): ThreadUsage {
  const active = worker?.performance.eventLoopUtilization().active ?? 0
  const since = gauge[NAPS_SINCE]!
  const napped = gauge[NAPPED]! + (since === 0 ? 0 : RealTime.here() - since)
  return { busyMicros: Math.max(0, active - napped) * 1000, memoryBytes: gauge[MEMORY]! }
}

/** Of the calling thread. */
export function ownUsage(): ThreadUsage {
  return { busyMicros: performance.eventLoopUtilization().active * 1000, memoryBytes: ownMemoryBytes() }
}
