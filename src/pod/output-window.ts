// How much a container's stream may be ahead of who takes it on the other side of the pod's border: a writer waits
// when too much is under way, as it would for a full pipe to the container runtime.

import { Wakeup } from '../posix/abort.js'

/** What may be under way. */
export const OUTPUT_WINDOW_BYTES = 1024 * 1024

/** Taken bytes are told in pieces of this size, not one by one; well below the window. */
export const OUTPUT_TAKEN_BYTES = 128 * 1024

export class OutputWindow {
  #underWay = 0
  readonly #wakeup = new Wakeup()

  /** Before bytes are sent. */
  sent(bytes: number): void {
    this.#underWay += bytes
  }

  /** The other side has taken bytes. */
  taken(bytes: number): void {
    this.#underWay -= bytes
    if (this.#underWay <= OUTPUT_WINDOW_BYTES) this.#wakeup.wake()
  }

  /** Resolves when there is room; undefined when there is now. */
  room(): Promise<void> | undefined {
    return this.#underWay <= OUTPUT_WINDOW_BYTES ? undefined : this.#wait()
  }

  async #wait(): Promise<void> {
    while (this.#underWay > OUTPUT_WINDOW_BYTES) await this.#wakeup.wait()
  }
}

/** The taking side: counts, and tells in pieces. */
export class OutputTaken {
  readonly #tell: (bytes: number) => void
  #untold = 0

  constructor(tell: (bytes: number) => void) {
    this.#tell = tell
  }

  add(bytes: number): void {
    this.#untold += bytes
    if (this.#untold < OUTPUT_TAKEN_BYTES) return
    const told = this.#untold
    this.#untold = 0
    this.#tell(told)
  }
}
