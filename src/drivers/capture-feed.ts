// What is seen on the interfaces of one of several threads of the network, for the capture that another thread writes
// (capture-merge.ts): frames as they come, in batches. Where the network has one thread, that writes the file itself.

import { type Micros, NEVER } from '../base/time.js'
import type { ClusterNetwork } from './cluster-network.js'

/** A part of what a thread sees. */
export interface Sightings {
  /** Interfaces that are new, numbered on from those told before: name and description. */
  readonly interfaces: readonly (readonly [string, string])[]
  /** In order of time; see `eachSighting`. */
  readonly frames: Uint8Array<ArrayBuffer>
  /** All that was seen before this moment has been told; NEVER: nothing comes any more. */
  readonly upTo: Micros
}

/** Told without being asked for: a message costs as much as a dozen frames. */
const BATCH_BYTES = 256 * 1024
/** Before each frame: time (float64), interface (uint32), length (uint32, the highest bit set for 'out'). */
const HEADER_BYTES = 16
const OUT = 0x8000_0000

export class CaptureFeed {
  readonly #now: () => Micros
  readonly #tell: (sightings: Sightings) => void
  #interfaces: (readonly [string, string])[] = []
  #count = 0
  #frames = new Uint8Array(0)
  #view = new DataView(this.#frames.buffer)
  #used = 0

  /** Listens on all interfaces of `network`, those to come included. The memory of `frames` is given to `tell`. */
  constructor(network: ClusterNetwork, now: () => Micros, tell: (sightings: Sightings) => void) {
    this.#now = now
    this.#tell = tell
    network.capture((point) => {
      const index = this.#count++
      this.#interfaces.push([point.name, point.description])
      point.listen((direction, frame, at) => this.#add(index, direction, frame, at))
    })
  }

  /** Tells what has not been told yet. Not to be called while frames move: what follows in this burst has its time. */
  tell(): void {
    this.#send(this.#now())
  }

  /** The last part. */
  end(): void {
    this.#send(NEVER)
  }

  #add(index: number, direction: 'in' | 'out', frame: Uint8Array, now: Micros): void {
    const bytes = HEADER_BYTES + frame.length
    // More of this moment may follow.
    if (this.#used + bytes > BATCH_BYTES && this.#used > 0) this.#send(now)
    if (this.#used + bytes > this.#frames.length) this.#grow(bytes)
    this.#view.setFloat64(this.#used, now)
    this.#view.setUint32(this.#used + 8, index)
    this.#view.setUint32(this.#used + 12, (frame.length | (direction === 'out' ? OUT : 0)) >>> 0)
    this.#frames.set(frame, this.#used + HEADER_BYTES)
    this.#used += bytes
  }

  /** Doubles, so that a cluster with little traffic is captured in little memory. */
  #grow(bytes: number): void {
    const frames = new Uint8Array(Math.max(4096, 2 * this.#frames.length, this.#used + bytes))
    frames.set(this.#frames.subarray(0, this.#used))
    this.#frames = frames
    this.#view = new DataView(frames.buffer)
  }

  #send(upTo: Micros): void {
    const sightings = { interfaces: this.#interfaces, frames: this.#frames.slice(0, this.#used), upTo }
    this.#interfaces = []
    this.#used = 0
    this.#tell(sightings)
  }
}

/** When the frame was seen that begins at byte `start` of `frames`. */
export function sightingTime(frames: Uint8Array, start: number): Micros {
  return new DataView(frames.buffer, frames.byteOffset).getFloat64(start)
}

/** Calls `hear` with every frame of `frames` from byte `start` on that was seen before `limit`; where it ended. */
export function eachSighting(
  frames: Uint8Array,
  start: number,
  limit: Micros,
  hear: (index: number, direction: 'in' | 'out', frame: Uint8Array, now: Micros) => void,
): number {
  const view = new DataView(frames.buffer, frames.byteOffset)
  let at = start
  while (at < frames.length) {
    const now = view.getFloat64(at)
    if (now >= limit) return at
    const word = view.getUint32(at + 12)
    const begin = at + HEADER_BYTES
    at = begin + (word & ~OUT)
    hear(view.getUint32(begin - 8), word >= OUT ? 'out' : 'in', frames.subarray(begin, at), now)
  }
  return at
}
