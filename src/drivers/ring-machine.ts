// The far ends of wires that lead to another thread, as a Machine of this one with a port for each: what is delivered
// to it goes into a ring, what the other thread wrote comes out of it.

import type { Machine, Outgoing } from '../base/machine.js'
import { type Micros, NEVER } from '../base/time.js'
import { RingConsumer, RingProducer } from '../fabric/ring.js'
import type { WireEnd } from './network-protocol.js'

export class RingMachine implements Machine {
  readonly #outgoing: RingProducer
  readonly #incoming: RingConsumer
  readonly #bell: WireEnd['bell']
  #written = false

  /** `onBell` runs when the other thread wrote to a ring whose reader slept. */
  constructor(wire: WireEnd, onBell: () => void) {
    this.#outgoing = new RingProducer(wire.outgoing)
    this.#incoming = new RingConsumer(wire.incoming)
    this.#bell = wire.bell
    wire.bell.on('message', onBell)
  }

  receive(port: number, frame: Uint8Array): void {
    this.#written = this.#outgoing.write(frame, port) || this.#written
  }

  advance(): void {}

  /** Frames up to the last `pending`: a busy writer must not keep its reader from everything else. */
  transmit(): Outgoing | undefined {
    const frame = this.#incoming.exhausted ? undefined : this.#incoming.read()
    if (frame !== undefined) return { port: this.#incoming.port, frame }
    this.#incoming.release()
    return undefined
  }

  deadline(): Micros {
    return NEVER
  }

  /** Looks whether the other thread has written something. */
  pending(): boolean {
    return !this.#incoming.empty()
  }

  /** Shows the other thread what was written, and wakes it if it sleeps. */
  publish(): void {
    if (!this.#written) return
    this.#written = false
    if (this.#outgoing.publish()) this.#bell.postMessage(0)
  }

  /** Before this thread sleeps: false when something came in between. */
  sleep(): boolean {
    return this.#incoming.sleep()
  }

  close(): void {
    this.#bell.close()
  }
}
