// Filters on fields and whole lines: cut, sort, uniq, paste.

import type { Program } from '../../posix/process.js'
import { LINE_BYTES } from '../streams.js'
import { inputLines } from './inputs.js'
import { applet, parseOptions, UsageError } from './options.js'

/** A list such as `1,3-5,7-`; the answer of the returned function is whether a position (from 1) is in it. */
function positions(list: string): (position: number) => boolean {
  const ranges = list.split(',').map((item) => {
    const match = /^(\d*)(-?)(\d*)$/.exec(item)
    if (match === null || item === '' || item === '-') throw new UsageError('bad range')
    const from = match[1] === '' ? 1 : Number(match[1])
    const to = match[2] === '' ? from : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])
    return { from, to }
  })
  return (position) => ranges.some(({ from, to }) => position >= from && position <= to)
}

export const cut: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'b:c:d:f:ns')
  const fields = options.value('f')
  const list = fields ?? options.value('c') ?? options.value('b')
  if (list === undefined) throw new UsageError('expected a list of bytes, characters, or fields')
  const selected = positions(list)
  const delimiter = options.value('d') ?? '\t'
  let status = 0
  for await (const { text } of inputLines(process, options.operands, () => (status = 1))) {
    if (fields === undefined)
      await process.stdout.write(`${[...text].filter((_, at) => selected(at + 1)).join('')}\n`)
    else if (text.includes(delimiter)) {
      const kept = text.split(delimiter).filter((_, at) => selected(at + 1))
      await process.stdout.write(`${kept.join(delimiter)}\n`)
    } else if (!options.has('s')) await process.stdout.write(`${text}\n`)
  }
  return status
})

interface SortKey {
  readonly from: number
  readonly fromCharacter: number
  readonly to: number
  readonly numeric: boolean
  readonly reverse: boolean
  readonly fold: boolean
}

function sortKey(text: string): SortKey {
  const match = /^(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.\d+)?([a-zA-Z]*))?$/.exec(text)
  if (match === null) throw new UsageError(`bad field specification '${text}'`)
  const flags = `${match[3]}${match[5] ?? ''}`
  return {
    from: Number(match[1]),
    fromCharacter: Number(match[2] ?? 1),
    to: match[4] === undefined ? Number.POSITIVE_INFINITY : Number(match[4]),
    numeric: flags.includes('n'),
    reverse: flags.includes('r'),
    fold: flags.includes('f'),
  }
}

function keyText(line: string, key: SortKey, separator: string | undefined): string {
  const fields = separator === undefined ? (line.match(/\s*\S+/g) ?? [line]) : line.split(separator)
  const text = fields.slice(key.from - 1, key.to).join(separator ?? '')
  return key.fromCharacter > 1 ? text.slice(key.fromCharacter - 1) : text
}

function leadingNumber(text: string): number {
  return Number(/^\s*(-?\d*\.?\d+)/.exec(text)?.[1] ?? 0)
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export const sort: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'nrufbhk:t:o:sc')
  const global = {
    numeric: options.has('n') || options.has('h'),
    reverse: options.has('r'),
    fold: options.has('f'),
  }
  const keys = options.given.filter((option) => option.letter === 'k').map((option) => sortKey(option.value))
  const effective = keys.map((key) => (key.numeric || key.reverse || key.fold ? key : { ...key, ...global }))
  if (effective.length === 0)
    effective.push({ from: 1, fromCharacter: 1, to: Number.POSITIVE_INFINITY, ...global })
  const separator = options.value('t')
  const whole = keys.length === 0
  let status = 0
  const lines: string[] = []
  for await (const { text } of inputLines(process, options.operands, () => (status = 2))) {
    process.hold(text.length + LINE_BYTES)
    lines.push(text)
  }
  const compareKeys = (a: string, b: string): number => {
    for (const key of effective) {
      let [x, y] = whole ? [a, b] : [keyText(a, key, separator), keyText(b, key, separator)]
      if (key.fold) [x, y] = [x.toUpperCase(), y.toUpperCase()]
      const order = key.numeric ? leadingNumber(x) - leadingNumber(y) : compareTexts(x, y)
      if (order !== 0) return key.reverse ? -order : order
    }
    return 0
  }
  const lastResort = (a: string, b: string) =>
    options.has('u') || options.has('s') ? 0 : global.reverse ? compareTexts(b, a) : compareTexts(a, b)
  const sorted = lines.sort((a, b) => compareKeys(a, b) || lastResort(a, b))
  const kept = options.has('u')
    ? sorted.filter((line, at) => at === 0 || compareKeys(sorted[at - 1]!, line) !== 0)
    : sorted
  const text = kept.map((line) => `${line}\n`).join('')
  const file = options.value('o')
  if (file === undefined) await process.stdout.write(text)
  else process.system.fs.writeFile(file.startsWith('/') ? file : `${process.cwd}/${file}`, text)
  return status
})

export const uniq: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'cdui')
  const same = (a: string, b: string) => (options.has('i') ? a.toLowerCase() === b.toLowerCase() : a === b)
  let status = 0
  let current: string | undefined
  let times = 0
  const finish = async () => {
    if (current === undefined) return
    if ((options.has('d') && times === 1) || (options.has('u') && times > 1)) return
    await process.stdout.write(`${options.has('c') ? `${String(times).padStart(7)} ` : ''}${current}\n`)
  }
  for await (const { text } of inputLines(process, options.operands.slice(0, 1), () => (status = 1))) {
    if (current !== undefined && same(current, text)) {
      times++
      continue
    }
    await finish()
    current = text
    times = 1
  }
  await finish()
  return status
})

export const paste: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'sd:')
  const delimiter = options.value('d') ?? '\t'
  let status = 0
  const columns: string[][] = []
  for (const name of options.operands.length === 0 ? ['-'] : options.operands) {
    const lines: string[] = []
    for await (const { text } of inputLines(process, [name], () => (status = 1))) {
      process.hold(text.length + LINE_BYTES)
      lines.push(text)
    }
    columns.push(lines)
  }
  if (options.has('s')) {
    for (const lines of columns) await process.stdout.write(`${lines.join(delimiter)}\n`)
    return status
  }
  const height = Math.max(0, ...columns.map((lines) => lines.length))
  for (let row = 0; row < height; row++) {
    await process.stdout.write(`${columns.map((lines) => lines[row] ?? '').join(delimiter)}\n`)
  }
  return status
})
