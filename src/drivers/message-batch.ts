// Messages to another thread, sent together at the end of the present piece of work: one message of many costs the two
// threads far less than many messages, and what several of them share is copied once.

import type { Transferable } from 'node:worker_threads'

export class MessageBatch<Message> {
  readonly #post: (messages: readonly Message[], transfer: readonly Transferable[]) => void
  #messages: Message[] = []
  #leaving = false
  #transfer: Transferable[] = []

  constructor(post: (messages: readonly Message[], transfer: readonly Transferable[]) => void) {
    this.#post = post
  }

  /** Messages leave in the order in which they came. */
  add(message: Message, transfer: readonly Transferable[] = []): void {
    if (!this.#leaving) queueMicrotask(() => this.flush())
    this.#leaving = true
    this.#messages.push(message)
    this.#transfer.push(...transfer)
  }

  /** As `add`, but nobody is woken for this one alone: it leaves with the next one, or by `flush`. */
  gather(message: Message): void {
    this.#messages.push(message)
  }

  /** Sends what waits now: before the thread ends. */
  flush(): void {
    this.#leaving = false
    if (this.#messages.length === 0) return
    const [messages, transfer] = [this.#messages, this.#transfer]
    this.#messages = []
    this.#transfer = []
    this.#post(messages, transfer)
  }
}
