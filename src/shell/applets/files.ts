// Applets that change the file tree: mkdir, rmdir, rm, mv, touch, truncate. Copies are copy.ts', links links.ts'.

import { type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { Program } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { confirmed } from './confirmation.js'
import { copyTree } from './copy.js'
import { parseDate } from './date-text.js'
import { changedMode } from './mode.js'
import { destination, forEachOperand, hasName, sourcesAndTarget } from './operands.js'
import { applet, parseCount, parseOptions, UsageError } from './options.js'

export const mkdir: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'pm:vZ', { parents: 'p', mode: 'm', verbose: 'v' })
  const { fs } = process.system
  const mode = options.value('m')
  return await forEachOperand(
    process,
    options.operands,
    (name, reason) => `can't create directory '${name}': ${reason}`,
    async (path, name) => {
      const isNew = !fs.exists(path)
      fs.makeDirectory(path, options.has('p'))
      if (mode !== undefined && isNew) fs.setMode(path, changedMode(0o777, mode, true))
      if (options.has('v') && isNew) await process.stdout.write(`created directory: '${name}'\n`)
    },
  )
})

export const rmdir: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'pv', { parents: 'p', 'ignore-fail-on-non-empty': 'I', verbose: 'v' })
  const { fs } = process.system
  return await forEachOperand(
    process,
    options.operands,
    (name, reason) => `'${name}': ${reason}`,
    (path, name) => {
      if (hasName(fs, path) && fs.lstat(path).type !== 'directory')
        throw new UsageError(`'${name}': Not a directory`)
      if (options.has('I') && fs.exists(path) && fs.readDirectory(path).length > 0) return
      fs.remove(path)
      if (!options.has('p')) return
      const parts = name.split('/').filter(Boolean)
      for (let at = parts.length - 1; at > 0; at--)
        fs.remove(resolvePath(process.cwd, parts.slice(0, at).join('/')))
    },
  )
})

