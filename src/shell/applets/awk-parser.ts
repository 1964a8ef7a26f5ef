// The grammar of awk, by recursive descent over the tokens of awk-syntax.ts.

import {
  type AwkExpression,
  type AwkFunction,
  type AwkProgram,
  type AwkRule,
  type AwkStatement,
  type AwkToken,
  tokenizeAwk,
} from './awk-syntax.js'
import { UsageError } from './options.js'

const ASSIGNMENTS = new Set(['=', '+=', '-=', '*=', '/=', '%=', '^=', '**='])
const COMPARISONS = new Set(['<', '<=', '==', '!=', '>', '>='])

/** Parses a program; throws UsageError. */
export function parseAwk(source: string): AwkProgram {
  return new AwkParser(tokenizeAwk(source)).program()
}

class AwkParser {
  readonly #tokens: readonly AwkToken[]
  #at = 0
  /** Inside the arguments of print, where `>` redirects. */
  #inPrint = false
  /** In the head of `for (`, where `in` belongs to the loop. */
  #noIn = false

  constructor(tokens: readonly AwkToken[]) {
    this.#tokens = tokens
  }

  program(): AwkProgram {
    const rules: AwkRule[] = []
    const functions = new Map<string, AwkFunction>()
    this.#skipTerminators()
    while (this.#token.type !== 'end') {
      if (this.#isName('function') || this.#isName('func')) {
        this.#at++
        const name = this.#advance().text
        functions.set(name, this.#function())
      } else rules.push(this.#rule())
      this.#skipTerminators()
    }
    return { rules, functions }
  }

  get #token(): AwkToken {
    return this.#tokens[this.#at]!
  }

  #advance(): AwkToken {
    return this.#tokens[this.#at++]!
  }

