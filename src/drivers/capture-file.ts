// `--pcap FILE`: frames of every interface of the cluster into one pcapng file, written as they come.

import { closeSync, openSync, writeSync } from 'node:fs'
import type { Micros } from '../base/time.js'
import { Capture } from '../fabric/capture.js'
import { CaptureOrder } from '../fabric/capture-order.js'
import type { ClusterNetwork } from './cluster-network.js'
import { fileProblem } from './file-problem.js'

/** A capture that cannot be written: no such directory, a full disk. The message tells the file. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError'
}

/** Collected before it is written, so that a frame costs no system call. */
const CHUNK_BYTES = 256 * 1024
/** In real time somebody may look at the file while it grows: so often the rest is written, too. */
export const CATCH_UP_MS = 1_000

export class CaptureFile {
  /** Hears once why nothing more is written. */
  onProblem: (problem: string) => void = () => {}
  readonly #path: string
  readonly #file: number
  #chunks: Uint8Array[] = []
  #bytes = 0
  #failed: CaptureError | undefined
  readonly #writer: Capture
  readonly #order: CaptureOrder
  #closed = false

  /** Begins the file; `startUnixMicros` is the date of time 0. Throws CaptureError. */
  constructor(path: string, startUnixMicros: number) {
    this.#path = path
    try {
      this.#file = openSync(path, 'w')
    } catch (error) {
      throw this.#error(error)
    }
    const writer = new Capture({ startUnixMicros, sink: (bytes) => this.#write(bytes) })
    this.#writer = writer
    this.#order = new CaptureOrder((index, direction, frame, now) =>
      writer.write(index, direction, frame, now),
    )
  }

  /** Why the file is not whole; undefined as long as all could be written. */
  get problem(): string | undefined {
    return this.#failed?.message
  }

  /** Captures on all interfaces of `network`, those to come included. */
  record(network: ClusterNetwork): void {
    network.capture((point) => {
      const index = this.addInterface(point.name, point.description)
      point.listen((direction, frame, now) => this.add(index, direction, frame, now))
    })
  }

  /** A new interface; the number that its frames have. */
  addInterface(name: string, description: string): number {
    return this.#writer.addInterface(name, description)
  }

  /** A frame that was seen at `now`, which never goes back; it is copied. */
  add(index: number, direction: 'in' | 'out', frame: Uint8Array, now: Micros): void {
    this.#order.add(index, direction, frame, now)
  }

  /** Writes what has been seen so far, where time goes on by itself: nothing more is seen at the moment of the last frame. */
  catchUp(): void {
    this.#order.flush()
    if (this.#bytes > 0) this.#flush()
  }

  /** Writes what is left; a second call does nothing. Throws CaptureError when the file is not whole (a full disk). */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#order.flush()
    this.#flush()
    closeSync(this.#file)
    if (this.#failed !== undefined) throw this.#failed
  }

  #write(bytes: Uint8Array): void {
    this.#chunks.push(bytes)
    this.#bytes += bytes.length
    if (this.#bytes >= CHUNK_BYTES) this.#flush()
  }

  #flush(): void {
    const all = Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#bytes = 0
    if (this.#failed !== undefined) return
    try {
      for (let offset = 0; offset < all.length; ) offset += writeSync(this.#file, all, offset)
    } catch (error) {
      // The cluster goes on; its status and the end of the run tell that the file is not whole.
      this.#failed = this.#error(error)
      this.onProblem(this.#failed.message)
    }
  }

  #error(error: unknown): CaptureError {
    return new CaptureError(`capture file ${this.#path}: ${fileProblem(error)}`)
  }
}
