// The template language of `-o jsonpath=`: text with `{...}` actions that hold paths, quoted strings and
// `range`/`end`. Grammar of Kubernetes' own dialect (kubernetes.io/docs/reference/kubectl/jsonpath).
// Evaluation is jsonpath/evaluate.ts.

export type PathStep =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'wildcard' }
  | { readonly type: 'recursive' }
  /** `[start:end:step]`; an index is `start` alone. */
  | {
      readonly type: 'slice'
      readonly start: number | undefined
      readonly end: number | undefined
      readonly step: number
      readonly single: boolean
    }
  | { readonly type: 'union'; readonly branches: readonly (readonly PathStep[])[] }
  | {
      readonly type: 'filter'
      readonly left: Operand
      readonly operator: FilterOperator
      readonly right: Operand | undefined
    }

export type FilterOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'exists'

export type Operand = { readonly type: 'literal'; readonly value: string | number | boolean } | PathExpression

/** `$` starts at the whole object, anything else at the current one (`@`, the item of a range). */
export interface PathExpression {
  readonly type: 'path'
  readonly fromRoot: boolean
  readonly steps: readonly PathStep[]
}

export type TemplateNode =
  | { readonly type: 'text'; readonly text: string }
  | Operand
  | { readonly type: 'range'; readonly over: PathExpression; readonly body: readonly TemplateNode[] }

/** What is wrong with a template, in the real parser's words. */
export class JsonPathSyntaxError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonPathSyntaxError'
  }
}

export function parseTemplate(template: string): TemplateNode[] {
  const stack: { over: PathExpression | undefined; body: TemplateNode[] }[] = [{ over: undefined, body: [] }]
  const top = () => stack.at(-1)!
  let at = 0
  while (at < template.length) {
    const open = template.indexOf('{', at)
    const text = template.slice(at, open < 0 ? undefined : open)
    if (text !== '') top().body.push({ type: 'text', text })
    if (open < 0) break
    const action = new ActionParser(template, open + 1)
    for (const token of action.parse()) {
      if (token === 'end') {
        const { over, body } = stack.pop()!
        if (over === undefined) throw new JsonPathSyntaxError('not in range, nothing to end')
        top().body.push({ type: 'range', over, body })
      } else if ('range' in token) {
        stack.push({ over: token.range, body: [] })
      } else {
        top().body.push(token)
      }
    }
    at = action.position
  }
  if (stack.length > 1) throw new JsonPathSyntaxError('unterminated range, expected {end}')
  return top().body
}

type ActionToken = Operand | { readonly range: PathExpression } | 'end'

/** One `{...}` and, recursively, what stands in brackets and filters. */
class ActionParser {
  readonly #text: string
  position: number

  constructor(text: string, position: number) {
    this.#text = text
    this.position = position
  }

