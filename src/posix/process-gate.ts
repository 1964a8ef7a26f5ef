// What holds a stopped process (SIGSTOP, SIGTSTP): a program is asynchronous code that cannot be frozen, but what it
// waits for - input, output, time - is given to it only when it goes on. Signals that come meanwhile wait as well.

import { LinkedList } from '../base/linked-list.js'
import { Wakeup } from './abort.js'
import type { SignalName } from './process.js'

export class ProcessGate {
  /** The signal that stopped the process; undefined while it runs. */
  stoppedBy: SignalName | undefined
  readonly #resumed = new Wakeup()
  readonly #listeners = new Set<() => void>()
  #pending: SignalName[] = []
  readonly #signal: AbortSignal
  /** What rejects the waits that are under way, when the process ends. One listener for all of them: they are many. */
  readonly #waits = new LinkedList<(reason: unknown) => void>()

  /** `signal` is aborted when the process ends. */
  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /**
   * From now on the end of the process ends its waits. To be called after everything that has to happen first: what a
   * program still does on its way out must find its sockets closed, as a killed process does nothing any more.
   */
  endWithSignal(): void {
    const signal = this.#signal
    const end = () => {
      for (const reject of [...this.#waits]) reject(signal.reason)
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  }

  stop(signal: SignalName): void {
    if (this.stoppedBy !== undefined) return
    this.stoppedBy = signal
    this.#tell()
  }

  /** Lets the process go on; the signals that waited for it. */
  resume(): readonly SignalName[] {
    if (this.stoppedBy === undefined) return []
    this.stoppedBy = undefined
    const pending = this.#pending
    this.#pending = []
    this.#resumed.wake()
    this.#tell()
    return pending
  }

  /** Keeps a signal until the process goes on. */
  keep(signal: SignalName): void {
    if (!this.#pending.includes(signal)) this.#pending.push(signal)
  }

  /** Hears of stops and continuations; the returned function ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when the process runs. */
  async open(): Promise<void> {
    while (this.stoppedBy !== undefined) await this.#resumed.wait()
  }

  /** `wait`, until the process ends: and what it comes to is held back while the process is stopped. */
  pass<Value>(wait: Promise<Value>): Promise<Value> {
    if (this.#signal.aborted) {
      wait.catch(() => {})
      return Promise.reject(this.#signal.reason)
    }
    return new Promise((resolve, reject) => {
      const place = this.#waits.add(reject)
      const settle = (finish: () => void) => {
        const done = () => {
          this.#waits.remove(place)
          finish()
        }
        if (this.stoppedBy === undefined) done()
        else void this.open().then(done)
      }
      wait.then(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      )
    })
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
