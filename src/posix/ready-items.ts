// From a socket's "something is ready" (stack/socket.ts) to promises with a time limit and a signal. The waiting itself is
// abort.ts; who uses this is tcp-over-stack.ts and udp-over-stack.ts.

import type { Micros } from '../base/time.js'
import { abortable, NO_LONGER_NEEDED, Wakeup } from './abort.js'
import type { Clock } from './process.js'

/** Waits with a time limit; undefined when it passes first. The clock's timer does not outlive the wait. */
export async function within<Value>(
  wait: Promise<Value>,
  timeout: Micros | undefined,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Value | undefined> {
  if (timeout === undefined) return abortable(wait, signal)
  const timer = new AbortController()
  const expired = clock.sleep(timeout, timer.signal).then(
    () => undefined,
    () => undefined,
  )
  try {
    return await abortable(Promise.race([wait, expired]), signal)
  } finally {
    timer.abort(NO_LONGER_NEEDED)
  }
}

/** Items of a socket's queue as promises. */
export class ReadyItems<Item> {
  readonly onReady: () => void
  readonly #take: () => Item | undefined
  readonly #clock: Clock
  readonly #wakeup = new Wakeup()

  constructor(take: () => Item | undefined, clock: Clock) {
    this.#take = take
    this.#clock = clock
    this.onReady = () => this.#wakeup.wake()
  }

  async next(timeout: Micros | undefined, signal: AbortSignal | undefined): Promise<Item | undefined> {
    const end = timeout === undefined ? undefined : this.#clock.now() + timeout
    for (;;) {
      const item = this.#take()
      if (item !== undefined) return item
      const left = end === undefined ? undefined : end - this.#clock.now()
      if (left !== undefined && left <= 0) return undefined
      await within(this.#wakeup.wait(), left, this.#clock, signal)
    }
  }
}
