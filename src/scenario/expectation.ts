// Holds what came out of a step against what was expected, and says the first thing that differs.

import { diffLines } from './diff.js'
import type { Comparison, Expectation } from './format.js'
import { outputLines, outputMatches } from './match.js'
import type { Shares } from './shares.js'
import { countsOf, isInTurn, jainIndex } from './shares.js'

export interface Observed {
  readonly exitCode: number
  readonly output: string
  readonly stdout: string
  /** Of load and shares. */
  readonly shares?: Shares
}

export interface Mismatch {
  readonly reason: string
  readonly diff?: readonly string[]
}

/** The first expectation that does not hold; undefined when all do. Without any, success is expected. */
export function findMismatch(expect: Expectation | undefined, observed: Observed): Mismatch | undefined {
  const wanted = expect ?? {}
  return (
    checkOutput(wanted, observed) ??
    checkExit(wanted, observed) ??
    checkText(wanted, observed) ??
    checkJson(wanted, observed) ??
    checkShares(wanted, observed.shares)
  )
}

/** What was expected, for reports; undefined when only success was. */
export function expectedText(expect: Expectation | undefined): string | undefined {
  if (expect === undefined) return undefined
  const { output, ...rest } = expect
  if (output !== undefined && Object.keys(rest).length === 0) return output
  return JSON.stringify(expect)
}

function checkExit(wanted: Expectation, observed: Observed): Mismatch | undefined {
  const exit = wanted.exit ?? 0
  return observed.exitCode === exit
    ? undefined
    : { reason: `expected exit status ${exit}, got ${observed.exitCode}` }
}

function checkOutput(wanted: Expectation, observed: Observed): Mismatch | undefined {
  if (wanted.output === undefined) return undefined
  const expected = outputLines(wanted.output)
  const actual = outputLines(observed.output)
  return outputMatches(expected, actual)
    ? undefined
    : { reason: 'the output is not the expected one', diff: diffLines(expected, actual) }
}

function checkText(wanted: Expectation, observed: Observed): Mismatch | undefined {
  for (const part of listOf(wanted.contains)) {
    if (!observed.output.includes(part))
      return { reason: `the output does not contain ${JSON.stringify(part)}` }
  }
  for (const part of listOf(wanted.excludes)) {
    if (observed.output.includes(part)) return { reason: `the output contains ${JSON.stringify(part)}` }
  }
  if (wanted.matches !== undefined && !new RegExp(wanted.matches, 'mu').test(observed.output)) {
    return { reason: `the output does not match /${wanted.matches}/` }
  }
  return compare('output lines', wanted.lines, outputLines(observed.output).length)
}

function checkJson(wanted: Expectation, observed: Observed): Mismatch | undefined {
  if (wanted.json === undefined) return undefined
  let actual: unknown
  try {
    actual = JSON.parse(observed.stdout)
  } catch {
    return { reason: 'the output is not JSON' }
  }
  const path = jsonDifference(wanted.json, actual, '$')
  return path === undefined ? undefined : { reason: `the JSON differs at ${path}` }
}

/** Path of the first place where `expected` is not contained in `actual`. */
function jsonDifference(expected: unknown, actual: unknown, path: string): string | undefined {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return path
    return firstOf(expected.map((item, i) => jsonDifference(item, actual[i], `${path}[${i}]`)))
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null) return path
    const fields = actual as Record<string, unknown>
    return firstOf(
      Object.entries(expected).map(([key, value]) => jsonDifference(value, fields[key], `${path}.${key}`)),
    )
  }
  return Object.is(expected, actual) ? undefined : path
}

function checkShares(wanted: Expectation, shares: Shares | undefined): Mismatch | undefined {
  if (shares === undefined) {
    const keys = ['requests', 'failed', 'distinct', 'each', 'endpoints', 'order', 'jain'] as const
    const stray = keys.find((key) => wanted[key] !== undefined)
    return stray === undefined
      ? undefined
      : { reason: `\`${stray}\` can only be expected of load and shares` }
  }
  const counts = countsOf(shares)
  return (
    compare('requests', wanted.requests, shares.requests) ??
    compare('failed requests', wanted.failed ?? 0, shares.failed) ??
    compare('different endpoints', wanted.distinct, counts.size) ??
    firstOf([...counts].map(([who, count]) => compare(`requests to ${who}`, wanted.each, count))) ??
    checkEndpoints(wanted.endpoints, counts) ??
    (wanted.order !== undefined && !isInTurn(shares.sequence)
      ? { reason: `the endpoints did not come in turn: ${shares.sequence.slice(0, 24).join(', ')}` }
      : undefined) ??
    compare("Jain's index", wanted.jain, jainIndex([...counts.values()]))
  )
}

function checkEndpoints(
  wanted: Readonly<Record<string, Comparison>> | undefined,
  counts: ReadonlyMap<string, number>,
): Mismatch | undefined {
  if (wanted === undefined) return undefined
  const stranger = [...counts.keys()].find((who) => !(who in wanted))
  if (stranger !== undefined) return { reason: `${stranger} answered and was not expected to` }
  return firstOf(
    Object.entries(wanted).map(([who, count]) => compare(`requests to ${who}`, count, counts.get(who) ?? 0)),
  )
}

function compare(what: string, wanted: Comparison | undefined, actual: number): Mismatch | undefined {
  if (wanted === undefined || satisfies(wanted, actual)) return undefined
  return { reason: `expected ${what} ${wanted}, got ${Number(actual.toFixed(4))}` }
}

/** `3`, `"=3"`, `">=0.99"`, `"3..5"` (both ends included); the schema has checked the form. */
export function satisfies(wanted: Comparison, actual: number): boolean {
  if (typeof wanted === 'number') return actual === wanted
  const range = /^([0-9.]+?)\.\.([0-9.]+)$/.exec(wanted)
  if (range !== null) return actual >= Number(range[1]) && actual <= Number(range[2])
  const [, operator = '=', text = ''] = /^(>=|<=|>|<|=)?\s*([0-9.]+)$/.exec(wanted) ?? []
  const bound = Number(text)
  switch (operator) {
    case '>=':
      return actual >= bound
    case '<=':
      return actual <= bound
    case '>':
      return actual > bound
    case '<':
      return actual < bound
    default:
      return actual === bound
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

function firstOf<Item>(items: readonly (Item | undefined)[]): Item | undefined {
  return items.find((item) => item !== undefined)
}
