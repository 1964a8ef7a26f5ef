// Decides how a thread that carries frames waits for more. It goes by its event loop once, for timers and messages;
// polls for a moment where there are cores for it (polling.ts); naps as long as something came a moment ago (doorbell.ts); and sleeps in its event loop when nothing comes any more,
// so that an idle thread costs nothing.
//
// A nap ends for frames, for the thread's alarms (real-time.ts) and for messages whose sender pokes. Nothing else can
// happen in these threads; should it, it waits for the end of a nap.

import { MILLISECOND, type Micros } from '../base/time.js'
import { announceNap, announceSleep, awake, type Doorbell, nap, pokes } from './doorbell.js'
import { type Polling, poll } from './polling.js'
import type { RealTime } from './real-time.js'
import type { ThreadGauge } from './thread-gauge.js'

const NAPS_FOR: Micros = 100 * MILLISECOND

export interface SleeperOptions {
  readonly bell: Doorbell
  readonly time: RealTime
  /** Told of naps; undefined: the thread never naps, because it waits for other things as well. */
  readonly gauge: ThreadGauge | undefined
  /** Whether there is work for the thread, asked again after others were told that they have to ring. */
  readonly hasWork: () => boolean
  /** Does it, and calls `awake` before and `rest` after. */
  readonly work: () => void
  /** Undefined: the thread never polls. */
  readonly polling?: Polling
  /** So long after the last work the thread still naps: the pauses of a program that does something now and then. */
  readonly napsFor?: Micros
}

export class Sleeper {
  readonly #options: SleeperOptions
  /** A turn of the event loop is on its way, after which the thread may nap. */
  #turning = false
  #pokesSeen = 0
  #napsUntil: Micros = 0

  constructor(options: SleeperOptions) {
    this.#options = options
  }

  /** Work begins: no bell is needed until `rest`. */
  awake(): void {
    awake(this.#options.bell)
  }

  /** Work is done. */
  rest(): void {
    const { gauge, time, napsFor = NAPS_FOR } = this.#options
    if (gauge === undefined) return this.#sleep()
    this.#napsUntil = time.now() + napsFor
    this.#turnSoon()
  }

  /** Timers and messages that are there now have their turn before the thread naps. */
  #turnSoon(): void {
    if (this.#turning) return
    this.#turning = true
    this.#pokesSeen = pokes(this.#options.bell)
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#turning = false
    const { time, hasWork, work } = this.#options
    if (hasWork()) return work()
    if (!this.#poll()) this.#nap()
    time.ring()
    if (this.#turning) return
    if (hasWork()) return work()
    if (this.#isWanted() || time.now() < this.#napsUntil) this.#turnSoon()
    else this.#sleep()
  }

  #poll(): boolean {
    const { polling, time, hasWork } = this.#options
    if (polling === undefined || this.#isWanted()) return false
    return poll(polling, time.nextAlarm() - time.now(), () => hasWork() || this.#isWanted())
  }

  #nap(): void {
    const { bell, time, gauge, hasWork } = this.#options
    announceNap(bell)
    if (!this.#isWanted() && !hasWork()) {
      const now = time.now()
      const length = Math.min(this.#napsUntil, time.nextAlarm()) - now
      if (length > 0) {
        gauge?.napBegins()
        nap(bell, length / MILLISECOND)
        gauge?.napEnds()
      }
    }
    awake(bell)
  }

  /** Whether the event loop has something to do: a message whose sender poked, a program that let others in. */
  #isWanted(): boolean {
    const { bell, time } = this.#options
    return time.yielding || pokes(bell) !== this.#pokesSeen
  }

  #sleep(): void {
    const { bell, hasWork, work } = this.#options
    announceSleep(bell)
    if (!hasWork()) return
    awake(bell)
    setImmediate(work)
  }
}
