// When a proxy writes its rules: soon after a change, but not more often than the minimum period allows, and again
// after the maximum period. After BoundedFrequencyRunner in pkg/proxy/runner of Kubernetes; it keeps no clock.

import { type Micros, NEVER } from '../base/time.js'

export class SyncRunner {
  readonly #minimum: Micros
  readonly #maximum: Micros
  #requested = true
  #last: Micros | undefined

  /** `maximum` NEVER: only when asked. The first run is due at once. */
  constructor(minimum: Micros, maximum: Micros) {
    this.#minimum = minimum
    this.#maximum = maximum
  }

  /** Something changed. */
  request(): void {
    this.#requested = true
  }

  /** Whether a run is due, now or when the minimum period is over. */
  get requested(): boolean {
    return this.#requested
  }

  /** A run has just taken place. */
  ran(now: Micros): void {
    this.#requested = false
    this.#last = now
  }

  deadline(): Micros {
    if (this.#last === undefined) return 0
    if (this.#requested) return this.#last + this.#minimum
    return this.#maximum === NEVER ? NEVER : this.#last + this.#maximum
  }
}
