// A person at a terminal, or pipes, for commands that run in the test's process: keys are typed, and what is shown is
// read from a screen.

import xterm from '@xterm/headless'
import type { UserTerminal } from '../../src/cli/user-terminal.js'
import type { TerminalSize } from '../../src/posix/process.js'
import { PATIENCE_MS } from './patience.js'

const encoder = new TextEncoder()

/** `input` ends at once; what comes out is kept. */
export class Pipes implements UserTerminal {
  readonly isTerminal = false
  readonly size: TerminalSize = { columns: 80, rows: 24 }
  readonly #input: string
  out = ''
  err = ''

  constructor(input: string) {
    this.#input = input
  }

  onResize(): () => void {
    return () => {}
  }

  setRaw(): void {}

  read(onBytes: (bytes: Uint8Array) => unknown, onEnd: () => void): () => void {
    void Promise.resolve(onBytes(encoder.encode(this.#input))).then(onEnd)
    return () => {}
  }

  async write(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> {
    const text = new TextDecoder().decode(bytes)
    if (stream === 'stdout') this.out += text
    else this.err += text
  }
}

export class PersonAtTerminal implements UserTerminal {
  readonly isTerminal = true
  size: TerminalSize
  isRaw = false
  readonly #screen: InstanceType<typeof xterm.Terminal>
  readonly #looks = new Set<() => void>()
  readonly #resizeListeners = new Set<() => void>()
  #onBytes: ((bytes: Uint8Array) => unknown) | undefined
  /** Keys that nobody has read yet: a terminal keeps them. */
  readonly #typedAhead: Uint8Array[] = []
  #hangUp: (() => void) | undefined

  constructor(size: TerminalSize) {
    this.size = size
    const { columns, rows } = size
    this.#screen = new xterm.Terminal({ cols: columns, rows, scrollback: 1_000, allowProposedApi: true })
  }

  onResize(listener: () => void): () => void {
    this.#resizeListeners.add(listener)
    return () => this.#resizeListeners.delete(listener)
  }

  setRaw(on: boolean): void {
    this.isRaw = on
  }

  read(onBytes: (bytes: Uint8Array) => unknown, onEnd: () => void): () => void {
    this.#onBytes = onBytes
    this.#hangUp = onEnd
    for (const bytes of this.#typedAhead.splice(0)) onBytes(bytes)
    return () => {
      this.#onBytes = undefined
    }
  }

  write(_: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) =>
      this.#screen.write(bytes, () => {
        for (const look of [...this.#looks]) look()
        resolve()
      }),
    )
  }

  type(keys: string): void {
    const bytes = encoder.encode(keys)
    if (this.#onBytes === undefined) this.#typedAhead.push(bytes)
    else this.#onBytes(bytes)
  }

  /** The terminal's window is closed. */
  hangUp(): void {
    this.#hangUp?.()
  }

  resize(size: TerminalSize): void {
    this.size = size
    this.#screen.resize(size.columns, size.rows)
    for (const listener of this.#resizeListeners) listener()
  }

  /** The visible lines, without blanks at the ends. */
  get shown(): string {
    const { active } = this.#screen.buffer
    const lines = Array.from({ length: this.#screen.rows }, (_, row) =>
      active.getLine(active.baseY + row)!.translateToString(true),
    )
    return lines.join('\n').trimEnd()
  }

  /** Resolves when what is shown matches; rejects with the screen when it does not come. */
  until(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${pattern} did not come:\n${this.shown}`)),
        PATIENCE_MS,
      )
      const look = () => {
        const { shown } = this
        if (!pattern.test(shown)) return
        clearTimeout(timer)
        this.#looks.delete(look)
        resolve(shown)
      }
      this.#looks.add(look)
      look()
    })
  }
}
