// Many sleepers of one process on one sleep of its clock: what hundreds of connections that wait cost one timer.

import { type Micros, NEVER } from '../../base/time.js'
import { TimerHeap } from '../../base/timer-heap.js'
import { NO_LONGER_NEEDED } from '../../posix/abort.js'
import type { Clock } from '../../posix/process.js'

export class AlarmClock {
  readonly #clock: Clock
  readonly #heap = new TimerHeap<() => void>()
  /** Until when it sleeps. */
  #until: Micros = NEVER
  #interrupt = new AbortController()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves after `duration`; never when the process is killed first. */
  sleep(duration: Micros): Promise<void> {
    return new Promise((resolve) => {
      const wake = this.#clock.now() + Math.max(0, duration)
      this.#heap.set(this.#heap.timer(resolve), wake)
      if (wake < this.#until) this.#sleepUntil(wake)
    })
  }

  #sleepUntil(wake: Micros): void {
    this.#interrupt.abort(NO_LONGER_NEEDED)
    if (wake === NEVER) return
    const interrupt = new AbortController()
    this.#interrupt = interrupt
    this.#until = wake
    this.#clock.sleep(wake - this.#clock.now(), interrupt.signal).then(
      () => this.#ring(),
      // Interrupted, because somebody wakes earlier, or killed.
      () => {},
    )
  }

  #ring(): void {
    const now = this.#clock.now()
    this.#until = NEVER
    for (let due = this.#heap.due(now); due !== undefined; due = this.#heap.due(now)) due.owner()
    this.#sleepUntil(this.#heap.next())
  }
}
