// One capture file of what several threads of the network see: their sightings (capture-feed.ts) come in parts, and are
// written in order of time as far as every thread has told. Threads are asked when much waits, and now and then: one where
// nothing happens sends nothing by itself.
//
// In rounds: when all threads have answered, what they saw first before the earliest answer is told; but of these frames
// some may be on their way to a thread that answered before they came, and will be told with the time of their sender.
// That thread has them when it is asked again. So each round writes what the round before found.

import { type Micros, NEVER } from '../base/time.js'
import { eachSighting, type Sighting, type Sightings } from './capture-feed.js'
import type { CaptureFile } from './capture-file.js'

/** So much waits before threads are asked. */
const PATIENCE_BYTES = 512 * 1024

export class CaptureMerge {
  readonly #file: Pick<CaptureFile, 'addInterface' | 'add' | 'close'>
  readonly #ask: (thread: number) => void
  /** The file's numbers of each thread's interfaces. */
  readonly #interfaces: readonly number[][]
  /** With the file's numbers of interfaces, not in order. */
  #waiting: Sighting[] = []
  #waitingBytes = 0
  /** Of the present round; 0: none is under way. */
  #unanswered = 0
  #earliest: Micros = NEVER
  /** What the round before found. */
  #found: Micros = 0

  /** `ask` has a thread tell all that it has not told yet. */
  constructor(
    file: Pick<CaptureFile, 'addInterface' | 'add' | 'close'>,
    threads: number,
    ask: (thread: number) => void,
  ) {
    this.#file = file
    this.#ask = ask
    this.#interfaces = Array.from({ length: threads }, () => [])
  }

  /** What a thread tells. */
  add(thread: number, { interfaces, frames, upTo }: Sightings): void {
    const own = this.#interfaces[thread]!
    for (const [name, description] of interfaces) own.push(this.#file.addInterface(name, description))
    for (const sighting of eachSighting(frames))
      this.#waiting.push({ ...sighting, index: own[sighting.index]! })
    this.#waitingBytes += frames.length
    if (upTo !== undefined) this.#answered(upTo)
    if (this.#waitingBytes >= PATIENCE_BYTES) this.ask()
  }

  /** Begins a round unless one is under way. */
  ask(): void {
    if (this.#unanswered > 0) return
    this.#unanswered = this.#interfaces.length
    this.#earliest = NEVER
    for (const thread of this.#interfaces.keys()) this.#ask(thread)
  }

  /** Writes what is left. Throws CaptureError when the file is not whole. */
  close(): void {
    this.#write(NEVER)
    this.#file.close()
  }

  #answered(upTo: Micros): void {
    this.#earliest = Math.min(this.#earliest, upTo)
    if (this.#unanswered === 0 || --this.#unanswered > 0) return
    this.#write(this.#found)
    this.#found = this.#earliest
  }

  /** Writes all that was seen before `limit`: at one moment first what did not come from another thread. */
  #write(limit: Micros): void {
    const due = this.#waiting.filter(({ at }) => at < limit)
    if (due.length === 0) return
    this.#waiting = this.#waiting.filter(({ at }) => at >= limit)
    this.#waitingBytes = this.#waiting.reduce((sum, { frame }) => sum + frame.length, 0)
    due.sort((a, b) => a.at - b.at || Number(a.relayed) - Number(b.relayed))
    for (const { index, direction, frame, at } of due) this.#file.add(index, direction, frame, at)
  }
}
