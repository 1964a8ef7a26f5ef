// Looking into files: od, strings, du; and mktemp.

import { concatBytes } from '../../base/bytes.js'
import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { openInputs } from './inputs.js'
import { applet, parseCount, parseOptions, UsageError } from './options.js'
import { readableSize } from './size.js'

const ROW_BYTES = 16

/** How od prints a unit: its size, and its text behind a space. */
interface Unit {
  readonly size: number
  readonly text: (view: DataView, at: number) => string
}

const ESCAPES: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
}

function characterOf(view: DataView, at: number): string {
  const byte = view.getUint8(at)
  const text =
    ESCAPES[byte] ??
    (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : byte.toString(8).padStart(3, '0'))
  return text.padStart(3)
}

function unitOf(type: string): Unit {
  const [, letter = '', digits = ''] = /^([acdouxX])(\d*)$/.exec(type) ?? []
  if (letter === '') throw new UsageError(`invalid type string '${type}'`)
  if (letter === 'c' || letter === 'a') return { size: 1, text: characterOf }
  const size = digits === '' ? 4 : Number(digits)
  if (size !== 1 && size !== 2 && size !== 4) throw new UsageError(`invalid type string '${type}'`)
  const radix = letter === 'o' ? 8 : letter === 'x' ? 16 : 10
  const width = (2 ** (8 * size) - 1).toString(radix).length + (letter === 'd' ? 1 : 0)
  const fill = letter === 'o' || letter === 'x' ? '0' : ' '
  return {
    size,
    text: (view, at) => {
      const unsigned =
        size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true)
      const value = letter === 'd' && unsigned >= 2 ** (8 * size - 1) ? unsigned - 2 ** (8 * size) : unsigned
      return value.toString(radix).padStart(width, fill)
    },
  }
}

/** The types that the old options stand for. */
const OLD_TYPES: Readonly<Record<string, string>> = { b: 'o1', c: 'c', d: 'u2', o: 'o2', x: 'x2', s: 'd2' }

export const od: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'A:t:N:j:vbcdoxs')
  const types = options.given
    .filter(({ letter }) => letter === 't' || letter in OLD_TYPES)
    .map(({ letter, value }) => (letter === 't' ? value : OLD_TYPES[letter]!))
  const units = (types.length === 0 ? ['o2'] : types).map(unitOf)
  let status = 0
  const parts: Uint8Array[] = []
  for await (const { reader } of openInputs(process, options.operands, () => (status = 1)))
    parts.push(await readAll(reader))
  const start = parseCount(options.value('j') ?? '0')
  const end = options.has('N') ? start + parseCount(options.value('N')!) : undefined
  const bytes = concatBytes(parts).slice(start, end)
  const base = options.value('A') ?? 'o'
  const offset = (at: number) => {
    if (base === 'n') return ''
    return base === 'x'
      ? at.toString(16).padStart(6, '0')
      : at.toString(base === 'd' ? 10 : 8).padStart(7, '0')
  }
  let previous = ''
  let isSkipping = false
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const row = bytes.subarray(at, at + ROW_BYTES)
    const text = rowText(row, units, offset(start + at), ' '.repeat(offset(0).length))
    const content = row.join()
    if (
      content === previous &&
      row.length === ROW_BYTES &&
      at + ROW_BYTES < bytes.length &&
      !options.has('v')
    ) {
      if (!isSkipping) await process.stdout.write('*\n')
      isSkipping = true
      continue
    }
    isSkipping = false
    previous = content
    await process.stdout.write(text)
  }
  if (base !== 'n') await process.stdout.write(`${offset(start + bytes.length)}\n`)
  return status
})

function rowText(row: Uint8Array, units: readonly Unit[], offset: string, blank: string): string {
  // A last unit that is not whole is filled up with zeros.
  const padded = new Uint8Array(ROW_BYTES + 4)
  padded.set(row)
  const view = new DataView(padded.buffer)
  const width = Math.max(...units.map(({ size, text }) => (text(view, 0).length + 1) / size))
  return units
    .map(({ size, text }, index) => {
      let line = index === 0 ? offset : blank
      for (let at = 0; at < row.length; at += size) line += text(view, at).padStart(width * size)
      return `${line}\n`
    })
    .join('')
}

