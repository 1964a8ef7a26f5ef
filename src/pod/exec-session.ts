// A program started for somebody who looks in - exec in a container, a shell on a node - at a terminal or with pipes:
// input goes to it, output comes back as fast as it is taken, and its end is told.

import type { LocalSystem } from '../posix/local-system.js'
import { emptyReader, Pipe } from '../posix/pipe.js'
import type { ByteWriter, Child, Program, TerminalSize } from '../posix/process.js'
import { Terminal } from '../posix/terminal.js'
import { StreamWindow } from './stream-window.js'

export interface ExecOptions {
  readonly argv: readonly string[]
  readonly env: ReadonlyMap<string, string>
  readonly cwd: string
  readonly stdin: boolean
  readonly tty: boolean
  /** Of the client's terminal, where it has told before. */
  readonly size?: TerminalSize
}

export interface ExecEvents {
  /** stderr only without a terminal. */
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array): void
  exit(status: number): void
}

export class ExecSession {
  readonly window = new StreamWindow()
  readonly #terminal: Terminal | undefined
  readonly #stdin: Pipe | undefined
  readonly #child: Child

  constructor(system: LocalSystem, program: Program, options: ExecOptions, events: ExecEvents) {
    const { argv, env, cwd, stdin, tty, size } = options
    const terminal = tty ? new Terminal(size?.columns, size?.rows) : undefined
    this.#terminal = terminal
    this.#stdin = stdin && !tty ? new Pipe() : undefined
    const send = (stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> | undefined => {
      this.window.sent(bytes.length)
      events.output(stream, bytes)
      return this.window.room()
    }
    // Before the program starts: it may write at once.
    if (terminal !== undefined) terminal.onOutput = (bytes) => send('stdout', bytes)
    const output = (stream: 'stdout' | 'stderr'): ByteWriter => ({
      isTTY: false,
      write: async (content) => send(stream, ownedBytes(content)),
    })
    const child = system.start(program, {
      argv,
      env,
      cwd,
      stdin: terminal?.reader ?? this.#stdin?.reader ?? emptyReader(),
      stdout: terminal?.writer ?? output('stdout'),
      stderr: terminal?.writer ?? output('stderr'),
    })
    if (terminal !== undefined) terminal.onSignal = (signal) => child.kill(signal)
    this.#child = child
    child.exited.then((status) => events.exit(status))
  }

  /** A promise when there is no room for more. */
  input(bytes: Uint8Array): Promise<void> | undefined {
    return (this.#terminal ?? this.#stdin)?.input(bytes)
  }

  /** End of standard input. */
  end(): void {
    this.#terminal?.hangUp()
    this.#stdin?.inputEnd()
  }

  resize(columns: number, rows: number): void {
    this.#terminal?.resize(columns, rows)
  }

  /** The client is gone. */
  close(): void {
    this.#terminal?.hangUp()
    this.#stdin?.endWriting()
    this.#child.kill('SIGHUP')
  }
}

const encoder = new TextEncoder()

export function ownedBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? encoder.encode(content) : content.slice()
}
