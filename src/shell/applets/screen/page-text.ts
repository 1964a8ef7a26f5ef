// Lines of a text as rows of a screen: tabs and wide characters take their columns, control characters show as ^X,
// escape sequences of colours take none. Pure.

import { eastAsianWidth } from 'get-east-asian-width'

const TAB_COLUMNS = 8
const COLOUR = /\x1b\[[\d;]*m/y

/** A line cut into rows of `columns`; at least one, which may be empty. `chop`: only what fits, from `from` on. */
export function rowsOf(line: string, columns: number, chop = false, from = 0): string[] {
  const rows: string[] = []
  let row = ''
  let column = 0
  for (let at = 0; at < line.length; ) {
    COLOUR.lastIndex = at
    const colour = COLOUR.exec(line)?.[0]
    if (colour !== undefined) {
      row += colour
      at += colour.length
      continue
    }
    const code = line.codePointAt(at)!
    const character = String.fromCodePoint(code)
    at += character.length
    const shown = shownAs(character, code, column)
    const width = widthOf(shown)
    if (column + width > columns + (chop ? from : 0)) {
      if (chop) break
      rows.push(row)
      row = ''
      column = 0
    }
    if (!chop || column >= from) row += shown
    column += width
  }
  rows.push(row)
  return rows
}

function shownAs(character: string, code: number, column: number): string {
  if (character === '\t') return ' '.repeat(TAB_COLUMNS - (column % TAB_COLUMNS))
  if (code < 32) return `^${String.fromCharCode(code + 64)}`
  return code === 127 ? '^?' : character
}

function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += eastAsianWidth(character.codePointAt(0)!)
  return width
}
