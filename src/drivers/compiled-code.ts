// Runs a bundle of dist/lib with V8's compiled code of it beside it, so that a process or a thread starts without
// compiling a megabyte of JavaScript (tens of milliseconds, and again in every thread of a pod). The first run that lasts
// long enough leaves that file behind; V8 itself refuses one that another version or other flags made. Where nothing can be
// written, bundles are compiled as ever. It is an entry of its own (esbuild.config.js), not part of the bundles.

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Script } from 'node:vm'
import { isMainThread, threadId } from 'node:worker_threads'

type ModuleFunction = (
  exports: Record<string, unknown>,
  require: NodeJS.Require,
  module: { exports: Record<string, unknown> },
  filename: string,
  directory: string,
) => void

/** When a thread has run the code that it needs: only compiled functions are kept. */
const WARM_MS = 500

/**
 * Loads the bundle at the absolute path `file`: a CommonJS module wrapped in its function, all ASCII. Gives its exports.
 */
export function loadCompiled(file: string): Record<string, unknown> {
  const source = readFileSync(file, 'latin1')
  const path = compiledPath(file)
  const cachedData = read(path)
  const script = new Script(source, { filename: file, ...(cachedData && { cachedData }) })
  // Refused: made with other flags of V8.
  if (cachedData === undefined || script.cachedDataRejected === true) keepLater(script, path, cachedData)
  const module: { exports: Record<string, unknown> } = { exports: {} }
  const run = script.runInThisContext() as ModuleFunction
  run(module.exports, createRequire(file), module, file, dirname(file))
  return module.exports
}

/** V8 tells sources apart by their length alone: the name has what changes with the bundle. */
function compiledPath(file: string): string {
  const { size, mtimeMs } = statSync(file)
  return `${file}.${process.version}-${process.arch}-${size}-${Math.round(mtimeMs)}.compiled`
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** Keeps what is compiled by the end of the process; threads have no end that one hears of, and keep it before. */
function keepLater(script: Script, path: string, refused: Buffer | undefined): void {
  const began = performance.now()
  // A run that only printed its version has compiled nothing worth keeping.
  const keepIfWarm = () => void (performance.now() - began >= WARM_MS && keep(script, path, refused))
  if (isMainThread) process.once('exit', keepIfWarm)
  else setTimeout(() => keep(script, path, refused), WARM_MS).unref()
}

/** One of many threads does: the first. */
function keep(script: Script, path: string, refused: Buffer | undefined): void {
  const kept = read(path)
  if (kept !== undefined && (refused === undefined || !kept.equals(refused))) return
  const draft = `${path}.${process.pid}-${threadId}`
  try {
    writeFileSync(draft, script.createCachedData())
    renameSync(draft, path)
  } catch {
    // A directory that is not ours to write in, or is gone: the next start compiles again.
    rmSync(draft, { force: true })
  }
}
