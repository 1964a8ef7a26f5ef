// find(1): -name -iname -path -type -empty -maxdepth -mindepth -print -delete -exec and `!`. Not supported: -o,
// parentheses, tests of times and sizes.

import { type FileStat, resolvePath } from '../../posix/file-system.js'
import type { Process, Program } from '../../posix/process.js'
import { matchesPattern } from '../pattern.js'
import { applet, UsageError } from './options.js'
import { runCommand } from './system.js'

/** One condition or action, which may need to run a program. */
type FindTest = (path: string, stat: FileStat) => Promise<boolean>

interface FindPlan {
  readonly tests: FindTest[]
  maxDepth: number
  minDepth: number
  /** Whether no action was given, so that what is found is printed. */
  prints: boolean
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function findPlan(process: Process, expression: readonly string[]): FindPlan {
  const plan: FindPlan = { tests: [], maxDepth: Number.POSITIVE_INFINITY, minDepth: 0, prints: true }
  const rest = [...expression]
  let negated = false
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '!' || word === '-not') {
      negated = !negated
      continue
    }
    const test = primary(process, plan, word, rest)
    if (test === undefined) continue
    const inverted = negated
    plan.tests.push(async (path, stat) => (await test(path, stat)) !== inverted)
    negated = false
  }
  if (plan.prints) {
    plan.tests.push(async (path) => {
      await process.stdout.write(`${path}\n`)
      return true
    })
  }
  return plan
}

/** The test of one word; undefined for those that only change the plan. Takes its operands from `rest`. */
function primary(process: Process, plan: FindPlan, word: string, rest: string[]): FindTest | undefined {
  const { fs } = process.system
  const operand = () => {
    const value = rest.shift()
    if (value === undefined) throw new UsageError(`${word}: argument missing`)
    return value
  }
  switch (word) {
    case '-a':
    case '-and':
    case '-print':
      return undefined
    case '-name':
    case '-iname': {
      const fold = (text: string) => (word === '-iname' ? text.toLowerCase() : text)
      const pattern = fold(operand())
      return async (path) => matchesPattern(pattern, fold(baseName(path)))
    }
    case '-path': {
      const pattern = operand()
      return async (path) => matchesPattern(pattern, path)
    }
    case '-type': {
      const type = { f: 'file', d: 'directory', c: 'device' }[operand()]
      return async (_, stat) => stat.type === type
    }
    case '-empty':
      return async (path, stat) =>
        stat.type === 'directory'
          ? fs.readDirectory(resolvePath(process.cwd, path)).length === 0
          : stat.size === 0
    case '-maxdepth':
      plan.maxDepth = Number(operand())
      return undefined
    case '-mindepth':
      plan.minDepth = Number(operand())
      return undefined
    case '-delete':
      plan.prints = false
      return async (path) => {
        fs.remove(resolvePath(process.cwd, path))
        return true
      }
    case '-exec':
      plan.prints = false
      return executing(process, rest)
    default:
      throw new UsageError(`unrecognized: ${word}`)
  }
}

function executing(process: Process, rest: string[]): FindTest {
  const end = rest.findIndex((text) => text === ';' || text === '+')
  if (end < 0) throw new UsageError('-exec requires an argument')
  const argv = rest.splice(0, end + 1).slice(0, -1)
  return async (path) => {
    const status = await runCommand(
      process,
      argv.map((text) => text.replaceAll('{}', path)),
    )
    return status === 0
  }
}

export const find: Program = applet(async (process, args) => {
  const first = args.findIndex((arg) => arg.startsWith('-') || arg === '!')
  const paths = first < 0 ? args : args.slice(0, first)
  const plan = findPlan(process, first < 0 ? [] : args.slice(first))
  const { fs } = process.system
  const depthFirst = args.includes('-delete')
  const visit = async (path: string, depth: number): Promise<void> => {
    const full = resolvePath(process.cwd, path)
    const stat = fs.stat(full)
    const below = async () => {
      if (stat.type !== 'directory' || depth >= plan.maxDepth) return
      const prefix = path.endsWith('/') ? path : `${path}/`
      for (const name of fs.readDirectory(full)) await visit(`${prefix}${name}`, depth + 1)
    }
    if (depthFirst) await below()
    if (depth >= plan.minDepth) for (const test of plan.tests) if (!(await test(path, stat))) break
    if (!depthFirst) await below()
  }
  let status = 0
  for (const path of paths.length === 0 ? ['.'] : paths) {
    if (fs.exists(resolvePath(process.cwd, path))) await visit(path, 0)
    else {
      await process.stderr.write(`find: ${path}: No such file or directory\n`)
      status = 1
    }
  }
  return status
})
