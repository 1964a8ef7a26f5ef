// What a terminal shows, kept without a window: the bytes that programs write become lines, scrollback and a cursor, and
// can be told again to a terminal that joins later. Around xterm's headless terminal; tests judge screens by it as well.

import serialize from '@xterm/addon-serialize'
import xterm, { type ITerminalAddon } from '@xterm/headless'
import type { TerminalSize } from '../posix/process.js'

/** As tmux' history-limit: 200 columns of it are about 5 MB. */
const SCROLLBACK_LINES = 2_000

const SHOW_CURSOR = '\x1b[?25h'
const HIDE_CURSOR = '\x1b[?25l'

/** Column and row from 0, of what is visible. */
export interface CursorPosition {
  readonly column: number
  readonly row: number
}

export class Screen {
  /** What a terminal answers to a program that asks it (its kind, where its cursor is). */
  onReply: ((text: string) => void) | undefined
  readonly #terminal: InstanceType<typeof xterm.Terminal>
  readonly #serializer = new serialize.SerializeAddon()
  #cursorHidden = false

  constructor({ columns, rows }: TerminalSize) {
    const terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: SCROLLBACK_LINES,
      allowProposedApi: true,
    })
    // Its types are those of the terminal with a window.
    terminal.loadAddon(this.#serializer as unknown as ITerminalAddon)
    terminal.onData((text) => this.onReply?.(text))
    // DECTCEM, which xterm does not tell: false means that it does its own work too.
    for (const final of ['h', 'l'])
      terminal.parser.registerCsiHandler({ prefix: '?', final }, (parameters) => {
        if (parameters.includes(25)) this.#cursorHidden = final === 'l'
        return false
      })
    this.#terminal = terminal
  }

  get columns(): number {
    return this.#terminal.cols
  }

  get rows(): number {
    return this.#terminal.rows
  }

  /** Shows output; `shown` is called when all of it is on the screen and nothing that is written later. */
  write(output: Uint8Array | string, shown: () => void): void {
    this.#terminal.write(output, shown)
  }

  /** Calls `act` when all that was written before is on the screen, and nothing that is written later. */
  whenShown(act: () => void): void {
    this.#terminal.write('', act)
  }

  /** Lines that were wrapped are wrapped anew. */
  resize({ columns, rows }: TerminalSize): void {
    this.#terminal.resize(columns, rows)
  }

  /** What makes an empty terminal of this size show the same: scrollback, screen, modes and cursor. */
  snapshot(): string {
    return `${this.#serializer.serialize({ scrollback: SCROLLBACK_LINES })}${this.#cursorHidden ? HIDE_CURSOR : ''}`
  }

  /** What paints the visible rows, and nothing else, at the top left of a larger terminal. */
  painting(): string {
    const { active } = this.#terminal.buffer
    let text = HIDE_CURSOR
    for (let row = 0; row < this.#terminal.rows; row++) {
      const line = active.baseY + row
      const content = this.#serializer.serialize({
        range: { start: line, end: line },
        excludeModes: true,
        excludeAltBuffer: true,
      })
      text += `\x1b[${row + 1};1H\x1b[0m${content}\x1b[0m\x1b[K`
    }
    const { column, row } = this.cursor
    return `${text}\x1b[J\x1b[${row + 1};${column + 1}H${this.#cursorHidden ? '' : SHOW_CURSOR}`
  }

  /** The visible rows, without blanks at their ends. */
  lines(): string[] {
    const { active } = this.#terminal.buffer
    return Array.from(
      { length: this.#terminal.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
    )
  }

  get cursor(): CursorPosition {
    const { cursorX, cursorY } = this.#terminal.buffer.active
    return { column: cursorX, row: cursorY }
  }
}
