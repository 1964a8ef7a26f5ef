// One capture file of what several threads of the network see: their sightings (capture-feed.ts) come in parts, and are
// written in order of time as far as every thread has told. A thread that lags is asked, so that one where nothing
// happens sends nothing by itself.

import type { Micros } from '../base/time.js'
import { NEVER } from '../base/time.js'
import { eachSighting, type Sightings, sightingTime } from './capture-feed.js'
import type { CaptureFile } from './capture-file.js'

/** So much waits before threads are asked. */
const PATIENCE_BYTES = 512 * 1024

interface Source {
  /** The file's numbers of its interfaces. */
  readonly interfaces: number[]
  /** What waits, oldest first. */
  readonly parts: Uint8Array[]
  /** Where the first frame of `parts[0]` begins that is not written. */
  at: number
  upTo: Micros
  asked: boolean
}

export class CaptureMerge {
  readonly #file: CaptureFile
  readonly #ask: (thread: number) => void
  readonly #sources: readonly Source[]
  #waiting = 0

  /** `ask` has a thread tell all that it has not told yet. */
  constructor(file: CaptureFile, threads: number, ask: (thread: number) => void) {
    this.#file = file
    this.#ask = ask
    this.#sources = Array.from({ length: threads }, () => ({
      interfaces: [],
      parts: [],
      at: 0,
      upTo: 0,
      asked: false,
    }))
  }

  /** What a thread tells; its parts come in order. */
  add(thread: number, { interfaces, frames, upTo }: Sightings): void {
    const source = this.#sources[thread]!
    for (const [name, description] of interfaces)
      source.interfaces.push(this.#file.addInterface(name, description))
    if (frames.length > 0) source.parts.push(frames)
    this.#waiting += frames.length
    source.upTo = upTo
    source.asked = false
    this.#write(Math.min(...this.#sources.map((each) => each.upTo)))
    if (this.#waiting < PATIENCE_BYTES || this.#sources.some(({ asked }) => asked)) return
    for (const [index, each] of this.#sources.entries()) {
      each.asked = true
      this.#ask(index)
    }
  }

  /** Writes what is left, of threads that ended without a word too. Throws CaptureError when the file is not whole. */
  close(): void {
    this.#write(NEVER)
    this.#file.close()
  }

  /** Writes all that was seen before `limit`; at one moment in the order of the threads. */
  #write(limit: Micros): void {
    for (;;) {
      let first: Source | undefined
      let [at, next] = [limit, limit]
      for (const source of this.#sources) {
        const time = source.parts.length === 0 ? NEVER : sightingTime(source.parts[0]!, source.at)
        if (time < at) [first, at, next] = [source, time, at]
        else if (time < next) next = time
      }
      if (first === undefined) return
      this.#writeFrom(first, Math.max(next, at + 1))
    }
  }

  #writeFrom(source: Source, limit: Micros): void {
    const [frames] = source.parts as [Uint8Array]
    const end = eachSighting(frames, source.at, limit, (index, direction, frame, now) =>
      this.#file.add(source.interfaces[index]!, direction, frame, now),
    )
    this.#waiting -= end - source.at
    source.at = end
    if (end < frames.length) return
    source.parts.shift()
    source.at = 0
  }
}
