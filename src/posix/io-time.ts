// What reading and writing costs a process: emulated time. A program that does nothing but write - `yes` - would
// otherwise go on for ever within one moment of the virtual clock, and rob everybody else's turn in real time.

import type { Micros } from '../base/time.js'
import type { Clock } from './process.js'

/** One system call, and one byte copied: a modest machine's 200,000 calls and 100 MB a second. */
const CALL_MICROS: Micros = 5
const BYTE_MICROS: Micros = 0.01

/** Paid in pieces: what is short of it costs nothing, and programs that say little pay never. */
const QUANTUM: Micros = 1000

export class IoTime {
  readonly #clock: Clock
  #owed: Micros = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A call that moved so many bytes (or characters). A promise when time has to pass before the program goes on. */
  charge(length: number): Promise<void> | undefined {
    this.#owed += CALL_MICROS + length * BYTE_MICROS
    if (this.#owed < QUANTUM) return undefined
    const due = Math.round(this.#owed)
    this.#owed = 0
    return this.#clock.spend(due)
  }
}
