// The lines that were typed, the newest last: a list of bounded length, kept in a file so that the next shell of the
// same container knows them too.

import type { FileSystem } from '../../posix/file-system.js'
import { reasonOf } from '../streams.js'

const MAX_LINES = 1000

export class History {
  readonly #fs: FileSystem
  readonly #path: string | undefined
  #lines: string[]

  /** `path`: the file that keeps it; undefined: none does. */
  constructor(fs: FileSystem, path: string | undefined) {
    this.#fs = fs
    this.#path = path
    this.#lines = path !== undefined && fs.exists(path) ? linesOf(fs.readText(path)).slice(-MAX_LINES) : []
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  /** Takes note of a line; not of one that begins with a blank, or that is the last one again. */
  add(line: string): void {
    if (line.trim() === '' || line.startsWith(' ') || line === this.#lines.at(-1)) return
    this.#lines.push(line)
    const dropped = this.#lines.length > MAX_LINES
    if (dropped) this.#lines.shift()
    if (this.#path === undefined) return
    try {
      if (dropped) this.#fs.writeFile(this.#path, this.#lines.map((one) => `${one}\n`).join(''))
      else this.#fs.appendFile(this.#path, `${line}\n`)
    } catch (error) {
      // A full or read-only disk: the history of this shell goes on without a file. Other errors pass.
      reasonOf(error)
    }
  }

  clear(): void {
    this.#lines = []
    if (this.#path !== undefined && this.#fs.exists(this.#path)) this.#fs.writeFile(this.#path, '')
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
