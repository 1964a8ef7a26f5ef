// One timer of the event loop for whatever deadline is next; setting it again replaces it. A deadline that moves away,
// as those of retransmissions do with every packet, costs nothing: the timer stays, and looks again when it fires.

import { MILLISECOND, type Micros, NEVER } from '../base/time.js'

/** setTimeout takes at most 2^31-1 ms; waking early only looks again. */
const LONGEST_TIMEOUT_MS = 2_000_000_000

export class DeadlineTimer {
  readonly #onDue: () => void
  readonly #now: () => Micros
  #timer: NodeJS.Timeout | undefined
  #at: Micros = NEVER
  /** When the timer fires; not after `#at`. */
  #wake: Micros = NEVER

  constructor(now: () => Micros, onDue: () => void) {
    this.#now = now
    this.#onDue = onDue
  }

  set(at: Micros): void {
    this.#at = at
    if (at < this.#wake) this.#arm()
  }

  clear(): void {
    this.#at = NEVER
    this.#disarm()
  }

  #arm(): void {
    this.#disarm()
    this.#wake = this.#at
    const milliseconds = Math.ceil((this.#at - this.#now()) / MILLISECOND)
    const within = Math.min(Math.max(0, milliseconds), LONGEST_TIMEOUT_MS)
    this.#timer = setTimeout(() => this.#fired(), within)
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#wake = NEVER
  }

  #fired(): void {
    this.#disarm()
    if (this.#at === NEVER) return
    // Early, because the deadline has moved since.
    if (this.#at - this.#now() >= MILLISECOND) return this.#arm()
    this.#at = NEVER
    this.#onDue()
  }
}
