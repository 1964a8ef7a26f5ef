// ls as busybox has it. Simplified: all is root's, a file has one time, blocks are those of a file system with 4 KiB.

import { type FileStat, type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { Process, Program } from '../../posix/process.js'
import { formatDate } from '../date-format.js'
import { reasonOf } from '../streams.js'
import { modeText } from './mode.js'
import { applet, type Options, parseOptions } from './options.js'
import { readableSize } from './size.js'

const HALF_A_YEAR_MILLIS = 182 * 86_400_000

/** Kilobytes on a disk of 4 KiB blocks. */
function kilobytes({ type, size }: FileStat): number {
  return type === 'file' || type === 'directory' ? Math.ceil(size / 4096) * 4 : 0
}

interface Row {
  readonly name: string
  readonly stat: FileStat
  /** Where a symbolic link points to, and what is there. */
  readonly target?: { readonly text: string; readonly stat: FileStat | undefined }
}

function rowOf(fs: FileSystem, path: string, name: string, follow: boolean): Row {
  const stat = follow && fs.exists(path) ? fs.stat(path) : fs.lstat(path)
  if (stat.type !== 'link') return { name, stat }
  return {
    name,
    stat,
    target: { text: fs.readLink(path), stat: fs.exists(path) ? fs.stat(path) : undefined },
  }
}

const COLOURS = { directory: '1;34', link: '1;36', device: '1;33', file: '' } as const

/** A name as it is shown, with -F, -p, -Q and --color. */
function shownName(name: string, stat: FileStat | undefined, options: Options, colours: boolean): string {
  const runs = stat?.type === 'file' && (stat.mode & 0o111) !== 0
  const colour = stat === undefined ? '' : runs ? '1;32' : COLOURS[stat.type]
  const quoted = options.has('Q') ? JSON.stringify(name) : name
  const text = colours && colour !== '' ? `\x1b[${colour}m${quoted}\x1b[m` : quoted
  if (stat?.type === 'directory' && (options.has('p') || options.has('F'))) return `${text}/`
  if (!options.has('F')) return text
  return stat?.type === 'link' && !isLong(options) ? `${text}@` : runs ? `${text}*` : text
}

function isLong(options: Options): boolean {
  return ['l', 'n', 'o', 'g', 'E'].some((letter) => options.has(letter))
}

function longRow({ stat, target }: Row, shown: string, now: number, options: Options): string {
  const old = now - stat.modifiedMillis > HALF_A_YEAR_MILLIS || stat.modifiedMillis > now + 3_600_000
  const format = options.has('E') ? '%Y-%m-%d %H:%M:%S %z' : old ? '%b %e  %Y' : '%b %e %H:%M'
  const root = (options.has('n') ? '0' : 'root').padEnd(8)
  const cells = [modeText(stat), String(stat.links).padStart(4)]
  if (!options.has('g')) cells.push(root)
  if (!options.has('o') && !options.has('G')) cells.push(root)
  cells.push((options.has('h') ? readableSize(stat.size) : String(stat.size)).padStart(9))
  cells.push(formatDate(stat.modifiedMillis, format), shown)
  return `${cells.join(' ')}${target === undefined ? '' : ` -> ${target.text}`}\n`
}

/** Names in columns as a terminal shows them, filled downwards (or across). */
function columnsOf(
  names: readonly string[],
  widths: readonly number[],
  width: number,
  across: boolean,
): string {
  const column = Math.max(...widths, 0) + 2
  const count = Math.max(1, Math.floor(width / column))
  const height = Math.ceil(names.length / count)
  let text = ''
  for (let row = 0; row < height; row++) {
    const line = names
      .map((name, at) => ({ name, at }))
      .filter(({ at }) => (across ? Math.floor(at / count) : at % height) === row)
    text += line
      .map(({ name, at }, index) =>
        index === line.length - 1 ? name : name + ' '.repeat(column - widths[at]!),
      )
      .join('')
    text += '\n'
  }
  return text
}

function sorted(rows: readonly Row[], options: Options): Row[] {
  const order = [...rows]
  if (options.has('t')) order.sort((a, b) => b.stat.modifiedMillis - a.stat.modifiedMillis)
  else if (options.has('S')) order.sort((a, b) => b.stat.size - a.stat.size)
  else if (options.has('X')) order.sort((a, b) => compare(extension(a.name), extension(b.name)))
  else if (options.has('v')) order.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  if (options.has('r')) order.reverse()
  if (options.has('D')) order.sort((a, b) => Number(isDirectory(b)) - Number(isDirectory(a)))
  return order
}

function isDirectory({ stat, target }: Row): boolean {
  return (target?.stat ?? stat).type === 'directory'
}

function extension(name: string): string {
  return name.lastIndexOf('.') > 0 ? name.slice(name.lastIndexOf('.')) : ''
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function listing(process: Process, options: Options, unordered: readonly Row[]): string {
  const rows = sorted(unordered, options)
  const { stdout, system } = process
  const colour = options.value('K')
  const colours = colour === 'always' || colour === '' || (colour === 'auto' && stdout.isTTY)
  const prefix = ({ stat }: Row) =>
    `${options.has('i') ? `${String(stat.inode).padStart(7)} ` : ''}${options.has('s') ? `${String(kilobytes(stat)).padStart(6)} ` : ''}`
  const name = (row: Row) => shownName(row.name, row.stat, options, colours)
  if (isLong(options)) {
    const now = system.clock.unixMillis()
    return rows.map((row) => prefix(row) + longRow(row, name(row), now, options)).join('')
  }
  const names = rows.map((row) => prefix(row) + name(row))
  if (options.has('m')) return names.length === 0 ? '' : `${names.join(', ')}\n`
  const inColumns = (stdout.isTTY || options.has('C') || options.has('x')) && !options.has('1')
  if (!inColumns) return names.map((text) => `${text}\n`).join('')
  const widths = rows.map((row) => (prefix(row) + shownName(row.name, row.stat, options, false)).length)
  return columnsOf(names, widths, Number(options.value('w') ?? stdout.columns ?? 80), options.has('x'))
}

function entriesOf(fs: FileSystem, path: string, options: Options): Row[] {
  const names = fs.readDirectory(path)
  const all = options.has('a') || options.has('f') ? ['.', '..', ...names] : names
  return all
    .filter((name) => options.has('a') || options.has('f') || options.has('A') || !name.startsWith('.'))
    .sort()
    .map((name) => rowOf(fs, resolvePath(path, name), name, options.has('L')))
}

const LETTERS = 'laA1dthrRSpFsinLHQCxmogcuUfXvGkw:DEK::'
const LONG = {
  all: 'a',
  'almost-all': 'A',
  directory: 'd',
  recursive: 'R',
  reverse: 'r',
  'human-readable': 'h',
  inode: 'i',
  size: 's',
  classify: 'F',
  dereference: 'L',
  'numeric-uid-gid': 'n',
  'no-group': 'G',
  'quote-name': 'Q',
  width: 'w',
  'group-directories-first': 'D',
  'full-time': 'E',
  color: 'K',
  colour: 'K',
}

export const ls: Program = applet(async (process, args) => {
  const options = parseOptions(args, LETTERS, LONG)
  const { fs } = process.system
  const files: Row[] = []
  const directories: string[] = []
  let status = 0
  const complain = async (name: string, error: unknown) => {
    status = 1
    await process.stderr.write(`ls: ${name}: ${reasonOf(error)}\n`)
  }
  for (const name of options.operands.length === 0 ? ['.'] : options.operands) {
    const path = resolvePath(process.cwd, name)
    try {
      // A link to a directory is looked into, unless what is told is about the link itself.
      const follow =
        options.has('L') ||
        options.has('H') ||
        name.endsWith('/') ||
        !(isLong(options) || options.has('d') || options.has('F'))
      const row = rowOf(fs, path, name, follow)
      if (row.stat.type === 'directory' && !options.has('d')) directories.push(name)
      else files.push(options.has('L') ? row : rowOf(fs, path, name, false))
    } catch (error) {
      await complain(name, error)
    }
  }
  if (files.length > 0) await process.stdout.write(listing(process, options, files))
  const titled = options.operands.length > 1 || options.has('R')
  for (let at = 0; at < directories.length; at++) {
    const name = directories[at]!
    const rows = entriesOf(fs, resolvePath(process.cwd, name), options)
    if (titled) await process.stdout.write(`${at > 0 || files.length > 0 ? '\n' : ''}${name}:\n`)
    if (isLong(options) || options.has('s')) {
      const total = rows.reduce((sum, { stat }) => sum + kilobytes(stat), 0)
      await process.stdout.write(`total ${options.has('h') ? readableSize(total * 1024) : total}\n`)
    }
    await process.stdout.write(listing(process, options, rows))
    if (!options.has('R')) continue
    const below = rows.filter((row) => row.stat.type === 'directory' && !/^\.\.?$/.test(row.name))
    directories.splice(at + 1, 0, ...below.map((row) => `${name.replace(/\/$/, '')}/${row.name}`))
  }
  return status
})
