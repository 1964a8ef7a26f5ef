// Symbolic and hard links and the ways through them: ln, link, unlink, readlink, realpath.

import { resolvePath } from '../../posix/file-system.js'
import type { Process, Program } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { baseName, forEachOperand, hasName, isDirectory } from './operands.js'
import { applet, nameOf, parseOptions, UsageError } from './options.js'

const LN_LONG = {
  symbolic: 's',
  force: 'f',
  'no-dereference': 'n',
  verbose: 'v',
  relative: 'r',
  'target-directory': 't',
  'no-target-directory': 'T',
}

export const ln: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'sfnvrbTiLPt:', LN_LONG)
  const { operands } = options
  const { fs } = process.system
  const into = options.value('t')
  if (operands.length === 0) throw new UsageError('missing file operand')
  const isAlone = operands.length === 1 && into === undefined
  const targets = into !== undefined || isAlone ? operands : operands.slice(0, -1)
  const last = into ?? (isAlone ? '.' : operands.at(-1)!)
  const place = resolvePath(process.cwd, last)
  // -n takes a link to a directory as what it is, to be replaced with -f.
  const isIn =
    isDirectory(fs, place) && !options.has('T') && !(options.has('n') && fs.lstat(place).type === 'link')
  if (targets.length > 1 && !isIn) throw new UsageError(`target '${last}' is not a directory`)
  const isSymbolic = options.has('s')
  return await forEachOperand(
    process,
    targets,
    (name, reason) => `${isIn ? `${last}/${baseName(name)}` : last}: ${reason}`,
    async (existing, name) => {
      if (name === '') throw new UsageError(`${last}: No such file or directory`)
      const path = isIn ? resolvePath(place, baseName(name)) : place
      if (!isSymbolic && fs.lstat(existing).type === 'directory')
        throw new UsageError(`${name}: Operation not permitted`)
      if (options.has('f') && hasName(fs, path)) {
        if (!isSymbolic && existing === path)
          throw new UsageError(`'${name}' and '${last}' are the same file`)
        fs.remove(path)
      }
      if (!isSymbolic) fs.makeHardLink(existing, path)
      else
        fs.makeSymbolicLink(options.has('r') ? relativePath(resolvePath(path, '..'), existing) : name, path)
      if (options.has('v')) await process.stdout.write(`'${path}' ${isSymbolic ? '->' : '=>'} '${name}'\n`)
    },
  )
})

/** How to get from a directory to a path; both absolute. */
function relativePath(from: string, to: string): string {
  const [a, b] = [from.split('/').filter(Boolean), to.split('/').filter(Boolean)]
  let same = 0
  while (same < a.length && same < b.length && a[same] === b[same]) same++
  return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/') || '.'
}

export const link: Program = applet(async (process, args) => {
  const [existing, path, ...more] = parseOptions(args, '').operands
  if (existing === undefined || path === undefined || more.length > 0)
    throw new UsageError('usage: link FILE LINK')
  return await forEachOperand(
    process,
    [existing],
    (name, reason) => `can't create link '${path}' to '${name}': ${reason}`,
    (from) => process.system.fs.makeHardLink(from, resolvePath(process.cwd, path)),
  )
})

export const unlink: Program = applet(async (process, args) => {
  const { fs } = process.system
  return await forEachOperand(
    process,
    parseOptions(args, '').operands.slice(0, 1),
    (name, reason) => `can't remove file '${name}': ${reason}`,
    (path, name) => {
      if (fs.lstat(path).type === 'directory')
        throw new UsageError(`can't remove file '${name}': Is a directory`)
      fs.remove(path)
    },
  )
})

/** readlink, which tells where a link points to, or with -f, -e and -m as realpath the path without links. */
export const readlink: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'fenmqsvzL', {
    canonicalize: 'f',
    'canonicalize-existing': 'e',
    'canonicalize-missing': 'm',
    'no-newline': 'n',
    'no-symlinks': 's',
    strip: 's',
    zero: 'z',
    quiet: 'q',
    'relative-to': 'R',
  })
  if (options.operands.length === 0) throw new UsageError('missing operand')
  const isRealpath = nameOf(process) === 'realpath'
  const isCanonical = isRealpath || ['f', 'e', 'm'].some((letter) => options.has(letter))
  const end = options.has('z') ? '\0' : options.has('n') ? '' : '\n'
  let status = 0
  for (const operand of options.operands) {
    try {
      const path = resolvePath(process.cwd, operand)
      const text = isCanonical
        ? canonicalPath(process, path, {
            must: options.has('e'),
            may: options.has('m'),
            asIs: isRealpath && options.has('s'),
          })
        : process.system.fs.readLink(path)
      await process.stdout.write(`${text}${end}`)
    } catch (error) {
      status = 1
      if ((isRealpath && !options.has('q')) || options.has('v'))
        await process.stderr.write(`${nameOf(process)}: ${operand}: ${reasonOf(error)}\n`)
    }
  }
  return status
})

/** `must`: all is there; `may`: nothing need be; `asIs`: links are not followed. */
function canonicalPath(
  { system: { fs } }: Process,
  path: string,
  { must, may, asIs }: { readonly must: boolean; readonly may: boolean; readonly asIs: boolean },
): string {
  if (must) fs.stat(path)
  if (asIs) return path
  try {
    return fs.realPath(path)
  } catch (error) {
    if (!may || path === '/') throw error
    const parent = canonicalPath({ system: { fs } } as Process, resolvePath(path, '..'), {
      must: false,
      may,
      asIs,
    })
    return resolvePath(parent, baseName(path))
  }
}
