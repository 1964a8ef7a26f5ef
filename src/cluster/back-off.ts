// The kubelet's exponential back-off for one container or image: 10 s, doubled each time, at most 5 minutes, forgotten
// when nothing went wrong for twice that long (client-go's flowcontrol.Backoff with the kubelet's settings).

import { type Micros, SECOND } from '../base/time.js'

const INITIAL: Micros = 10 * SECOND
const MAX: Micros = 300 * SECOND

export class BackOff {
  #delay: Micros = 0
  #updatedAt: Micros = 0

  /** How long the current wait is; 0 before the first failure. */
  get delay(): Micros {
    return this.#delay
  }

  /** Until when to wait after something failed at `failedAt`. */
  blockedUntil(failedAt: Micros): Micros {
    return this.#delay === 0 || this.#isExpired(failedAt) ? failedAt : failedAt + this.#delay
  }

  /** Until when to wait, counted from the last attempt. */
  blockedSinceUpdate(): Micros {
    return this.#delay === 0 ? 0 : this.#updatedAt + this.#delay
  }

  /** Another attempt is made at `now`, after a failure at `failedAt`: the next wait is longer. */
  next(failedAt: Micros, now: Micros): void {
    this.#delay = this.#delay === 0 || this.#isExpired(failedAt) ? INITIAL : Math.min(this.#delay * 2, MAX)
    this.#updatedAt = now
  }

  #isExpired(failedAt: Micros): boolean {
    return failedAt - this.#updatedAt > 2 * MAX
  }
}

/** As Go prints a duration of whole seconds: `10s`, `1m20s`, `5m0s`. */
export function formatSeconds(duration: Micros): string {
  const seconds = Math.round(duration / SECOND)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
