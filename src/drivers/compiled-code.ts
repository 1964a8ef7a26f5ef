// Runs a bundle of dist/lib with V8's compiled code of it beside it, so that a process or a thread starts without
// compiling a megabyte of JavaScript (tens of milliseconds, and again in every thread of a pod). The first run leaves it
// behind, a run that lasts long enough leaves more, and so do others that need other functions; V8 itself refuses what
// another version or other flags made. Where nothing can be written, bundles are compiled as ever. It is an entry of its own (esbuild.config.js), not part of the
// bundles; what they look like is in esbuild.scripts.js.

import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Script } from 'node:vm'
import { isMainThread, threadId } from 'node:worker_threads'

type Exports = Record<string, unknown>
type ScriptFunction = (exports: Exports, require: (name: string) => unknown, url: string) => void

/** When a thread has run the code that it needs: only functions that ran are compiled. */
const WARM_MS = 500
/**
 * Pods run different functions, and the first one to be warm has kept its own. So others look whether they have more to
 * keep, which takes milliseconds: ever less often, the waits double from one look to the next.
 */
const FIRST_LOOK_AFTER_MS = 100
const MOST_LOOKS = 30
/** What is so much larger is worth writing. */
const GROWN = 1.02

/** Loads the bundle at the absolute path `file` and the chunks it asks for, each once. Gives its exports. */
export function loadCompiled(file: string): Exports {
  const outer = createRequire(file)
  const loaded = new Map<string, Exports>()
  const whenWarm = keeper()
  const load = (path: string): Exports => {
    let exports = loaded.get(path)
    if (exports !== undefined) return exports
    exports = {}
    loaded.set(path, exports)
    const require = (name: string) =>
      name.startsWith('./') ? load(join(dirname(path), name)) : (outer(name) as unknown)
    const script = new CompiledScript(path)
    script.run(exports, require, pathToFileURL(path).href)
    script.keepEarly()
    whenWarm(() => script.keepWarm())
    return exports
  }
  return load(file)
}

/** What is given is called once it has run for long enough: in a process at its end, as threads have none that one hears of. */
function keeper(): (keep: () => void) => void {
  const waiting: { readonly since: number; readonly keep: () => void }[] = []
  const now = () => process.uptime() * 1000
  const keepWarm = () => {
    // A run that only printed its version has compiled nothing more that is worth keeping.
    for (const { since, keep } of waiting) if (now() - since >= WARM_MS) keep()
  }
  return (keep) => {
    if (!isMainThread) return void setTimeout(keep, WARM_MS).unref()
    if (waiting.length === 0) process.once('exit', keepWarm)
    waiting.push({ since: now(), keep })
  }
}

/** A script of ASCII text that is a function, with V8's code of it as far as it was found. */
class CompiledScript {
  readonly #script: Script
  readonly #fullPath: string
  readonly #earlyPath: string
  /** What V8 would not take: made with other flags. */
  readonly #refused: Buffer | undefined
  readonly #found: boolean

  constructor(file: string) {
    const source = readFileSync(file, 'latin1')
    this.#fullPath = compiledPath(file)
    this.#earlyPath = this.#fullPath.replace(/compiled$/, 'early.compiled')
    // What a short run left is better than nothing.
    const cachedData = read(this.#fullPath) ?? read(this.#earlyPath)
    this.#script = new Script(source, { filename: file, ...(cachedData && { cachedData }) })
    this.#refused = this.#script.cachedDataRejected === true ? cachedData : undefined
    this.#found = cachedData !== undefined && this.#refused === undefined
  }

  run(...values: Parameters<ScriptFunction>): void {
    const run = this.#script.runInThisContext() as ScriptFunction
    run(...values)
  }

  /** Keeps what loading it has compiled, if there is nothing yet. */
  keepEarly(): void {
    if (!this.#found) this.#keepFirst(this.#earlyPath)
  }

  /** Keeps what has run by now, too, where it is more than there is. */
  keepWarm(): void {
    const kept = sizeOf(this.#fullPath)
    if (kept === undefined || this.#refused !== undefined) {
      this.#keepFirst(this.#fullPath)
      rmSync(this.#earlyPath, { force: true })
    } else if (this.#isTurnToLook()) {
      const data = this.#script.createCachedData()
      if (data.length > kept * GROWN) write(this.#fullPath, () => data)
    }
  }

  /** One of many threads does: the first. */
  #keepFirst(path: string): void {
    const kept = read(path)
    if (kept !== undefined && (this.#refused === undefined || !kept.equals(this.#refused))) return
    // Made once the file is open: it takes milliseconds, for nothing where nothing can be written.
    write(path, () => this.#script.createCachedData())
  }

  /** Every look leaves a byte in a file, whose size and time tell when the next one is due. */
  #isTurnToLook(): boolean {
    const path = this.#fullPath.replace(/compiled$/, 'looks.compiled')
    try {
      const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 }
      if (size >= MOST_LOOKS || Date.now() - mtimeMs < FIRST_LOOK_AFTER_MS * 2 ** size) return false
      appendFileSync(path, '.')
      return true
    } catch {
      return false
    }
  }
}

/** At once or not at all: others read it meanwhile. */
function write(path: string, data: () => Buffer): void {
  const draft = `${path}.${process.pid}-${threadId}`
  try {
    const file = openSync(draft, 'wx')
    try {
      writeSync(file, data())
    } finally {
      closeSync(file)
    }
    renameSync(draft, path)
  } catch {
    // A directory that is not ours to write in, or is gone: the next start compiles again.
    rmSync(draft, { force: true })
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
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
