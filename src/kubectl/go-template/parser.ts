// Go's text/template as far as people use it with `kubectl -o go-template`: actions, if, range, with, else, variables,
// pipelines, parentheses, `{{-` and `-}}`, comments. Without define, template and block.

export class GoTemplateError extends Error {}

export type Operand =
  | { readonly type: 'literal'; readonly value: string | number | boolean | null }
  | { readonly type: 'function'; readonly name: string }
  /** Fields of the dot, of a variable (`$`, `$name`), or of a pipeline in parentheses. */
  | { readonly type: 'path'; readonly of: 'dot' | string | Pipeline; readonly fields: readonly string[] }

/** Commands whose result is the last argument of the next. */
export interface Pipeline {
  readonly commands: readonly (readonly Operand[])[]
  /** Variables that are set: one, or key and value of a range. */
  readonly variables: readonly string[]
  /** `:=` makes new ones. */
  readonly declares: boolean
}

export type TemplateNode =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'action'; readonly pipeline: Pipeline }
  | {
      readonly type: 'if' | 'range' | 'with'
      readonly pipeline: Pipeline
      readonly body: readonly TemplateNode[]
      readonly otherwise: readonly TemplateNode[]
    }

type Piece = { readonly text: string } | { readonly words: readonly string[] }

/** Throws GoTemplateError. */
export function parseGoTemplate(template: string): TemplateNode[] {
  const parser = new Parser(piecesOf(template))
  const nodes = parser.nodes()
  if (parser.closing !== undefined) throw new GoTemplateError(`unexpected {{${parser.closing}}}`)
  return nodes
}

const WORD =
  /\s*("(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)'|-?\d+(?:\.\d+)?|\$\w*(?:\.\w+)*|(?:\.[A-Za-z_]\w*)+|\.|[A-Za-z_]\w*|:=|[=|(),])/y

function piecesOf(template: string): Piece[] {
  const pieces: Piece[] = []
  let trimStart = false
  for (let at = 0; ; ) {
    const open = template.indexOf('{{', at)
    let text = template.slice(at, open < 0 ? undefined : open)
    if (trimStart) text = text.trimStart()
    if (open < 0) return [...pieces, { text }]
    let start = open + 2
    if (/^-\s/.test(template.slice(start))) {
      text = text.trimEnd()
      start++
    }
    pieces.push({ text })
    const comment = /^\s*\/\*[\s\S]*?\*\//.exec(template.slice(start))
    const words: string[] = []
    WORD.lastIndex = start
    let end = start + (comment?.[0].length ?? 0)
    if (comment === null) {
      for (let match = WORD.exec(template); match !== null; match = WORD.exec(template)) {
        words.push(match[1]!)
        end = WORD.lastIndex
      }
    }
    const rest = template.slice(end)
    const closed = /^(\s+-|\s*)\}\}/.exec(rest)
    if (closed === null) {
      const why =
        template.indexOf('}}', end) < 0
          ? 'unclosed action'
          : `unexpected ${JSON.stringify(rest.trim()[0] ?? '')}`
      throw new GoTemplateError(`${why} in command`)
    }
    trimStart = closed[1]!.endsWith('-')
    at = end + closed[0].length
    if (comment === null) pieces.push({ words })
  }
}

