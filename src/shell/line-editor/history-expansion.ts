// History expansion as bash has it at a terminal (bash's manual, 9.3): `!!`, `!n`, `!-n`, `!string`, `!?string?`, words of
// an event (`!$`, `!^`, `!*`, `:n-m`), modifiers (`:h :t :r :e :s :g :p`), and `^old^new^`. Pure: text and lines in, text out.

/** What became of a line. `onlyShown`: `:p` wants it shown and remembered, but not run. */
export type Expanded =
  | { readonly line: string; readonly changed: boolean; readonly onlyShown: boolean }
  | { readonly error: string }

/** Expands `line` by the lines before it; `first` is the number of the oldest of them. */
export function expandHistory(line: string, lines: readonly string[], first = 1): Expanded {
  const quick = /^\^([^^]+)\^([^^]*)(?:\^(.*))?$/s.exec(line)
  const source = quick === null ? line : `!!:s^${quick[1]}^${quick[2]}^${quick[3] ?? ''}`
  try {
    return new HistoryExpansion(source, lines, first).run()
  } catch (error) {
    if (error instanceof Unknown) return { error: error.message }
    throw error
  }
}

/** An event, a word or a substitution that there is not. */
class Unknown extends Error {}

class HistoryExpansion {
  readonly #source: string
  readonly #lines: readonly string[]
  readonly #first: number
  #at = 0
  #onlyShown = false

  constructor(source: string, lines: readonly string[], first: number) {
    this.#source = source
    this.#lines = lines
    this.#first = first
  }

  run(): Expanded {
    const source = this.#source
    let result = ''
    let changed = false
    let quote = ''
    while (this.#at < source.length) {
      const c = source[this.#at]!
      if (c === '\\') {
        result += source.slice(this.#at, this.#at + 2)
        this.#at += 2
      } else if (c === '!' && quote !== "'" && this.#begins(quote)) {
        if (source[this.#at + 1] !== '#') result += this.#event()
        else {
          // `!#`: the line so far.
          this.#at += 2
          result += result
        }
        changed = true
      } else {
        if (c === quote) quote = ''
        else if (quote === '' && (c === '"' || c === "'")) quote = c
        result += c
        this.#at++
      }
    }
    return { line: result, changed, onlyShown: this.#onlyShown }
  }

  /** `!` before a blank, `=`, `(` and the end of a line or of a quotation is a character like others; `$!` is a pid. */
  #begins(quote: string): boolean {
    const next = this.#source[this.#at + 1] ?? ''
    const before = this.#source[this.#at - 1]
    if (next === '' || /[\s=(]/.test(next) || (quote === '"' && next === '"')) return false
    return !(before === '$' || (before === '{' && this.#source[this.#at - 2] === '$') || before === '[')
  }

  #event(): string {
    const start = this.#at
    const rest = this.#source.slice(start)
    const words = /^!(?=[$^*:])/.exec(rest)
    const match = words ?? /^!(?:!|(-?\d+)|\?([^?\n]+)\??|([^\s:;&|()<>'"$^*!]+))/.exec(rest)
    if (match === null) throw new Unknown(`${rest.split(/\s/)[0]}: event not found`)
    this.#at += match[0].length
    const line = this.#find(match[1], match[2], match[3])
    if (line === undefined) throw new Unknown(`${match[0]}: event not found`)
    return this.#modified(this.#designated(line), start)
  }

  #find(number: string | undefined, held: string | undefined, begun: string | undefined) {
    if (number !== undefined) {
      const value = Number(number)
      return value < 0 ? this.#lines.at(value) : this.#lines[value - this.#first]
    }
    if (held !== undefined) return this.#lines.findLast((line) => line.includes(held))
    return begun === undefined ? this.#lines.at(-1) : this.#lines.findLast((line) => line.startsWith(begun))
  }

  /** The words of the event that are wanted; all of it without a designator. */
  #designated(line: string): string {
    const start = this.#at
    const rest = this.#source.slice(this.#at)
    const match = /^:?([$^*])|^:(\d+)?(?:-(\d+|\$)?|(\*))?(?=[^\w]|$)/.exec(rest)
    if (match === null || (match[0] === ':' && match[1] === undefined)) return line
    this.#at += match[0].length
    const words = wordsOf(line)
    const last = words.length - 1
    const [, sign, from, to, star] = match
    const isRange = match[0].includes('-')
    const begin = sign === '$' ? last : sign === undefined ? Number(from ?? 0) : 1
    const end =
      sign === '^'
        ? 1
        : sign !== undefined || star !== undefined || to === '$'
          ? last
          : isRange
            ? Number(to ?? last - 1)
            : begin
    if (begin > last || end > last) {
      if (sign === '*' || star !== undefined) return ''
      throw new Unknown(`${this.#source.slice(start, this.#at)}: bad word specifier`)
    }
    return words.slice(begin, end + 1).join(' ')
  }

  #modified(text: string, start: number): string {
    let result = text
    for (;;) {
      const match = /^:(?:([htrepqx])|(g?)(?:s(.)((?:\\.|(?!\3).)*)\3((?:\\.|(?!\3).)*)(?:\3|$)))/s.exec(
        this.#source.slice(this.#at),
      )
      if (match === null) return result
      this.#at += match[0].length
      const [, letter, all, , old, next] = match
      if (letter === 'p') this.#onlyShown = true
      else if (letter !== undefined) result = cut(result, letter)
      else {
        if (!result.includes(old!)) {
          throw new Unknown(`${this.#source.slice(start, this.#at)}: substitution failed`)
        }
        const replacement = next!.replaceAll('&', old!)
        result =
          all === 'g' ? result.replaceAll(old!, () => replacement) : result.replace(old!, () => replacement)
      }
    }
  }
}

/** The words of a line as a shell sees them, with their quotes. */
export function wordsOf(line: string): string[] {
  return line.match(/(?:"(?:\\.|[^"])*"?|'[^']*'?|\\.|[^\s"'\\;&|()<>])+|[;&|()<>]+/gs) ?? []
}

function cut(text: string, letter: string): string {
  switch (letter) {
    case 'h':
      return text.replace(/\/[^/]*$/, '')
    case 't':
      return text.slice(text.lastIndexOf('/') + 1)
    case 'r':
      return text.replace(/\.[^./]*$/, '')
    case 'e':
      return /\.[^./]*$/.exec(text)?.[0] ?? text
    default:
      return `'${text.replaceAll("'", "'\\''")}'`
  }
}