  get #next(): string {
    return this.#text[this.position] ?? ''
  }

  parse(): ActionToken[] {
    const tokens: ActionToken[] = []
    for (;;) {
      this.#skipSpace()
      if (this.position >= this.#text.length) throw new JsonPathSyntaxError('unclosed action')
      if (this.#next === '}') {
        this.position++
        return tokens
      }
      tokens.push(this.#token())
    }
  }

  #skipSpace(): void {
    while (/\s/.test(this.#next)) this.position++
  }

  #token(): ActionToken {
    const word = /^(range|end)\b(?![.[])/.exec(this.#text.slice(this.position))?.[1]
    if (word === 'end') {
      this.position += 3
      return 'end'
    }
    if (word === 'range') {
      this.position += 5
      this.#skipSpace()
      const over = this.#operand('}')
      if (over.type !== 'path') throw new JsonPathSyntaxError('range needs a path')
      return { range: over }
    }
    return this.#operand('}')
  }

  /** A literal or a path; `stop` are the characters that end a path. */
  #operand(stop: string): Operand {
    const rest = this.#text.slice(this.position)
    if (this.#next === '"' || this.#next === "'") return { type: 'literal', value: this.#quoted() }
    const number = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(rest)?.[0]
    if (number !== undefined) {
      this.position += number.length
      return { type: 'literal', value: Number(number) }
    }
    const boolean = /^(true|false)\b/.exec(rest)?.[0]
    if (boolean !== undefined) {
      this.position += boolean.length
      return { type: 'literal', value: boolean === 'true' }
    }
    return this.#path(stop)
  }

  #quoted(): string {
    const quote = this.#next
    let end = this.position + 1
    while (end < this.#text.length && this.#text[end] !== quote) end += this.#text[end] === '\\' ? 2 : 1
    if (end >= this.#text.length) throw new JsonPathSyntaxError('unterminated quoted string')
    const inner = this.#text.slice(this.position + 1, end)
    this.position = end + 1
    return inner.replace(/\\(.)/g, (_all, character: string) => ESCAPES[character] ?? character)
  }

  #path(stop: string): PathExpression {
    const steps: PathStep[] = []
    const fromRoot = this.#next === '$'
    const start = this.position
    if (fromRoot || this.#next === '@') this.position++
    for (;;) {
      const character = this.#next
      if (character === '' || stop.includes(character) || /\s/.test(character)) break
      if (character === '[') {
        steps.push(this.#bracket())
      } else if (character === '.') {
        this.position++
        if (this.#next === '.') {
          this.position++
          steps.push({ type: 'recursive' })
        }
        const step = this.#dotStep(stop)
        if (step !== undefined) steps.push(step)
      } else if (this.position === start && /[A-Za-z_]/.test(character)) {
        const word = /^[\w-]+/.exec(this.#text.slice(start))![0]
        throw new JsonPathSyntaxError(`unrecognized identifier ${word}`)
      } else {
        throw new JsonPathSyntaxError(
          `unrecognized character in action: U+${codePoint(character)} '${character}'`,
        )
      }
    }
    return { type: 'path', fromRoot, steps }
  }

  #dotStep(stop: string): PathStep | undefined {
    if (this.#next === '*') {
      this.position++
      return { type: 'wildcard' }
    }
    let name = ''
    while (this.position < this.#text.length) {
      const character = this.#next
      if (character === '\\') {
        name += this.#text[this.position + 1] ?? ''
        this.position += 2
      } else if ('.[@$*+<>=!)|'.includes(character) || stop.includes(character) || /\s/.test(character)) {
        break
      } else {
        name += character
        this.position++
      }
    }
    return name === '' ? undefined : { type: 'field', name }
  }

  #bracket(): PathStep {
    this.position++
    this.#skipSpace()
    if (this.#text.startsWith('?(', this.position)) return this.#filter()
    const end = this.#bracketEnd()
    const inner = this.#text.slice(this.position, end)
    this.position = end + 1
    const branches = splitOutsideQuotes(inner).map((part) => bracketStep(part.trim()))
    if (branches.length === 1) return branches[0]!
    return { type: 'union', branches: branches.map((step) => [step]) }
  }

  #bracketEnd(): number {
    let quote = ''
    for (let at = this.position; at < this.#text.length; at++) {
      const character = this.#text[at]!
      if (quote !== '') quote = character === quote ? '' : quote
      else if (character === '"' || character === "'") quote = character
      else if (character === ']') return at
    }
    throw new JsonPathSyntaxError('unterminated array')
  }

  #filter(): PathStep {
    this.position += 2
    this.#skipSpace()
    const left = this.#operand(')=!<>')
    this.#skipSpace()
    const operator = /^(==|!=|<=|>=|<|>)/.exec(this.#text.slice(this.position))?.[0] as
      | FilterOperator
      | undefined
    let right: Operand | undefined
    if (operator !== undefined) {
      this.position += operator.length
      this.#skipSpace()
      right = this.#operand(')')
      this.#skipSpace()
    }
    if (!this.#text.startsWith(')]', this.position)) throw new JsonPathSyntaxError('unterminated filter')
    this.position += 2
    return { type: 'filter', left, operator: operator ?? 'exists', right }
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' }

function codePoint(character: string): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
}

function splitOutsideQuotes(text: string): string[] {
  return text.match(/(?:'[^']*'|"[^"]*"|[^,'"])+/g) ?? ['']
}

function bracketStep(inner: string): PathStep {
  if (inner === '*') return { type: 'wildcard' }
  const quoted = /^(['"])(.*)\1$/s.exec(inner)
  if (quoted !== null) return { type: 'field', name: quoted[2]!.replace(/\\(.)/g, '$1') }
  const slice = /^(-?\d*)(?:(:)(-?\d*))?(?::(-?\d*))?$/.exec(inner)
  if (slice === null || inner === '') throw new JsonPathSyntaxError(`invalid array index ${inner}`)
  const number = (value: string | undefined) =>
    value === undefined || value === '' ? undefined : Number(value)
  const single = slice[2] === undefined
  return {
    type: 'slice',
    start: number(slice[1]),
    end: number(slice[3]),
    step: number(slice[4]) ?? 1,
    single,
  }
}
