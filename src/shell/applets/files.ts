// Applets that change the file tree: mkdir, rmdir, rm, cp, mv, touch.

import { type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { Process, Program } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { applet, nameOf, parseOptions, UsageError } from './options.js'

function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  return trimmed.slice(trimmed.lastIndexOf('/') + 1)
}

function isDirectory(fs: FileSystem, path: string): boolean {
  return fs.exists(path) && fs.stat(path).type === 'directory'
}

/** Does `action` for each operand; a failure becomes a message by `wording` and status 1. */
async function forEachOperand(
  process: Process,
  operands: readonly string[],
  wording: (name: string, reason: string) => string,
  action: (path: string, name: string) => void,
): Promise<number> {
  if (operands.length === 0) throw new UsageError('missing operand')
  let status = 0
  for (const name of operands) {
    try {
      action(resolvePath(process.cwd, name), name)
    } catch (error) {
      status = 1
      await process.stderr.write(`${nameOf(process)}: ${wording(name, reasonOf(error))}\n`)
    }
  }
  return status
}

export const mkdir: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'pm:v', { parents: 'p' })
  return await forEachOperand(
    process,
    options.operands,
    (name, reason) => `can't create directory '${name}': ${reason}`,
    (path) => process.system.fs.makeDirectory(path, options.has('p')),
  )
})

export const rmdir: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'p')
  const { fs } = process.system
  let status = 0
  for (const name of options.operands) {
    const path = resolvePath(process.cwd, name)
    if (fs.exists(path) && fs.stat(path).type !== 'directory') {
      await process.stderr.write(`rmdir: '${name}': Not a directory\n`)
      status = 1
    } else {
      const wording = (operand: string, reason: string) => `'${operand}': ${reason}`
      status ||= await forEachOperand(process, [name], wording, () => fs.remove(path))
    }
  }
  return status
})

export const rm: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'rRfiv', { recursive: 'r', force: 'f' })
  const recursive = options.has('r') || options.has('R')
  const { fs } = process.system
  if (options.operands.length === 0 && options.has('f')) return 0
  const wording = (name: string, reason: string) =>
    reason === 'Is a directory' ? `'${name}' is a directory` : `can't remove '${name}': ${reason}`
  const existing = options.has('f')
    ? options.operands.filter((name) => fs.exists(resolvePath(process.cwd, name)))
    : options.operands
  if (existing.length === 0) return 0
  let status = 0
  for (const name of existing) {
    const path = resolvePath(process.cwd, name)
    if (!recursive && isDirectory(fs, path)) {
      await process.stderr.write(`rm: '${name}' is a directory\n`)
      status = 1
    } else if ((await forEachOperand(process, [name], wording, () => fs.remove(path, recursive))) !== 0)
      status = 1
  }
  return status
})

/** Where `source` goes: into `target` when that is a directory. */
function destination(fs: FileSystem, source: string, target: string): string {
  return isDirectory(fs, target) ? resolvePath(target, baseName(source)) : target
}

function copyTree(fs: FileSystem, from: string, to: string): void {
  if (fs.stat(from).type !== 'directory') {
    fs.writeFile(to, fs.readFile(from))
    return
  }
  fs.makeDirectory(to, true)
  for (const name of fs.readDirectory(from)) copyTree(fs, `${from}/${name}`, `${to}/${name}`)
}

function sourcesAndTarget(process: Process, operands: readonly string[]) {
  if (operands.length < 2) throw new UsageError('missing operand')
  const names = operands.slice(0, -1)
  const target = resolvePath(process.cwd, operands.at(-1)!)
  const { fs } = process.system
  if (names.length > 1 && !isDirectory(fs, target)) {
    throw new UsageError(`target '${operands.at(-1)}' is not a directory`)
  }
  return { names, target, fs }
}

export const cp: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'rRapfvdLi')
  const { names, target, fs } = sourcesAndTarget(process, options.operands)
  const recursive = options.has('r') || options.has('R') || options.has('a')
  let status = 0
  for (const name of names) {
    const from = resolvePath(process.cwd, name)
    let complaint: string | undefined
    if (!fs.exists(from)) complaint = `can't stat '${name}': No such file or directory`
    else if (isDirectory(fs, from) && !recursive) complaint = `omitting directory '${name}'`
    else {
      try {
        copyTree(fs, from, destination(fs, from, target))
      } catch (error) {
        complaint = `can't create '${options.operands.at(-1)}': ${reasonOf(error)}`
      }
    }
    if (complaint === undefined) continue
    status = 1
    await process.stderr.write(`cp: ${complaint}\n`)
  }
  return status
})

export const mv: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'fivn')
  const { names, target, fs } = sourcesAndTarget(process, options.operands)
  return await forEachOperand(
    process,
    names,
    (name, reason) => `can't rename '${name}': ${reason}`,
    (path) => fs.rename(path, destination(fs, path, target)),
  )
})

export const touch: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'acmr:t:d:')
  const { fs } = process.system
  return await forEachOperand(
    process,
    options.operands,
    (name, reason) => `${name}: ${reason}`,
    (path) => {
      if (isDirectory(fs, path) || (options.has('c') && !fs.exists(path))) return
      fs.touch(path)
    },
  )
})
