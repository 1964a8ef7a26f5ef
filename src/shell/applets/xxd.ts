// xxd and hexdump: bytes in hexadecimal beside their characters, and with xxd -r back to bytes.

import { resolvePath } from '../../posix/file-system.js'
import type { Program } from '../../posix/process.js'
import { applet, nameOf, type Options, parseCount, parseOptions, UsageError } from './options.js'
import { readInputs } from './whole-input.js'

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

function visible(row: Uint8Array): string {
  return [...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')
}

/** A number as xxd reads it: 0x10, 16. */
function number(text: string): number {
  if (!/^-?(0x[\da-f]+|\d+)$/i.test(text)) throw new UsageError(`invalid number '${text}'`)
  return Number(text)
}

/** `-len`, `-cols` and their like have one dash. */
function modern(args: readonly string[]): string[] {
  const names: Readonly<Record<string, string>> = {
    '-len': '-l',
    '-cols': '-c',
    '-groupsize': '-g',
    '-seek': '-s',
    '-skip': '-s',
    '-plain': '-p',
    '-ps': '-p',
    '-postscript': '-p',
    '-bits': '-b',
    '-include': '-i',
    '-revert': '-r',
    '-uppercase': '-u',
  }
  return args.map((arg) => names[arg] ?? arg)
}

/** `00000010: 6162 6364  abcd` for each row. */
function rows(bytes: Uint8Array, options: Options, start: number): string {
  const bits = options.has('b')
  const columns = number(options.value('c') ?? (bits ? '6' : '16'))
  const group = number(options.value('g') ?? (bits ? '1' : options.has('e') ? '4' : '2')) || columns
  const digits = bits ? 8 : 2
  const cell = (byte: number) =>
    bits ? byte.toString(2).padStart(8, '0') : options.has('u') ? hex(byte).toUpperCase() : hex(byte)
  const width = columns * digits + Math.ceil(columns / group)
  let text = ''
  for (let at = 0; at < bytes.length; at += columns) {
    const row = bytes.subarray(at, at + columns)
    const cells: string[] = []
    for (let from = 0; from < row.length; from += group) {
      const part = [...row.subarray(from, from + group)].map(cell)
      // -e: words as a little-endian machine reads them.
      if (options.has('e')) part.reverse()
      cells.push(part.join('').padStart(options.has('e') ? group * digits : 0))
    }
    const body = cells.join(' ').padEnd(width)
    text += `${(start + at).toString(16).padStart(8, '0')}: ${body} ${visible(row)}\n`
  }
  return text
}

function plain(bytes: Uint8Array, options: Options): string {
  const columns = number(options.value('c') ?? '30')
  const text = [...bytes].map(hex).join('')
  const shown = options.has('u') ? text.toUpperCase() : text
  if (columns === 0) return `${shown}\n`
  return (shown.match(new RegExp(`.{1,${columns * 2}}`, 'g')) ?? []).map((line) => `${line}\n`).join('')
}

/** Bytes of what `rows` or `plain` has written; gaps between addresses are zeros. */
function reverted(text: string, isPlain: boolean): Uint8Array {
  const bytes: number[] = []
  for (const line of text.split('\n')) {
    let digits = line
    if (!isPlain) {
      const match = /^\s*([\da-f]+):? (.*)$/i.exec(line)
      if (match === null) continue
      const at = Number.parseInt(match[1]!, 16)
      while (bytes.length < at) bytes.push(0)
      // Characters stand behind two blanks.
      digits = match[2]!.split('  ')[0]!
    }
    for (const pair of digits
      .replace(/\s/g, '')
      .match(/^(?:[\da-f]{2})+/i)?.[0]
      .match(/../g) ?? [])
      bytes.push(Number.parseInt(pair, 16))
  }
  return Uint8Array.from(bytes)
}

/** -i: an array of C, named after the file. */
function included(bytes: Uint8Array, name: string | undefined): string {
  const cells = [...bytes].map((byte) => `0x${hex(byte)}`)
  const lines: string[] = []
  for (let at = 0; at < cells.length; at += 12) lines.push(`  ${cells.slice(at, at + 12).join(', ')}`)
  const body = lines.join(',\n')
  if (name === undefined) return body === '' ? '' : `${body}\n`
  const symbol = name.replace(/[^A-Za-z0-9]/g, '_')
  return `unsigned char ${symbol}[] = {\n${body}\n};\nunsigned int ${symbol}_len = ${bytes.length};\n`
}

export const xxd: Program = applet(async (process, args) => {
  const options = parseOptions(modern(args), 'rpbeuil:c:g:s:')
  const [name, output] = options.operands
  const all = await readInputs(process, name === undefined ? [] : [name])
  if (all === undefined) return 2
  const skip = number(options.value('s') ?? '0')
  const start = skip < 0 ? Math.max(0, all.length + skip) : skip
  const bytes = all.subarray(start, options.has('l') ? start + number(options.value('l')!) : undefined)
  let result: Uint8Array | string
  if (options.has('r')) result = reverted(new TextDecoder().decode(all), options.has('p'))
  else if (options.has('p')) result = plain(bytes, options)
  else if (options.has('i')) result = included(bytes, name === '-' ? undefined : name)
  else result = rows(bytes, options, start)
  if (output === undefined) await process.stdout.write(result)
  else process.system.fs.writeFile(resolvePath(process.cwd, output), result)
  return 0
})

/** The canonical form, -C, and the plain one of 16-bit words. */
export const hexdump: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'Cvxn:s:', {
    canonical: 'C',
    length: 'n',
    skip: 's',
    'no-squeezing': 'v',
  })
  const all = await readInputs(process, options.operands)
  if (all === undefined) return 1
  const start = parseCount(options.value('s') ?? '0')
  const bytes = all.subarray(start, start + parseCount(options.value('n') ?? String(all.length)))
  const isCanonical = options.has('C') || nameOf(process) === 'hd'
  const offset = (at: number) => (start + at).toString(16).padStart(isCanonical ? 8 : 7, '0')
  const rowText = isCanonical
    ? canonicalRow
    : options.has('x')
      ? (row: Uint8Array) => wordRow(row, 8)
      : (row: Uint8Array) => wordRow(row, 5)
  const lines: string[] = []
  let previous = ''
  let repeats = false
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    const text = rowText(row)
    // Rows that repeat are one `*`, unless -v.
    if (text === previous && row.length === 16 && !options.has('v')) {
      if (!repeats) lines.push('*\n')
      repeats = true
      continue
    }
    lines.push(`${offset(at)}${text}\n`)
    previous = text
    repeats = false
  }
  if (bytes.length > 0) lines.push(`${offset(bytes.length)}\n`)
  await process.stdout.write(lines.join(''))
  return 0
})

function canonicalRow(row: Uint8Array): string {
  const cells = Array.from({ length: 16 }, (_, index) => (index < row.length ? hex(row[index]!) : '  '))
  return `  ${cells.slice(0, 8).join(' ')}  ${cells.slice(8).join(' ')}  |${visible(row)}|`
}

/** Words of two bytes, the low one first, each in a field of `width`. */
function wordRow(row: Uint8Array, width: number): string {
  let text = ''
  for (let at = 0; at < 16; at += 2) {
    const word = at < row.length ? hex(row[at + 1] ?? 0) + hex(row[at]!) : ''
    text += word.padStart(width)
  }
  return text
}
