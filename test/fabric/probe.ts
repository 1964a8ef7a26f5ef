// A machine to test the fabric with: sends what it is told to, and remembers what it got.

import type { Machine, Outgoing } from '../../src/base/machine.js'
import { type Micros, NEVER } from '../../src/base/time.js'

export interface Arrival {
  readonly port: number
  readonly text: string
  readonly at: Micros
}

export class Probe implements Machine {
  readonly arrivals: Arrival[] = []
  readonly frames: Uint8Array[] = []
  /** Called on every frame; gives the answers. */
  answer: ((text: string, port: number) => Outgoing[]) | undefined
  #outgoing: Outgoing[] = []
  #timers: { at: Micros; outgoing: Outgoing }[] = []

  send(text: string, port = 0): void {
    this.#outgoing.push({ port, frame: bytesOf(text) })
  }

  sendAt(at: Micros, text: string, port = 0): void {
    this.#timers.push({ at, outgoing: { port, frame: bytesOf(text) } })
    this.#timers.sort((a, b) => a.at - b.at)
  }

  receive(port: number, frame: Uint8Array, now: Micros): void {
    const text = String.fromCharCode(...frame)
    this.arrivals.push({ port, text, at: now })
    this.frames.push(frame.slice())
    if (this.answer !== undefined) this.#outgoing.push(...this.answer(text, port))
  }

  advance(now: Micros): void {
    while (this.#timers.length > 0 && this.#timers[0]!.at <= now)
      this.#outgoing.push(this.#timers.shift()!.outgoing)
  }

  /** The frame is lent from a buffer that is reused, as a stack does. */
  transmit(): Outgoing | undefined {
    const next = this.#outgoing.shift()
    if (next === undefined) return undefined
    this.#lent.fill(0xdd)
    this.#lent.set(next.frame)
    return { port: next.port, frame: this.#lent.subarray(0, next.frame.length) }
  }

  readonly #lent = new Uint8Array(2000)

  deadline(): Micros {
    return this.#timers[0]?.at ?? NEVER
  }
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
