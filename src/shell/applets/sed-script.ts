// The script of sed: text to commands. Addresses are numbers, `$`, /regex/, first~step, ranges to numbers, expressions,
// +count and ~multiple, `!`; commands are those of GNU's but e and the flag e of s, which run programs.

import { compileRegularExpression } from '../regular-expression.js'
import { UsageError } from './options.js'

export type SedAddress =
  | { readonly kind: 'line'; readonly line: number }
  | { readonly kind: 'step'; readonly first: number; readonly step: number }
  | { readonly kind: 'last' }
  | { readonly kind: 'match'; readonly expression: RegExp }
  | { readonly kind: 'plus' | 'multiple'; readonly count: number }

export interface SedCommand {
  readonly from: SedAddress | undefined
  readonly to: SedAddress | undefined
  readonly negated: boolean
  readonly name: string
  /** Text of a, i, c; label of b, t, T, `:`; status of q; file of r, R, w, W; width of l. */
  readonly text: string
  readonly substitution: Substitution | undefined
  readonly mapping: ReadonlyMap<string, string> | undefined
  /** For `{`: index of the command after its `}`. */
  end: number
  /** Whether a range with two addresses is being matched; `until` its last line when known. */
  active: boolean
  until: number | undefined
}

export interface Substitution {
  readonly expression: RegExp
  readonly replacement: string
  readonly global: boolean
  readonly print: boolean
  /** Replace only from the Nth match on. */
  readonly occurrence: number
  /** Of the flag w. */
  readonly file: string | undefined
}

/** Parses a script; throws UsageError. */
export function parseSedScript(source: string, extended: boolean): SedCommand[] {
  return new SedParser(source, extended).parse()
}

class SedParser {
  readonly #source: string
  readonly #extended: boolean
  readonly #commands: SedCommand[] = []
  readonly #open: SedCommand[] = []
  #at = 0
  /** An empty expression means the last one. */
  #lastExpression: RegExp | undefined

  constructor(source: string, extended: boolean) {
    this.#source = source
    this.#extended = extended
  }

