// Bytes of a terminal as keys: UTF-8 characters, control characters, and the escape sequences that xterm and its
// kin send (ECMA-48 CSI and SS3). One byte after the other, so that what follows a key can stay unread.

/** What a key means to a line editor that has emacs' keys, as readline and ash have by default. */
export type Command =
  | 'left'
  | 'right'
  | 'up'
  | 'down'
  | 'home'
  | 'end'
  | 'word-left'
  | 'word-right'
  | 'backspace'
  | 'delete'
  | 'kill-to-end'
  | 'kill-to-start'
  | 'kill-word-left'
  | 'kill-word-right'
  | 'yank'
  | 'transpose'
  | 'clear'
  | 'complete'
  | 'search'
  | 'abort'
  | 'last-argument'
  | 'enter'
  | 'interrupt'
  | 'end-of-input'

export type Key = { readonly text: string } | { readonly command: Command }

const ESCAPE = 0x1b

const CONTROLS: Readonly<Record<number, Command>> = {
  1: 'home',
  2: 'left',
  3: 'interrupt',
  4: 'end-of-input',
  5: 'end',
  6: 'right',
  7: 'abort',
  8: 'backspace',
  9: 'complete',
  10: 'enter',
  11: 'kill-to-end',
  12: 'clear',
  13: 'enter',
  14: 'down',
  16: 'up',
  18: 'search',
  20: 'transpose',
  21: 'kill-to-start',
  23: 'kill-word-left',
  25: 'yank',
  127: 'backspace',
}

/** After ESC; `[` and `O` begin the same keys in the two modes of a terminal's cursor keys. */
const SEQUENCES: Readonly<Record<string, Command>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  '[H': 'home',
  '[F': 'end',
  '[1~': 'home',
  '[3~': 'delete',
  '[4~': 'end',
  '[7~': 'home',
  '[8~': 'end',
  '[1;5C': 'word-right',
  '[1;5D': 'word-left',
  '[1;3C': 'word-right',
  '[1;3D': 'word-left',
  b: 'word-left',
  f: 'word-right',
  d: 'kill-word-right',
  '.': 'last-argument',
  _: 'last-argument',
  '\x7f': 'kill-word-left',
  '\b': 'kill-word-left',
}

/** What a terminal puts around pasted text when it was asked to (bracketed paste), after ESC. */
const PASTE_BEGIN = '[200~'
const PASTE_END = '\x1b[201~'
const PASTE_LAST = 0x7e

export class KeyDecoder {
  /** Pasted text that has not ended. */
  #pasted: string | undefined
  /** What came of an escape sequence, without ESC; undefined outside of one. */
  #sequence: string | undefined
  #utf8 = new TextDecoder()

  /** The key that `byte` completes; undefined while there is none, or for one without a meaning. */
  push(byte: number): Key | undefined {
    if (this.#pasted !== undefined) {
      const character = this.#utf8.decode(Uint8Array.of(byte), { stream: true })
      return this.#paste(this.#pasted + character, byte)
    }
    if (this.#sequence !== undefined) return this.#continue(this.#sequence + String.fromCharCode(byte))
    if (byte === ESCAPE) {
      this.#sequence = ''
      return undefined
    }
    if (byte < 0x20 || byte === 0x7f) {
      const command = CONTROLS[byte]
      return command && { command }
    }
    const text = this.#utf8.decode(Uint8Array.of(byte), { stream: true })
    return text === '' ? undefined : { text }
  }

  /** All that was pasted is one key: its newlines do not end the line. */
  #paste(text: string, byte: number): Key | undefined {
    const ended = byte === PASTE_LAST && text.endsWith(PASTE_END)
    this.#pasted = ended ? undefined : text
    return ended ? { text: text.slice(0, -PASTE_END.length).replace(/\r\n?/g, '\n') } : undefined
  }

  #continue(sequence: string): Key | undefined {
    // CSI: parameters and intermediates, then a final byte from @ to ~. SS3: one byte. Anything else: Meta and a key.
    const unfinished = /^(\[[0-?]*[ -/]*|O)$/.test(sequence)
    this.#sequence = unfinished ? sequence : undefined
    if (unfinished) return undefined
    if (sequence === PASTE_BEGIN) this.#pasted = ''
    const command = SEQUENCES[sequence.replace(/^O/, '[')]
    return command && { command }
  }
}
