// The far end of a terminal session, played by a test: what the session asks of a program, and a client that keeps what
// it gets on a screen of its own.

import xterm from '@xterm/headless'
import type { RemoteStreams } from '../../src/api/request.js'
import type { TerminalSize } from '../../src/posix/process.js'
import type { Exit } from '../../src/terminal/session-client.js'

const encoder = new TextEncoder()

/** A program that does what the test says. */
export class TerminalProgram implements RemoteStreams {
  onOutput: RemoteStreams['onOutput']
  onExit: RemoteStreams['onExit']
  readonly sizes: string[] = []
  typed = ''
  isClosed = false

  /** What the session gives back for output: a promise where the program has to wait. */
  print(text: string): unknown {
    return this.onOutput?.('stdout', encoder.encode(text.replaceAll('\n', '\r\n')))
  }

  write(bytes: Uint8Array): void {
    this.typed += new TextDecoder().decode(bytes)
  }

  end(): void {}

  resize(columns: number, rows: number): void {
    this.sizes.push(`${columns}x${rows}`)
  }

  close(): void {
    this.isClosed = true
  }
}

/** A client whose terminal has `size`. */
export class Viewer {
  readonly streams: RemoteStreams
  exit: Exit | undefined
  /** Bytes that came. */
  received = 0
  /** Set: what comes is taken when it resolves. */
  slow: Promise<void> | undefined
  readonly #screen: InstanceType<typeof xterm.Terminal>

  constructor(streams: RemoteStreams, { columns, rows }: TerminalSize) {
    this.streams = streams
    this.#screen = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true })
    streams.resize(columns, rows)
    streams.onOutput = (_, bytes) => {
      this.received += bytes.length
      this.#screen.write(bytes)
      return this.slow
    }
    streams.onExit = (exit) => {
      this.exit = exit
    }
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows)
    this.streams.resize(columns, rows)
  }

  /** The visible lines, with `|` where the cursor is, without blanks at the ends. */
  async shown(): Promise<string> {
    await this.#settled()
    const { active } = this.#screen.buffer
    const lines = Array.from({ length: this.#screen.rows }, (_, row) => {
      const line = active.getLine(active.baseY + row)!
      if (row !== active.cursorY) return line.translateToString(true)
      return `${line.translateToString(false, 0, active.cursorX)}|${line.translateToString(true, active.cursorX)}`
    })
    return lines.join('\n').trimEnd()
  }

  /** All lines, those that scrolled away too. */
  async history(): Promise<string[]> {
    await this.#settled()
    const { active } = this.#screen.buffer
    return Array.from({ length: active.length }, (_, row) => active.getLine(row)!.translateToString(true))
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => this.#screen.write('', resolve))
  }
}