export const rm: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'rRfiIvd', {
    recursive: 'r',
    force: 'f',
    interactive: 'i',
    verbose: 'v',
    dir: 'd',
    'one-file-system': 'I',
    'no-preserve-root': 'I',
  })
  const recursive = options.has('r') || options.has('R')
  const { fs } = process.system
  if (options.operands.length === 0 && options.has('f')) return 0
  return await forEachOperand(
    process,
    options.operands,
    (name, reason) => `can't remove '${name}': ${reason}`,
    async (path, name) => {
      if (/(^|\/)\.\.?\/*$/.test(name)) throw new UsageError(`'.' and '..' may not be removed`)
      if (options.has('f') && !hasName(fs, path)) return
      const { type } = fs.lstat(path)
      if (type === 'link' && name.endsWith('/'))
        throw new UsageError(`can't remove '${name}': Not a directory`)
      if (type === 'directory' && !recursive && !options.has('d'))
        throw new UsageError(`'${name}' is a directory`)
      if (options.has('i') && !options.has('f') && !(await confirmed(process, `rm: remove '${name}'?`)))
        return
      fs.remove(path, recursive)
      if (options.has('v'))
        await process.stdout.write(`removed${type === 'directory' ? ' directory:' : ''} '${name}'\n`)
    },
  )
})

export const mv: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'fivnuTt:', {
    force: 'f',
    'no-clobber': 'n',
    verbose: 'v',
    update: 'u',
    'target-directory': 't',
    'no-target-directory': 'T',
  })
  const { names, target, fs } = sourcesAndTarget(process, options)
  return await forEachOperand(
    process,
    names,
    (name, reason) => `can't rename '${name}': ${reason}`,
    async (path, name) => {
      const to = destination(fs, path, target, options.has('T'))
      const stat = fs.lstat(path)
      if (hasName(fs, to)) {
        const there = fs.lstat(to)
        if (options.has('n') || (options.has('u') && there.modifiedMillis >= stat.modifiedMillis)) return
        if (fs.isSameFile(to, path)) throw new UsageError(`'${name}' and '${to}' are the same file`)
        if (options.has('i') && !options.has('f') && !(await confirmed(process, `mv: overwrite '${to}'?`)))
          return
      }
      move(fs, path, to)
      if (options.has('v')) await process.stdout.write(`'${name}' -> '${to}'\n`)
    },
  )
})

/** rename(2), and a copy in place of it across volumes. */
function move(fs: FileSystem, from: string, to: string): void {
  try {
    fs.rename(from, to)
  } catch (error) {
    if ((error as { code?: string }).code !== 'EXDEV') throw error
    copyTree(fs, from, to, { recursive: true, follow: false, preserve: true })
    fs.remove(from, true)
  }
}

/** `[[CC]YY]MMDDhhmm[.ss]` of `touch -t`, in milliseconds since the Unix epoch. */
function parseStamp(text: string, now: number): number {
  const match = /^(\d{2})?(\d{2})?(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{2}))?$/.exec(text)
  if (match === null) throw new UsageError(`invalid date '${text}'`)
  const [, first, second, month, day, hour, minute, seconds = '00'] = match
  const short = Number(second ?? first)
  const year =
    first === undefined
      ? new Date(now).getUTCFullYear()
      : second === undefined
        ? short + (short < 69 ? 2000 : 1900)
        : Number(first + second)
  return Date.UTC(year, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(seconds))
}

export const touch: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'acmhfr:t:d:', {
    'no-create': 'c',
    reference: 'r',
    date: 'd',
    'no-dereference': 'h',
  })
  const { fs, clock } = process.system
  const [reference, stamp, text] = [options.value('r'), options.value('t'), options.value('d')]
  const now = clock.unixMillis()
  const base = reference === undefined ? now : modifiedOf(fs, resolvePath(process.cwd, reference), reference)
  const when =
    text !== undefined ? parseDate(text, base) : stamp !== undefined ? parseStamp(stamp, now) : base
  return await forEachOperand(
    process,
    options.operands,
    (name, reason) => `${name}: ${reason}`,
    (path) => {
      if (!fs.exists(path)) {
        if (options.has('c')) return
        fs.touch(path)
      }
      fs.setModified(path, when)
    },
  )
})

function modifiedOf(fs: FileSystem, path: string, name: string): number {
  try {
    return fs.stat(path).modifiedMillis
  } catch (error) {
    throw new UsageError(`${name}: ${reasonOf(error)}`)
  }
}

export const truncate: Program = applet(async (process, args) => {
  const options = parseOptions(args, 's:cr:', { size: 's', 'no-create': 'c', reference: 'r' })
  const { fs } = process.system
  const [size, reference] = [options.value('s'), options.value('r')]
  if (size === undefined && reference === undefined)
    throw new UsageError("you must specify either '--size' or '--reference'")
  return await forEachOperand(
    process,
    options.operands,
    (name, reason) => `${name}: ${reason}`,
    (path) => {
      if (!fs.exists(path) && options.has('c')) return
      const old = fs.exists(path) ? fs.readFile(path) : new Uint8Array(0)
      const base = reference === undefined ? undefined : fs.stat(resolvePath(process.cwd, reference)).size
      const content = new Uint8Array(base ?? newSize(size!, old.length))
      content.set(old.subarray(0, content.length))
      fs.writeFile(path, content)
    },
  )
})

/** A size, one relative to the old (`+1K`), a bound (`<`, `>`), or what it is rounded to (`/` downwards, `%` upwards). */
function newSize(text: string, old: number): number {
  const [, sign = '', digits = ''] = /^([-+<>/%]?)(.*)$/.exec(text) ?? []
  const count = parseCount(digits)
  const sizes: Readonly<Record<string, () => number>> = {
    '': () => count,
    '+': () => old + count,
    '-': () => Math.max(0, old - count),
    '<': () => Math.min(old, count),
    '>': () => Math.max(old, count),
    '/': () => Math.floor(old / count) * count,
    '%': () => Math.ceil(old / count) * count,
  }
  return sizes[sign]!()
}
