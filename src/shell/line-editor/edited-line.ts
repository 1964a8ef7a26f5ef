// The line that is being edited: characters as a reader sees them (grapheme clusters), a cursor between them, and
// what was killed last. Knows nothing of terminals.

/** Each of its characters is one for a reader, too. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/

export class EditedLine {
  #characters: readonly string[] = []
  #cursor = 0
  #killed = ''
  /** Whether what is killed next belongs to it, because nothing else happened in between. */
  #killing = false

  get text(): string {
    return this.#characters.join('')
  }

  get beforeCursor(): string {
    return this.#characters.slice(0, this.#cursor).join('')
  }

  get afterCursor(): string {
    return this.#characters.slice(this.#cursor).join('')
  }

  get isAtEnd(): boolean {
    return this.#cursor === this.#characters.length
  }

  get isEmpty(): boolean {
    return this.#characters.length === 0
  }

  /** Replaces everything; the cursor goes to the end. */
  set(text: string): void {
    this.#put(text, '')
  }

  insert(text: string): void {
    this.#put(this.beforeCursor + text, this.afterCursor)
  }

  /** Replaces the `count` UTF-16 units before the cursor. */
  replaceBefore(count: number, text: string): void {
    const before = this.beforeCursor
    this.#put(before.slice(0, before.length - count) + text, this.afterCursor)
  }

  move(to: 'left' | 'right' | 'home' | 'end' | 'word-left' | 'word-right'): void {
    const last = this.#characters.length
    const targets = {
      left: this.#cursor - 1,
      right: this.#cursor + 1,
      home: 0,
      end: last,
      'word-left': this.#wordStart(isWordCharacter),
      'word-right': this.#wordEnd(),
    }
    this.#cursor = Math.max(0, Math.min(last, targets[to]))
  }

  backspace(): void {
    if (this.#cursor > 0) this.#remove(this.#cursor - 1, this.#cursor)
  }

  delete(): void {
    this.#remove(this.#cursor, this.#cursor + 1)
  }

  kill(what: 'to-end' | 'to-start' | 'word-left' | 'word-right'): void {
    const [from, to] = {
      'to-end': [this.#cursor, this.#characters.length],
      'to-start': [0, this.#cursor],
      // As readline's unix-word-rubout: words of ^W end at blanks only.
      'word-left': [this.#wordStart((character) => character.trim() !== ''), this.#cursor],
      'word-right': [this.#cursor, this.#wordEnd()],
    }[what] as [number, number]
    if (from >= to) return
    const before = this.#killing ? this.#killed : ''
    const killed = this.#remove(from, to)
    this.#killed = what === 'to-start' || what === 'word-left' ? killed + before : before + killed
    this.#killing = true
  }

  /** Another key came. */
  endKilling(): void {
    this.#killing = false
  }

  yank(): void {
    this.insert(this.#killed)
  }

  /** Exchanges the two characters around the cursor, or before it at the end. */
  transpose(): void {
    const at = this.isAtEnd ? this.#cursor - 1 : this.#cursor
    if (at < 1) return
    const next = [...this.#characters]
    next[at - 1] = this.#characters[at]!
    next[at] = this.#characters[at - 1]!
    this.#characters = next
    this.#cursor = at + 1
  }

  #put(before: string, after: string): void {
    this.#cursor = charactersOf(before).length
    this.#characters = charactersOf(before + after)
  }

  #remove(from: number, to: number): string {
    const removed = this.#characters.slice(from, to).join('')
    this.#characters = [...this.#characters.slice(0, from), ...this.#characters.slice(to)]
    this.#cursor = from
    return removed
  }

  #wordStart(isPart: (character: string) => boolean): number {
    let at = this.#cursor
    while (at > 0 && !isPart(this.#characters[at - 1]!)) at--
    while (at > 0 && isPart(this.#characters[at - 1]!)) at--
    return at
  }

  #wordEnd(): number {
    const last = this.#characters.length
    let at = this.#cursor
    while (at < last && !isWordCharacter(this.#characters[at]!)) at++
    while (at < last && isWordCharacter(this.#characters[at]!)) at++
    return at
  }
}

export function charactersOf(text: string): string[] {
  if (PRINTABLE_ASCII.test(text)) return [...text]
  // Made when it is needed: ICU takes 5 to 20 ms for the first one, which every shell would wait for at its start.
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  return [...segmenter.segment(text)].map(({ segment }) => segment)
}

function isWordCharacter(character: string): boolean {
  return /^[\p{L}\p{N}]/u.test(character)
}
