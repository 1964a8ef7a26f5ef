// A prompt and a line on a terminal of so many columns: draws them over what was drawn before, and leaves the cursor
// where it belongs. Typing at the end only writes what was typed.

import { eastAsianWidth } from 'get-east-asian-width'
import type { ByteWriter } from '../../posix/process.js'
import { charactersOf, type EditedLine } from './edited-line.js'

const CLEAR_BELOW = '\x1b[J'
const CLEAR_SCREEN = '\x1b[H\x1b[2J'

/** From where the prompt begins; both from 0. */
interface Position {
  readonly row: number
  readonly column: number
}

export class ScreenLines {
  readonly #writer: ByteWriter
  readonly #columns: () => number
  /** Rows between the first one that was drawn and the cursor. */
  #cursorRow = 0
  /** What was drawn last, and where the cursor stood then; undefined when the next drawing starts anew. */
  #drawn: { readonly prompt: string; readonly text: string; readonly atEnd: boolean } | undefined

  constructor(writer: ByteWriter, columns: () => number) {
    this.#writer = writer
    this.#columns = columns
  }

  async draw(prompt: string, line: EditedLine): Promise<void> {
    const appended = this.#appended(prompt, line)
    const anew = this.#drawn === undefined
    this.#drawn = { prompt, text: line.text, atEnd: line.isAtEnd }
    if (appended !== undefined) return await this.#writer.write(appended)
    const whole = `${prompt}${line.text}`
    const end = this.#positionAfter(whole)
    const cursor = line.isAtEnd ? end : this.#begun(this.#positionAfter(`${prompt}${line.beforeCursor}`))
    const up = this.#cursorRow > 0 ? `\x1b[${this.#cursorRow}A` : ''
    const clear = anew ? '' : `${up}\r${CLEAR_BELOW}`
    const back = end.row > cursor.row ? `\x1b[${end.row - cursor.row}A` : ''
    const across = line.isAtEnd ? '' : `\r${cursor.column > 0 ? `\x1b[${cursor.column}C` : ''}`
    this.#cursorRow = cursor.row
    await this.#writer.write(`${clear}${whole}${back}${across}`)
  }

  /** What is typed next belongs to another line: the cursor goes below this one. */
  async finish(prompt: string, line: EditedLine, end = ''): Promise<void> {
    const last = this.#positionAfter(`${prompt}${line.text}`)
    const rows = last.row - this.#cursorRow
    const down = rows > 0 ? `\x1b[${rows}B` : ''
    const across = line.isAtEnd || last.column === 0 ? '' : `\r\x1b[${last.column}C`
    await this.#writer.write(`${down}${across}${end}\n`)
    this.restart()
  }

  /** The next drawing begins where the cursor is, at the start of a row. */
  restart(): void {
    this.#cursorRow = 0
    this.#drawn = undefined
  }

  /** The columns have changed: nothing of what is on the screen can be built upon. */
  redrawAll(): void {
    if (this.#drawn !== undefined) this.#drawn = { prompt: '', text: '', atEnd: false }
  }

  async clear(): Promise<void> {
    await this.#writer.write(CLEAR_SCREEN)
    this.restart()
  }

  /** What to write when the line has only grown at its end. */
  #appended(prompt: string, line: EditedLine): string | undefined {
    const drawn = this.#drawn
    if (drawn === undefined || drawn.prompt !== prompt || !drawn.atEnd || !line.isAtEnd) return undefined
    if (!line.text.startsWith(drawn.text)) return undefined
    this.#cursorRow = this.#positionAfter(`${prompt}${line.text}`).row
    return line.text.slice(drawn.text.length)
  }

  /** Where the cursor stands before a character: at the start of the next row, not behind a full one. */
  #begun({ row, column }: Position): Position {
    return column >= this.#columns() ? { row: row + 1, column: 0 } : { row, column }
  }

  /** Where the cursor is after `text`, from the start of a row. A full row leaves a terminal's cursor in it. */
  #positionAfter(text: string): Position {
    const columns = Math.max(1, this.#columns())
    let row = 0
    let column = 0
    for (const character of charactersOf(withoutSequences(text))) {
      if (character === '\n' || character === '\r\n') {
        row++
        column = 0
        continue
      }
      const width = widthOf(character)
      if (column + width > columns) {
        row++
        column = 0
      }
      column += width
    }
    return { row, column }
  }
}

/** Colours and the like take no room, nor does a title for the window, nor a bell. */
function withoutSequences(text: string): string {
  return text.replace(/\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x07/g, '')
}

function widthOf(character: string): number {
  const point = character.codePointAt(0)!
  return /^\p{M}/u.test(character) ? 0 : eastAsianWidth(point)
}
