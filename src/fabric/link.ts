// What happens to frames on their way from one machine to another: one direction of a cable. Only decides when, how
// often and how damaged a frame arrives; network.ts carries it. The order of what happens is that of a real line: a
// queue in front of the sender, the line's rate, then loss, damage, delay on the way.

import type { Random } from '../base/random.js'
import { MILLISECOND, type Micros } from '../base/time.js'

/** One direction of a link. Without any option: frames arrive at once, all of them, in order. Ratios are 0..1. */
export interface LinkOptions {
  /** Propagation delay. */
  readonly delay?: Micros
  /** Delay varies evenly by up to this much either way; frames keep their order. */
  readonly jitter?: Micros
  /** Bits per second, frame bytes only. Without it, or with 0, a frame takes no time to send. */
  readonly rateBitsPerSecond?: number
  /** Frames that wait for a line with a rate: a frame that would make it more is dropped. Default: no limit. */
  readonly queueLimitBytes?: number
  readonly queueLimitFrames?: number
  readonly lossRatio?: number
  readonly duplicateRatio?: number
  /** Share of frames that are held back by `reorderDelay`, while those behind them go on. */
  readonly reorderRatio?: number
  /** Default 1 ms. */
  readonly reorderDelay?: Micros
  /** Share of frames in which one bit flips, anywhere. There is no frame check sequence that would notice. */
  readonly corruptRatio?: number
}

/** What one direction did, in frames; `bytes` are those of the frames accepted. */
export interface LinkCounters {
  accepted: number
  bytes: number
  queueDrops: number
  lost: number
  duplicated: number
  reordered: number
  corrupted: number
}

interface Queued {
  readonly bytes: number
  /** When its last bit is on the line. */
  readonly departure: number
}

export class LinkDirection {
  readonly counters: LinkCounters = {
    accepted: 0,
    bytes: 0,
    queueDrops: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
  }
  #options: LinkOptions = {}
  #ideal = true
  readonly #random: Random
  /** Frames not yet wholly on the line, oldest first. Only used with a rate. */
  #queue: Queued[] = []
  #queuedBytes = 0
  /** When the line is free again. Not rounded: a fast line takes less than a microsecond for a frame. */
  #busyUntil = 0
  /** Arrival of the frame before, which none may overtake but by reordering. */
  #lastArrival: Micros = 0

  /** `random` is for this direction alone. */
  constructor(options: LinkOptions, random: Random) {
    this.#random = random
    this.configure(options)
  }

  /** Holds for the frames sent from now on. */
  configure(options: LinkOptions): void {
    this.#options = options
    this.#ideal = Object.values(options).every((value) => value === undefined || value === 0)
  }

  /**
   * The short way of `send`: true when the frame arrives at once, whole and once, and was counted; false when `send`
   * has to decide. `frames`: what it counts for, cut (base/offload.ts).
   */
  pass(bytes: number, now: Micros, frames = 1): boolean {
    if (!this.#ideal || this.#lastArrival > now) return false
    this.counters.accepted += frames
    this.counters.bytes += bytes
    return true
  }

  /**
   * A frame enters at `now`. Calls `deliver` for each time that it arrives: never, once or twice, at a time not
   * before `now`. The frame given on is `frame` itself, or a copy when it was damaged.
   */
  send(frame: Uint8Array, now: Micros, deliver: (at: Micros, frame: Uint8Array) => void): void {
    const departure = this.#enqueue(frame.length, now)
    if (departure === undefined) {
      this.counters.queueDrops++
      return
    }
    this.counters.accepted++
    this.counters.bytes += frame.length
    // A lost frame has used the line all the same.
    if (this.#happens(this.#options.lossRatio)) {
      this.counters.lost++
      return
    }
    if (this.#happens(this.#options.corruptRatio)) {
      this.counters.corrupted++
      frame = this.#flipBit(frame)
    }
    const at = this.#arrival(departure)
    deliver(at, frame)
    if (this.#happens(this.#options.duplicateRatio)) {
      this.counters.duplicated++
      deliver(at, frame)
    }
  }

  /** Drawn only where it can happen: an option that is off changes nothing for the others. */
  #happens(ratio: number | undefined): boolean {
    return ratio !== undefined && ratio > 0 && this.#random.float() < ratio
  }

  /** When a frame of `bytes` is on the line; undefined when the queue has no room for it. */
  #enqueue(bytes: number, now: Micros): number | undefined {
    const rate = this.#options.rateBitsPerSecond
    if (rate === undefined || rate === 0) return now
    let gone = 0
    while (gone < this.#queue.length && this.#queue[gone]!.departure <= now)
      this.#queuedBytes -= this.#queue[gone++]!.bytes
    if (gone > 0) this.#queue = this.#queue.slice(gone)
    const { queueLimitBytes, queueLimitFrames } = this.#options
    if (queueLimitBytes !== undefined && this.#queuedBytes + bytes > queueLimitBytes) return undefined
    if (queueLimitFrames !== undefined && this.#queue.length >= queueLimitFrames) return undefined
    const departure = Math.max(now, this.#busyUntil) + (bytes * 8_000_000) / rate
    this.#busyUntil = departure
    this.#queue.push({ bytes, departure })
    this.#queuedBytes += bytes
    return departure
  }

  #arrival(departure: number): Micros {
    const { delay = 0, jitter = 0, reorderDelay = MILLISECOND } = this.#options
    const varied = jitter > 0 ? Math.max(0, delay + (this.#random.float() * 2 - 1) * jitter) : delay
    const inOrder = Math.max(Math.ceil(departure + varied), this.#lastArrival)
    if (this.#happens(this.#options.reorderRatio)) {
      this.counters.reordered++
      return inOrder + reorderDelay
    }
    this.#lastArrival = inOrder
    return inOrder
  }

  #flipBit(frame: Uint8Array): Uint8Array {
    const damaged = frame.slice()
    const bit = this.#random.int(frame.length * 8)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    return damaged
  }
}
