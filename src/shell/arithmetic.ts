// Arithmetic (POSIX 2.6.4 and bash's additions): 64-bit signed integers. Evaluates the text of an expression in which
// `$` was expanded before (word-expansion.ts); a name stands for its variable's value, which may be an expression again.
// Read arithmetic-lexer.ts first.

import { ArithmeticLexer, type ArithmeticToken } from './arithmetic-lexer.js'
import { CommandError } from './control-flow.js'
import type { Shell } from './shell.js'
import { variableValue } from './special-variables.js'
import { elementOf, textOf } from './variable.js'

/** How often a variable may name another one before it counts as a loop. */
const MAX_INDIRECTIONS = 1000

/** Binary operators, the strongest last; `**` is stronger still and groups to the right. */
const RANKS = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
]

const RANK_OF: ReadonlyMap<string, number> = new Map(
  RANKS.flatMap((operators, rank) => operators.map((operator) => [operator, rank] as const)),
)

const ASSIGNMENTS = new Set(['=', '*=', '/=', '%=', '+=', '-=', '<<=', '>>=', '&=', '^=', '|='])

/** Numbers of which no digit means anything else. */
const DECIMAL = /^(0|[1-9]\d{0,17})$/

/** The value of expression source such as `x + 1`; empty text is 0. Throws CommandError. */
export function evaluateExpression(shell: Shell, text: string, depth = 0): bigint {
  if (DECIMAL.test(text)) return BigInt(text)
  if (depth > MAX_INDIRECTIONS) {
    throw new CommandError(`${text}: expression recursion level exceeded (error token is "${text}")`, 1, true)
  }
  return new Expression(shell, text, depth).value()
}

class Expression {
  readonly #shell: Shell
  readonly #lexer: ArithmeticLexer
  readonly #depth: number
  /** The name that was read last, while nothing but it is the operand: what can be assigned to. */
  #target: ArithmeticToken | undefined
  /** How many enclosing `&&`, `||` and `?:` do not want this operand's value, nor what it would assign. */
  #unwanted = 0

  constructor(shell: Shell, text: string, depth: number) {
    this.#shell = shell
    this.#lexer = new ArithmeticLexer(text, shell.isBash)
    this.#depth = depth
  }

  value(): bigint {
    if (this.#isAtEnd()) return 0n
    const value = this.#comma()
    if (!this.#isAtEnd()) throw this.#lexer.error('syntax error in expression')
    return value
  }

  get #token(): ArithmeticToken {
    return this.#lexer.token
  }

  #isAtEnd(): boolean {
    return this.#token.kind === 'end'
  }

