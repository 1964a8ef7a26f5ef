// One timer of the event loop for whatever deadline is next; setting it again replaces it.

import { MILLISECOND, type Micros, NEVER } from '../base/time.js'

/** setTimeout takes at most 2^31-1 ms; waking early only looks again. */
const LONGEST_TIMEOUT_MS = 2_000_000_000

export class DeadlineTimer {
  readonly #onDue: () => void
  readonly #now: () => Micros
  #timer: NodeJS.Timeout | undefined
  #at: Micros = NEVER

  constructor(now: () => Micros, onDue: () => void) {
    this.#now = now
    this.#onDue = onDue
  }

  set(at: Micros): void {
    if (at === this.#at && this.#timer !== undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#at = at
    if (at === NEVER) return
    const milliseconds = Math.min(Math.ceil((at - this.#now()) / MILLISECOND), LONGEST_TIMEOUT_MS)
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#onDue()
      },
      Math.max(0, milliseconds),
    )
  }

  clear(): void {
    this.set(NEVER)
  }
}
