// A program at a terminal that several may look at and type to, and that goes on when nobody does: its screen is kept,
// and shown to whoever joins. It is as large as the smallest of its clients' terminals, so that all of them see all of
// it (unlike tmux, which by default takes the size of whoever typed last and shows the others a part).

import type { RemoteStreams } from '../api/request.js'
import type { TerminalSize } from '../posix/process.js'
import { Screen } from './screen.js'
import { type Exit, SessionClient, type SharedTerminal } from './session-client.js'

const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 }
/** A screen as large as this in both directions is still kept in a few megabytes. */
const LARGEST_SIDE = 500

export class TerminalSession implements SharedTerminal {
  readonly screen = new Screen(DEFAULT_SIZE)
  /** Called once: the program has ended, or nobody came to begin it. */
  onEnd: (() => void) | undefined
  readonly #program: RemoteStreams
  readonly #clients = new Set<SessionClient>()
  #state: 'new' | 'running' | 'over' = 'new'
  /** The size that the program knows. */
  #told: TerminalSize | undefined
  #hasOutput = false
  #exit: Exit | undefined

  /** `program` has a terminal, and begins when the first client comes. */
  constructor(program: RemoteStreams) {
    this.#program = program
    this.screen.onReply = (text) => {
      // A client's terminal answers itself.
      if (this.#clients.size === 0) program.write(new TextEncoder().encode(text))
    }
  }

  /** One more client; it joins when its `onExit` is set, and leaves by `close`, which ends nothing. */
  attach(): RemoteStreams {
    return new SessionClient(this)
  }

  join(client: SessionClient): void {
    if (this.#exit !== undefined) return client.exit(this.#exit)
    this.#clients.add(client)
    this.#fit()
    if (this.#state === 'new') this.#begin()
    this.screen.whenShown(() => client.begin(this.#hasOutput))
  }

  leave(client: SessionClient): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) this.#fit()
    else if (this.#state === 'new') this.#end()
  }

  resized(): void {
    this.#fit()
  }

  input(bytes: Uint8Array): unknown {
    return this.#program.write(bytes)
  }

  /** Ends the program as if its terminal were closed. */
  close(): void {
    if (this.#state === 'running') this.#program.close()
    else this.#end()
  }

  #begin(): void {
    this.#state = 'running'
    const program = this.#program
    program.onOutput = (_, bytes) => this.#output(bytes)
    program.onExit = (exit) => {
      this.#exit = exit
      this.#end()
      // Behind its last output.
      this.screen.whenShown(() => {
        for (const client of this.#clients) client.exit(exit)
        this.#clients.clear()
      })
    }
  }

  #end(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.onEnd?.()
  }

  /** Resolves when it is on the screen and with the clients. */
  #output(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.screen.write(bytes, () => {
        this.#hasOutput = true
        const rooms = [...this.#clients].map((client) => client.output(bytes))
        const waits = rooms.filter((room) => room !== undefined)
        if (waits.length === 0) resolve()
        else Promise.all(waits).then(() => resolve())
      })
    })
  }

  /** The smallest of the clients' terminals: the program hears of it at once, the screen has it behind what is shown. */
  #fit(): void {
    const side = (sizes: readonly number[]) => Math.max(1, Math.min(LARGEST_SIDE, ...sizes))
    const sizes = [...this.#clients].map(({ size }) => size)
    const columns = side(sizes.map((size) => size.columns))
    const rows = side(sizes.map((size) => size.rows))
    const isNews = columns !== this.#told?.columns || rows !== this.#told.rows
    if (isNews) this.#program.resize(columns, rows)
    this.#told = { columns, rows }
    this.screen.whenShown(() => {
      const { screen } = this
      if (columns !== screen.columns || rows !== screen.rows) screen.resize({ columns, rows })
      // A client that has changed alone may have come to fit, or not to.
      for (const client of this.#clients) client.fit()
    })
  }
}
