// The far ends of wires that lead to another thread, as a Machine of this one with a port for each: what is delivered
// to it goes into a ring, what the other thread wrote comes out of it.

import type { Machine, Outgoing } from '../base/machine.js'
import { GIVEN_AWAY, type Offload } from '../base/offload.js'
import type { Slab } from '../base/slab.js'
import { type Micros, NEVER } from '../base/time.js'
import { RingConsumer, RingProducer } from '../fabric/ring.js'
import { ring } from './doorbell.js'
import type { WireEnd } from './network-protocol.js'

export class RingMachine implements Machine {
  readonly #outgoing: RingProducer
  readonly #incoming: RingConsumer
  readonly #wire: WireEnd
  readonly #frames: Slab
  #written = false
  readonly #read: { port: number; frame: Uint8Array; offload: Offload } = {
    port: 0,
    frame: new Uint8Array(0),
    offload: 0,
  }

  /**
   * `onBell` runs when the other thread wrote to a ring whose reader slept in its event loop. Frames that were given away and are in the
   * ring go back to `frames`.
   */
  constructor(wire: WireEnd, frames: Slab, onBell: () => void) {
    this.#frames = frames
    this.#outgoing = new RingProducer(wire.outgoing)
    this.#incoming = new RingConsumer(wire.incoming)
    this.#wire = wire
    wire.port.on('message', onBell)
  }

  receive(port: number, frame: Uint8Array, now: Micros, offload: Offload = 0): void {
    this.#written = this.#outgoing.write(frame, port, offload, now) || this.#written
    if ((offload & GIVEN_AWAY) !== 0) this.#frames.giveBack(frame)
  }

  advance(): void {}

  /**
   * Frames up to the last `pending`: a busy writer must not keep its reader from everything else. They are given away,
   * in the ring's own memory, until `release`.
   */
  transmit(): Outgoing | undefined {
    const frame = this.#incoming.exhausted ? undefined : this.#incoming.read()
    if (frame === undefined) return undefined
    const read = this.#read
    read.port = this.#incoming.port
    read.frame = frame
    read.offload = this.#incoming.offload | GIVEN_AWAY
    return read
  }

  /** When the frame that `transmit` gave last was sent by the other thread; the clocks of both have one zero. */
  sent(now: Micros): Micros {
    const ago = ((now >>> 0) - this.#incoming.written) >>> 0
    // They may differ by a microsecond.
    return ago < 2 ** 31 ? now - ago : now
  }

  /** Ends the use of what `transmit` gave: the other thread may write there again. */
  release(): void {
    this.#incoming.release()
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
    this.show()
    this.ring()
  }

  /** Shows the other thread what was written, should it be awake. */
  show(): void {
    if (this.#written) this.#outgoing.publish()
  }

  /** Wakes the other thread if it sleeps and there is something for it. */
  ring(): void {
    if (!this.#written) return
    this.#written = false
    ring(this.#wire.bell, this.#wire.port)
  }

  close(): void {
    this.#wire.port.close()
  }
}