  parse(): SedCommand[] {
    for (;;) {
      this.#skip(/[\s;]*/y)
      if (this.#at >= this.#source.length) break
      if (this.#source[this.#at] === '#') this.#skip(/[^\n]*/y)
      else this.#command()
    }
    if (this.#open.length > 0) throw new UsageError('unterminated {')
    for (const { name, text } of this.#commands) {
      const isKnown = text === '' || this.#commands.some((other) => other.name === ':' && other.text === text)
      if ('btT'.includes(name) && !isKnown) throw new UsageError(`can't find label for jump to \`${text}'`)
    }
    return this.#commands
  }

  #command(): void {
    const from = this.#address()
    this.#skip(/\s*/y)
    let to: SedAddress | undefined
    if (from !== undefined && this.#source[this.#at] === ',') {
      this.#at++
      this.#skip(/\s*/y)
      to = this.#address()
      if (to === undefined) throw new UsageError('unexpected `,`')
    }
    this.#skip(/\s*/y)
    const negated = this.#source[this.#at] === '!'
    if (negated) this.#skip(/[!\s]*/y)
    const name = this.#source[this.#at++]
    if (name === undefined) throw new UsageError('missing command')
    const base = { from, to, negated, name, end: 0, active: false, until: undefined }
    const plain = { text: '', substitution: undefined, mapping: undefined }
    if (name === '}') {
      const group = this.#open.pop()
      if (group === undefined) throw new UsageError('unexpected }')
      group.end = this.#commands.length
      return
    }
    if (name === 's') this.#commands.push({ ...base, ...plain, substitution: this.#substitution() })
    else if (name === 'y') this.#commands.push({ ...base, ...plain, mapping: this.#mapping() })
    else if ('aic'.includes(name)) this.#commands.push({ ...base, ...plain, text: this.#text() })
    else if (':btTqQlL'.includes(name))
      this.#commands.push({ ...base, ...plain, text: this.#skip(/[^\n;}]*/y).trim() })
    else if ('rRwW'.includes(name)) {
      const text = this.#skip(/[^\n]*/y).trim()
      if (text === '') throw new UsageError('missing filename in r/R/w/W commands')
      this.#commands.push({ ...base, ...plain, text })
    } else if ('=dDgGhHnNpPxzF{'.includes(name)) this.#commands.push({ ...base, ...plain })
    else throw new UsageError(name === 'e' ? 'command e is not supported' : `unsupported command ${name}`)
    if (name === '{') this.#open.push(this.#commands.at(-1)!)
  }

  #address(): SedAddress | undefined {
    const number = this.#skip(/\d+/y)
    if (number !== '') {
      if (this.#source[this.#at] !== '~') return { kind: 'line', line: Number(number) }
      this.#at++
      return { kind: 'step', first: Number(number), step: Number(this.#skip(/\d+/y)) }
    }
    const c = this.#source[this.#at]
    if (c === '+' || c === '~') {
      this.#at++
      return { kind: c === '+' ? 'plus' : 'multiple', count: Number(this.#skip(/\d+/y)) }
    }
    if (c === '$') {
      this.#at++
      return { kind: 'last' }
    }
    if (c !== '/' && c !== '\\') return undefined
    this.#at += c === '\\' ? 2 : 1
    const source = this.#delimited(c === '\\' ? this.#source[this.#at - 1]! : '/')
    const flags = flagsOf(this.#skip(/[IM]*/y))
    return { kind: 'match', expression: this.#expression(source, flags) }
  }

  #expression(source: string, flags: string): RegExp {
    if (source === '') {
      if (this.#lastExpression === undefined) throw new UsageError('no previous regexp')
      return new RegExp(this.#lastExpression.source, `${flags}s`)
    }
    try {
      this.#lastExpression = compileRegularExpression(source, this.#extended, `${flags}s`)
    } catch (error) {
      throw new UsageError(`bad regex '${source}': ${(error as Error).message}`)
    }
    return this.#lastExpression
  }

  #substitution(): Substitution {
    const delimiter = this.#source[this.#at++] ?? ''
    const source = this.#delimited(delimiter)
    const replacement = this.#delimited(delimiter, false)
    const flags = this.#skip(/[gpiImM\d]*/y)
    const file = this.#skip(/w[^\n]*/y)
      .slice(1)
      .trim()
    const odd = this.#skip(/[^\s;}#]/y)
    if (odd !== '')
      throw new UsageError(odd === 'e' ? 'flag e of s is not supported' : "unknown option to `s'")
    const expression = this.#expression(source, `g${flagsOf(flags)}`)
    const groups = new RegExp(`${expression.source}|`).exec('')!.length - 1
    const highest = Math.max(
      0,
      ...[...replacement.matchAll(/\\(?:([1-9])|[\s\S])/g)].map(([, digit]) => Number(digit ?? 0)),
    )
    if (highest > groups) throw new UsageError(`invalid reference \\${highest} on \`s' command's RHS`)
    return {
      expression,
      file: file === '' ? undefined : file,
      replacement,
      global: flags.includes('g'),
      print: flags.includes('p'),
      occurrence: Number(/\d+/.exec(flags)?.[0] ?? 1),
    }
  }

  #mapping(): ReadonlyMap<string, string> {
    const delimiter = this.#source[this.#at++] ?? ''
    const plain = (text: string) => [
      ...text.replace(/\\(.)/g, (_, c: string) => ({ n: '\n', t: '\t' })[c] ?? c),
    ]
    const [from, to] = [plain(this.#delimited(delimiter, false)), plain(this.#delimited(delimiter, false))]
    if (from.length !== to.length) throw new UsageError('strings for y command are different lengths')
    return new Map(from.map((c, at) => [c, to[at]!]))
  }

  /** `a text`, `a\` and the text on the next line; a backslash at a line's end continues it. */
  #text(): string {
    this.#skip(/[ \t]*(\\(\n|$))?[ \t]*/y)
    if (this.#at >= this.#source.length) throw new UsageError("expected \\ after `a', `c' or `i'")
    const text = this.#skip(/(?:\\[\s\S]|[^\n\\])*/y)
    return text.replace(/\\([\s\S])/g, '$1')
  }

  /** Up to the unescaped delimiter, which is stepped over; an escaped delimiter loses its backslash. */
  #delimited(delimiter: string, brackets = true): string {
    let text = ''
    for (; this.#at < this.#source.length; this.#at++) {
      const c = this.#source[this.#at]!
      if (c === '\\') {
        const next = this.#source[++this.#at] ?? ''
        text += next === delimiter ? (brackets || next !== '&' ? next : '\\&') : `\\${next}`
      } else if (c === '[' && brackets) {
        const bracket = this.#bracket()
        text += bracket
        this.#at += bracket.length - 1
      } else if (c === delimiter) {
        this.#at++
        return text
      } else text += c
    }
    throw new UsageError(`unterminated \`s' command`)
  }

  /** A bracket expression, in which the delimiter is an ordinary character; `[` alone when it is none. */
  #bracket(): string {
    return /^\[\^?\]?(?:\[:[a-z]+:\]|[^\]\n])*\]/.exec(this.#source.slice(this.#at))?.[0] ?? '['
  }

  #skip(expression: RegExp): string {
    expression.lastIndex = this.#at
    const text = expression.exec(this.#source)?.[0] ?? ''
    this.#at += text.length
    return text
  }
}

/** Flags of an expression: I for any case, M for `^` and `$` at every line. */
function flagsOf(text: string): string {
  return `${/i/i.test(text) ? 'i' : ''}${/m/i.test(text) ? 'm' : ''}`
}
