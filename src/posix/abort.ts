// Waiting that a signal ends: the bridge from callbacks ("look again") to promises, used by pipes, sockets and
// clocks. No timers here.

/** Why a wait is given up that nobody looks at any more. The default reason, an exception, costs a stack trace. */
export const NO_LONGER_NEEDED = 'no longer needed'

/** Resolves or rejects with `wait`, but rejects with `signal.reason` as soon as `signal` is aborted. */
export function abortable<Value>(wait: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return wait
  if (signal.aborted) {
    // Nobody else looks at it: its failure must not count as one that nobody handles.
    wait.catch(() => {})
    return Promise.reject(signal.reason)
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    wait.then(
      (value) => {
        signal.removeEventListener('abort', onAbort)
        resolve(value)
      },
      (error) => {
        signal.removeEventListener('abort', onAbort)
        reject(error)
      },
    )
  })
}

/** A condition that several may wait for: `wake` lets all of them look again. */
export class Wakeup {
  #waiting: (() => void)[] = []

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  wake(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }

  get hasWaiters(): boolean {
    return this.#waiting.length > 0
  }
}
