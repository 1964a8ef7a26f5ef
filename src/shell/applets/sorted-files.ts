// Filters for files that are sorted: comm and join.

import type { Program } from '../../posix/process.js'
import { linesOf } from './lines.js'
import { applet, type Options, parseOptions, UsageError } from './options.js'

const COMM_LONG = {
  'nocheck-order': 'n',
  'check-order': 'n',
  'output-delimiter': 'd',
  total: 't',
  'zero-terminated': 'z',
}

export const comm: Program = applet(async (process, args) => {
  const options = parseOptions(args, '123nd:tz', COMM_LONG)
  const [first, second] = options.operands
  if (first === undefined || second === undefined) throw new UsageError('missing operand')
  const end = options.has('z') ? '\0' : '\n'
  let status = 0
  const failed = () => void (status = 1)
  const left = await linesOf(process, [first], failed, end)
  const right = await linesOf(process, [second], failed, end)
  if (status !== 0) return status
  const between = options.value('d') ?? '\t'
  const shown = [1, 2, 3].map((column) => !options.has(String(column)))
  const indent = (column: number) => between.repeat(shown.slice(0, column).filter(Boolean).length)
  const counts = [0, 0, 0]
  let [l, r] = [0, 0]
  let output = ''
  const put = (column: number, text: string) => {
    counts[column]!++
    if (shown[column]) output += `${indent(column)}${text}${end}`
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
  if (options.has('t')) output += `${[...counts, 'total'].join(between)}${end}`
  await process.stdout.write(output)
  return 0
})

interface Row {
  readonly key: string
  readonly fields: readonly string[]
  /** The fields but the key. */
  readonly rest: readonly string[]
}

function rowOf(line: string, at: number, separator: string | undefined): Row {
  const fields = separator === undefined ? line.trim().split(/[ \t]+/) : line.split(separator)
  return { key: fields[at] ?? '', fields, rest: fields.filter((_, index) => index !== at) }
}

/** How a pair, or a row without a partner, is written. */
function writerOf(options: Options, left: readonly Row[], right: readonly Row[]) {
  const separator = options.value('t')
  const empty = options.value('e') ?? ''
  const format = options.value('o')?.split(/[ ,]+/)
  const isAuto = format?.[0] === 'auto'
  const widths = [left[0]?.rest.length ?? 0, right[0]?.rest.length ?? 0]
  const restOf = (row: Row | undefined, width: number) =>
    isAuto ? Array.from({ length: width }, (_, at) => row?.rest[at] || empty) : (row?.rest ?? [])
  return (a: Row | undefined, b: Row | undefined) => {
    const key = (a ?? b)!.key
    const cells =
      format !== undefined && !isAuto
        ? format.map((cell) => {
            if (cell === '0') return key
            const [file, field] = cell.split('.')
            return (file === '1' ? a : b)?.fields[Number(field) - 1] || empty
          })
        : [key, ...restOf(a, widths[0]!), ...restOf(b, widths[1]!)]
    return `${cells.join(separator ?? ' ')}\n`
  }
}

const JOIN_LONG = { 'ignore-case': 'i', header: 'h', 'nocheck-order': 'n', 'check-order': 'n' }

export const join: Program = applet(async (process, args) => {
  const options = parseOptions(args, 't:1:2:a:v:o:e:ij:hn', JOIN_LONG)
  const [first, second] = options.operands
  if (first === undefined || second === undefined) throw new UsageError('missing operand')
  const fold = (text: string) => (options.has('i') ? text.toLowerCase() : text)
  let status = 0
  const rowsOf = async (name: string, field: string | undefined) => {
    const at = Number(field ?? options.value('j') ?? 1) - 1
    const lines = await linesOf(process, [name], () => void (status = 1))
    return lines.map((line) => rowOf(line, at, options.value('t')))
  }
  const left = await rowsOf(first, options.value('1'))
  const right = await rowsOf(second, options.value('2'))
  if (status !== 0) return status
  const written = writerOf(options, left, right)
  let output = ''
  if (options.has('h')) output += written(left.shift(), right.shift())
  const partners = new Map<string, Row[]>()
  for (const row of right) {
    const key = fold(row.key)
    const rows = partners.get(key)
    if (rows === undefined) partners.set(key, [row])
    else rows.push(row)
  }
  const matched = new Set<Row>()
  const lone = options.given
    .filter(({ letter }) => letter === 'a' || letter === 'v')
    .map(({ value }) => value)
  for (const a of left) {
    const found = partners.get(fold(a.key)) ?? []
    for (const b of found) {
      matched.add(b)
      if (!options.has('v')) output += written(a, b)
    }
    if (found.length === 0 && lone.includes('1')) output += written(a, undefined)
  }
  for (const b of right) if (!matched.has(b) && lone.includes('2')) output += written(undefined, b)
  await process.stdout.write(output)
  return 0
})
