// fold, which cuts lines, and split, which cuts files.

import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { Program } from '../../posix/process.js'
import { inputLines, openInputs } from './inputs.js'
import { applet, parseCount, parseOptions, UsageError } from './options.js'

const NEWLINE = 10

/** The column behind `c`; tabs go to the next eighth. */
function columnAfter(column: number, c: string): number {
  if (c === '\t') return column + 8 - (column % 8)
  if (c === '\b') return Math.max(0, column - 1)
  return c === '\r' ? 0 : column + 1
}

/** `text` in lines of at most `width` columns, cut behind blanks where `atBlanks`. */
function folded(text: string, width: number, atBlanks: boolean, inBytes: boolean): string {
  const lines: string[] = []
  let line = ''
  let column = 0
  const measured = (part: string) =>
    [...part].reduce((sum, c) => (inBytes ? sum + 1 : columnAfter(sum, c)), 0)
  for (const c of text) {
    const next = inBytes ? column + 1 : columnAfter(column, c)
    if (next > width && line !== '') {
      const blank = atBlanks ? Math.max(line.lastIndexOf(' '), line.lastIndexOf('\t')) + 1 : 0
      const end = blank > 0 ? blank : line.length
      lines.push(line.slice(0, end))
      line = line.slice(end)
      column = measured(line)
    }
    line += c
    column = inBytes ? column + 1 : columnAfter(column, c)
  }
  return [...lines, line].join('\n')
}

export const fold: Program = applet(async (process, args) => {
  // The old form: fold -20.
  const modern = args.map((arg) => arg.replace(/^-(\d+)$/, '-w$1'))
  const options = parseOptions(modern, 'w:sb', { width: 'w', spaces: 's', bytes: 'b' })
  const width = parseCount(options.value('w') ?? '80')
  if (width < 1) throw new UsageError(`invalid number of columns: '${width}'`)
  let status = 0
  for await (const { text, terminated } of inputLines(process, options.operands, () => void (status = 1))) {
    await process.stdout.write(
      `${folded(text, width, options.has('s'), options.has('b'))}${terminated ? '\n' : ''}`,
    )
  }
  return status
})

/** Where pieces of `bytes` end that have `count` lines each. */
function endsOfLines(bytes: Uint8Array, count: number): number[] {
  const ends: number[] = []
  let lines = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (++lines % count === 0) ends.push(at + 1)
  }
  return ends
}

/** Of pieces that have as many whole lines as fit into `most` bytes. */
function endsOfWholeLines(bytes: Uint8Array, most: number): number[] {
  const ends: number[] = []
  for (let start = 0; bytes.length - start > most; ) {
    const newline = bytes.lastIndexOf(NEWLINE, start + most - 1)
    start = newline < start ? start + most : newline + 1
    ends.push(start)
  }
  return ends
}

const SPLIT_LONG = {
  lines: 'l',
  bytes: 'b',
  'line-bytes': 'C',
  number: 'n',
  'suffix-length': 'a',
  'numeric-suffixes': 'd',
  'hex-suffixes': 'x',
  'additional-suffix': 'A',
  verbose: 'v',
}

const ALPHABETS = {
  letters: 'abcdefghijklmnopqrstuvwxyz',
  digits: '0123456789',
  hex: '0123456789abcdef',
} as const

/** `split -l N [FILE [PREFIX]]`: xaa, xab, ... */
export const split: Program = applet(async (process, args) => {
  const modern = args.map((arg) => arg.replace(/^-(\d+)$/, '-l$1'))
  const options = parseOptions(modern, 'l:b:C:n:a:d::x::A:v', SPLIT_LONG)
  const [name = '-', prefix = 'x'] = options.operands
  const length = parseCount(options.value('a') ?? '2')
  const alphabet = options.has('x') ? ALPHABETS.hex : options.has('d') ? ALPHABETS.digits : ALPHABETS.letters
  let bytes: Uint8Array | undefined
  for await (const { reader } of openInputs(process, [name], () => {}))
    bytes = await readAll(reader, process.hold)
  if (bytes === undefined) return 1
  const first = parseCount(options.value('d') || options.value('x') || '0')
  for (const [at, piece] of piecesOf(bytes, (letter) => options.value(letter)).entries()) {
    let suffix = ''
    for (let rest = at + first; suffix.length < length; rest = Math.floor(rest / alphabet.length))
      suffix = alphabet[rest % alphabet.length]! + suffix
    if (at + first >= alphabet.length ** length) throw new UsageError('output file suffixes exhausted')
    const file = `${prefix}${suffix}${options.value('A') ?? ''}`
    process.system.fs.writeFile(resolvePath(process.cwd, file), piece)
    if (options.has('v')) await process.stdout.write(`creating file '${file}'\n`)
  }
  return 0
})

function piecesOf(bytes: Uint8Array, value: (letter: string) => string | undefined): Uint8Array[] {
  const [size, number, whole] = [value('b'), value('n'), value('C')]
  let ends: number[]
  if (size !== undefined) {
    const step = parseCount(size)
    if (step < 1) throw new UsageError(`invalid number of bytes: '${size}'`)
    ends = Array.from({ length: Math.floor(bytes.length / step) }, (_, at) => (at + 1) * step)
  } else if (number !== undefined) {
    const count = parseCount(number)
    const step = Math.floor(bytes.length / count)
    ends = Array.from({ length: count - 1 }, (_, at) => (at + 1) * step)
  } else if (whole !== undefined) ends = endsOfWholeLines(bytes, parseCount(whole))
  else ends = endsOfLines(bytes, Math.max(1, parseCount(value('l') ?? '1000')))
  const all = [0, ...ends, bytes.length]
  return all
    .slice(1)
    .map((end, at) => bytes.subarray(all[at], end))
    .filter(({ length }) => length > 0 || number !== undefined)
}
