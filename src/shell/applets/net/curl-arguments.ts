// curl's command line as it is written: long options that may be cut short or taken back (`--no-`), option files (-K),
// and `--next`, after which the options begin anew. What they mean is curl-options.ts.

import { resolvePath } from '../../../posix/file-system.js'
import { readAll } from '../../../posix/pipe.js'
import type { Process } from '../../../posix/process.js'
import { CurlUsageError } from './curl-error.js'
import { GLOBAL_OPTIONS, OPTION_NAMES } from './curl-option-names.js'
import type { ParsedOptions } from './options.js'

/** What stands between two `--next`. */
export interface CurlArguments extends ParsedOptions {
  /** Options in the order in which they were given, by their first names. */
  readonly ordered: readonly (readonly [name: string, value: string])[]
}

interface Target {
  readonly name: string
  readonly takesValue: boolean
}

/** Option files that name each other. */
const MOST_FILES = 20

/** The groups of options; the last may have no URL. Throws CurlUsageError. */
export async function readArguments(process: Process): Promise<readonly CurlArguments[]> {
  const words = process.argv.slice(1)
  const reader = new ArgumentReader(process)
  const own = `${process.env.get('HOME') ?? '/'}/.curlrc`
  const isWanted = words[0] !== '-q' && words[0] !== '--disable'
  if (isWanted && process.system.fs.exists(own)) await reader.readFile(own)
  await reader.read(words)
  return reader.finish()
}

class Group {
  readonly given: (readonly [string, string])[] = []
  readonly operands: string[] = []

  arguments(shared: readonly (readonly [string, string])[]): CurlArguments {
    const all = [...shared, ...this.given]
    const values = (name: string) => all.filter(([one]) => one === name).map(([, value]) => value)
    return {
      has: (name) => all.some(([one]) => one === name),
      value: (name) => values(name).at(-1),
      values,
      operands: this.operands,
      ordered: all,
    }
  }

  takeBack(name: string): void {
    for (let at = this.given.length - 1; at >= 0; at--)
      if (this.given[at]![0] === name) this.given.splice(at, 1)
  }
}

class ArgumentReader {
  readonly #process: Process
  readonly #targets = new Map<string, Target>()
  readonly #groups: Group[] = [new Group()]
  /** Of the whole command, whichever group they stand in. */
  readonly #shared = new Group()
  #files = 0

  constructor(process: Process) {
    this.#process = process
    for (const names of OPTION_NAMES) {
      const plain = names.map((name) => name.replace(/=$/, ''))
      const takesValue = names.at(-1)!.endsWith('=')
      for (const name of plain) this.#targets.set(name, { name: plain[0]!, takesValue })
    }
  }

  finish(): readonly CurlArguments[] {
    return this.#groups.map((group) => group.arguments(this.#shared.given))
  }

  async read(words: readonly string[]): Promise<void> {
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!
      if (word === '--') {
        this.#current.operands.push(...words.slice(at + 1))
        return
      }
      if (!word.startsWith('-') || word === '-') this.#current.operands.push(word)
      else if (word.startsWith('--')) at += await this.#long(word, words[at + 1])
      else at += await this.#letters(word, words[at + 1])
    }
  }

  /** How many of the words behind it were used. */
  async #long(word: string, next: string | undefined): Promise<number> {
    const { target, isOn } = this.#find(word)
    if (!isOn && target.takesValue)
      throw badOption(word, "the given option can't be reversed with a --no- prefix")
    if (!target.takesValue) {
      await this.#note(target, '', isOn)
      return 0
    }
    if (next === undefined) throw badOption(word, 'requires parameter')
    await this.#note(target, next, true)
    return 1
  }

  async #letters(word: string, next: string | undefined): Promise<number> {
    for (let at = 1; at < word.length; at++) {
      const shown = `-${word[at]}`
      const target = this.#targets.get(word[at]!)
      if (target === undefined) throw badOption(shown, 'is unknown')
      if (!target.takesValue) {
        await this.#note(target, '', true)
        continue
      }
      const isInline = at + 1 < word.length
      const value = isInline ? word.slice(at + 1) : next
      if (value === undefined) throw badOption(shown, 'requires parameter')
      await this.#note(target, value, true)
      return isInline ? 0 : 1
    }
    return 0
  }

  /** By its whole name, or by the beginning of no other. */
  #find(word: string): { target: Target; isOn: boolean } {
    const key = word.slice(2)
    for (const [name, isOn] of [
      [key, true],
      [key.startsWith('no-') ? key.slice(3) : '', false],
    ] as const) {
      const exact = name.length > 1 ? this.#targets.get(name) : undefined
      if (exact !== undefined) return { target: exact, isOn }
      if (name === '') continue
      const matching = [...this.#targets].filter(([one]) => one.length > 1 && one.startsWith(name))
      const [first, ...others] = new Map(matching.map(([, target]) => [target.name, target])).values()
      if (others.length > 0) throw badOption(word, 'is ambiguous')
      if (first !== undefined) return { target: first, isOn }
    }
    throw badOption(word, 'is unknown')
  }

  async #note({ name }: Target, value: string, isOn: boolean): Promise<void> {
    const isShared = GLOBAL_OPTIONS.includes(name)
    const group = isShared ? this.#shared : this.#current
    if (!isOn) group.takeBack(name)
    else if (name === ':') await this.#next()
    else if (name === 'K') await this.readFile(value)
    else group.given.push([name, value])
  }

  async #next(): Promise<void> {
    const { operands, given } = this.#current
    if (operands.length === 0 && !given.some(([name]) => name === 'url'))
      throw new CurlUsageError(2, "missing URL before '--next'")
    this.#groups.push(new Group())
  }

  get #current(): Group {
    return this.#groups.at(-1)!
  }

  /** An option file: a line is an option with its value. */
  async readFile(name: string): Promise<void> {
    if (++this.#files > MOST_FILES) throw badOption('-K', 'error encountered when reading a file')
    for (const [index, line] of (await this.#linesOf(name)).entries()) {
      const [, option = '', value] = /^\s*([^\s=:#][^\s=:]*)(?:[\s=:]\s*[=:]?\s*(.*?))?\s*$/.exec(line) ?? []
      if (option === '') continue
      const word = option.startsWith('-') ? option : `--${option}`
      const text = value === undefined || value === '' || value.startsWith('#') ? undefined : unquoted(value)
      try {
        await this.read(text === undefined ? [word] : [word, text])
      } catch (error) {
        if (!(error instanceof CurlUsageError) || error.status !== 2) throw error
        const what = error.message.replace(/^option \S+: /, '')
        if (!this.#shared.given.some(([one]) => one === 's'))
          await this.#process.stderr.write(`Warning: ${name}:${index + 1}: warning: '${option}' ${what}\n`)
      }
    }
  }

  async #linesOf(name: string): Promise<string[]> {
    const { stdin, hold, system, cwd } = this.#process
    try {
      const bytes = name === '-' ? await readAll(stdin, hold) : system.fs.readFile(resolvePath(cwd, name))
      return new TextDecoder().decode(bytes).split(/\r?\n/)
    } catch {
      throw new CurlUsageError(26, 'option -K: error encountered when reading a file')
    }
  }
}

function badOption(shown: string, what: string): CurlUsageError {
  return new CurlUsageError(2, `option ${shown}: ${what}`)
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', v: '\v' }

/** `"a \"quoted\" text"`, or a word. */
function unquoted(value: string): string {
  const [, quoted] = /^"((?:\\.|[^"\\])*)/.exec(value) ?? []
  if (quoted === undefined) return /^\S*/.exec(value)![0]
  return quoted.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter)
}
