// Applets for permissions and paths: chmod, readlink, realpath, truncate. There are no links here.

import { resolvePath } from '../../posix/file-system.js'
import type { Program } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { applet, nameOf, parseCount, parseOptions, UsageError } from './options.js'

/** The bits after `text`, octal or symbolic (`u+x,go-w`), is applied to `mode`. */
function changedMode(mode: number, text: string, isDirectory: boolean): number {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8)
  let bits = mode
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(clause)
    if (match === null) throw new UsageError(`invalid mode: '${text}'`)
    const [, who, operator, letters] = match
    const masks = { u: 0o700, g: 0o070, o: 0o007 } as const
    const classes = who === '' || who!.includes('a') ? 'ugo' : who!
    const mask = [...classes].reduce((sum, c) => sum | masks[c as 'u' | 'g' | 'o'], 0)
    const mayRun = letters!.includes('x') || (letters!.includes('X') && (isDirectory || (mode & 0o111) !== 0))
    const wanted =
      (letters!.includes('r') ? 0o444 : 0) | (letters!.includes('w') ? 0o222 : 0) | (mayRun ? 0o111 : 0)
    if (operator === '=') bits &= ~mask
    bits = operator === '-' ? bits & ~(wanted & mask) : bits | (wanted & mask)
  }
  return bits
}

export const chmod: Program = applet(async (process, args) => {
  const recursive = args.some((arg) => /^-(R|-recursive)$/.test(arg))
  // `-x` is a mode and no option.
  const [mode, ...paths] = args.filter((arg) => !/^-(R|v|f|c|-recursive)$/.test(arg))
  if (mode === undefined || paths.length === 0) throw new UsageError('missing operand')
  const { fs } = process.system
  let status = 0
  const change = (path: string) => {
    const stat = fs.stat(path)
    fs.setMode(path, changedMode(stat.mode, mode, stat.type === 'directory'))
    if (recursive && stat.type === 'directory') {
      for (const name of fs.readDirectory(path)) change(resolvePath(path, name))
    }
  }
  for (const path of paths) {
    try {
      change(resolvePath(process.cwd, path))
    } catch (error) {
      if (error instanceof UsageError) throw error
      status = 1
      await process.stderr.write(`chmod: cannot access '${path}': ${reasonOf(error)}\n`)
    }
  }
  return status
})

/** readlink -f and realpath: the absolute path, of which all but the last component must be there. */
export const readlink: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'fenmqsvz')
  const { fs } = process.system
  const isRealpath = nameOf(process) === 'realpath'
  let status = 0
  for (const operand of options.operands) {
    const path = resolvePath(process.cwd, operand)
    const there = fs.exists(options.has('e') ? path : resolvePath(path, '..'))
    if (
      (isRealpath || options.has('f') || options.has('e') || options.has('m')) &&
      (there || options.has('m'))
    ) {
      await process.stdout.write(`${path}${options.has('n') ? '' : '\n'}`)
      continue
    }
    status = 1
    if (isRealpath) await process.stderr.write(`realpath: ${operand}: No such file or directory\n`)
  }
  return status
})

export const truncate: Program = applet(async (process, args) => {
  const options = parseOptions(args, 's:c', { size: 's' })
  const size = options.value('s')
  if (size === undefined) throw new UsageError("you must specify either '--size' or '--reference'")
  const { fs } = process.system
  for (const operand of options.operands) {
    const path = resolvePath(process.cwd, operand)
    if (!fs.exists(path) && options.has('c')) continue
    const old = fs.exists(path) ? fs.readFile(path) : new Uint8Array(0)
    const relative = /^[-+]/.test(size)
    const content = new Uint8Array(Math.max(0, parseCount(size) + (relative ? old.length : 0)))
    content.set(old.subarray(0, content.length))
    fs.writeFile(path, content)
  }
  return 0
})
