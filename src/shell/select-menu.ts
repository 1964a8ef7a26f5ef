// The menu of `select` in the layout that bash has: columns, filled downwards, with tabs between them.

const TAB = 8
/** `) ` behind the number, and two blanks between columns. */
const EXTRA = 4

export function menuText(items: readonly string[], columns: number): string {
  const digits = String(items.length).length
  const width = Math.max(...items.map(({ length }) => length)) + digits + EXTRA
  const fitting = Math.max(1, Math.floor(columns / width))
  const rows = Math.ceil(items.length / fitting)
  // What would fit into one line is listed one below the other.
  const height = rows === 1 ? items.length : rows
  const lines: string[] = []
  for (let row = 0; row < height; row++) {
    let line = ''
    let position = 0
    for (let at = row, column = 0; at < items.length; at += height, column++) {
      if (column > 0) line += indent(position, column * width)
      // Numbers of the first column are as wide as its own need.
      const numberWidth = column === 0 ? String(height).length : digits
      const text = `${String(at + 1).padStart(numberWidth)}) ${items[at]}`
      line += text
      position = column * width + text.length
    }
    lines.push(`${line}\n`)
  }
  return lines.join('')
}

/** From one column of the screen to another, with tabs where they fit. */
function indent(from: number, to: number): string {
  let text = ''
  for (let at = from; at < to; ) {
    if (Math.floor(to / TAB) > Math.floor(at / TAB)) {
      text += '\t'
      at += TAB - (at % TAB)
    } else {
      text += ' '
      at++
    }
  }
  return text
}
