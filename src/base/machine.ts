// The one contract that joins the parts of the core: a Machine is anything that lives on a wire - a pod, a node, a
// switch, a link. It is synchronous and has no clock, randomness, I/O or promise of its own; a driver (or a
// Network, see fabric/network.ts) gives it frames and time, and takes frames and a deadline from it.

import type { Offload } from './offload.js'
import type { Micros } from './time.js'

/** A frame that leaves a machine through one of its ports. */
export interface Outgoing {
  readonly port: number
  /** Whole Ethernet frame without preamble and FCS. Valid until the next call of any method of that machine. */
  readonly frame: Uint8Array
  /** What its sender has left undone; left out: nothing. Only machines that were told so leave anything. */
  readonly offload?: Offload
}

export interface Machine {
  /** A frame came in through `port`. The machine never keeps `frame` past the call. */
  receive(port: number, frame: Uint8Array, now: Micros, offload?: Offload): void
  /** Lets happen what is due at `now`. */
  advance(now: Micros): void
  /** Next frame that leaves; call until undefined. */
  transmit(): Outgoing | undefined
  /** When `advance` wants to be called next; NEVER when nothing is pending. */
  deadline(): Micros
}
