// Sockets whose owners are to be called. A socket never calls its owner while the stack is at work: it is put here,
// once, and the stack empties the queue when it has finished with a frame or a deadline.

import { Fifo } from '../base/fifo.js'

/** Anything with an owner to be told that something changed. */
export interface Notifying {
  onReady: (() => void) | undefined
  /** It is in the queue already. */
  readyQueued: boolean
}

export class ReadyQueue {
  readonly #queue = new Fifo<Notifying>()
  #flushing = false

  get pending(): boolean {
    return this.#queue.length > 0
  }

  push(socket: Notifying): void {
    if (socket.readyQueued) return
    socket.readyQueued = true
    this.#queue.push(socket)
  }

  /** Calls the owners of what is queued now; what they cause is called in the next round. Not re-entrant. */
  flush(): void {
    if (this.#flushing || this.#queue.length === 0) return
    this.#flushing = true
    try {
      for (let left = this.#queue.length; left > 0; left--) {
        const socket = this.#queue.shift()!
        socket.readyQueued = false
        socket.onReady?.()
      }
    } finally {
      // An owner that throws does not take the others' calls with it: they wait.
      this.#flushing = false
    }
  }
}
