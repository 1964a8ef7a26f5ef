// Conditions: the operators that `test`, `[` and `[[` share, the argument parser of `test`, and `[[ ]]`, whose tree
// the syntax parser has made.

import type { TestExpression } from 'unbash'
import { type FileStat, resolvePath } from '../posix/file-system.js'
import type { System } from '../posix/process.js'
import { parseReference } from './assignment.js'
import { type Awaitable, andThen } from './awaitable.js'
import { CommandError } from './control-flow.js'
import { matchesPattern, unquotePattern } from './pattern.js'
import { quoteForTrace } from './quoting.js'
import { compileRegularExpression } from './regular-expression.js'
import type { Io, Shell } from './shell.js'
import { variableValue } from './special-variables.js'
import type { ShellOption } from './state.js'
import { traceHead } from './trace.js'
import { elementOf, elementsOf, textOf } from './variable.js'
import { evaluateArithmetic, expandPattern, expandText } from './word-expansion.js'

/** What file and terminal operators need to know. */
export interface ConditionContext {
  readonly system: System
  readonly cwd: string
  isTerminal(descriptor: number): boolean
  isSet(name: string): boolean
  /** Whether an option of `set -o` is on. */
  isOn(option: string): boolean
  /** Whether messages are bash's. */
  readonly isBash?: boolean
}

const UNARY = new Set('abcdefghkLnNopGOrRsStuwxzv'.split('').map((letter) => `-${letter}`))

const BINARY = new Set([
  '=',
  '==',
  '!=',
  '<',
  '>',
  '-eq',
  '-ne',
  '-lt',
  '-le',
  '-gt',
  '-ge',
  '-nt',
  '-ot',
  '-ef',
])

/** The answer of `test ARGS`; throws CommandError (status 2) for arguments that make no sense. */
export function testArguments(args: readonly string[], context: ConditionContext): boolean {
  const parser = new TestArguments(args, context)
  return args.length > 0 && parser.parse()
}

class TestArguments {
  readonly #args: readonly string[]
  readonly #context: ConditionContext
  #at = 0

  constructor(args: readonly string[], context: ConditionContext) {
    this.#args = args
    this.#context = context
  }

