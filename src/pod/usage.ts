// What a container has used so far, as its cgroup's files would tell: counters in memory that both sides of the pod's
// border see, so that whoever reads them asks nobody. Rates are made of them by drivers/usage-meter.ts.

import type { Micros } from '../base/time.js'
import type { Clock } from '../posix/process.js'

/** By the numbers below; over a SharedArrayBuffer when the pod lives in another thread. Only the container writes. */
export type UsageCounters = Float64Array

/** Emulated time that its programs spent computing, in microseconds: `Clock.spend`. */
export const SPENT_MICROS = 0
/** How often its programs used a socket, or wrote to a stream. */
export const CALLS = 1
/** What its processes keep in memory, and the files that it wrote outside of volumes. */
export const MEMORY_BYTES = 2
const COUNTERS = 3

export function usageCounters(shared: boolean): UsageCounters {
  const bytes = COUNTERS * Float64Array.BYTES_PER_ELEMENT
  return new Float64Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes))
}

export function countingClock(clock: Clock, counters: UsageCounters): Clock {
  return {
    now: () => clock.now(),
    unixMillis: () => clock.unixMillis(),
    sleep: (duration, signal) => clock.sleep(duration, signal),
    spend: (duration: Micros) => {
      counters[SPENT_MICROS]! += duration
      return clock.spend(duration)
    },
  }
}
