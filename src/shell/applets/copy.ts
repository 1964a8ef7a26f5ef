// cp and install: copies of files and trees, with links as links or followed.

import { type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { Process, Program } from '../../posix/process.js'
import { confirmed } from './confirmation.js'
import { changedMode } from './mode.js'
import { destination, forEachOperand, hasName, isDirectory, sourcesAndTarget } from './operands.js'
import { applet, type Options, parseOptions, UsageError } from './options.js'

export interface CopyOptions {
  readonly recursive: boolean
  /** Symbolic links are followed and not copied. */
  readonly follow: boolean
  /** Modes and times are kept. */
  readonly preserve: boolean
  /** Makes links in place of copies. */
  readonly linked?: 'hard' | 'symbolic' | undefined
}

/** Copies what is at `from` to `to`, over a file that is there. Below the first, links are followed by `follow` alone. */
export function copyTree(fs: FileSystem, from: string, to: string, options: CopyOptions): void {
  const stat = options.follow ? fs.stat(from) : fs.lstat(from)
  if (stat.type === 'directory') {
    // What is made on the way is not copied again: cp -r . ./inside.
    const names = fs.readDirectory(from)
    fs.makeDirectory(to, true)
    const below = to.startsWith(`${from === '/' ? '' : from}/`)
      ? to.slice(from.length).split('/').find(Boolean)
      : undefined
    for (const name of names) if (name !== below) copyTree(fs, `${from}/${name}`, `${to}/${name}`, options)
  } else if (options.linked !== undefined) {
    if (hasName(fs, to)) fs.remove(to)
    if (options.linked === 'hard') fs.makeHardLink(from, to)
    else fs.makeSymbolicLink(from, to)
    return
  } else if (stat.type === 'link') {
    if (hasName(fs, to)) fs.remove(to)
    fs.makeSymbolicLink(fs.readLink(from), to)
    return
  } else {
    const isNew = !fs.exists(to)
    fs.writeFile(to, fs.readFile(from))
    if (isNew) fs.setMode(to, stat.mode)
  }
  if (!options.preserve) return
  fs.setMode(to, stat.mode)
  fs.setModified(to, stat.modifiedMillis)
}

function copyOptions(options: Options): CopyOptions {
  const recursive = ['r', 'R', 'a'].some((letter) => options.has(letter))
  const keepsLinks = ['a', 'd', 'P'].some((letter) => options.has(letter)) || recursive
  return {
    recursive,
    follow: options.has('L') || !keepsLinks,
    preserve: options.has('p') || options.has('a'),
    linked: options.has('l') ? 'hard' : options.has('s') ? 'symbolic' : undefined,
  }
}

const LONG = {
  recursive: 'r',
  archive: 'a',
  preserve: 'p',
  force: 'f',
  interactive: 'i',
  verbose: 'v',
  'no-clobber': 'n',
  dereference: 'L',
  'no-dereference': 'P',
  update: 'u',
  link: 'l',
  'symbolic-link': 's',
  parents: 'D',
  'target-directory': 't',
  'no-target-directory': 'T',
  'remove-destination': 'f',
}

export const cp: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'rRap::fvdPLHinulsDTt:', LONG)
  const { names, target, targetName, fs } = sourcesAndTarget(process, options)
  const how = copyOptions(options)
  return await forEachOperand(
    process,
    names,
    (name, reason) =>
      hasName(fs, resolvePath(process.cwd, name))
        ? `can't create '${targetName}': ${reason}`
        : `can't stat '${name}': ${reason}`,
    async (from, name) => {
      // Of operands, links are followed by -H as well.
      const stat = how.follow || options.has('H') ? fs.stat(from) : fs.lstat(from)
      if (stat.type === 'directory' && !how.recursive) throw new UsageError(`omitting directory '${name}'`)
      const to = options.has('D')
        ? resolvePath(target, name.replace(/^\/+/, ''))
        : destination(fs, from, target, options.has('T'))
      if (options.has('D')) fs.makeDirectory(resolvePath(to, '..'), true)
      if (!(await mayReplace(process, options, from, name, to))) return
      copyTree(fs, from, to, options.has('H') && stat.type !== 'directory' ? { ...how, follow: true } : how)
      if (options.has('v')) await process.stdout.write(`'${name}' -> '${to}'\n`)
    },
  )
})

/** Whether what is at `to` may be replaced, by -n, -u and -i; throws UsageError when it is the same file. */
async function mayReplace(
  process: Process,
  options: Options,
  from: string,
  name: string,
  to: string,
): Promise<boolean> {
  const { fs } = process.system
  if (!fs.exists(to)) return true
  if (fs.isSameFile(from, to)) throw new UsageError(`'${name}' and '${to}' are the same file`)
  if (options.has('n')) return false
  if (options.has('u') && fs.stat(to).modifiedMillis >= fs.stat(from).modifiedMillis) return false
  if (!options.has('i') || options.has('f')) return true
  return await confirmed(process, `cp: overwrite '${to}'?`)
}

export const install: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'dm:o:g:Dt:Tpvcs', {
    directory: 'd',
    mode: 'm',
    'target-directory': 't',
  })
  const { fs } = process.system
  const mode = changedMode(0, options.value('m') ?? '755', options.has('d'))
  if (options.has('d')) {
    return await forEachOperand(
      process,
      options.operands,
      (name, reason) => `can't create directory '${name}': ${reason}`,
      (path) => {
        fs.makeDirectory(path, true)
        fs.setMode(path, mode)
      },
    )
  }
  if (options.has('D') && options.operands.length === 2) {
    const parent = resolvePath(resolvePath(process.cwd, options.operands[1]!), '..')
    if (!isDirectory(fs, parent)) fs.makeDirectory(parent, true)
  }
  const { names, target } = sourcesAndTarget(process, options)
  return await forEachOperand(
    process,
    names,
    (name, reason) => `can't install '${name}': ${reason}`,
    (from) => {
      const to = destination(fs, from, target, options.has('T'))
      copyTree(fs, from, to, { recursive: false, follow: true, preserve: options.has('p') })
      fs.setMode(to, mode)
    },
  )
})
