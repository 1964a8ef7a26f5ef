// Where the expansion of a word goes, piece by piece: into fields (split by IFS, then matched with file names),
// into one text, or into a pattern. The pieces know whether they were quoted, the sinks know what that means.

import { quotePattern } from './pattern.js'

/** Takes the pieces of a word in order. */
export interface ExpansionSink {
  /** Source text; unquoted text may hold pattern characters. */
  literal(text: string, quoted: boolean): void
  /** The result of an expansion; unquoted, it is split and may be a pattern. */
  expanded(text: string, quoted: boolean): void
  /** Between two positional parameters of `$@`. */
  separate(): void
  /** A pair of quotes: there is a field, even an empty one. */
  quotes(): void
}

/** One argument: its text, and the same as a pattern. */
export interface Field {
  text: string
  pattern: string
}

/** What a pattern of file names is made of. */
const MEANS_SOMETHING = /[\\*?[\]()|!@+]/

/** Field splitting (POSIX 2.6.5). */
export class FieldSink implements ExpansionSink {
  readonly fields: Field[] = []
  #current: Field | undefined
  readonly #ifs: string
  /** The last field was ended by IFS white space, which a delimiter next to it belongs to. */
  #endedByWhitespace = false

  constructor(ifs: string) {
    this.#ifs = ifs
  }

  literal(text: string, quoted: boolean): void {
    if (text !== '') this.#add(text, quoted)
  }

  expanded(text: string, quoted: boolean): void {
    if (quoted) {
      this.literal(text, true)
      return
    }
    let start = 0
    for (let at = 0; at < text.length; at++) {
      const c = text[at]!
      if (!this.#ifs.includes(c)) continue
      if (at > start) this.#add(text.slice(start, at), false)
      start = at + 1
      if (c === ' ' || c === '\t' || c === '\n') this.#endByWhitespace()
      else this.#delimit()
    }
    if (start < text.length) this.#add(text.slice(start), false)
  }

  separate(): void {
    this.#end()
    this.#endedByWhitespace = false
  }

  quotes(): void {
    this.#add('', true)
  }

  finish(): readonly Field[] {
    this.#end()
    return this.fields
  }

  #add(text: string, quoted: boolean): void {
    this.#endedByWhitespace = false
    this.#current ??= { text: '', pattern: '' }
    this.#current.text += text
    this.#current.pattern += quoted && MEANS_SOMETHING.test(text) ? quotePattern(text) : text
  }

  #end(): void {
    if (this.#current !== undefined) this.fields.push(this.#current)
    this.#current = undefined
  }

  #endByWhitespace(): void {
    if (this.#current === undefined) return
    this.#end()
    this.#endedByWhitespace = true
  }

  #delimit(): void {
    if (this.#current === undefined && !this.#endedByWhitespace) this.#add('', true)
    this.#end()
    this.#endedByWhitespace = false
  }
}

/** Everything in one text: assignments, redirections, here-documents. */
export class TextSink implements ExpansionSink {
  text = ''

  literal(text: string): void {
    this.text += text
  }

  expanded(text: string): void {
    this.text += text
  }

  separate(): void {
    this.text += ' '
  }

  quotes(): void {}
}

/** The replacement of `${x/pattern/replacement}`: quoted characters have backslashes, `&` without one is the match. */
export class ReplacementSink implements ExpansionSink {
  text = ''

  literal(text: string, quoted: boolean): void {
    this.text += quoted ? text.replace(/[\\&]/g, '\\$&') : text.replaceAll('\\', '\\\\')
  }

  expanded(text: string, quoted: boolean): void {
    this.text += quoted ? text.replace(/[\\&]/g, '\\$&') : text
  }

  separate(): void {
    this.text += ' '
  }

  quotes(): void {}
}

/** Everything in one pattern in which quoted characters stand for themselves: `case`, `${x#...}`, `[[ == ]]`. */
export class PatternSink implements ExpansionSink {
  pattern = ''

  literal(text: string, quoted: boolean): void {
    this.pattern += quoted ? quotePattern(text) : text
  }

  expanded(text: string, quoted: boolean): void {
    this.literal(text, quoted)
  }

  separate(): void {
    this.pattern += ' '
  }

  quotes(): void {}
}
