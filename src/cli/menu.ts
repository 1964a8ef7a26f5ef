// A list to choose from at a terminal, drawn over itself: arrow keys or the number of a line, then Enter. Leaves no
// trace on the screen.

import type { UserTerminal } from './user-terminal.js'

const HINT = '↑ ↓ or a number, Enter; q leaves'
const CLEAR_BELOW = '\x1b[J'
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Lines and what is chosen among them; knows nothing of terminals but their size. */
export class Menu {
  readonly #lines: readonly string[]
  #at = 0
  /** The first line that is shown. */
  #top = 0
  #number = ''

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  /** Takes a key, as a terminal sends it; the index that was chosen, or that nothing is. */
  press(key: string): number | 'left' | undefined {
    const last = this.#lines.length - 1
    if (/^\d$/.test(key)) {
      const number = Number(this.#number + key) <= last + 1 ? this.#number + key : key
      if (Number(number) >= 1 && Number(number) <= last + 1) {
        this.#number = number
        this.#at = Number(number) - 1
      }
      return undefined
    }
    this.#number = ''
    if (key === '\r' || key === '\n') return this.#at
    if (key === 'q' || key === '\x1b' || key === '\x03' || key === '\x04') return 'left'
    if (/^\x1b[[O]A$/.test(key) || key === 'k' || key === '\x10') this.#at = Math.max(0, this.#at - 1)
    if (/^\x1b[[O]B$/.test(key) || key === 'j' || key === '\x0e') this.#at = Math.min(last, this.#at + 1)
    return undefined
  }

  /** Rows of at most `columns` and `rows`, each ended by a line feed but the last. */
  draw(columns: number, rows: number): string {
    const height = Math.max(1, Math.min(this.#lines.length, rows - 1))
    this.#top = Math.min(Math.max(this.#top, this.#at - height + 1), this.#at)
    const digits = String(this.#lines.length).length
    const shown = this.#lines.slice(this.#top, this.#top + height).map((line, index) => {
      const number = this.#top + index
      const text = `${number === this.#at ? '>' : ' '} ${String(number + 1).padStart(digits)}  ${line}`
      const cut = text.slice(0, Math.max(1, columns - 1))
      return number === this.#at ? `\x1b[7m${cut}\x1b[0m` : cut
    })
    return [...shown, HINT.slice(0, Math.max(1, columns - 1))].join('\r\n')
  }
}

/** Resolves with the index of the line that the user chose; undefined when none. */
export async function choose(
  terminal: UserTerminal,
  lines: readonly string[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const menu = new Menu(lines)
  let drawnRows = 0
  const write = (text: string) => terminal.write('stdout', encoder.encode(text))
  const draw = () => {
    const { columns, rows } = terminal.size
    const text = menu.draw(columns, rows)
    const up = drawnRows > 1 ? `\x1b[${drawnRows - 1}A` : ''
    drawnRows = text.split('\n').length
    return write(`${up}\r${CLEAR_BELOW}${text}`)
  }
  let settle: (chosen: number | undefined) => void = () => {}
  const chosen = new Promise<number | undefined>((resolve) => {
    settle = resolve
  })
  const leave = () => settle(undefined)
  signal.addEventListener('abort', leave)
  terminal.setRaw(true)
  const stopResizing = terminal.onResize(() => void draw())
  const stopReading = terminal.read((bytes) => {
    for (const key of decoder.decode(bytes).match(/\x1b[[O]?[A-Z]?|./gs) ?? []) {
      const result = menu.press(key)
      if (result !== undefined) return settle(result === 'left' ? undefined : result)
    }
    return draw()
  }, leave)
  try {
    await draw()
    return await chosen
  } finally {
    signal.removeEventListener('abort', leave)
    stopReading()
    stopResizing()
    await write(`${drawnRows > 1 ? `\x1b[${drawnRows - 1}A` : ''}\r${CLEAR_BELOW}`)
    terminal.setRaw(false)
  }
}
