// The expression of find(1): operators, tests and actions, read once into one test that is asked for every file. The walk
// is find.ts'.

import { type FileStat, resolvePath } from '../../posix/file-system.js'
import type { Process } from '../../posix/process.js'
import { matchesPattern } from '../pattern.js'
import { compileRegularExpression } from '../regular-expression.js'
import { parseDate } from './date-text.js'
import { deleting, Execution, type Filtering, listing, printing } from './find-actions.js'
import { ageTest, numberTest, sizeTest } from './find-times.js'
import { changedMode } from './mode.js'
import { baseName } from './operands.js'
import { parseCount, UsageError } from './options.js'

/** A file that was found. */
export interface Found {
  /** As find tells it, beginning with the operand `start`. */
  readonly path: string
  readonly full: string
  readonly start: string
  readonly depth: number
  readonly stat: FileStat
  /** Where a symbolic link points to. */
  readonly target: string | undefined
}

/** A test or an action, which may need to run a program. */
export type FindTest = (found: Found) => boolean | Promise<boolean>

/** What the expression says about the walk. */
export interface Walk {
  maxDepth: number
  minDepth: number
  /** Directories after what is in them. */
  depthFirst: boolean
  /** Set by -prune: the directory at hand is not gone into. */
  pruned: boolean
  /** Set by -quit. */
  ended: boolean
  /** Whether no action was given, so that what is found is printed. */
  prints: boolean
  /** Commands that gather files until the end (`-exec ... {} +`). */
  readonly executions: Execution[]
  /** Of commands that failed with `+`. */
  status: number
}

export function newWalk(): Walk {
  return {
    maxDepth: Number.POSITIVE_INFINITY,
    minDepth: 0,
    depthFirst: false,
    pruned: false,
    ended: false,
    prints: true,
    executions: [],
    status: 0,
  }
}

/** Reads the words behind the paths; throws UsageError. */
export class ExpressionReader {
  readonly #process: Process
  readonly #walk: Walk
  readonly #words: string[]

  constructor(process: Process, walk: Walk, words: readonly string[]) {
    this.#process = process
    this.#walk = walk
    this.#words = [...words]
  }