  #is(text: string): boolean {
    return this.#token.type === 'operator' && this.#token.text === text
  }

  #isName(text: string): boolean {
    return (this.#token.type === 'name' || this.#token.type === 'call') && this.#token.text === text
  }

  #accept(text: string): boolean {
    const found = this.#is(text)
    if (found) this.#at++
    return found
  }

  #expect(text: string): void {
    if (!this.#accept(text))
      throw new UsageError(`unexpected token '${this.#token.text.replace('\n', 'newline')}'`)
  }

  #skipNewlines(): void {
    while (this.#token.type === 'newline') this.#at++
  }

  #skipTerminators(): void {
    while (this.#token.type === 'newline' || this.#is(';')) this.#at++
  }

  #function(): AwkFunction {
    this.#expect('(')
    const parameters: string[] = []
    while (!this.#is(')')) {
      parameters.push(this.#advance().text)
      if (!this.#accept(',')) break
    }
    this.#expect(')')
    this.#skipNewlines()
    return { parameters, body: this.#block() }
  }

  #rule(): AwkRule {
    for (const pattern of ['BEGIN', 'END'] as const) {
      if (!this.#isName(pattern)) continue
      this.#at++
      return { pattern, until: undefined, action: this.#block() }
    }
    if (this.#is('{')) return { pattern: undefined, until: undefined, action: this.#block() }
    const pattern = this.#expression()
    const until = this.#accept(',') ? this.#expression() : undefined
    return { pattern, until, action: this.#is('{') ? this.#block() : undefined }
  }

  #block(): AwkStatement {
    this.#expect('{')
    const body: AwkStatement[] = []
    this.#skipTerminators()
    while (!this.#accept('}')) {
      body.push(this.#statement())
      this.#skipTerminators()
    }
    return { kind: 'block', body }
  }

  #body(): AwkStatement {
    this.#skipNewlines()
    if (this.#accept(';')) return { kind: 'block', body: [] }
    return this.#statement()
  }

  #statement(): AwkStatement {
    if (this.#is('{')) return this.#block()
    const token = this.#token
    if (token.type === 'name' || token.type === 'call') {
      const statement = this.#keyword(token.text)
      if (statement !== undefined) return statement
    }
    return this.#simple()
  }

  #keyword(name: string): AwkStatement | undefined {
    switch (name) {
      case 'if':
        return this.#if()
      case 'while': {
        this.#at++
        const test = this.#parenthesized()
        return { kind: 'while', test, body: this.#body(), bodyFirst: false }
      }
      case 'do': {
        this.#at++
        const body = this.#body()
        this.#skipTerminators()
        this.#at++
        return { kind: 'while', test: this.#parenthesized(), body, bodyFirst: true }
      }
      case 'for':
        return this.#for()
      case 'next':
      case 'nextfile':
      case 'break':
      case 'continue':
        this.#at++
        return { kind: name }
      case 'exit':
      case 'return':
        this.#at++
        return { kind: name, value: this.#atEnd() ? undefined : this.#expression() }
    }
    return undefined
  }

  #atEnd(): boolean {
    return this.#token.type === 'newline' || this.#token.type === 'end' || this.#is(';') || this.#is('}')
  }

  #if(): AwkStatement {
    this.#at++
    const test = this.#parenthesized()
    const yes = this.#body()
    const before = this.#at
    this.#skipTerminators()
    if (this.#isName('else')) {
      this.#at++
      return { kind: 'if', test, yes, no: this.#body() }
    }
    this.#at = before
    return { kind: 'if', test, yes, no: undefined }
  }

  #for(): AwkStatement {
    this.#at++
    this.#expect('(')
    const [variable, keyword, array, close] = this.#tokens.slice(this.#at, this.#at + 4)
    if (
      variable?.type === 'name' &&
      keyword?.text === 'in' &&
      array?.type === 'name' &&
      close?.text === ')'
    ) {
      this.#at += 4
      return { kind: 'forIn', name: variable.text, array: array.text, body: this.#body() }
    }
    this.#noIn = true
    const start = this.#is(';') ? undefined : this.#simple()
    this.#noIn = false
    this.#expect(';')
    this.#skipNewlines()
    const test = this.#is(';') ? undefined : this.#expression()
    this.#expect(';')
    this.#skipNewlines()
    const next = this.#is(')') ? undefined : this.#simple()
    this.#expect(')')
    return { kind: 'for', start, test, next, body: this.#body() }
  }

  #simple(): AwkStatement {
    if (this.#isName('print') || this.#isName('printf')) return this.#print(this.#advance().text === 'printf')
    if (this.#isName('delete')) {
      this.#at++
      const name = this.#advance().text
      return { kind: 'delete', name, index: this.#accept('[') ? this.#indexes() : undefined }
    }
    return { kind: 'expression', expression: this.#expression() }
  }

  #print(formatted: boolean): AwkStatement {
    this.#inPrint = true
    const args = this.#atEnd() || this.#is('>') || this.#is('>>') || this.#is('|') ? [] : this.#list()
    this.#inPrint = false
    const [only] = args
    const items = args.length === 1 && only?.kind === 'group' ? only.items : args
    for (const operator of ['>', '>>', '|'] as const) {
      if (this.#accept(operator)) {
        return {
          kind: 'print',
          formatted,
          args: items,
          redirection: { operator, target: this.#concatenation() },
        }
      }
    }
    return { kind: 'print', formatted, args: items, redirection: undefined }
  }

  #list(): AwkExpression[] {
    const items = [this.#expression()]
    while (this.#accept(',')) {
      this.#skipNewlines()
      items.push(this.#expression())
    }
    return items
  }

  #indexes(): AwkExpression[] {
    const items = this.#unrestricted(() => this.#list())
    this.#expect(']')
    return items
  }

  #parenthesized(): AwkExpression {
    this.#expect('(')
    const expression = this.#unrestricted(() => this.#expression())
    this.#expect(')')
    return expression
  }

  /** Inside brackets `>` compares and `in` tests again. */
  #unrestricted<Result>(body: () => Result): Result {
    const saved = [this.#inPrint, this.#noIn] as const
    this.#inPrint = false
    this.#noIn = false
    const result = body()
    ;[this.#inPrint, this.#noIn] = saved
    return result
  }

  #expression(): AwkExpression {
    const left = this.#ternary()
    if (this.#token.type !== 'operator' || !ASSIGNMENTS.has(this.#token.text)) return left
    if (!isTarget(left)) throw new UsageError('assignment to something that is no variable')
    const operator = this.#advance().text
    this.#skipNewlines()
    return { kind: 'assign', target: left, operator, value: this.#expression() }
  }

  #ternary(): AwkExpression {
    const test = this.#binary(0)
    if (!this.#accept('?')) return test
    this.#skipNewlines()
    const yes = this.#expression()
    this.#skipNewlines()
    this.#expect(':')
    this.#skipNewlines()
    return { kind: 'ternary', test, yes, no: this.#expression() }
  }

  /** `||`, `&&`, `in`, matches and comparisons, weakest first. */
  #binary(rank: number): AwkExpression {
    if (rank === 4) return this.#comparison()
    let left = this.#binary(rank + 1)
    for (;;) {
      const { text } = this.#token
      if (rank === 2 && this.#isName('in') && !this.#noIn) {
        this.#at++
        const index = left.kind === 'group' ? left.items : [left]
        left = { kind: 'in', index, name: this.#advance().text }
      } else if (this.#token.type === 'operator' && RANKS[rank]!.includes(text)) {
        this.#at++
        this.#skipNewlines()
        left = { kind: 'binary', operator: text, left, right: this.#binary(rank + 1) }
      } else return left
    }
  }

  #comparison(): AwkExpression {
    const left = this.#concatenation()
    const { type, text } = this.#token
    if (type === 'operator' && COMPARISONS.has(text) && !(text === '>' && this.#inPrint)) {
      this.#at++
      return { kind: 'binary', operator: text, left, right: this.#concatenation() }
    }
    if (!this.#is('|') || !this.#startsGetline(this.#tokens[this.#at + 1])) return left
    let result = left
    while (this.#is('|') && this.#startsGetline(this.#tokens[this.#at + 1])) {
      this.#at += 2
      result = { kind: 'getline', target: this.#optionalTarget(), file: undefined, command: result }
    }
    return result
  }

  #startsGetline(token: AwkToken | undefined): boolean {
    return token?.type === 'name' && token.text === 'getline'
  }

  #concatenation(): AwkExpression {
    let left = this.#additive()
    while (this.#startsOperand()) left = { kind: 'binary', operator: ' ', left, right: this.#additive() }
    return left
  }

  #startsOperand(): boolean {
    const { type, text } = this.#token
    if (type === 'operator') return ['$', '!', '(', '-', '+', '++', '--'].includes(text)
    if (type === 'name') return text !== 'in' && text !== 'getline'
    return type === 'number' || type === 'string' || type === 'regex' || type === 'call'
  }

  #additive(): AwkExpression {
    let left = this.#multiplicative()
    while (this.#is('+') || this.#is('-')) {
      left = { kind: 'binary', operator: this.#advance().text, left, right: this.#multiplicative() }
    }
    return left
  }

  #multiplicative(): AwkExpression {
    let left = this.#unary()
    while (this.#is('*') || this.#is('/') || this.#is('%')) {
      left = { kind: 'binary', operator: this.#advance().text, left, right: this.#unary() }
    }
    return left
  }

  #unary(): AwkExpression {
    if (this.#is('!') || this.#is('-') || this.#is('+')) {
      return { kind: 'unary', operator: this.#advance().text, operand: this.#unary() }
    }
    const base = this.#postfix()
    if (!this.#accept('^') && !this.#accept('**')) return base
    return { kind: 'binary', operator: '^', left: base, right: this.#unary() }
  }

  #postfix(): AwkExpression {
    for (const [text, by] of [
      ['++', 1],
      ['--', -1],
    ] as const) {
      if (this.#accept(text)) return { kind: 'step', target: this.#primary(), by, prefix: true }
    }
    const operand = this.#primary()
    if (!isTarget(operand)) return operand
    if (this.#accept('++')) return { kind: 'step', target: operand, by: 1, prefix: false }
    if (this.#accept('--')) return { kind: 'step', target: operand, by: -1, prefix: false }
    return operand
  }

  #primary(): AwkExpression {
    const token = this.#advance()
    switch (token.type) {
      case 'number':
        return { kind: 'number', value: Number(token.text) }
      case 'string':
        return { kind: 'string', value: token.text }
      case 'regex':
        return { kind: 'regex', source: token.text }
      case 'call':
        return this.#call(token.text)
      case 'name':
        return this.#named(token.text)
    }
    if (token.text === '$') {
      const by = this.#accept('++') ? 1 : this.#accept('--') ? -1 : undefined
      const index = this.#primary()
      return {
        kind: 'field',
        index: by === undefined ? index : { kind: 'step', target: index, by, prefix: true },
      }
    }
    if (token.text !== '(') throw new UsageError(`unexpected token '${token.text.replace('\n', 'newline')}'`)
    const items = this.#unrestricted(() => this.#list())
    this.#expect(')')
    return { kind: 'group', items }
  }

  #call(name: string): AwkExpression {
    this.#expect('(')
    const args = this.#is(')') ? [] : this.#unrestricted(() => this.#list())
    this.#expect(')')
    return { kind: 'call', name, args }
  }

  #named(name: string): AwkExpression {
    if (name === 'getline') {
      const target = this.#optionalTarget()
      const file = this.#accept('<') ? this.#primary() : undefined
      return { kind: 'getline', target, file, command: undefined }
    }
    if (name === 'length') return { kind: 'call', name, args: [] }
    if (!this.#accept('[')) return { kind: 'variable', name }
    return { kind: 'element', name, index: this.#indexes() }
  }

  #optionalTarget(): AwkExpression | undefined {
    return this.#token.type === 'name' || this.#is('$') ? this.#primary() : undefined
  }
}

const RANKS: readonly (readonly string[])[] = [['||'], ['&&'], [], ['~', '!~']]

function isTarget(expression: AwkExpression): boolean {
  return expression.kind === 'variable' || expression.kind === 'element' || expression.kind === 'field'
}
