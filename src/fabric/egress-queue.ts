// Frames that wait to leave a machine through one of its ports, first in, first out: of a bridge, and of a node's that
// pass its stack by. Arrays that are kept, and no record per frame.

import type { Outgoing } from '../base/machine.js'
import type { Offload } from '../base/offload.js'

const NOTHING = new Uint8Array(0)
/** More frames than these are a burst, whose memory is not kept. */
const LONG = 1024

export class EgressQueue implements Outgoing {
  #frames: Uint8Array[] = []
  #ports: number[] = []
  #offloads: Offload[] = []
  #head = 0
  #tail = 0

  /** The frame that `shift` took last. */
  port = 0
  frame: Uint8Array = NOTHING
  offload: Offload = 0

  get length(): number {
    return this.#tail - this.#head
  }

  /** The frame that was added last, and where it leaves; only while there is one. */
  get lastFrame(): Uint8Array | undefined {
    return this.#frames[this.#tail - 1]
  }

  get lastPort(): number {
    return this.#ports[this.#tail - 1]!
  }

  push(port: number, frame: Uint8Array, offload: Offload): void {
    const tail = this.#tail++
    this.#frames[tail] = frame
    this.#ports[tail] = port
    this.#offloads[tail] = offload
  }

  /** Takes the first frame; false when there is none. */
  shift(): boolean {
    const head = this.#head
    if (head === this.#tail) return false
    this.frame = this.#frames[head]!
    this.port = this.#ports[head]!
    this.offload = this.#offloads[head]!
    this.#frames[head] = NOTHING
    this.#head = head + 1
    if (this.#head < this.#tail) return true
    this.#head = 0
    this.#tail = 0
    if (this.#frames.length > LONG) this.#frames = []
    return true
  }

  /** Drops what would leave through `port`. */
  removePort(port: number): void {
    const kept = new EgressQueue()
    while (this.shift()) if (this.port !== port) kept.push(this.port, this.frame, this.offload)
    while (kept.shift()) this.push(kept.port, kept.frame, kept.offload)
  }
}
