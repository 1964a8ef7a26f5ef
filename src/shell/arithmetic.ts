// Arithmetic (POSIX 2.6.4 and bash's additions): 64-bit signed integers, evaluated over the parser's tree. Words
// inside are expanded first; a name stands for its variable's value, which may be an expression again.

import { type ArithmeticExpression, parse, type WordPart } from 'unbash'
import { type Awaitable, andThen } from './awaitable.js'
import { CommandError } from './control-flow.js'
import type { Io, Shell } from './shell.js'
import { variableValue } from './special-variables.js'
import { elementOf, textOf } from './variable.js'

/** Expands `$name`, `$(...)` and the like inside an arithmetic word to text. */
export type ExpandParts = (shell: Shell, parts: readonly WordPart[], io: Io) => Awaitable<string>

/** How often a variable may name another one before it counts as a loop. */
const MAX_INDIRECTIONS = 100

export class Arithmetic {
  readonly #shell: Shell
  readonly #io: Io
  readonly #expand: ExpandParts
  #indirections = 0

  constructor(shell: Shell, io: Io, expand: ExpandParts) {
    this.#shell = shell
    this.#io = io
    this.#expand = expand
  }

  /** The value of expression source such as `x + 1`; empty text is 0. Throws CommandError. */
  evaluateText(text: string): Awaitable<bigint> {
    if (DECIMAL.test(text)) return BigInt(text)
    const trimmed = text.trim()
    if (trimmed === '') return 0n
    if (/^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/.test(trimmed)) return numberOf(trimmed)
    if (/^[A-Za-z_]\w*$/.test(trimmed)) return this.#variable(trimmed)
    const script = parse(`((${trimmed}))`)
    const command = script.commands[0]?.command
    const broken = (script as { errors?: readonly unknown[] }).errors !== undefined
    if (broken || command?.type !== 'ArithmeticCommand' || command.expression === undefined)
      throw syntaxError()
    return this.evaluate(command.expression)
  }

  evaluate(node: ArithmeticExpression): Awaitable<bigint> {
    switch (node.type) {
      case 'ArithmeticGroup':
        return this.evaluate(node.expression)
      case 'ArithmeticWord':
        return this.#word(node)
      case 'ArithmeticCommandExpansion':
        return andThen(this.#expand(this.#shell, [substitutionOf(node)], this.#io), (text) =>
          this.evaluateText(text),
        )
      case 'ArithmeticTernary':
        return andThen(this.evaluate(node.test), (test) =>
          this.evaluate(test !== 0n ? node.consequent : node.alternate),
        )
      case 'ArithmeticUnary':
        return andThen(this.evaluate(node.operand), (operand) => this.#unary(node, operand))
      case 'ArithmeticBinary':
        return this.#binary(node)
    }
  }

  #word(node: ArithmeticExpression & { type: 'ArithmeticWord' }): Awaitable<bigint> {
    const parts = node.parts ?? loneParameter(node)
    if (parts === undefined) return this.#operand(node.value.trim(), false)
    return andThen(this.#expand(this.#shell, parts, this.#io), (text) => this.#operand(text.trim(), true))
  }

  #operand(text: string, expanded: boolean): Awaitable<bigint> {
    if (DECIMAL.test(text)) return BigInt(text)
    if (text === '') return 0n
    if (/^\d/.test(text)) return /^[\da-zA-Z@_#]+$/.test(text) ? numberOf(text) : this.evaluateText(text)
    if (!isReference(text)) return expanded ? this.evaluateText(text) : failSyntax()
    return this.#variable(text)
  }

  /** What a variable's text comes to, which may be an expression again. */
  #variable(reference: string): Awaitable<bigint> {
    return andThen(this.#read(reference), (value) => {
      if (value === undefined || value === '') return 0n
      if (DECIMAL.test(value)) return BigInt(value)
      if (++this.#indirections > MAX_INDIRECTIONS)
        throw new CommandError('expression recursion level exceeded', 1)
      return andThen(this.evaluateText(value), (result) => {
        this.#indirections--
        return result
      })
    })
  }

  #unary(node: ArithmeticExpression & { type: 'ArithmeticUnary' }, operand: bigint): Awaitable<bigint> {
    switch (node.operator) {
      case '++':
      case '--': {
        const changed = BigInt.asIntN(64, node.operator === '++' ? operand + 1n : operand - 1n)
        return andThen(this.#assign(node.operand, changed), () => (node.prefix ? changed : operand))
      }
      case '-':
        return BigInt.asIntN(64, -operand)
      case '!':
        return operand === 0n ? 1n : 0n
      case '~':
        return ~operand
      default:
        return operand
    }
  }

  #binary(node: ArithmeticExpression & { type: 'ArithmeticBinary' }): Awaitable<bigint> {
    const { operator } = node
    if (operator === '&&' || operator === '||') {
      return andThen(this.evaluate(node.left), (left) => {
        if ((left !== 0n) === (operator === '||')) return operator === '||' ? 1n : 0n
        return andThen(this.evaluate(node.right), (right) => (right !== 0n ? 1n : 0n))
      })
    }
    if (operator.endsWith('=') && !COMPARISONS.has(operator)) return this.#assignment(node)
    return andThen(this.evaluate(node.left), (left) =>
      andThen(this.evaluate(node.right), (right) => this.#apply(operator, left, right)),
    )
  }

