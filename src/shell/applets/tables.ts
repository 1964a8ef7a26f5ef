// column, which makes tables, and shuf, which draws lines by the pod's own randomness.

import type { Program } from '../../posix/process.js'
import { linesOf } from './lines.js'
import { applet, parseCount, parseOptions } from './options.js'

const COLUMN_LONG = {
  table: 't',
  separator: 's',
  'output-separator': 'o',
  columns: 'c',
  fillrows: 'x',
  'table-columns': 'N',
  'table-right': 'R',
}

export const column: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'ts:o:c:xN:R:eLn', COLUMN_LONG)
  let status = 0
  const lines = (await linesOf(process, options.operands, () => void (status = 1))).filter(
    (line) => line !== '',
  )
  const separators = options.value('s')
  if (!options.has('t')) {
    await process.stdout.write(columns(lines, Number(options.value('c') ?? 80), options.has('x')))
    return status
  }
  const rows = lines.map((line) =>
    separators === undefined
      ? line.trim().split(/[ \t]+/)
      : line.split(new RegExp(`[${separators.replace(/[\\\]^-]/g, '\\$&')}]`)),
  )
  const titles = options.value('N')?.split(',')
  if (titles !== undefined) rows.unshift(titles)
  const toTheRight = new Set(
    (options.value('R') ?? '').split(',').map((name) => (titles?.indexOf(name) ?? -1) + 1 || Number(name)),
  )
  const widths: number[] = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, [...cell].length)
  }
  const gap = options.value('o') ?? '  '
  for (const row of rows) {
    const cells = row.map((cell, at) => {
      if (toTheRight.has(at + 1)) return cell.padStart(widths[at]!)
      return at < row.length - 1 ? cell.padEnd(widths[at]!) : cell
    })
    await process.stdout.write(`${cells.join(gap)}\n`)
  }
  return status
})

/** Entries side by side, filled downwards (or across), with tabs. */
function columns(entries: readonly string[], width: number, across: boolean): string {
  const longest = Math.max(0, ...entries.map(({ length }) => length))
  const cell = (Math.floor(longest / 8) + 1) * 8
  const count = Math.max(1, Math.floor(width / cell))
  const rows = Math.ceil(entries.length / count)
  let text = ''
  for (let row = 0; row < rows; row++) {
    const line: string[] = []
    for (let at = 0; at < count; at++) {
      const entry = entries[across ? row * count + at : at * rows + row]
      if (entry !== undefined) line.push(entry)
    }
    text += line
      .map((entry, at) =>
        at < line.length - 1 ? entry + '\t'.repeat(Math.ceil((cell - entry.length) / 8)) : entry,
      )
      .join('')
    text += '\n'
  }
  return text
}

const SHUF_LONG = {
  'head-count': 'n',
  'input-range': 'i',
  echo: 'e',
  repeat: 'r',
  output: 'o',
  'zero-terminated': 'z',
}

export const shuf: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'n:i:ero:z', SHUF_LONG)
  let status = 0
  const range = /^(-?\d+)-(-?\d+)$/.exec(options.value('i') ?? '')
  const items =
    range !== null
      ? Array.from({ length: Number(range[2]) - Number(range[1]) + 1 }, (_, at) =>
          String(Number(range[1]) + at),
        )
      : options.has('e')
        ? [...options.operands]
        : await linesOf(process, options.operands, () => void (status = 1))
  const { random } = process.system
  for (let at = items.length - 1; at > 0; at--) {
    const other = random.int(at + 1)
    ;[items[at], items[other]] = [items[other]!, items[at]!]
  }
  if (options.has('r')) {
    const times = options.has('n') ? parseCount(options.value('n')!) : Number.POSITIVE_INFINITY
    for (let at = 0; at < times && items.length > 0; at++)
      await process.stdout.write(`${items[random.int(items.length)]!}\n`)
    return status
  }
  const count = options.value('n') === undefined ? items.length : parseCount(options.value('n')!)
  const chosen = items.slice(0, count)
  if (chosen.length > 0) await process.stdout.write(`${chosen.join('\n')}\n`)
  return status
})
