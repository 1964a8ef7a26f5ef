// Applets that only write or answer: echo, printf, true, false, test, expr, clear.

import type { Program } from '../../posix/process.js'
import { type ConditionContext, testArguments } from '../conditional.js'
import { CommandError } from '../control-flow.js'
import { echoText, formatPrintf } from '../printf-format.js'
import { compileRegularExpression } from '../regular-expression.js'
import { applet, nameOf, UsageError } from './options.js'

export const echo: Program = applet(async (process, args) => {
  await process.stdout.write(echoText(args))
  return 0
})

export const printf: Program = applet(async (process, args) => {
  const [format, ...rest] = args[0] === '--' ? args.slice(1) : args
  if (format === undefined) throw new UsageError('usage: printf FORMAT [ARG]...')
  const { text, errors } = formatPrintf(format, rest)
  await process.stdout.write(text)
  for (const error of errors) await process.stderr.write(`printf: ${error}\n`)
  return errors.length > 0 ? 1 : 0
})

export const succeed: Program = async () => 0
export const fail: Program = async () => 1

export const test: Program = applet(async (process, args) => {
  const bracket = nameOf(process) === '['
  if (bracket && args.at(-1) !== ']') throw new UsageError('missing ]', 2)
  const context: ConditionContext = {
    system: process.system,
    cwd: process.cwd,
    isTerminal: (descriptor) => [process.stdin, process.stdout, process.stderr][descriptor]?.isTTY ?? false,
    isSet: (name) => process.env.has(name),
    isOn: () => false,
  }
  try {
    return testArguments(bracket ? args.slice(0, -1) : args, context) ? 0 : 1
  } catch (error) {
    if (error instanceof CommandError) throw new UsageError(error.message, error.status)
    throw error
  }
})

export const clear: Program = applet(async (process) => {
  await process.stdout.write('\x1b[H\x1b[J')
  return 0
})

/** Binary operators of expr by rank, weakest first. */
const EXPR_OPERATORS = [
  ['|'],
  ['&'],
  ['=', '==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/', '%'],
  [':'],
]

export const expr: Program = applet(async (process, args) => {
  const tokens = [...args]
  const value = exprAt(tokens, 0)
  if (tokens.length > 0 || args.length === 0) throw new UsageError('syntax error', 2)
  await process.stdout.write(`${value}\n`)
  return value === '' || value === '0' ? 1 : 0
})

function exprAt(tokens: string[], rank: number): string {
  const operators = EXPR_OPERATORS[rank]
  if (operators === undefined) return exprOperand(tokens)
  let left = exprAt(tokens, rank + 1)
  while (tokens[0] !== undefined && operators.includes(tokens[0])) {
    const operator = tokens.shift()!
    left = applyExpr(left, operator, exprAt(tokens, rank + 1))
  }
  return left
}

function exprOperand(tokens: string[]): string {
  const token = tokens.shift()
  if (token === undefined) throw new UsageError('syntax error', 2)
  if (token === '(') {
    const value = exprAt(tokens, 0)
    if (tokens.shift() !== ')') throw new UsageError('syntax error', 2)
    return value
  }
  if (token === 'length' && tokens.length > 0) return String([...exprOperand(tokens)].length)
  if (token === 'match' && tokens.length > 1) {
    const text = exprOperand(tokens)
    return applyExpr(text, ':', exprOperand(tokens))
  }
  if (token === 'substr' && tokens.length > 2) {
    const [text, from, length] = [
      exprOperand(tokens),
      Number(exprOperand(tokens)),
      Number(exprOperand(tokens)),
    ]
    return text.slice(from - 1, from - 1 + length)
  }
  return token
}

function applyExpr(left: string, operator: string, right: string): string {
  const isNull = (text: string) => text === '' || text === '0'
  if (operator === '|') return isNull(left) ? right : left
  if (operator === '&') return isNull(left) || isNull(right) ? '0' : left
  if (operator === ':') {
    const match = new RegExp(`^(?:${compileRegularExpression(right, false).source})`).exec(left)
    const grouped = /\\\(/.test(right)
    return grouped ? (match?.[1] ?? '') : String(match?.[0].length ?? 0)
  }
  const numeric = /^-?\d+$/.test(left) && /^-?\d+$/.test(right)
  if ('+-*/%'.includes(operator)) {
    if (!numeric) throw new UsageError('non-numeric argument', 2)
    return String(calculate(BigInt(left), operator, BigInt(right)))
  }
  const [a, b] = numeric ? [BigInt(left), BigInt(right)] : [left, right]
  const holds = {
    '=': a === b,
    '==': a === b,
    '!=': a !== b,
    '<': a < b,
    '<=': a <= b,
    '>': a > b,
    '>=': a >= b,
  }
  return holds[operator as keyof typeof holds] ? '1' : '0'
}

function calculate(a: bigint, operator: string, b: bigint): bigint {
  if (operator === '+') return a + b
  if (operator === '-') return a - b
  if (operator === '*') return a * b
  if (b === 0n) throw new UsageError('division by zero', 2)
  return operator === '/' ? a / b : a % b
}