  read(): FindTest {
    const test = this.#words.length === 0 ? () => true : this.#list()
    if (this.#words.length > 0) throw new UsageError(`unexpected '${this.#words[0]}'`)
    if (!this.#walk.prints) return test
    const print = printing(this.#process, '\n')
    return async (found) => (await test(found)) && (await print(found))
  }

  #take(...words: readonly string[]): boolean {
    if (!words.includes(this.#words[0] ?? '')) return false
    this.#words.shift()
    return true
  }

  /** Comma: both sides, of which the last counts. */
  #list(): FindTest {
    let left = this.#either()
    while (this.#take(',')) {
      const [first, second] = [left, this.#either()]
      left = async (found) => {
        await first(found)
        return await second(found)
      }
    }
    return left
  }

  #either(): FindTest {
    let left = this.#both()
    while (this.#take('-o', '-or')) {
      const [first, second] = [left, this.#both()]
      left = async (found) => (await first(found)) || (await second(found))
    }
    return left
  }

  #both(): FindTest {
    let left = this.#not()
    for (;;) {
      const isExplicit = this.#take('-a', '-and')
      if (!isExplicit && [undefined, ')', ',', '-o', '-or'].includes(this.#words[0])) return left
      const [first, second] = [left, this.#not()]
      left = async (found) => (await first(found)) && (await second(found))
    }
  }

  #not(): FindTest {
    if (this.#take('!', '-not')) {
      const test = this.#not()
      return async (found) => !(await test(found))
    }
    if (!this.#take('(')) return this.#primary()
    const test = this.#list()
    if (!this.#take(')')) throw new UsageError("missing ')'")
    return test
  }

  #operand(word: string): string {
    const value = this.#words.shift()
    if (value === undefined) throw new UsageError(`missing argument to '${word}'`)
    return value
  }

  #primary(): FindTest {
    const word = this.#words.shift()
    if (word === undefined) throw new UsageError('missing expression')
    const test = this.#nameTest(word) ?? this.#statTest(word) ?? this.#option(word) ?? this.#action(word)
    if (test === undefined) throw new UsageError(`unrecognized: ${word}`)
    return test
  }

  #nameTest(word: string): FindTest | undefined {
    switch (word) {
      case '-name':
      case '-iname': {
        const pattern = this.#operand(word)
        return ({ path }) => matchesPattern(pattern, baseName(path) || '/', word === '-iname')
      }
      case '-path':
      case '-wholename':
      case '-ipath': {
        const pattern = this.#operand(word)
        return ({ path }) => matchesPattern(pattern, path, word === '-ipath')
      }
      case '-lname':
      case '-ilname': {
        const pattern = this.#operand(word)
        return ({ target }) => target !== undefined && matchesPattern(pattern, target, word === '-ilname')
      }
      case '-regex':
      case '-iregex': {
        const { source } = compileRegularExpression(this.#operand(word), this.#isExtended)
        const pattern = new RegExp(`^(?:${source})$`, word === '-iregex' ? 'i' : '')
        return ({ path }) => pattern.test(path)
      }
      case '-regextype':
        this.#isExtended = /extended|egrep|awk/.test(this.#operand(word))
        return () => true
      default:
        return undefined
    }
  }

  #isExtended = false

  #statTest(word: string): FindTest | undefined {
    const { fs, clock } = this.#process.system
    switch (word) {
      case '-type':
      case '-xtype': {
        const types = typesOf(this.#operand(word))
        return ({ stat }) => types.includes(stat.type)
      }
      case '-size': {
        const test = sizeTest(this.#operand(word))
        return ({ stat }) => test(stat.size)
      }
      case '-empty':
        return ({ stat, full }) =>
          stat.type === 'directory'
            ? fs.readDirectory(full).length === 0
            : stat.type === 'file' && stat.size === 0
      case '-mtime':
      case '-atime':
      case '-ctime':
      case '-mmin':
      case '-amin':
      case '-cmin': {
        const test = ageTest(word, this.#operand(word))
        const now = clock.unixMillis()
        return ({ stat }) => test(now - stat.modifiedMillis)
      }
      case '-newer':
      case '-anewer':
      case '-cnewer': {
        const limit = this.#statOf(this.#operand(word)).modifiedMillis
        return ({ stat }) => stat.modifiedMillis > limit
      }
      case '-newermt': {
        const limit = parseDate(this.#operand(word), clock.unixMillis())
        return ({ stat }) => stat.modifiedMillis > limit
      }
      case '-perm':
        return modeTest(this.#operand(word))
      case '-links': {
        const test = numberTest(word, this.#operand(word))
        return ({ stat }) => test(stat.links)
      }
      case '-inum': {
        const test = numberTest(word, this.#operand(word))
        return ({ stat }) => test(stat.inode)
      }
      case '-samefile': {
        const other = resolvePath(this.#process.cwd, this.#operand(word))
        return ({ full }) => fs.isSameFile(full, other)
      }
      case '-user':
      case '-group':
      case '-uid':
      case '-gid': {
        const isRoot = /^(root|0)$/.test(this.#operand(word))
        return () => isRoot
      }
      case '-executable':
        return ({ stat }) => stat.type === 'directory' || (stat.mode & 0o111) !== 0
      case '-readable':
      case '-writable':
      case '-true':
        return () => true
      case '-false':
      case '-nouser':
      case '-nogroup':
        return () => false
      default:
        return undefined
    }
  }

  #statOf(name: string): FileStat {
    const { fs } = this.#process.system
    const path = resolvePath(this.#process.cwd, name)
    if (!fs.exists(path)) throw new UsageError(`${name}: No such file or directory`)
    return fs.stat(path)
  }

  /** Words about the walk, which are true of everything. */
  #option(word: string): FindTest | undefined {
    const walk = this.#walk
    if (word === '-maxdepth') walk.maxDepth = parseCount(this.#operand(word))
    else if (word === '-mindepth') walk.minDepth = parseCount(this.#operand(word))
    else if (word === '-depth' || word === '-d') walk.depthFirst = true
    else if (word === '-prune') {
      return () => {
        walk.pruned = true
        return true
      }
    } else if (word === '-quit') {
      walk.prints = false
      return () => {
        walk.ended = true
        return true
      }
    } else if (!['-xdev', '-mount', '-noleaf', '-daystart', '-follow', '-nowarn', '-warn'].includes(word))
      return undefined
    return () => true
  }

  #action(word: string): FindTest | undefined {
    const process = this.#process
    const walk = this.#walk
    if (!/^-(f?print0?|f?printf|f?ls|delete|exec|execdir|ok|okdir)$/.test(word)) return undefined
    walk.prints = false
    const file = word.startsWith('-f') ? this.#operand(word) : undefined
    if (word.endsWith('print')) return printing(process, '\n', file)
    if (word.endsWith('print0')) return printing(process, '\0', file)
    if (word.endsWith('printf')) return listing(process, this.#operand(word), file)
    if (word.endsWith('ls')) return listing(process, undefined, file)
    if (word === '-delete') {
      walk.depthFirst = true
      return deleting(process, walk)
    }
    const filtering: Filtering = { inDirectory: word.endsWith('dir'), asks: word.startsWith('-ok') }
    const end = this.#words.findIndex(
      (text, at) => text === ';' || (text === '+' && this.#words[at - 1] === '{}'),
    )
    if (end < 1) throw new UsageError(`missing argument to '${word}'`)
    const [...argv] = this.#words.splice(0, end)
    const gathers = this.#words.shift() === '+'
    const execution = new Execution(process, gathers ? argv.slice(0, -1) : argv, filtering, walk)
    if (!gathers) return (found) => execution.run(found)
    walk.executions.push(execution)
    return (found) => execution.gather(found)
  }
}

const TYPES: Readonly<Record<string, FileStat['type']>> = {
  f: 'file',
  d: 'directory',
  c: 'device',
  l: 'link',
}

/** `f`, or `f,l`; kinds that there are none of here are found nowhere. */
function typesOf(text: string): FileStat['type'][] {
  const letters = text.split(',')
  const unknown = letters.find((letter) => !/^[bcdpfls]$/.test(letter))
  if (unknown !== undefined) throw new UsageError(`unknown argument to -type: ${unknown}`)
  return letters.flatMap((letter) => TYPES[letter] ?? [])
}

/** -perm: just this mode, all bits of it (`-`), any of them (`/`). */
function modeTest(text: string): FindTest {
  const [, sign, mode] = /^([-/+]?)(.*)$/.exec(text)!
  const bits = changedMode(0, mode!, false)
  if (sign === '-') return ({ stat }) => (stat.mode & bits) === bits
  if (sign === '') return ({ stat }) => stat.mode === bits
  return ({ stat }) => bits === 0 || (stat.mode & bits) !== 0
}
