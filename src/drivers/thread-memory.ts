// How much memory a thread's heap and buffers take, told in memory that another thread reads: a thread can only measure
// its own. It is looked at while the thread works, as it does not change while it sleeps.

import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Worker } from 'node:worker_threads'
import type { ThreadUsage } from './usage-meter.js'

const INTERVAL_MS = 500

export function threadMemory(): Float64Array {
  return new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT))
}

export function ownMemoryBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

/** The measured side. */
export class MemoryGauge {
  readonly #memory: Float64Array
  #next = 0

  constructor(memory: Float64Array) {
    this.#memory = memory
  }

  /** To be called often: measures now and then. */
  look(): void {
    const now = performance.now()
    if (now < this.#next) return
    this.#next = now + INTERVAL_MS
    this.#memory[0] = ownMemoryBytes()
  }
}

export function workerUsage(worker: Worker | undefined, memory: Float64Array): ThreadUsage {
  const busyMicros = (worker?.performance.eventLoopUtilization().active ?? 0) * 1000
  return { busyMicros, memoryBytes: memory[0]! }
}

/** Of the calling thread. */
export function ownUsage(): ThreadUsage {
  return { busyMicros: performance.eventLoopUtilization().active * 1000, memoryBytes: ownMemoryBytes() }
}
