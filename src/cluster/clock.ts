// The control plane's clock: emulated time as it was last told, and the date that stands for it.

import type { Micros } from '../base/time.js'
import type { Timestamp } from './objects.js'

export class ClusterClock {
  /** Emulated time since the start; moved by ControlPlane.advance only. */
  now: Micros = 0
  readonly #startUnixMillis: number
  /** The last date written, as most are asked for many times. */
  #written: { at: Micros; text: Timestamp } = { at: Number.NaN, text: '' }

  constructor(startUnixMillis: number) {
    this.#startUnixMillis = startUnixMillis
  }

  /** The date as Kubernetes writes it: RFC 3339, UTC, whole seconds. */
  timestamp(): Timestamp {
    if (this.#written.at !== this.now) this.#written = { at: this.now, text: this.timestampAt(this.now) }
    return this.#written.text
  }

  /** Microseconds since the Unix epoch, emulated. */
  unixMicros(): number {
    return this.#startUnixMillis * 1000 + this.now
  }

  /** When `timestamp` is, in emulated time. */
  microsOf(timestamp: Timestamp): Micros {
    return (Date.parse(timestamp) - this.#startUnixMillis) * 1000
  }

  /** The timestamp of a moment in emulated time. */
  timestampAt(at: Micros): Timestamp {
    return formatTimestamp(this.#startUnixMillis + at / 1000)
  }
}

/** `2021-09-13T12:36:38Z`. */
export function formatTimestamp(unixMillis: number): Timestamp {
  return `${new Date(unixMillis).toISOString().slice(0, 19)}Z`
}
