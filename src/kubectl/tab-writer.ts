// Columns of text as Go's text/tabwriter makes them: a column is a block of adjacent lines that have a
// tab-terminated cell there, and is as wide as its widest cell. kubectl's tables and descriptions are made with it.

export interface TabOptions {
  readonly minWidth: number
  readonly padding: number
}

/** As `kubectl get` uses it. */
export const TABLE: TabOptions = { minWidth: 6, padding: 3 }
/** As `kubectl describe` uses it. */
export const DESCRIPTION: TabOptions = { minWidth: 0, padding: 2 }

/** Aligns the cells of `text` (lines of cells that end in tabs). */
export function alignTabs(text: string, options: TabOptions): string {
  const lines = text.split('\n').map((line) => line.split('\t'))
  const output: string[] = []
  format(lines, 0, lines.length, [], options, output)
  return output.join('\n')
}

function format(
  lines: readonly string[][],
  from: number,
  to: number,
  widths: readonly number[],
  options: TabOptions,
  output: string[],
): void {
  const column = widths.length
  let at = from
  while (at < to) {
    if (lines[at]!.length - 1 <= column) {
      output.push(padded(lines[at]!, widths))
      at++
      continue
    }
    const start = at
    let width = options.minWidth
    for (; at < to && lines[at]!.length - 1 > column; at++) {
      width = Math.max(width, textWidth(lines[at]![column]!) + options.padding)
    }
    format(lines, start, at, [...widths, width], options, output)
  }
}

function padded(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) => cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - textWidth(cell))))
    .join('')
}

function textWidth(text: string): number {
  return [...text].length
}

/** A table whose columns never get narrower while it grows, as `kubectl get -w` needs it. */
export class GrowingTable {
  readonly #widths: number[] = []

  /** The rows as lines, each with its line feed; the last cell of a row is not padded. */
  format(rows: readonly (readonly string[])[]): string {
    for (const row of rows) {
      for (const [index, cell] of row.slice(0, -1).entries()) {
        const width = Math.max(TABLE.minWidth, textWidth(cell) + TABLE.padding)
        this.#widths[index] = Math.max(this.#widths[index] ?? 0, width)
      }
    }
    return rows.map((row) => `${padded(row, this.#widths.slice(0, row.length - 1))}\n`).join('')
  }
}
