// A node together with the proxy that runs on it, as one Machine: the proxy's deadlines count as the node's. What
// the proxy does while the node handles a frame leaves with the node's own frames.

import type { Machine, Outgoing } from '../base/machine.js'
import type { Offload } from '../base/offload.js'
import type { Micros } from '../base/time.js'

/** The part of a proxy that needs time. */
export interface TimedProgram {
  advance(now: Micros): void
  deadline(): Micros
}

export class ProxiedMachine implements Machine {
  readonly #node: Machine
  readonly #proxy: TimedProgram

  constructor(node: Machine, proxy: TimedProgram) {
    this.#node = node
    this.#proxy = proxy
  }

  receive(port: number, frame: Uint8Array, now: Micros, offload?: Offload): void {
    this.#node.receive(port, frame, now, offload)
  }

  advance(now: Micros): void {
    this.#node.advance(now)
    this.#proxy.advance(now)
  }

  transmit(): Outgoing | undefined {
    return this.#node.transmit()
  }

  deadline(): Micros {
    return Math.min(this.#node.deadline(), this.#proxy.deadline())
  }
}
