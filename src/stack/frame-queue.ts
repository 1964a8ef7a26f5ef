// Frames that wait to leave, first in, first out. Arrays and a head index instead of a record per frame.

import type { Offload } from '../base/offload.js'

const UNKNOWN_PORT = -1
/** More frames than this are a burst. */
const LONG = 1024

export class FrameQueue {
  #frames: (Uint8Array | undefined)[] = []
  #interfaces: number[] = []
  #tracking: unknown[] = []
  #marks: number[] = []
  #offloads: Offload[] = []
  #ports: number[] = []
  #head = 0
  #tail = 0

  /** Interface, netfilter's tracking, the firewall mark and what is left to do of the frame that `shift` gave last. */
  interfaceIndex = 0
  tracking: unknown = undefined
  mark = 0
  offload: Offload = 0
  /** Where the frame leaves the machine, when that is known already; else negative. */
  port = UNKNOWN_PORT

  get length(): number {
    return this.#tail - this.#head
  }

  push(
    interfaceIndex: number,
    frame: Uint8Array,
    tracking: unknown,
    mark: number,
    offload: Offload,
    port = UNKNOWN_PORT,
  ): void {
    const tail = this.#tail++
    this.#frames[tail] = frame
    this.#interfaces[tail] = interfaceIndex
    this.#tracking[tail] = tracking
    this.#marks[tail] = mark
    this.#offloads[tail] = offload
    this.#ports[tail] = port
  }

  /** The frame that was added last and its interface, undefined when none waits. */
  last(): { readonly frame: Uint8Array; readonly interfaceIndex: number } | undefined {
    const frame = this.#frames[this.#tail - 1]
    if (this.length === 0 || frame === undefined) return undefined
    return { frame, interfaceIndex: this.#interfaces[this.#tail - 1]! }
  }

  shift(): Uint8Array | undefined {
    const head = this.#head
    if (head === this.#tail) return undefined
    const frame = this.#frames[head]
    this.interfaceIndex = this.#interfaces[head]!
    this.tracking = this.#tracking[head]
    this.mark = this.#marks[head]!
    this.offload = this.#offloads[head]!
    this.port = this.#ports[head]!
    this.#frames[head] = undefined
    this.#tracking[head] = undefined
    this.#head = head + 1
    if (this.#head === this.#tail) this.#restart()
    else if (this.#head >= LONG && this.#head * 2 >= this.#tail) this.#compact()
    return frame
  }

  /** Begins at the front again; the arrays are kept, but not those of a burst. */
  #restart(): void {
    if (this.#tail > LONG) this.#compact()
    this.#head = 0
    this.#tail = 0
  }

  #compact(): void {
    const head = this.#head
    const tail = this.#tail
    this.#frames = this.#frames.slice(head, tail)
    this.#interfaces = this.#interfaces.slice(head, tail)
    this.#tracking = this.#tracking.slice(head, tail)
    this.#marks = this.#marks.slice(head, tail)
    this.#offloads = this.#offloads.slice(head, tail)
    this.#ports = this.#ports.slice(head, tail)
    this.#head = 0
    this.#tail = tail - head
  }
}
