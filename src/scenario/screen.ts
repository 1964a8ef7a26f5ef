// What a command has written so far, as a terminal would show it, and a way to wait for what it will write.

export class Screen {
  /** Both streams, in the order in which they came. */
  text = ''
  /** Standard output alone. */
  stdout = ''
  /** Standard error alone. */
  stderr = ''
  /** Exit status, once the command has ended. */
  exitCode: number | undefined
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  readonly #waiting = new Set<() => void>()

  show(stream: 'stdout' | 'stderr', content: Uint8Array | string): void {
    const text =
      typeof content === 'string' ? content : this.#decoders[stream].decode(content, { stream: true })
    this.text += text
    this[stream] += text
    this.#wake()
  }

  end(exitCode: number): void {
    this.exitCode = exitCode
    this.#wake()
  }

  /** Forgets what was written, before something is typed. */
  clear(): void {
    this.text = ''
    this.stdout = ''
    this.stderr = ''
  }

  /** Resolves with true when `condition` holds, now or after more output or the end; with false when `signal` aborts first. */
  until(condition: () => boolean, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (held: boolean) => {
        this.#waiting.delete(check)
        signal.removeEventListener('abort', abort)
        resolve(held)
      }
      const check = () => {
        if (condition()) finish(true)
      }
      const abort = () => finish(false)
      if (condition()) return resolve(true)
      if (signal.aborted) return resolve(false)
      this.#waiting.add(check)
      signal.addEventListener('abort', abort)
    })
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check()
  }
}
