// Frames that wait to leave, first in, first out. Arrays and a head index instead of a record per frame.

import type { Offload } from '../base/offload.js'

export class FrameQueue {
  #frames: (Uint8Array | undefined)[] = []
  #interfaces: number[] = []
  #tracking: unknown[] = []
  #marks: number[] = []
  #offloads: Offload[] = []
  #head = 0

  /** Interface, netfilter's tracking, the firewall mark and what is left to do of the frame that `shift` gave last. */
  interfaceIndex = 0
  tracking: unknown = undefined
  mark = 0
  offload: Offload = 0

  get length(): number {
    return this.#frames.length - this.#head
  }

  push(interfaceIndex: number, frame: Uint8Array, tracking: unknown, mark: number, offload: Offload): void {
    this.#frames.push(frame)
    this.#interfaces.push(interfaceIndex)
    this.#tracking.push(tracking)
    this.#marks.push(mark)
    this.#offloads.push(offload)
  }

  shift(): Uint8Array | undefined {
    const head = this.#head
    if (head === this.#frames.length) return undefined
    const frame = this.#frames[head]
    this.interfaceIndex = this.#interfaces[head]!
    this.tracking = this.#tracking[head]
    this.mark = this.#marks[head]!
    this.offload = this.#offloads[head]!
    this.#frames[head] = undefined
    this.#tracking[head] = undefined
    this.#head = head + 1
    if (this.#head === this.#frames.length) this.#clear()
    else if (this.#head >= 1024 && this.#head * 2 >= this.#frames.length) this.#compact()
    return frame
  }

  #clear(): void {
    this.#frames.length = 0
    this.#interfaces.length = 0
    this.#tracking.length = 0
    this.#marks.length = 0
    this.#offloads.length = 0
    this.#head = 0
  }

  #compact(): void {
    this.#frames = this.#frames.slice(this.#head)
    this.#interfaces = this.#interfaces.slice(this.#head)
    this.#tracking = this.#tracking.slice(this.#head)
    this.#marks = this.#marks.slice(this.#head)
    this.#offloads = this.#offloads.slice(this.#head)
    this.#head = 0
  }
}
