// What the rules do to one packet of an established flow, noted while it passes them, so that the flow's later packets
// may be spared the way (flow-cache.ts). A packet is spoilt for that as soon as something is asked whose answer may be
// another one next time: chance, lists of recent addresses, sets, marks of flows, a verdict other than ACCEPT.

import type { Flow } from './flow.js'

/** Packets and bytes that a rule or a policy counts. */
export interface RuleCounter {
  packets: number
  bytes: number
}

/** The counters that all packets of some flows add to, and what was not added to them yet. */
export interface Tally {
  readonly number: number
  readonly counters: readonly RuleCounter[]
  packets: number
  bytes: number
}

/** Packets of an established flow that pass before one is recorded: most short connections end sooner. */
const RECORD_AFTER = 8
/** Packets that pass before another one is recorded, after one that was spoilt. */
const PAUSE = 64

export class FlowRecorder {
  /** Whether a packet is being recorded. */
  active = false
  /** The flow of the packet, undefined until conntrack has found that it is established. */
  flow: Flow | undefined
  reply = false
  #spoilt = false
  /** What counted the packet, as many as `#counted`: the array keeps its memory, as most packets are recorded in vain. */
  readonly #counters: RuleCounter[] = []
  #counted = 0
  /** Tallies by their counters' numbers. */
  readonly #tallies = new Map<string, Tally>()
  readonly #numbers = new Map<RuleCounter, number>()

  /** A packet enters that may be the pattern of those that follow it. */
  begin(): void {
    this.active = true
    this.flow = undefined
    this.#spoilt = false
    this.#counted = 0
  }

  /** The packet has gone its way; whether it is a pattern. */
  end(): boolean {
    this.active = false
    const { flow } = this
    if (flow === undefined) return false
    if (this.#spoilt || !flow.confirmed) {
      this.pause()
      return false
    }
    return true
  }

  /** The flow recorded last is not tried again soon. */
  pause(): void {
    if (this.flow !== undefined) this.flow.settled = -PAUSE
  }

  /** A packet that changes nothing of its flow but the time-out. */
  follow(flow: Flow, reply: boolean): void {
    if (!this.active) return
    if (flow.settled++ < RECORD_AFTER) return
    this.flow = flow
    this.reply = reply
  }

  /** A later packet of the flow may fare otherwise. */
  spoil(): void {
    this.#spoilt = true
  }

  count(counter: RuleCounter): void {
    if (this.active) this.#counters[this.#counted++] = counter
  }

  /** What the recorded packet added to. */
  tally(): Tally {
    const counters = this.#counters.slice(0, this.#counted)
    const key = counters.map((counter) => this.#numberOf(counter)).join()
    let tally = this.#tallies.get(key)
    if (tally === undefined) {
      tally = { number: this.#tallies.size, counters, packets: 0, bytes: 0 }
      this.#tallies.set(key, tally)
    }
    return tally
  }

  /** Adds to the counters what is still missing from them. */
  settle(): void {
    for (const tally of this.#tallies.values()) {
      const { packets, bytes } = tally
      if (packets === 0) continue
      for (const counter of tally.counters) {
        counter.packets += packets
        counter.bytes += bytes
      }
      tally.packets = 0
      tally.bytes = 0
    }
  }

  /** Settles, and forgets the tallies. */
  clear(): void {
    this.settle()
    this.#tallies.clear()
    this.#numbers.clear()
  }

  #numberOf(counter: RuleCounter): number {
    let number = this.#numbers.get(counter)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(counter, number)
    }
    return number
  }
}
