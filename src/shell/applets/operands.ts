// Operands of applets that change the file tree: what is done for each of them, and what goes where.

import { type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { Process } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { nameOf, type Options, UsageError } from './options.js'

export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  return trimmed.slice(trimmed.lastIndexOf('/') + 1)
}

export function isDirectory(fs: FileSystem, path: string): boolean {
  return fs.exists(path) && fs.stat(path).type === 'directory'
}

/** Whether something has that name, be it a link that leads nowhere. */
export function hasName(fs: FileSystem, path: string): boolean {
  try {
    fs.lstat(path)
    return true
  } catch {
    return false
  }
}

/** Does `action` for each operand; a failure becomes a message by `wording` and status 1. */
export async function forEachOperand(
  process: Process,
  operands: readonly string[],
  wording: (name: string, reason: string) => string,
  action: (path: string, name: string) => void | Promise<void>,
): Promise<number> {
  if (operands.length === 0) throw new UsageError('missing operand')
  let status = 0
  for (const name of operands) {
    try {
      await action(resolvePath(process.cwd, name), name)
    } catch (error) {
      status = 1
      const message = error instanceof UsageError ? error.message : wording(name, reasonOf(error))
      await process.stderr.write(`${nameOf(process)}: ${message}\n`)
    }
  }
  return status
}

/** Where `source` goes: into `target` when that is a directory and is not to be taken as a file. */
export function destination(fs: FileSystem, source: string, target: string, asFile = false): string {
  return isDirectory(fs, target) && !asFile ? resolvePath(target, baseName(source)) : target
}

/** Operands of cp, mv and ln: what goes where, with -t and -T. */
export function sourcesAndTarget(process: Process, options: Options) {
  const { operands } = options
  const { fs } = process.system
  const into = options.value('t')
  if (operands.length < (into === undefined ? 2 : 1)) throw new UsageError('missing operand')
  const names = into === undefined ? operands.slice(0, -1) : operands
  const targetName = into ?? operands.at(-1)!
  const target = resolvePath(process.cwd, targetName)
  if ((names.length > 1 || into !== undefined) && !isDirectory(fs, target)) {
    throw new UsageError(`target '${targetName}' is not a directory`)
  }
  return { names, target, targetName, fs }
}