export const strings: Program = applet(async (process, args) => {
  const options = parseOptions(
    args.flatMap((arg) => (/^-\d+$/.test(arg) ? ['-n', arg.slice(1)] : [arg])),
    'an:o',
  )
  const least = parseCount(options.value('n') ?? '4')
  let status = 0
  for await (const { reader } of openInputs(process, options.operands, () => (status = 1))) {
    const bytes = await readAll(reader)
    let text = ''
    for (let at = 0; at <= bytes.length; at++) {
      const byte = bytes[at]
      if (byte !== undefined && (byte === 9 || (byte >= 32 && byte < 127))) text += String.fromCharCode(byte)
      else {
        if (text.length >= least) {
          const offset = options.has('o') ? `${(at - text.length).toString(8).padStart(7)} ` : ''
          await process.stdout.write(`${offset}${text}\n`)
        }
        text = ''
      }
    }
  }
  return status
})

const BLOCK_BYTES = 4096

/** Sizes as a file system of 4 KiB blocks would have them. */
export const du: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'ashkmcbxlLHd:', {
    all: 'a',
    'max-depth': 'd',
    summarize: 's',
    'human-readable': 'h',
    total: 'c',
    bytes: 'b',
  })
  const depth = options.has('s')
    ? 0
    : options.has('d')
      ? parseCount(options.value('d')!)
      : Number.POSITIVE_INFINITY
  const { fs } = process.system
  const tell = (bytes: number) =>
    options.has('h') ? readableSize(bytes) : String(Math.ceil(bytes / (options.has('m') ? 1 << 20 : 1024)))
  let status = 0
  let total = 0
  const visit = async (path: string, shown: string, level: number): Promise<number> => {
    const stat = fs.lstat(path)
    let bytes = stat.type === 'file' ? Math.ceil(stat.size / BLOCK_BYTES) * BLOCK_BYTES : 0
    if (stat.type === 'directory') {
      bytes = BLOCK_BYTES
      for (const name of fs.readDirectory(path)) {
        bytes += await visit(
          `${path === '/' ? '' : path}/${name}`,
          `${shown === '/' ? '' : shown}/${name}`,
          level + 1,
        )
      }
    }
    if (level <= depth && (stat.type === 'directory' || options.has('a') || level === 0)) {
      await process.stdout.write(`${tell(bytes)}\t${shown}\n`)
    }
    return bytes
  }
  for (const operand of options.operands.length === 0 ? ['.'] : options.operands) {
    try {
      total += await visit(resolvePath(process.cwd, operand), operand, 0)
    } catch (error) {
      status = 1
      await process.stderr.write(`du: ${operand}: ${reasonOf(error)}\n`)
    }
  }
  if (options.has('c')) await process.stdout.write(`${tell(total)}\ttotal\n`)
  return status
})

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const ATTEMPTS = 100

export const mktemp: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'dqutp:', { directory: 'd', 'dry-run': 'u', tmpdir: 'p' })
  const template = options.operands[0] ?? 'tmp.XXXXXXXXXX'
  const isFree = options.operands.length === 0 || options.has('t') || options.has('p')
  const directory = isFree ? `${options.value('p') || process.env.get('TMPDIR') || '/tmp'}/` : ''
  const [, begin = '', crosses = '', end = ''] = /^(.*?)(X{3,})([^X/]*)$/.exec(template) ?? []
  if (crosses === '') throw new UsageError(`too few X's in template '${template}'`)
  const { fs } = process.system
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const name = `${directory}${begin}${randomName(process, crosses.length)}${end}`
    const path = resolvePath(process.cwd, name)
    if (fs.exists(path)) continue
    try {
      if (!options.has('u')) options.has('d') ? fs.makeDirectory(path) : fs.writeFile(path, '')
    } catch (error) {
      throw new UsageError(
        `failed to create ${options.has('d') ? 'directory' : 'file'} via template '${directory}${template}': ${reasonOf(error)}`,
      )
    }
    await process.stdout.write(`${name}\n`)
    return 0
  }
  throw new UsageError(`no free name for template '${template}'`)
})

function randomName({ system }: Process, length: number): string {
  return Array.from({ length }, () => LETTERS[system.random.int(LETTERS.length)]).join('')
}