  #isAt(operator: string): boolean {
    return this.#token.kind === 'operator' && this.#token.text === operator
  }

  #comma(): bigint {
    let value = this.#assignment()
    while (this.#isAt(',')) {
      this.#lexer.advance()
      value = this.#assignment()
    }
    return value
  }

  #assignment(): bigint {
    const value = this.#conditional()
    const { kind, text } = this.#token
    if (kind !== 'operator' || !ASSIGNMENTS.has(text)) return value
    const target = this.#target
    if (target === undefined) throw this.#lexer.error('attempted assignment to non-variable')
    this.#lexer.advance()
    const { start } = this.#token
    const operand = this.#assignment()
    const assigned = text === '=' ? operand : this.#apply(text.slice(0, -1), value, operand, start)
    this.#assign(target, assigned)
    this.#target = undefined
    return assigned
  }

  #conditional(): bigint {
    const test = this.#binary(0)
    if (!this.#isAt('?')) return test
    const chosen = this.#branch(test !== 0n, () => this.#comma())
    if (!this.#isAt(':')) throw this.#lexer.error("`:' expected for conditional expression")
    const other = this.#branch(test === 0n, () => this.#conditional())
    this.#target = undefined
    return test !== 0n ? chosen : other
  }

  /** What follows `?` and `:`. */
  #branch(wanted: boolean, value: () => bigint): bigint {
    this.#lexer.advance()
    if (this.#isAtEnd() || this.#isAt(':')) throw this.#lexer.error('expression expected')
    return this.#when(wanted, value)
  }

  #when(wanted: boolean, value: () => bigint): bigint {
    if (wanted) return value()
    this.#unwanted++
    const result = value()
    this.#unwanted--
    return result
  }

  #binary(rank: number): bigint {
    if (rank === RANKS.length) return this.#power()
    let left = this.#binary(rank + 1)
    while (this.#token.kind === 'operator' && RANK_OF.get(this.#token.text) === rank) {
      const operator = this.#token.text
      this.#lexer.advance()
      const { start } = this.#token
      const isDecided = operator === '&&' ? left === 0n : operator === '||' && left !== 0n
      const right = this.#when(!isDecided, () => this.#binary(rank + 1))
      this.#target = undefined
      left = this.#apply(operator, left, right, start)
    }
    return left
  }

  #power(): bigint {
    const base = this.#unary()
    if (!this.#isAt('**')) return base
    this.#lexer.advance()
    const exponent = this.#power()
    this.#target = undefined
    if (exponent < 0n) throw this.#lexer.error('exponent less than 0')
    return this.#unwanted > 0 ? 1n : power(base, exponent)
  }

  #unary(): bigint {
    const { kind, text } = this.#token
    if (kind !== 'operator' || !'!~-+'.includes(text[0]!) || text === '!=') return this.#operand()
    this.#lexer.advance()
    if (text === '++' || text === '--') return this.#increment(text === '++' ? 1n : -1n)
    const operand = this.#unary()
    this.#target = undefined
    if (text === '-') return BigInt.asIntN(64, -operand)
    if (text === '!') return operand === 0n ? 1n : 0n
    return text === '~' ? ~operand : operand
  }

  #increment(by: bigint): bigint {
    const target = this.#token
    if (target.kind !== 'name') throw this.#lexer.error('syntax error: operand expected')
    this.#lexer.advance()
    const changed = BigInt.asIntN(64, this.#read(target) + by)
    this.#assign(target, changed)
    this.#target = undefined
    return changed
  }

  #operand(): bigint {
    const { token } = this.#lexer
    switch (token.kind) {
      case 'number':
        this.#lexer.advance()
        this.#target = undefined
        return this.#number(token)
      case 'name':
        return this.#variable(token)
      default:
        if (!this.#isAt('(')) throw this.#lexer.error('syntax error: operand expected')
        return this.#group()
    }
  }

  #group(): bigint {
    this.#lexer.advance()
    const value = this.#comma()
    if (!this.#isAt(')')) throw this.#lexer.error("missing `)'")
    this.#lexer.advance()
    this.#target = undefined
    return value
  }

  #variable(token: ArithmeticToken): bigint {
    this.#lexer.advance()
    this.#target = token
    // What is only assigned to need not have a value.
    if (this.#isAt('=')) return 0n
    const value = this.#read(token)
    if (!this.#isAt('++') && !this.#isAt('--')) return value
    this.#assign(token, BigInt.asIntN(64, value + (this.#isAt('++') ? 1n : -1n)))
    this.#lexer.advance()
    this.#target = undefined
    return value
  }

  #read({ text: name, subscript }: ArithmeticToken): bigint {
    if (this.#unwanted > 0) return 0n
    const whole = variableValue(this.#shell, name)
    const text = subscript === undefined ? textOf(whole) : elementOf(whole, this.#key(name, subscript))
    if (text === undefined && this.#shell.state.options.has('nounset')) {
      const shown = subscript === undefined ? name : `${name}[${subscript}]`
      throw new CommandError(`${shown}: unbound variable`, this.#shell.isBash ? 127 : 2, true)
    }
    return text === undefined ? 0n : evaluateExpression(this.#shell, text, this.#depth + 1)
  }

  #assign({ text: name, subscript }: ArithmeticToken, value: bigint): void {
    if (this.#unwanted > 0) return
    const { state } = this.#shell
    if (subscript !== undefined) state.setElement(name, this.#key(name, subscript), String(value))
    else if (typeof state.find(name)?.value === 'object') state.setElement(name, 0, String(value))
    else state.set(name, String(value))
  }

  #key(name: string, subscript: string): string | number {
    if (this.#shell.state.find(name)?.value instanceof Map) return subscript.replace(/^(["'])(.*)\1$/s, '$2')
    return Number(evaluateExpression(this.#shell, subscript, this.#depth + 1))
  }

  /** C's constants, and `base#digits`. */
  #number({ text, start }: ArithmeticToken): bigint {
    if (DECIMAL.test(text)) return BigInt(text)
    if (/^0[xX][\da-fA-F]+$/.test(text)) return BigInt.asIntN(64, BigInt(text))
    const wrong = (reason: string) => this.#lexer.error(reason, start, start + text.length)
    const [base, digits, more] = text.includes('#')
      ? text.split('#')
      : text.startsWith('0')
        ? ['8', text.slice(1)]
        : ['10', text]
    if (more !== undefined || digits === '') throw wrong('invalid number')
    const radix = Number(base)
    if (!(radix >= 2 && radix <= 64)) throw wrong('invalid arithmetic base')
    const value = inBase(digits!, radix)
    if (value === undefined) throw wrong('value too great for base')
    return value
  }

  /** `start`: where the right operand begins. */
  #apply(operator: string, left: bigint, right: bigint, start: number): bigint {
    if (right !== 0n || (operator !== '/' && operator !== '%')) return apply(operator, left, right)
    if (this.#unwanted > 0) return 0n
    throw this.#shell.isBash
      ? this.#lexer.error('division by 0', start)
      : new CommandError('divide by zero', 2, true)
  }
}

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_'

function inBase(digits: string, base: number): bigint | undefined {
  let value = 0n
  for (const c of base <= 36 ? digits.toLowerCase() : digits) {
    const digit = DIGITS.indexOf(c)
    if (digit < 0 || digit >= base) return undefined
    value = BigInt.asIntN(64, value * BigInt(base) + BigInt(digit))
  }
  return value
}

/** By squaring, modulo 2^64: the exponent may be as large as it likes. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * square)
    square = BigInt.asIntN(64, square * square)
  }
  return result
}

function apply(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return BigInt.asIntN(64, a + b)
    case '-':
      return BigInt.asIntN(64, a - b)
    case '*':
      return BigInt.asIntN(64, a * b)
    case '/':
      return BigInt.asIntN(64, a / b)
    case '%':
      return a % b
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
    default:
      return holds(operator, a, b) ? 1n : 0n
  }
}

function holds(operator: string, a: bigint, b: bigint): boolean {
  switch (operator) {
    case '&&':
      return a !== 0n && b !== 0n
    case '||':
      return a !== 0n || b !== 0n
    case '<':
      return a < b
    case '>':
      return a > b
    case '<=':
      return a <= b
    case '>=':
      return a >= b
    case '==':
      return a === b
    default:
      return a !== b
  }
}
