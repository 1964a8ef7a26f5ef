// How much a stream may be ahead of who takes it on the other side of the pod's border, in either direction: a writer
// waits when too much is under way, as it would for a full pipe.

import { Wakeup } from '../posix/abort.js'

/** What may be under way. */
export const WINDOW_BYTES = 1024 * 1024

/** Taken bytes are told in pieces of this size, not one by one; well below the window. */
export const TAKEN_BYTES = 128 * 1024

export class StreamWindow {
  #underWay = 0
  readonly #wakeup = new Wakeup()

  /** Before bytes are sent. */
  sent(bytes: number): void {
    this.#underWay += bytes
  }

  /** The other side has taken bytes. */
  taken(bytes: number): void {
    this.#underWay -= bytes
    if (this.#underWay <= WINDOW_BYTES) this.#wakeup.wake()
  }

  /** Nobody takes anything any more, and nobody waits for it. */
  open(): void {
    this.taken(Number.POSITIVE_INFINITY)
  }

  /** Resolves when there is room; undefined when there is now. */
  room(): Promise<void> | undefined {
    return this.#underWay <= WINDOW_BYTES ? undefined : this.#wait()
  }

  async #wait(): Promise<void> {
    while (this.#underWay > WINDOW_BYTES) await this.#wakeup.wait()
  }
}

/** The taking side: counts, and tells in pieces. */
export class StreamTaken {
  readonly #tell: (bytes: number) => void
  #untold = 0

  constructor(tell: (bytes: number) => void) {
    this.#tell = tell
  }

  add(bytes: number): void {
    this.#untold += bytes
    if (this.#untold < TAKEN_BYTES) return
    const told = this.#untold
    this.#untold = 0
    this.#tell(told)
  }
}
