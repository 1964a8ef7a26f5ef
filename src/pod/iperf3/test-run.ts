// The middle of a test, alike on both sides: streams at work, a line each interval, and what is told of it at the end.

import { type Micros, SECOND } from '../../base/time.js'
import { NO_LONGER_NEEDED } from '../../posix/abort.js'
import type { Clock } from '../../posix/process.js'
import type { TestResult } from './control-channel.js'
import type { Report } from './report.js'
import type { DataStream } from './stream.js'

/** A last line for less than this would say nothing. */
const SHORTEST_INTERVAL_SECONDS = 0.001

export interface RunOptions {
  readonly blockBytes: number
  readonly bitrate: number
  readonly intervalSeconds: number
  /** Ends the run when all streams together have carried so much; 0: never. */
  readonly bytes: number
}

export class TestRun {
  /** Seconds that it took; 0 while it runs. */
  seconds = 0
  readonly #streams: readonly DataStream[]
  readonly #report: Report
  readonly #clock: Clock

  constructor(streams: readonly DataStream[], report: Report, clock: Clock) {
    this.#streams = streams
    this.#report = report
    this.#clock = clock
  }

  /** Lets the streams work until `until` settles, or all bytes were carried. Rejects with what `until` rejects with. */
  async run(options: RunOptions, until: Promise<unknown>): Promise<void> {
    const started = this.#clock.now()
    let allSent = () => {}
    const sent = new Promise<void>((resolve) => {
      allSent = resolve
    })
    const onBytes = () => {
      if (options.bytes === 0) return
      if (this.#streams.reduce((sum, { counts }) => sum + counts.bytes, 0) < options.bytes) return
      for (const stream of this.#streams) stream.stop()
      allSent()
    }
    const plan = { blockBytes: options.blockBytes, bitrate: options.bitrate, onBytes }
    // A stream that breaks leaves the test to the control connection, which says why.
    const working = this.#streams.map((stream) => stream.run(plan).catch(() => {}))
    const over = new AbortController()
    const reporting = this.#reportIntervals(started, options.intervalSeconds, over.signal)
    try {
      await Promise.race([until, sent])
    } finally {
      this.seconds = (this.#clock.now() - started) / SECOND
      for (const stream of this.#streams) stream.stop()
      over.abort(NO_LONGER_NEEDED)
      await Promise.all([...working, reporting])
    }
  }

  /** What the other side is told. */
  get result(): TestResult {
    return {
      cpu_util_total: 0,
      cpu_util_user: 0,
      cpu_util_system: 0,
      // Not told by the system.
      sender_has_retransmits: 0,
      streams: this.#streams.map(({ id, counts }) => ({
        id,
        bytes: counts.bytes,
        retransmits: -1,
        jitter: counts.jitterSeconds,
        errors: counts.lost,
        packets: counts.packets + counts.lost,
        start_time: 0,
        end_time: this.seconds,
      })),
    }
  }

  async #reportIntervals(started: Micros, seconds: number, over: AbortSignal): Promise<void> {
    let shown = 0
    if (seconds > 0) {
      for (let i = 1; !over.aborted; i++) {
        const next = started + i * seconds * SECOND
        await this.#clock.sleep(Math.max(0, next - this.#clock.now()), over).catch(() => {})
        if (over.aborted) break
        shown = i * seconds
        await this.#report.interval(this.#streams, shown)
      }
    } else {
      await new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }))
    }
    const left = this.seconds - shown
    if (left > SHORTEST_INTERVAL_SECONDS && this.#report.pending(this.#streams))
      await this.#report.interval(this.#streams, this.seconds)
  }
}