  parse(): boolean {
    const answer = this.#or()
    if (this.#at < this.#args.length) throw this.#leftOver()
    return answer
  }

  /** bash tells by how many arguments there are. */
  #leftOver(): CommandError {
    const [first, second] = this.#args
    if (!this.#context.isBash) return new CommandError(`${this.#args[this.#at]}: unknown operand`, 2)
    if (this.#args.length === 2) return new CommandError(`${first}: unary operator expected`, 2)
    if (this.#args.length === 3) return new CommandError(`${second}: binary operator expected`, 2)
    return new CommandError('too many arguments', 2)
  }

  #or(): boolean {
    let answer = this.#and()
    while (this.#args[this.#at] === '-o') {
      this.#at++
      const right = this.#and()
      answer ||= right
    }
    return answer
  }

  #and(): boolean {
    let answer = this.#not()
    while (this.#args[this.#at] === '-a') {
      this.#at++
      const right = this.#not()
      answer &&= right
    }
    return answer
  }

  #not(): boolean {
    // `test ! = x` compares: an operator is only one when an operand follows it.
    const alone = this.#at + 1 >= this.#args.length
    if (this.#args[this.#at] !== '!' || alone || this.#isBinaryAt(this.#at + 1)) return this.#primary()
    this.#at++
    return !this.#not()
  }

  #primary(): boolean {
    const rest = this.#args.length - this.#at
    const first = this.#args[this.#at]
    if (first === undefined) throw new CommandError('argument expected', 2)
    if (this.#isBinaryAt(this.#at + 1)) {
      const [, operator, right] = this.#args.slice(this.#at, this.#at + 3)
      this.#at += 3
      return compare(first, operator!, right!, this.#context)
    }
    if (first === '(' && rest > 1) return this.#group()
    if (UNARY.has(first) && rest > 1) {
      const operand = this.#args[this.#at + 1]!
      this.#at += 2
      return examine(first, operand, this.#context)
    }
    this.#at++
    return first !== ''
  }

  #group(): boolean {
    this.#at++
    const answer = this.#or()
    if (this.#args[this.#at] !== ')') throw new CommandError('closing paren expected', 2)
    this.#at++
    return answer
  }

  #isBinaryAt(at: number): boolean {
    return at + 1 < this.#args.length && BINARY.has(this.#args[at]!)
  }
}

/** A unary operator on its operand. */
function examine(operator: string, operand: string, context: ConditionContext): boolean {
  switch (operator) {
    case '-n':
      return operand !== ''
    case '-z':
      return operand === ''
    case '-t':
      return context.isTerminal(Number(operand))
    case '-v':
      return context.isSet(operand)
    case '-o':
      return context.isOn(operand)
    case '-L':
    case '-h':
      return isLink(operand, context)
    default:
      return examineFile(operator, statOf(operand, context))
  }
}

function examineFile(operator: string, stat: FileStat | undefined): boolean {
  if (stat === undefined) return false
  switch (operator) {
    case '-f':
      return stat.type === 'file'
    case '-d':
      return stat.type === 'directory'
    case '-c':
      return stat.type === 'device'
    case '-s':
      return stat.size > 0
    case '-x':
      return stat.type === 'directory' || (stat.mode & 0o111) !== 0
    case '-e':
    case '-r':
    case '-w':
      return true
    default:
      return false
  }
}

function statOf(path: string, context: ConditionContext): FileStat | undefined {
  const { fs } = context.system
  const full = resolvePath(context.cwd, path)
  return path !== '' && fs.exists(full) ? fs.stat(full) : undefined
}

function isLink(path: string, { system: { fs }, cwd }: ConditionContext): boolean {
  try {
    return path !== '' && fs.lstat(resolvePath(cwd, path)).type === 'link'
  } catch {
    return false
  }
}

/** A binary operator on plain text. */
function compare(left: string, operator: string, right: string, context: ConditionContext): boolean {
  switch (operator) {
    case '=':
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '>':
      return left > right
    case '-nt':
    case '-ot': {
      const [a, b] = [statOf(left, context)?.modifiedMillis, statOf(right, context)?.modifiedMillis]
      return operator === '-nt' ? (a ?? -1) > (b ?? -1) : (a ?? -1) < (b ?? -1)
    }
    case '-ef':
      return context.system.fs.isSameFile(resolvePath(context.cwd, left), resolvePath(context.cwd, right))
    default:
      return compareNumbers(integer(left, context), operator, integer(right, context))
  }
}

function compareNumbers(left: bigint, operator: string, right: bigint): boolean {
  switch (operator) {
    case '-eq':
      return left === right
    case '-ne':
      return left !== right
    case '-lt':
      return left < right
    case '-le':
      return left <= right
    case '-gt':
      return left > right
    default:
      return left >= right
  }
}

function integer(text: string, { isBash }: ConditionContext): bigint {
  const trimmed = text.trim()
  if (!/^[+-]?\d+$/.test(trimmed)) {
    throw new CommandError(`${text}: ${isBash ? 'integer expression expected' : 'bad number'}`, 2)
  }
  return BigInt(trimmed.replace(/^\+/, ''))
}

/** What `-t` and `-v` ask of a shell. */
export function conditionsOf(shell: Shell, io: Io): ConditionContext {
  const { system, cwd } = shell.process
  return {
    system,
    cwd,
    isTerminal: (descriptor) => [io.stdin, io.stdout, io.stderr][descriptor]?.isTTY ?? false,
    isSet: (name) => isSet(shell, name),
    isOn: (option) => shell.state.options.has(option as ShellOption),
    isBash: shell.isBash,
  }
}

function testUnary(shell: Shell, operator: string, operand: string, io: Io): Awaitable<boolean> {
  return andThen(
    traceHead(shell, io, () => `[[ ${operator} ${quoteForTrace(operand)} ]]`),
    () => examine(operator, operand, conditionsOf(shell, io)),
  )
}

function isSet(shell: Shell, text: string): boolean {
  const reference = parseReference(text)
  if (reference === undefined)
    return /^\d+$/.test(text) && shell.state.positional[Number(text) - 1] !== undefined
  const value = variableValue(shell, reference.name)
  const { subscript } = reference
  if (subscript === undefined) return textOf(value) !== undefined
  if (subscript === '@' || subscript === '*') return elementsOf(value).length > 0
  return elementOf(value, subscript.replace(/^(["'])(.*)\1$/s, '$2')) !== undefined
}

/** `[[ ... ]]`: operands are not split, the right side of `==` is a pattern. */
export function testExpression(shell: Shell, node: TestExpression, io: Io): Awaitable<boolean> {
  switch (node.type) {
    case 'TestGroup':
      return testExpression(shell, node.expression, io)
    case 'TestNot':
      return andThen(
        testExpression(shell, node.operand, io),
        (answer) => (node.negations.length % 2 === 1) !== answer,
      )
    case 'TestLogical':
      return testInOrder(shell, node.operands, node.operator === '||', io)
    case 'TestUnary':
      return andThen(expandText(shell, node.operand, io), (operand) =>
        testUnary(shell, node.operator, operand, io),
      )
    case 'TestBinary':
      return andThen(expandText(shell, node.left, io), (left) => testBinary(shell, node, left, io))
  }
}

/** `&&` and `||`: until one answers what decides. */
function testInOrder(
  shell: Shell,
  operands: readonly TestExpression[],
  decisive: boolean,
  io: Io,
): Awaitable<boolean> {
  const [operand, ...rest] = operands
  if (operand === undefined) return !decisive
  return andThen(testExpression(shell, operand, io), (answer) =>
    answer === decisive ? decisive : testInOrder(shell, rest, decisive, io),
  )
}

function testBinary(
  shell: Shell,
  node: TestExpression & { type: 'TestBinary' },
  left: string,
  io: Io,
): Awaitable<boolean> {
  const { operator, right } = node
  const head = () => `[[ ${quoteForTrace(left)} ${operator} ${right.text} ]]`
  return andThen(traceHead(shell, io, head), () => {
    if (operator === '=~' || operator === '=' || operator === '==' || operator === '!=') {
      return andThen(expandPattern(shell, right, io), (pattern) => {
        if (operator === '=~') return matchRegularExpression(shell, left, pattern)
        return matchesPattern(pattern, left, shell.state.extras.has('nocasematch')) === (operator !== '!=')
      })
    }
    return andThen(expandText(shell, right, io), (text) => {
      if (!NUMERIC.has(operator)) return compare(left, operator, text, conditionsOf(shell, io))
      return andThen(evaluateArithmetic(shell, left, io), (a) =>
        andThen(evaluateArithmetic(shell, text, io), (b) => compareNumbers(a, operator, b)),
      )
    })
  })
}

const NUMERIC = new Set(['-eq', '-ne', '-lt', '-le', '-gt', '-ge'])

/** `=~`: an extended regular expression; what was quoted is literal. Sets BASH_REMATCH. */
function matchRegularExpression(shell: Shell, text: string, source: string): boolean {
  let expression: RegExp
  try {
    expression = compileRegularExpression(source, true, shell.state.extras.has('nocasematch') ? 'si' : 's')
  } catch {
    throw new CommandError(`${unquotePattern(source)}: bad regular expression`, 2)
  }
  const match = expression.exec(text)
  shell.state.set('BASH_REMATCH', match === null ? [] : [...match].map((group) => group ?? ''))
  return match !== null
}
