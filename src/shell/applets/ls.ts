// ls and stat: looking at the file tree.

import { type FileStat, type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { Process, Program } from '../../posix/process.js'
import { formatDate } from '../date-format.js'
import { applet, type Options, parseOptions } from './options.js'

const HALF_A_YEAR_MILLIS = 182 * 86_400_000

function modeText({ type, mode }: FileStat): string {
  const letters = 'rwxrwxrwx'
  const bits = [...letters].map((letter, at) => (mode & (1 << (8 - at)) ? letter : '-')).join('')
  return `${{ file: '-', directory: 'd', device: 'c' }[type]}${bits}`
}

interface Row {
  readonly name: string
  readonly stat: FileStat
}

function longRows(rows: readonly Row[], now: number): string {
  const width = Math.max(...rows.map((row) => String(row.stat.size).length), 0)
  return rows
    .map(({ name, stat }) => {
      const old = Math.abs(now - stat.modifiedMillis) > HALF_A_YEAR_MILLIS
      const when = formatDate(stat.modifiedMillis, old ? '%b %e  %Y' : '%b %e %H:%M')
      const links = stat.type === 'directory' ? 2 : 1
      const size = String(stat.size).padStart(Math.max(width, 9))
      return `${modeText(stat)} ${String(links).padStart(4)} root     root     ${size} ${when} ${name}\n`
    })
    .join('')
}

/** Names in columns as a terminal shows them, filled downwards. */
function columnsOf(names: readonly string[], width: number): string {
  const column = Math.max(...names.map((name) => name.length), 0) + 2
  const count = Math.max(1, Math.floor(width / column))
  const height = Math.ceil(names.length / count)
  let text = ''
  for (let row = 0; row < height; row++) {
    const line = names.filter((_, at) => at % height === row)
    text += `${line.map((name, at) => (at === line.length - 1 ? name : name.padEnd(column))).join('')}\n`
  }
  return text
}

function listing(process: Process, options: Options, rows: readonly Row[]): string {
  const sorted = options.has('t')
    ? [...rows].sort((a, b) => b.stat.modifiedMillis - a.stat.modifiedMillis)
    : options.has('S')
      ? [...rows].sort((a, b) => b.stat.size - a.stat.size)
      : [...rows]
  if (options.has('r')) sorted.reverse()
  const shown = sorted.map(({ name, stat }) => ({
    name: (options.has('p') || options.has('F')) && stat.type === 'directory' ? `${name}/` : name,
    stat,
  }))
  if (options.has('l')) return longRows(shown, process.system.clock.unixMillis())
  const names = shown.map((row) => row.name)
  if (!process.stdout.isTTY || options.has('1')) return names.map((name) => `${name}\n`).join('')
  return columnsOf(names, process.stdout.columns ?? 80)
}

function entriesOf(fs: FileSystem, path: string, options: Options): Row[] {
  const names = fs.readDirectory(path)
  const all = options.has('a') ? ['.', '..', ...names] : names
  return all
    .filter((name) => options.has('a') || options.has('A') || !name.startsWith('.'))
    .sort()
    .map((name) => ({ name, stat: fs.stat(resolvePath(path, name)) }))
}

export const ls: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'laA1dthrRSpFsin', { color: '1', all: 'a' })
  const { fs } = process.system
  const files: Row[] = []
  const directories: string[] = []
  let status = 0
  for (const name of options.operands.length === 0 ? ['.'] : options.operands) {
    const path = resolvePath(process.cwd, name)
    if (!fs.exists(path)) {
      await process.stderr.write(`ls: ${name}: No such file or directory\n`)
      status = 1
    } else if (fs.stat(path).type === 'directory' && !options.has('d')) directories.push(name)
    else files.push({ name, stat: fs.stat(path) })
  }
  if (files.length > 0) await process.stdout.write(listing(process, options, files))
  const titled = options.operands.length > 1 || options.has('R')
  for (let at = 0; at < directories.length; at++) {
    const name = directories[at]!
    const rows = entriesOf(fs, resolvePath(process.cwd, name), options)
    if (titled) await process.stdout.write(`${at > 0 || files.length > 0 ? '\n' : ''}${name}:\n`)
    if (options.has('l')) await process.stdout.write('total 0\n')
    await process.stdout.write(listing(process, options, rows))
    if (!options.has('R')) continue
    const below = rows.filter((row) => row.stat.type === 'directory' && !/^\.\.?$/.test(row.name))
    directories.splice(at + 1, 0, ...below.map((row) => `${name}/${row.name}`))
  }
  return status
})

export const stat: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'c:Lt')
  const { fs } = process.system
  let status = 0
  for (const name of options.operands) {
    const path = resolvePath(process.cwd, name)
    if (!fs.exists(path)) {
      await process.stderr.write(`stat: can't stat '${name}': No such file or directory\n`)
      status = 1
      continue
    }
    const found = fs.stat(path)
    const format = options.value('c') ?? '  File: %n\n  Size: %s\t%F\nAccess: (%a/%A)\nModify: %y'
    const fields: Readonly<Record<string, string>> = {
      n: name,
      s: String(found.size),
      a: found.mode.toString(8),
      A: modeText(found),
      F: {
        file: found.size === 0 ? 'regular empty file' : 'regular file',
        directory: 'directory',
        device: 'character special file',
      }[found.type],
      y: formatDate(found.modifiedMillis, '%Y-%m-%d %H:%M:%S.%N'),
      Y: String(Math.floor(found.modifiedMillis / 1000)),
      U: 'root',
      G: 'root',
      u: '0',
      g: '0',
    }
    await process.stdout.write(
      `${format.replace(/%([a-zA-Z])/g, (whole, letter: string) => fields[letter] ?? whole)}\n`,
    )
  }
  return status
})
