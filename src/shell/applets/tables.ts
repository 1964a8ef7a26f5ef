// Filters for sorted files and tables: comm, join, column, fold, shuf, split.

import { resolvePath } from '../../posix/file-system.js'
import type { Process, Program } from '../../posix/process.js'
import { inputLines } from './inputs.js'
import { applet, parseCount, parseOptions, UsageError } from './options.js'

async function linesOf(process: Process, names: readonly string[], failed: () => void): Promise<string[]> {
  const lines: string[] = []
  for await (const { text } of inputLines(process, names, failed)) {
    process.hold(text.length * 2 + 16)
    lines.push(text)
  }
  return lines
}

export const comm: Program = applet(async (process, args) => {
  const options = parseOptions(args, '123', { 'nocheck-order': 'n' })
  const [first, second] = options.operands
  if (first === undefined || second === undefined) throw new UsageError('missing operand')
  let status = 0
  const failed = () => void (status = 1)
  const left = await linesOf(process, [first], failed)
  const right = await linesOf(process, [second], failed)
  if (status !== 0) return status
  const shown = [1, 2, 3].map((column) => !options.has(String(column)))
  const indent = (column: number) => '\t'.repeat(shown.slice(0, column).filter(Boolean).length)
  let [l, r] = [0, 0]
  let output = ''
  const put = (column: number, text: string) => {
    if (shown[column]) output += `${indent(column)}${text}\n`
  }
  while (l < left.length || r < right.length) {
    const [a, b] = [left[l], right[r]]
    if (b === undefined || (a !== undefined && a < b)) put(0, left[l++]!)
    else if (a === undefined || b < a) put(1, right[r++]!)
    else {
      put(2, a)
      l++
      r++
    }
  }
  await process.stdout.write(output)
  return 0
})

export const join: Program = applet(async (process, args) => {
  const options = parseOptions(args, 't:1:2:a:v:o:e:ij:')
  const [first, second] = options.operands
  if (first === undefined || second === undefined) throw new UsageError('missing operand')
  const separator = options.value('t')
  const fold = (text: string) => (options.has('i') ? text.toLowerCase() : text)
  let status = 0
  const rowsOf = async (name: string, field: string | undefined) => {
    const at = Number(field ?? options.value('j') ?? 1) - 1
    const lines = await linesOf(process, [name], () => void (status = 1))
    return lines.map((line) => {
      const fields = separator === undefined ? line.trim().split(/[ \t]+/) : line.split(separator)
      return { key: fields[at] ?? '', fields, rest: fields.filter((_, index) => index !== at) }
    })
  }
  const left = await rowsOf(first, options.value('1'))
  const right = await rowsOf(second, options.value('2'))
  if (status !== 0) return status
  const lone = options.given
    .filter(({ letter }) => letter === 'a' || letter === 'v')
    .map(({ value }) => value)
  const format = options.value('o')?.split(/[ ,]+/)
  type Row = (typeof left)[number]
  const shown = (a: Row | undefined, b: Row | undefined) => {
    const empty = options.value('e') ?? ''
    const key = (a ?? b)!.key
    const cells = format
      ? format.map((spec) => {
          if (spec === '0') return key
          const [file, field] = spec.split('.')
          return (file === '1' ? a : b)?.fields[Number(field) - 1] || empty
        })
      : [key, ...(a?.rest ?? []), ...(b?.rest ?? [])]
    return `${cells.join(separator ?? ' ')}\n`
  }
  const paired = !options.has('v')
  const matched = new Set<Row>()
  let output = ''
  for (const a of left) {
    const partners = right.filter((b) => fold(b.key) === fold(a.key))
    for (const b of partners) {
      matched.add(b)
      if (paired) output += shown(a, b)
    }
    if (partners.length === 0 && lone.includes('1')) output += shown(a, undefined)
  }
  for (const b of right) if (!matched.has(b) && lone.includes('2')) output += shown(undefined, b)
  await process.stdout.write(output)
  return 0
})

export const column: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'ts:o:c:x', { table: 't', separator: 's', 'output-separator': 'o' })
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
  const widths: number[] = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  }
  const gap = options.value('o') ?? '  '
  for (const row of rows) {
    const cells = row.map((cell, at) => (at < row.length - 1 ? cell.padEnd(widths[at]!) : cell))
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

export const fold: Program = applet(async (process, args) => {
  // The old form: fold -20.
  const options = parseOptions(
    args.map((arg) => arg.replace(/^-(\d+)$/, '-w$1')),
    'w:sb',
  )
  const width = parseCount(options.value('w') ?? '80')
  let status = 0
  for await (const { text, terminated } of inputLines(process, options.operands, () => void (status = 1))) {
    let rest = text
    let output = ''
    while (rest.length > width) {
      const blank = options.has('s') ? rest.slice(0, width).lastIndexOf(' ') + 1 : 0
      const end = blank > 0 ? blank : width
      output += `${rest.slice(0, end)}\n`
      rest = rest.slice(end)
    }
    await process.stdout.write(`${output}${rest}${terminated ? '\n' : ''}`)
  }
  return status
})

export const shuf: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'n:i:er')
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
  const count = options.value('n') === undefined ? items.length : parseCount(options.value('n')!)
  const chosen = items.slice(0, count)
  if (chosen.length > 0) await process.stdout.write(`${chosen.join('\n')}\n`)
  return status
})

/** `split -l N [FILE [PREFIX]]`: xaa, xab, ... */
export const split: Program = applet(async (process, args) => {
  const options = parseOptions(
    args.map((arg) => arg.replace(/^-(\d+)$/, '-l$1')),
    'l:b:a:d',
  )
  const [name = '-', prefix = 'x'] = options.operands
  const length = parseCount(options.value('a') ?? '2')
  const { fs } = process.system
  let status = 0
  const suffix = (number: number) => {
    const [base, first] = options.has('d') ? [10, 48] : [26, 97]
    let text = ''
    for (let at = 0, rest = number; at < length; at++, rest = Math.floor(rest / base)) {
      text = String.fromCharCode(first + (rest % base)) + text
    }
    return text
  }
  const lines = (await linesOf(process, [name], () => void (status = 1))).map((line) => `${line}\n`)
  const bytes = options.value('b')
  const text = lines.join('')
  const size = parseCount(bytes ?? options.value('l') ?? '1000')
  const pieces: string[] = []
  if (bytes !== undefined) {
    for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size))
  } else {
    for (let at = 0; at < lines.length; at += size) pieces.push(lines.slice(at, at + size).join(''))
  }
  for (const [number, piece] of pieces.entries()) {
    fs.writeFile(resolvePath(process.cwd, `${prefix}${suffix(number)}`), piece)
  }
  return status
})
