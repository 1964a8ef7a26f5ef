// What is seen on the interfaces of one of several threads of the network, for the capture that another thread writes
// (capture-merge.ts): frames as they come, in batches. Where the network has one thread, that writes the file itself.
//
// A frame from another thread is shown at the time at which that thread sent it: what it waited until this thread woke up
// is no delay of the network. So its sightings in both threads are one moment, as they are where one thread has all
// nodes, and are put together (fabric/capture-order.ts).

import type { Micros } from '../base/time.js'
import { packetKey } from '../fabric/capture-order.js'
import type { ClusterNetwork } from './cluster-network.js'

/** A part of what a thread sees. */
export interface Sightings {
  /** Interfaces that are new, numbered on from those told before: name and description. */
  readonly interfaces: readonly (readonly [string, string])[]
  /** As `eachSighting` reads them. */
  readonly frames: Uint8Array<ArrayBuffer>
  /**
   * What this thread saw first before that moment has been told, and has been sent on to other threads. Undefined when
   * nobody asked.
   */
  readonly upTo: Micros | undefined
}

export interface Sighting {
  /** The thread's number of the interface. */
  readonly index: number
  readonly direction: 'in' | 'out'
  readonly frame: Uint8Array
  readonly at: Micros
  /** It came from another thread, which saw it before. */
  readonly relayed: boolean
}

/** Told without being asked for: a message costs as much as a dozen frames. */
const BATCH_BYTES = 256 * 1024
const LEAST_BYTES = 4096
/** Before each frame: time (float64), interface (uint32), length and flags (uint32). */
const HEADER_BYTES = 16
const OUT = 0x8000_0000
const RELAYED = 0x4000_0000
const LENGTH = 0x3fff_ffff

export class CaptureFeed {
  readonly #tell: (sightings: Sightings) => void
  #interfaces: (readonly [string, string])[] = []
  #count = 0
  #frames = new Uint8Array(LEAST_BYTES)
  #view = new DataView(this.#frames.buffer)
  #used = 0
  /** Packets that came from other threads at one moment, with when they were sent. */
  readonly #relayed = new Map<string, Micros>()
  #relayedAt: Micros = 0

  /** Listens on all interfaces of `network`, those to come included. `tell` may give the memory of `frames` away. */
  constructor(network: Pick<ClusterNetwork, 'capture'>, tell: (sightings: Sightings) => void) {
    this.#tell = tell
    network.capture((point) => {
      const index = this.#count++
      this.#interfaces.push([point.name, point.description])
      point.listen((direction, frame, now) => this.#add(index, direction, frame, now))
    })
  }

  /** A packet comes from another thread, which sent it at `sent`. */
  relayed(frame: Uint8Array, sent: Micros, now: Micros): void {
    if (now !== this.#relayedAt) this.#relayed.clear()
    this.#relayedAt = now
    this.#relayed.set(packetKey(frame), sent)
  }

  /** Tells what has not been told yet: all there is before `now`. Not to be called while frames move. */
  tell(now?: Micros): void {
    const sightings = { interfaces: this.#interfaces, frames: this.#frames.slice(0, this.#used), upTo: now }
    this.#interfaces = []
    this.#used = 0
    this.#tell(sightings)
  }

  #add(index: number, direction: 'in' | 'out', frame: Uint8Array, now: Micros): void {
    const bytes = HEADER_BYTES + frame.length
    if (this.#used + bytes > BATCH_BYTES && this.#used > 0) this.tell()
    if (this.#used + bytes > this.#frames.length) this.#grow(bytes)
    const sent =
      this.#relayedAt === now && this.#relayed.size > 0 ? this.#relayed.get(packetKey(frame)) : undefined
    const flags = (direction === 'out' ? OUT : 0) | (sent === undefined ? 0 : RELAYED)
    this.#view.setFloat64(this.#used, sent ?? now)
    this.#view.setUint32(this.#used + 8, index)
    this.#view.setUint32(this.#used + 12, (frame.length | flags) >>> 0)
    this.#frames.set(frame, this.#used + HEADER_BYTES)
    this.#used += bytes
  }

  /** Doubles, so that little traffic is captured in little memory. */
  #grow(bytes: number): void {
    const frames = new Uint8Array(Math.max(2 * this.#frames.length, this.#used + bytes))
    frames.set(this.#frames.subarray(0, this.#used))
    this.#frames = frames
    this.#view = new DataView(frames.buffer)
  }
}

/** What `frames` hold, in the order in which it was seen; each has a view of their memory. */
export function* eachSighting(frames: Uint8Array): Generator<Sighting> {
  const view = new DataView(frames.buffer, frames.byteOffset)
  for (let start = 0; start < frames.length; ) {
    const word = view.getUint32(start + 12)
    const end = start + HEADER_BYTES + (word & LENGTH)
    yield {
      index: view.getUint32(start + 8),
      direction: (word & OUT) === 0 ? 'in' : 'out',
      frame: frames.subarray(start + HEADER_BYTES, end),
      at: view.getFloat64(start),
      relayed: (word & RELAYED) !== 0,
    }
    start = end
  }
}
