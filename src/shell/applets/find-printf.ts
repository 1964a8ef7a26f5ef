// find -printf and -ls: what is told of a file that was found.

import { formatDate } from '../date-format.js'
import type { Found } from './find-expression.js'
import { modeText } from './mode.js'
import { baseName } from './operands.js'
import { UsageError } from './options.js'

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
}

const DISK_BLOCK_BYTES = 4096

/** Kilobytes on a disk of 4 KiB blocks. */
function kilobytes({ stat }: Found): number {
  return stat.type === 'file' || stat.type === 'directory'
    ? Math.ceil(stat.size / DISK_BLOCK_BYTES) * (DISK_BLOCK_BYTES / 1024)
    : 0
}

const TYPE_LETTER = { file: 'f', directory: 'd', device: 'c', link: 'l' } as const

function directoryOf(path: string): string {
  const trimmed = path.replace(/(.)\/+$/, '$1')
  const slash = trimmed.lastIndexOf('/')
  return slash < 0 ? '.' : slash === 0 ? '/' : trimmed.slice(0, slash)
}

const FIELDS: Readonly<Record<string, (found: Found) => string>> = {
  p: ({ path }) => path,
  f: ({ path }) => baseName(path) || path,
  h: ({ path }) => directoryOf(path),
  P: ({ path, start }) => path.slice(start.length).replace(/^\//, ''),
  H: ({ start }) => start,
  d: ({ depth }) => String(depth),
  s: ({ stat }) => String(stat.size),
  k: (found) => String(kilobytes(found)),
  b: (found) => String(kilobytes(found) * 2),
  m: ({ stat }) => stat.mode.toString(8),
  M: ({ stat }) => modeText(stat),
  y: ({ stat }) => TYPE_LETTER[stat.type],
  Y: ({ stat }) => TYPE_LETTER[stat.type],
  l: ({ target }) => target ?? '',
  i: ({ stat }) => String(stat.inode),
  n: ({ stat }) => String(stat.links),
  u: () => 'root',
  g: () => 'root',
  U: () => '0',
  G: () => '0',
  t: ({ stat }) => formatDate(stat.modifiedMillis, '%a %b %e %H:%M:%S.%N0 %Y'),
}

/** A time by the letter behind %T, %A or %C; `@` is seconds since the Unix epoch. */
function timeText({ stat: { modifiedMillis } }: Found, letter: string): string {
  if (letter === '@') return formatDate(modifiedMillis, '%s.%N0')
  if (letter === '+') return formatDate(modifiedMillis, '%Y-%m-%d+%H:%M:%S.%N0')
  if (letter === 'S' || letter === 'T') return formatDate(modifiedMillis, `%${letter}.%N0`)
  return formatDate(modifiedMillis, `%${letter}`)
}

/** Reads a format once; what it returns writes a file by it. Throws UsageError. */
export function printfFormat(format: string): (found: Found) => string {
  const pieces: ((found: Found) => string)[] = []
  const pattern = /\\([0-7]{1,3}|.)|%([-0 #+]*)(\d*)(?:\.(\d+))?(%|[ACT].|[a-zA-Z])|([^\\%]+)|([\s\S])/g
  for (const [, escaped, flags = '', width = '', precision, letter, plain, odd] of format.matchAll(pattern)) {
    if (escaped === 'c') break
    if (escaped !== undefined) {
      const text = /^[0-7]/.test(escaped)
        ? String.fromCharCode(Number.parseInt(escaped, 8))
        : ESCAPES[escaped]
      pieces.push(() => text ?? `\\${escaped}`)
    } else if (letter === undefined) pieces.push(() => plain ?? odd ?? '')
    else if (letter === '%') pieces.push(() => '%')
    else pieces.push(field(letter, flags, Number(width), precision))
  }
  return (found) => pieces.map((piece) => piece(found)).join('')
}

function field(
  letter: string,
  flags: string,
  width: number,
  precision: string | undefined,
): (found: Found) => string {
  const isTime = letter.length === 2
  const text = isTime
    ? (found: Found) => timeText(found, letter[1]!)
    : FIELDS[letter === 'a' || letter === 'c' ? 't' : letter]
  if (text === undefined) throw new UsageError(`unrecognized format directive '%${letter}'`)
  return (found) => {
    const value = precision === undefined ? text(found) : text(found).slice(0, Number(precision))
    if (flags.includes('-')) return value.padEnd(width)
    return value.padStart(width, flags.includes('0') && !isTime ? '0' : ' ')
  }
}

/** A line of `find -ls`. */
export function longLine(found: Found): string {
  const { stat, path, target } = found
  const numbers = `${String(stat.inode).padStart(9)} ${String(kilobytes(found)).padStart(6)}`
  const who = `${modeText(stat)} ${String(stat.links).padStart(3)} root     root    `
  const when = formatDate(stat.modifiedMillis, '%b %e %H:%M')
  return `${numbers} ${who} ${String(stat.size).padStart(8)} ${when} ${path}${target === undefined ? '' : ` -> ${target}`}\n`
}
