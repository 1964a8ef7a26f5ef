// The lines that were typed, the newest last: a list of bounded length with numbers that stay, kept in a file so that the
// next shell of the same container knows them too. What `!!` makes of them is in history-expansion.ts.

import type { FileSystem } from '../../posix/file-system.js'
import { reasonOf } from '../streams.js'

const MAX_LINES = 1000

/** What is kept: HISTCONTROL and HISTSIZE. */
export interface HistoryRules {
  readonly ignoresBlank: boolean
  readonly ignoresSame: boolean
  readonly erasesSame: boolean
  readonly maxLines: number
}

export class History {
  readonly #fs: FileSystem
  readonly #path: string | undefined
  #lines: string[]
  /** The number of the first line that is still known. */
  #first = 1

  /** `path`: the file that keeps it; undefined: none does. */
  constructor(fs: FileSystem, path: string | undefined) {
    this.#fs = fs
    this.#path = path
    const isFile = path !== undefined && fs.exists(path) && fs.stat(path).type === 'file'
    this.#lines = isFile ? linesOf(fs.readText(path)).slice(-MAX_LINES) : []
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  get first(): number {
    return this.#first
  }

  /** Takes note of a command; false when the rules have it forgotten. */
  add(line: string, rules: HistoryRules = rulesOf(undefined, undefined)): boolean {
    if (line.trim() === '' || (rules.ignoresBlank && line.startsWith(' '))) return false
    if (rules.ignoresSame && line === this.#lines.at(-1)) return false
    const kept = rules.erasesSame ? this.#lines.filter((known) => known !== line) : this.#lines
    const rewrites = kept.length < this.#lines.length || kept.length >= rules.maxLines
    const next = [...kept, line]
    const dropped = Math.max(0, next.length - rules.maxLines)
    this.#lines = next.slice(dropped)
    this.#first += dropped
    this.#save(rewrites ? undefined : `${line}\n`)
    return true
  }

  /** Forgets the line at `index`. */
  remove(index: number): void {
    this.#lines = this.#lines.filter((_, at) => at !== index)
    this.#save(undefined)
  }

  clear(): void {
    this.#lines = []
    this.#first = 1
    this.#save(undefined)
  }

  /** Adds to the file, or writes it anew. */
  #save(added: string | undefined): void {
    if (this.#path === undefined) return
    try {
      if (added !== undefined) this.#fs.appendFile(this.#path, added)
      else this.#fs.writeFile(this.#path, this.#lines.map((one) => `${one}\n`).join(''))
    } catch (error) {
      // A full or read-only disk: the history of this shell goes on without a file. Other errors pass.
      reasonOf(error)
    }
  }
}

/** The rules that the variables make. Without HISTCONTROL it is as Debian and ash have it. */
export function rulesOf(control: string | undefined, size: string | undefined): HistoryRules {
  const words = (control ?? 'ignoreboth').split(':')
  const both = words.includes('ignoreboth')
  const maxLines = /^\d+$/.test(size ?? '') ? Number(size) : MAX_LINES
  return {
    ignoresBlank: both || words.includes('ignorespace'),
    ignoresSame: both || words.includes('ignoredups'),
    erasesSame: words.includes('erasedups'),
    maxLines,
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
