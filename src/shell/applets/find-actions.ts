// What find(1) does with files: prints them, deletes them, runs commands on them.

import { resolvePath } from '../../posix/file-system.js'
import type { ByteWriter, Process } from '../../posix/process.js'
import { createFile, reasonOf } from '../streams.js'
import { confirmed } from './confirmation.js'
import type { FindTest, Found, Walk } from './find-expression.js'
import { longLine, printfFormat } from './find-printf.js'
import { baseName } from './operands.js'
import { runCommand } from './system.js'

/** Files that one command of `-exec ... +` gets at most. */
const MOST_OPERANDS = 4096

/** Standard output, or the file of -fprint. */
function outputOf(process: Process, file: string | undefined): ByteWriter {
  return file === undefined
    ? process.stdout
    : createFile(process.system.fs, resolvePath(process.cwd, file), false)
}

export function printing(process: Process, end: string, file?: string): FindTest {
  const output = outputOf(process, file)
  return async ({ path }) => {
    await output.write(`${path}${end}`)
    return true
  }
}

/** -printf, and -ls where there is no format. */
export function listing(process: Process, format: string | undefined, file: string | undefined): FindTest {
  const output = outputOf(process, file)
  const text = format === undefined ? longLine : printfFormat(format)
  return async (found) => {
    await output.write(text(found))
    return true
  }
}

export function deleting(process: Process, walk: Walk): FindTest {
  return async ({ path, full }) => {
    if (path === '.') return true
    try {
      process.system.fs.remove(full)
      return true
    } catch (error) {
      walk.status = 1
      await process.stderr.write(`find: cannot delete '${path}': ${reasonOf(error)}\n`)
      return false
    }
  }
}

export interface Filtering {
  /** -execdir: the command runs where the file is. */
  readonly inDirectory: boolean
  /** -ok asks before. */
  readonly asks: boolean
}

/** A command of -exec. */
export class Execution {
  readonly #process: Process
  readonly #argv: readonly string[]
  readonly #filtering: Filtering
  readonly #walk: Walk
  readonly #gathered: string[] = []

  constructor(process: Process, argv: readonly string[], filtering: Filtering, walk: Walk) {
    this.#process = process
    this.#argv = argv
    this.#filtering = filtering
    this.#walk = walk
  }

  /** With `;`: runs it for one file; whether it ended with 0. */
  async run({ path, full }: Found): Promise<boolean> {
    const { inDirectory, asks } = this.#filtering
    const named = inDirectory ? `./${baseName(path)}` : path
    const argv = this.#argv.map((text) => text.replaceAll('{}', named))
    if (asks && !(await confirmed(this.#process, `< ${argv.join(' ')} > ?`))) return false
    const where = inDirectory ? { cwd: resolvePath(full, '..') } : {}
    return (await runCommand(this.#process, argv, where)) === 0
  }

  /** With `+`: files are given to one command, as many as fit. */
  async gather({ path }: Found): Promise<boolean> {
    this.#gathered.push(this.#filtering.inDirectory ? `./${baseName(path)}` : path)
    if (this.#gathered.length >= MOST_OPERANDS) await this.finish()
    return true
  }

  async finish(): Promise<void> {
    const files = this.#gathered.splice(0)
    if (files.length === 0) return
    if ((await runCommand(this.#process, [...this.#argv, ...files])) !== 0) this.#walk.status = 1
  }
}
