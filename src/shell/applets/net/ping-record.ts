// What a ping has sent and heard: which answers are late ones or duplicates, and the times of round trips as sums, so that
// it may run for days. Both kinds of ping have one; the text is theirs.

import type { Micros } from '../../../base/time.js'

/** As ICMP counts. */
const SEQUENCES = 0x1_0000
/** Of a new time in the moving average (iputils). */
const EWMA_SHARE = 1 / 8

export interface RoundTrips {
  readonly min: Micros
  readonly max: Micros
  readonly mean: Micros
  /** Standard deviation. */
  readonly deviation: Micros
  /** Exponentially weighted moving average. */
  readonly ewma: Micros
}

export interface Answer {
  readonly time: Micros
  readonly isDuplicate: boolean
}

export class PingRecord {
  transmitted = 0
  /** Without duplicates. */
  received = 0
  duplicates = 0
  readonly #sentAt = new Map<number, Micros>()
  readonly #answered = new Set<number>()
  #times = 0
  #min: Micros = 0
  #max: Micros = 0
  #sum = 0
  #squares = 0
  #ewma = 0

  /** A request is sent, the how-manieth it may be; the sequence number that it has. */
  send(request: number, now: Micros): number {
    const sequence = request % SEQUENCES
    this.#sentAt.set(sequence, now)
    this.#answered.delete(sequence)
    this.transmitted++
    return sequence
  }

  /** An answer came; undefined when there was no such request. `isTimed`: its time counts. */
  answer(sequence: number, now: Micros, isTimed = true): Answer | undefined {
    const sent = this.#sentAt.get(sequence)
    if (sent === undefined) return undefined
    const time = now - sent
    const isDuplicate = this.#answered.has(sequence)
    if (isDuplicate) this.duplicates++
    else {
      this.#answered.add(sequence)
      this.received++
      if (isTimed) this.#count(time)
    }
    return { time, isDuplicate }
  }

  /** Whether a request with that number has its answer. */
  isAnswered(request: number): boolean {
    return this.#answered.has(request % SEQUENCES)
  }

  /** Undefined as long as there are none. */
  roundTrips(): RoundTrips | undefined {
    const times = this.#times
    if (times === 0) return undefined
    const mean = this.#sum / times
    const variance = this.#squares / times - mean * mean
    const deviation = Math.sqrt(Math.max(0, variance))
    return { min: this.#min, max: this.#max, mean, deviation, ewma: this.#ewma }
  }

  #count(time: Micros): void {
    const isFirst = this.#times++ === 0
    this.#min = isFirst ? time : Math.min(this.#min, time)
    this.#max = Math.max(this.#max, time)
    this.#sum += time
    this.#squares += time * time
    this.#ewma = isFirst ? time : this.#ewma + (time - this.#ewma) * EWMA_SHARE
  }
}