class Parser {
  readonly #pieces: readonly Piece[]
  #at = 0
  /** The `end` or `else` at which a list of nodes ended; undefined at the end of the text. */
  closing: string | undefined
  #elseWords: readonly string[] = []

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces
  }

  nodes(): TemplateNode[] {
    const nodes: TemplateNode[] = []
    while (this.#at < this.#pieces.length) {
      const piece = this.#pieces[this.#at++]!
      if ('text' in piece) {
        if (piece.text !== '') nodes.push({ type: 'text', text: piece.text })
        continue
      }
      const [first = '', ...rest] = piece.words
      if (first === 'end' || first === 'else') {
        this.closing = first
        this.#elseWords = rest
        return nodes
      }
      if (first === 'if' || first === 'range' || first === 'with') nodes.push(this.#block(first, rest))
      else if (first === '') throw new GoTemplateError('missing value for command')
      else nodes.push({ type: 'action', pipeline: parsePipeline(piece.words) })
    }
    this.closing = undefined
    return nodes
  }

  #block(type: 'if' | 'range' | 'with', words: readonly string[]): TemplateNode {
    if (words.length === 0) throw new GoTemplateError(`missing value for ${type}`)
    const pipeline = parsePipeline(words)
    const body = this.nodes()
    let otherwise: TemplateNode[] = []
    if (this.closing === 'else') {
      const [next, ...rest] = this.#elseWords
      // `else if` is an if in the else, with one end for both.
      if (next === 'if' || next === 'with') otherwise = [this.#block(next, rest)]
      else otherwise = this.nodes()
    }
    if (this.closing !== 'end') throw new GoTemplateError('unexpected EOF')
    return { type, pipeline, body, otherwise }
  }
}

function parsePipeline(words: readonly string[]): Pipeline {
  const assign = words.findIndex((word) => word === ':=' || word === '=')
  const variables = words.slice(0, Math.max(assign, 0)).filter((word) => word !== ',')
  if (!variables.every((word) => /^\$\w+$/.test(word))) throw new GoTemplateError('expected variables')
  const commands: Operand[][] = [[]]
  for (let at = assign + 1; at < words.length; at++) {
    const word = words[at]!
    if (word === '|') {
      commands.push([])
    } else if (word === '(') {
      const end = closingParenthesis(words, at)
      const inner = parsePipeline(words.slice(at + 1, end))
      const fields = /^\../.test(words[end + 1] ?? '') ? words[end + 1]!.slice(1).split('.') : []
      commands.at(-1)!.push({ type: 'path', of: inner, fields })
      at = fields.length > 0 ? end + 1 : end
    } else commands.at(-1)!.push(operandOf(word))
  }
  if (commands.some((command) => command.length === 0)) throw new GoTemplateError('missing value for command')
  return { commands, variables, declares: words[assign] === ':=' }
}

function closingParenthesis(words: readonly string[], open: number): number {
  let depth = 0
  for (let at = open; at < words.length; at++) {
    if (words[at] === '(') depth++
    if (words[at] === ')' && --depth === 0) return at
  }
  throw new GoTemplateError('unclosed left paren')
}

function operandOf(word: string): Operand {
  if (word === '.') return { type: 'path', of: 'dot', fields: [] }
  if (word.startsWith('.')) return { type: 'path', of: 'dot', fields: word.slice(1).split('.') }
  if (word.startsWith('$')) {
    const [name = '$', ...fields] = word.split('.')
    return { type: 'path', of: name, fields }
  }
  if (word.startsWith('`')) return { type: 'literal', value: word.slice(1, -1) }
  if (word.startsWith('"')) return { type: 'literal', value: unquote(word) }
  if (word.startsWith("'"))
    return { type: 'literal', value: unquote(`"${word.slice(1, -1)}"`).codePointAt(0)! }
  if (/^-?\d/.test(word)) return { type: 'literal', value: Number(word) }
  if (word === 'true' || word === 'false') return { type: 'literal', value: word === 'true' }
  if (word === 'nil') return { type: 'literal', value: null }
  if (/^[A-Za-z_]/.test(word)) return { type: 'function', name: word }
  throw new GoTemplateError(`unexpected "${word}" in operand`)
}

/** A string of Go; its escapes are those of JSON and a few more. */
function unquote(quoted: string): string {
  const escapes: Readonly<Record<string, string>> = {
    n: '\n',
    t: '\t',
    r: '\r',
    a: '\x07',
    b: '\b',
    f: '\f',
    v: '\v',
  }
  return quoted
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g, (_all, byte, unit, one: string) =>
      one === undefined ? String.fromCharCode(Number.parseInt(byte ?? unit, 16)) : (escapes[one] ?? one),
    )
}