  #assignment({ operator, left, right }: ArithmeticExpression & { type: 'ArithmeticBinary' }) {
    const before = operator === '=' ? 0n : this.evaluate(left)
    return andThen(before, (old) =>
      andThen(this.evaluate(right), (operand) => {
        const value = operator === '=' ? operand : this.#apply(operator.slice(0, -1), old, operand)
        return andThen(this.#assign(left, value), () => value)
      }),
    )
  }

  #apply(operator: string, left: bigint, right: bigint): bigint {
    if (right === 0n && (operator === '/' || operator === '%')) {
      const { isBash } = this.#shell
      throw new CommandError(
        isBash ? 'division by 0 (error token is "0")' : 'divide by zero',
        isBash ? 1 : 2,
        true,
      )
    }
    return apply(operator, left, right)
  }

  #assign(target: ArithmeticExpression, value: bigint): Awaitable<void> {
    if (target.type !== 'ArithmeticWord') throw syntaxError()
    // A subscript may hold expansions, which are its text (`count[$word]++`).
    const text = target.value.includes('$') ? this.#expandedText(target) : target.value
    return andThen(text, (reference) => {
      const match = REFERENCE.exec(reference)
      if (match === null) throw syntaxError()
      const [, name, index] = match
      if (index === undefined) return this.#shell.state.set(name!, String(value))
      return andThen(this.#key(name!, index), (key) =>
        this.#shell.state.setElement(name!, key, String(value)),
      )
    })
  }

  #expandedText(node: ArithmeticExpression & { type: 'ArithmeticWord' }): Awaitable<string> {
    const parts = node.parts ?? loneParameter(node)
    return parts ? this.#expand(this.#shell, parts, this.#io) : node.value
  }

  #key(name: string, index: string): Awaitable<string | number> {
    if (this.#shell.state.find(name)?.value instanceof Map) return index.replace(/^(["'])(.*)\1$/s, '$2')
    return andThen(this.evaluateText(index), Number)
  }

  #read(reference: string): Awaitable<string | undefined> {
    const [, name, index] = REFERENCE.exec(reference)!
    const value = variableValue(this.#shell, name!)
    if (value === undefined && this.#shell.state.options.has('nounset')) {
      throw new CommandError(`${name}: unbound variable`, 1, true)
    }
    if (index === undefined) return textOf(value)
    return andThen(this.#key(name!, index), (key) => elementOf(value, key))
  }
}

/** Numbers of which no digit means anything else. */
const DECIMAL = /^(0|[1-9]\d{0,17})$/

const COMPARISONS = new Set(['==', '!=', '<=', '>='])

/** The parser gives `$name` alone as a value without parts. */
function loneParameter(
  node: ArithmeticExpression & { type: 'ArithmeticWord' },
): readonly WordPart[] | undefined {
  const { pos, end, value } = node
  return value.startsWith('$') ? [{ type: 'SimpleExpansion', pos, end, text: value }] : undefined
}

function substitutionOf(node: ArithmeticExpression & { type: 'ArithmeticCommandExpansion' }): WordPart {
  const { pos, end, text, script } = node
  return { type: 'CommandExpansion', pos, end, text, script }
}

const REFERENCE = /^([A-Za-z_]\w*)(?:\[(.*)\])?$/s

function isReference(text: string): boolean {
  return REFERENCE.test(text)
}

function syntaxError(): CommandError {
  return new CommandError('arithmetic syntax error', 1, true)
}

function failSyntax(): never {
  throw syntaxError()
}

/** C's constants, and `base#digits`. */
function numberOf(text: string): bigint {
  const sign = text.startsWith('-') ? -1n : 1n
  const digits = text.replace(/^[+-]/, '')
  const based = /^(\d+)#([\da-zA-Z@_]+)$/.exec(digits)
  if (based !== null) return sign * inBase(based[2]!, Number(based[1]))
  if (/^0[xX][\da-fA-F]+$/.test(digits)) return sign * BigInt.asIntN(64, BigInt(digits))
  if (/^0[0-7]*$/.test(digits)) return sign * inBase(digits, 8)
  if (!/^\d+$/.test(digits) || digits.startsWith('0')) throw syntaxError()
  return BigInt.asIntN(64, sign * BigInt(digits))
}

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_'

function inBase(digits: string, base: number): bigint {
  let value = 0n
  for (const c of base <= 36 ? digits.toLowerCase() : digits) {
    const digit = DIGITS.indexOf(c)
    if (digit < 0 || digit >= base) throw new CommandError('value too great for base', 1, true)
    value = BigInt.asIntN(64, value * BigInt(base) + BigInt(digit))
  }
  return value
}

function apply(operator: string, a: bigint, b: bigint): bigint {
  const truth = (holds: boolean) => (holds ? 1n : 0n)
  switch (operator) {
    case '+':
      return BigInt.asIntN(64, a + b)
    case '-':
      return BigInt.asIntN(64, a - b)
    case '*':
      return BigInt.asIntN(64, a * b)
    case '/':
    case '%':
      return BigInt.asIntN(64, operator === '/' ? a / b : a % b)
    case '**':
      if (b < 0n) throw new CommandError('exponent less than 0', 1, true)
      return BigInt.asIntN(64, a ** b)
    case '<<':
      return BigInt.asIntN(64, a << (b & 63n))
    case '>>':
      return a >> (b & 63n)
    case '&':
      return a & b
    case '|':
      return a | b
    case '^':
      return a ^ b
    case '<':
      return truth(a < b)
    case '>':
      return truth(a > b)
    case '<=':
      return truth(a <= b)
    case '>=':
      return truth(a >= b)
    case '==':
      return truth(a === b)
    case '!=':
      return truth(a !== b)
    case ',':
      return b
    default:
      throw syntaxError()
  }
}
