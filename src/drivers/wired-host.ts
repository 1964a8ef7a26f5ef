// A host whose wire leads to the network's thread: frames come and go in bursts, as in network-worker.ts. A pod's
// thread has one, and the main thread for the host outside the cluster.

import type { Host } from '../host/host.js'
import { DeadlineTimer } from './deadline-timer.js'
import type { WireEnd } from './network-protocol.js'
import type { RealTime } from './real-time.js'
import { RingMachine } from './ring-machine.js'

export class WiredHost {
  readonly #host: Host
  readonly #time: RealTime
  readonly #wire: RingMachine
  readonly #timer: DeadlineTimer
  #scheduled = false
  #closed = false

  constructor(host: Host, wire: WireEnd, time: RealTime) {
    this.#host = host
    this.#time = time
    this.#timer = new DeadlineTimer(
      () => time.now(),
      () => this.#burst(),
    )
    this.#wire = new RingMachine(wire, () => this.#burst())
  }

  /** A socket of the host was used. What the program sends until it waits goes out in one burst. */
  touch(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.#burst())
  }

  close(): void {
    this.#closed = true
    this.#timer.clear()
    this.#wire.close()
  }

  #burst(): void {
    this.#scheduled = false
    if (this.#closed) return
    const host = this.#host
    const now = this.#time.now()
    this.#wire.pending()
    for (let incoming = this.#wire.transmit(); incoming !== undefined; incoming = this.#wire.transmit()) {
      host.receive(0, incoming.frame, now)
    }
    if (host.deadline() <= now) host.advance(now)
    for (let outgoing = host.transmit(); outgoing !== undefined; outgoing = host.transmit()) {
      this.#wire.receive(0, outgoing.frame)
    }
    this.#wire.publish()
    // By way of the event loop: under a stream of frames timers and commands have their turn too.
    if (!this.#wire.sleep()) setImmediate(() => this.#burst())
    this.#timer.set(host.deadline())
  }
}
