// Rings of threads that ended, for those to come. One that is merely dropped stays in memory until the garbage collectors
// of both its threads have noticed, and they do not see the megabytes: a cluster whose pods come and go would hold those of
// hundreds.

import { emptyRing, ringBuffer } from '../fabric/ring.js'

/** More are left to the garbage collectors: a cluster that was large once does not stay so. */
const MAX_KEPT = 64

export class RingPool {
  readonly #kept: SharedArrayBuffer[] = []

  /** An empty ring. */
  take(): SharedArrayBuffer {
    return this.#kept.pop() ?? ringBuffer()
  }

  /** Takes a ring back, which no thread uses any more. */
  giveBack(ring: SharedArrayBuffer): void {
    if (this.#kept.length >= MAX_KEPT) return
    emptyRing(ring)
    this.#kept.push(ring)
  }
}
