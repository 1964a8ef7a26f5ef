// The tokens of an arithmetic expression: names with their subscript, numbers, C's operators. What an error names is
// the text from the token that was read last, as in bash. The grammar is in arithmetic.ts.

import { CommandError } from './control-flow.js'

export interface ArithmeticToken {
  readonly kind: 'name' | 'number' | 'operator' | 'end'
  readonly text: string
  /** What stands in brackets behind a name. */
  readonly subscript?: string
  /** Offset of its first character. */
  readonly start: number
}

const OPERATOR = /<<=|>>=|\*\*|\+\+|--|&&|\|\||[=!<>]=|<<|>>|[*/%+\-&^|]=|[=<>+\-*/%!()&|^~?:,]/y
const NAME = /[A-Za-z_]\w*/y
const NUMBER = /[\da-zA-Z#@_]+/y

export class ArithmeticLexer {
  readonly text: string
  /** The token at hand. */
  token: ArithmeticToken = { kind: 'end', text: '', start: 0 }
  #before: ArithmeticToken | undefined
  #at = 0
  /** Whether messages are bash's; ash has one for all. */
  readonly #isBash: boolean

  constructor(text: string, isBash: boolean) {
    this.text = text
    this.#isBash = isBash
    this.advance()
  }

  /** Reads the next token. */
  advance(): void {
    const { text } = this
    while (this.#at < text.length && ' \t\n\r'.includes(text[this.#at]!)) this.#at++
    const start = this.#at
    const before = this.#before
    this.token =
      start === text.length ? { kind: 'end', text: '', start: before?.start ?? start } : this.#read(start)
    if (this.token.kind !== 'end') this.#before = this.token
  }

  /** `message` with the expression and the text from `from` on, by default that of the token read last. */
  error(message: string, from = this.#before?.start ?? 0, until = this.text.length): CommandError {
    if (!this.#isBash) return new CommandError('arithmetic syntax error', 2, true)
    const token = this.text.slice(from, until)
    return new CommandError(`${this.text.trimStart()}: ${message} (error token is "${token}")`, 1, true)
  }

  #read(start: number): ArithmeticToken {
    const { text } = this
    const name = this.#match(NAME)
    if (name !== undefined) {
      if (text[this.#at] !== '[') return { kind: 'name', text: name, start }
      const end = closingBracket(text, this.#at)
      if (end < 0) throw this.error('bad array subscript', start)
      const subscript = text.slice(this.#at + 1, end)
      this.#at = end + 1
      return { kind: 'name', text: name, subscript, start }
    }
    if (/\d/.test(text[start]!)) return { kind: 'number', text: this.#match(NUMBER)!, start }
    const operator = this.#match(OPERATOR)
    if (operator === undefined) {
      const operandIsDue = this.#before === undefined || this.#before.kind === 'operator'
      const reason = operandIsDue ? 'operand expected' : 'invalid arithmetic operator'
      throw this.error(`syntax error: ${reason}`, start)
    }
    // `++` belongs to a name, before or behind it; otherwise these are two signs.
    if (operator === '++' || operator === '--') {
      const isPrefix = /^\s*[A-Za-z_]/.test(text.slice(this.#at))
      if (this.#before?.kind !== 'name' && !isPrefix) {
        this.#at--
        return { kind: 'operator', text: operator[0]!, start }
      }
    }
    return { kind: 'operator', text: operator, start }
  }

  #match(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at
    const found = expression.exec(this.text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }
}

/** The bracket that closes the one at `from`; -1 without one. */
function closingBracket(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === '[') depth++
    else if (text[at] === ']' && --depth === 0) return at
  }
  return -1
}
