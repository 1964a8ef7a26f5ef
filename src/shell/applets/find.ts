// find(1): the walk through the tree. Its expression is find-expression.ts'.

import { type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { Program } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { ExpressionReader, type FindTest, type Found, newWalk, type Walk } from './find-expression.js'
import { applet } from './options.js'

/** Which symbolic links are followed: none, those that are operands, all. */
type Following = 'P' | 'H' | 'L'

interface Search {
  readonly fs: FileSystem
  readonly walk: Walk
  readonly test: FindTest
  readonly follow: Following
  readonly complain: (path: string, error: unknown) => Promise<void>
}

function foundAt(search: Search, path: string, full: string, start: string, depth: number): Found {
  const { fs, follow } = search
  const follows = follow === 'L' || (follow === 'H' && depth === 0) || (depth === 0 && path.endsWith('/'))
  const stat = follows && fs.exists(full) ? fs.stat(full) : fs.lstat(full)
  return { path, full, start, depth, stat, target: stat.type === 'link' ? fs.readLink(full) : undefined }
}

async function visit(search: Search, found: Found, above: readonly string[]): Promise<void> {
  const { walk, fs } = search
  const { path, full, stat, depth } = found
  const test = async () => {
    walk.pruned = false
    if (depth >= walk.minDepth && !walk.ended) await search.test(found)
  }
  const below = async () => {
    if (stat.type !== 'directory' || depth >= walk.maxDepth) return
    const real = fs.realPath(full)
    // With -L a link may lead back up.
    if (above.includes(real)) return await search.complain(path, 'File system loop detected')
    const prefix = path.endsWith('/') ? path : `${path}/`
    for (const name of fs.readDirectory(full)) {
      if (walk.ended) return
      const entry = resolvePath(full, name)
      try {
        await visit(search, foundAt(search, `${prefix}${name}`, entry, found.start, depth + 1), [
          ...above,
          real,
        ])
      } catch (error) {
        // What was found may be gone by now.
        await search.complain(`${prefix}${name}`, error)
      }
    }
  }
  if (walk.depthFirst) await below()
  await test()
  if (!walk.depthFirst && !walk.pruned) await below()
}

export const find: Program = applet(async (process, args) => {
  let follow: Following = 'P'
  const rest = [...args]
  while (/^-[PHL]$/.test(rest[0] ?? '')) follow = rest.shift()![1] as Following
  const first = rest.findIndex((arg) => /^-.|^[!(),]$/.test(arg))
  const paths = first < 0 ? rest : rest.slice(0, first)
  const walk = newWalk()
  const test = new ExpressionReader(process, walk, first < 0 ? [] : rest.slice(first)).read()
  const complain = async (path: string, error: unknown) => {
    walk.status = 1
    await process.stderr.write(`find: ${path}: ${typeof error === 'string' ? error : reasonOf(error)}\n`)
  }
  const search: Search = { fs: process.system.fs, walk, test, follow, complain }
  for (const path of paths.length === 0 ? ['.'] : paths) {
    if (walk.ended) break
    let start: Found
    try {
      start = foundAt(search, path, resolvePath(process.cwd, path), path, 0)
    } catch (error) {
      await complain(path, error)
      continue
    }
    await visit(search, start, [])
  }
  for (const execution of walk.executions) await execution.finish()
  return walk.status
})
