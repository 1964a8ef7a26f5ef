// Arithmetic (POSIX 2.6.4 and bash's additions): 64-bit signed integers, evaluated over the parser's tree. Words
// inside are expanded first; a name stands for its variable's value, which may be an expression again.

import { type ArithmeticExpression, parse, type WordPart } from 'unbash'
import { CommandError } from './control-flow.js'
import type { Io, Shell } from './shell.js'
import { variableValue } from './special-variables.js'
import { elementOf, textOf } from './variable.js'

/** Expands `$name`, `$(...)` and the like inside an arithmetic word to text. */
export type ExpandParts = (shell: Shell, parts: readonly WordPart[], io: Io) => Promise<string>

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
  async evaluateText(text: string): Promise<bigint> {
    const trimmed = text.trim()
    if (trimmed === '') return 0n
    if (/^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/.test(trimmed)) return numberOf(trimmed)
    const script = parse(`((${trimmed}))`)
    const command = script.commands[0]?.command
    const broken = (script as { errors?: readonly unknown[] }).errors !== undefined
    if (broken || command?.type !== 'ArithmeticCommand' || command.expression === undefined)
      throw syntaxError()
    return await this.evaluate(command.expression)
  }

  async evaluate(node: ArithmeticExpression): Promise<bigint> {
    switch (node.type) {
      case 'ArithmeticGroup':
        return await this.evaluate(node.expression)
      case 'ArithmeticWord':
        return await this.#word(node)
      case 'ArithmeticCommandExpansion':
        return await this.evaluateText(await this.#expand(this.#shell, [substitutionOf(node)], this.#io))
      case 'ArithmeticTernary':
        return await this.evaluate((await this.evaluate(node.test)) !== 0n ? node.consequent : node.alternate)
      case 'ArithmeticUnary':
        return await this.#unary(node)
      case 'ArithmeticBinary':
        return await this.#binary(node)
    }
  }

  async #word(node: ArithmeticExpression & { type: 'ArithmeticWord' }): Promise<bigint> {
    const parts = node.parts ?? loneParameter(node)
    const text = (parts ? await this.#expand(this.#shell, parts, this.#io) : node.value).trim()
    if (text === '') return 0n
    if (/^\d/.test(text))
      return /^[\da-zA-Z@_#]+$/.test(text) ? numberOf(text) : await this.evaluateText(text)
    if (!isReference(text)) return parts ? await this.evaluateText(text) : failSyntax()
    const value = await this.#read(text)
    if (value === undefined || value === '') return 0n
    if (++this.#indirections > MAX_INDIRECTIONS)
      throw new CommandError('expression recursion level exceeded', 1)
    const result = await this.evaluateText(value)
    this.#indirections--
    return result
  }

  async #unary(node: ArithmeticExpression & { type: 'ArithmeticUnary' }): Promise<bigint> {
    if (node.operator === '++' || node.operator === '--') {
      const old = await this.evaluate(node.operand)
      const changed = BigInt.asIntN(64, node.operator === '++' ? old + 1n : old - 1n)
      await this.#assign(node.operand, changed)
      return node.prefix ? changed : old
    }
    const operand = await this.evaluate(node.operand)
    if (node.operator === '-') return BigInt.asIntN(64, -operand)
    if (node.operator === '!') return operand === 0n ? 1n : 0n
    return node.operator === '~' ? ~operand : operand
  }

  async #binary(node: ArithmeticExpression & { type: 'ArithmeticBinary' }): Promise<bigint> {
    const { operator } = node
    if (operator === '&&') {
      return (await this.evaluate(node.left)) !== 0n && (await this.evaluate(node.right)) !== 0n ? 1n : 0n
    }
    if (operator === '||') {
      return (await this.evaluate(node.left)) !== 0n || (await this.evaluate(node.right)) !== 0n ? 1n : 0n
    }
    if (operator.endsWith('=') && !['==', '!=', '<=', '>='].includes(operator)) {
      const right = await this.evaluate(node.right)
      const value =
        operator === '=' ? right : this.#apply(operator.slice(0, -1), await this.evaluate(node.left), right)
      await this.#assign(node.left, value)
      return value
    }
    return this.#apply(operator, await this.evaluate(node.left), await this.evaluate(node.right))
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

  async #assign(target: ArithmeticExpression, value: bigint): Promise<void> {
    if (target.type !== 'ArithmeticWord') throw syntaxError()
    // A subscript may hold expansions, which are its text (`count[$word]++`).
    const text = target.value.includes('$') ? await this.#expandedText(target) : target.value
    if (!isReference(text)) throw syntaxError()
    const [, name, index] = REFERENCE.exec(text)!
    if (index === undefined) this.#shell.state.set(name!, String(value))
    else this.#shell.state.setElement(name!, await this.#key(name!, index), String(value))
  }

  async #expandedText(node: ArithmeticExpression & { type: 'ArithmeticWord' }): Promise<string> {
    const parts = node.parts ?? loneParameter(node)
    return parts ? await this.#expand(this.#shell, parts, this.#io) : node.value
  }

  async #key(name: string, index: string): Promise<string | number> {
    if (this.#shell.state.find(name)?.value instanceof Map) return index.replace(/^(["'])(.*)\1$/s, '$2')
    return Number(await this.evaluateText(index))
  }

  async #read(reference: string): Promise<string | undefined> {
    const [, name, index] = REFERENCE.exec(reference)!
    const value = variableValue(this.#shell, name!)
    if (value === undefined && this.#shell.state.options.has('nounset')) {
      throw new CommandError(`${name}: unbound variable`, 1, true)
    }
    if (index === undefined) return textOf(value)
    return elementOf(value, await this.#key(name!, index))
  }
}

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
