// The syntax of awk (POSIX): the tree, and the tokens that its source is cut into. The grammar is in awk-parser.ts.

import { UsageError } from './options.js'

export type AwkExpression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'regex'; readonly source: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'element'; readonly name: string; readonly index: readonly AwkExpression[] }
  | { readonly kind: 'field'; readonly index: AwkExpression }
  | {
      readonly kind: 'assign'
      readonly target: AwkExpression
      readonly operator: string
      readonly value: AwkExpression
    }
  | { readonly kind: 'step'; readonly target: AwkExpression; readonly by: 1 | -1; readonly prefix: boolean }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: AwkExpression }
  | {
      readonly kind: 'binary'
      readonly operator: string
      readonly left: AwkExpression
      readonly right: AwkExpression
    }
  | {
      readonly kind: 'ternary'
      readonly test: AwkExpression
      readonly yes: AwkExpression
      readonly no: AwkExpression
    }
  | { readonly kind: 'in'; readonly index: readonly AwkExpression[]; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly AwkExpression[] }
  | { readonly kind: 'group'; readonly items: readonly AwkExpression[] }
  | {
      readonly kind: 'getline'
      readonly target: AwkExpression | undefined
      readonly file: AwkExpression | undefined
      readonly command: AwkExpression | undefined
    }

export type AwkStatement =
  | { readonly kind: 'expression'; readonly expression: AwkExpression }
  | { readonly kind: 'block'; readonly body: readonly AwkStatement[] }
  | {
      readonly kind: 'print'
      readonly formatted: boolean
      readonly args: readonly AwkExpression[]
      readonly redirection:
        | { readonly operator: '>' | '>>' | '|'; readonly target: AwkExpression }
        | undefined
    }
  | {
      readonly kind: 'if'
      readonly test: AwkExpression
      readonly yes: AwkStatement
      readonly no: AwkStatement | undefined
    }
  | {
      readonly kind: 'while'
      readonly test: AwkExpression
      readonly body: AwkStatement
      readonly bodyFirst: boolean
    }
  | {
      readonly kind: 'for'
      readonly start: AwkStatement | undefined
      readonly test: AwkExpression | undefined
      readonly next: AwkStatement | undefined
      readonly body: AwkStatement
    }
  | { readonly kind: 'forIn'; readonly name: string; readonly array: string; readonly body: AwkStatement }
  | { readonly kind: 'delete'; readonly name: string; readonly index: readonly AwkExpression[] | undefined }
  | { readonly kind: 'exit' | 'return'; readonly value: AwkExpression | undefined }
  | { readonly kind: 'next' | 'nextfile' | 'break' | 'continue' }

export interface AwkRule {
  readonly pattern: 'BEGIN' | 'END' | AwkExpression | undefined
  /** The second pattern of a range. */
  readonly until: AwkExpression | undefined
  /** Without an action the record is printed. */
  readonly action: AwkStatement | undefined
}

export interface AwkFunction {
  readonly parameters: readonly string[]
  readonly body: AwkStatement
}

export interface AwkProgram {
  readonly rules: readonly AwkRule[]
  readonly functions: ReadonlyMap<string, AwkFunction>
}

export interface AwkToken {
  readonly type: 'number' | 'string' | 'regex' | 'name' | 'call' | 'operator' | 'newline' | 'end'
  readonly text: string
}

const OPERATOR =
  /&&|\|\||\+\+|--|\+=|-=|\*=|\/=|%=|\^=|\*\*=|\*\*|==|<=|>=|!=|!~|>>|[-+*/%^!<>|?:~$=,;(){}[\]]/y
const NUMBER = /(?:0[xX][\da-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y
const NAME = /[A-Za-z_]\w*/y
const SKIPPED = /(?:[ \t\r]|\\\n|#[^\n]*)+/y

/** Cuts a program into tokens; throws UsageError. */
export function tokenizeAwk(source: string): AwkToken[] {
  const tokens: AwkToken[] = []
  let at = 0
  const match = (expression: RegExp): string | undefined => {
    expression.lastIndex = at
    const text = expression.exec(source)?.[0]
    if (text !== undefined) at += text.length
    return text
  }
  while (at < source.length) {
    if (match(SKIPPED) !== undefined) continue
    const c = source[at]!
    if (c === '\n') {
      at++
      tokens.push({ type: 'newline', text: '\n' })
    } else if (c === '"') {
      const end = closing(source, at, '"')
      tokens.push({ type: 'string', text: unescapeString(source.slice(at + 1, end)) })
      at = end + 1
    } else if (c === '/' && regexMayFollow(tokens.at(-1))) {
      const end = closing(source, at, '/')
      tokens.push({ type: 'regex', text: source.slice(at + 1, end) })
      at = end + 1
    } else {
      const number = match(NUMBER)
      const name = number === undefined ? match(NAME) : undefined
      if (number !== undefined) tokens.push({ type: 'number', text: number })
      else if (name !== undefined) tokens.push({ type: source[at] === '(' ? 'call' : 'name', text: name })
      else {
        const operator = match(OPERATOR)
        if (operator === undefined) throw new UsageError(`unexpected token '${c}'`)
        tokens.push({ type: 'operator', text: operator })
      }
    }
  }
  tokens.push({ type: 'end', text: 'end of program' })
  return tokens
}

/** A slash after an operand divides. */
function regexMayFollow(previous: AwkToken | undefined): boolean {
  if (previous === undefined) return true
  if (previous.type === 'operator') return ![')', ']', '$', '++', '--'].includes(previous.text)
  return (
    previous.type === 'newline' ||
    (previous.type === 'name' && /^(print|return|in|case)$/.test(previous.text))
  )
}

function closing(source: string, from: number, quote: string): number {
  let bracket = false
  for (let at = from + 1; at < source.length; at++) {
    const c = source[at]
    if (c === '\\') at++
    else if (c === '\n') break
    else if (quote === '/' && c === '[') bracket = true
    else if (quote === '/' && c === ']') bracket = false
    else if (c === quote && !bracket) return at
  }
  throw new UsageError(quote === '"' ? 'unterminated string' : 'unterminated regex')
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
}

function unescapeString(text: string): string {
  return text.replace(/\\([0-7]{1,3}|[\s\S])/g, (whole, code: string) => {
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
    if (code === '\n') return ''
    return ESCAPES[code] ?? (/["\\/]/.test(code) ? code : whole)
  })
}
