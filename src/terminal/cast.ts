// A recording of a terminal as asciinema plays it: asciicast v2 (docs.asciinema.org/manual/asciicast/v2), a header and
// then an event a line - seconds since the start, `o` for output or `r` for a new size, and what it was.

import type { TerminalSize } from '../posix/process.js'

export class CastRecording {
  readonly #write: (text: string) => void
  readonly #seconds: () => number
  /** A character's bytes may come in two pieces. */
  readonly #decoder = new TextDecoder()

  /** `write` gets whole lines; `seconds`: a clock; `unixSeconds`: when the recording begins. */
  constructor(
    options: { readonly size: TerminalSize; readonly title: string; readonly unixSeconds: number },
    seconds: () => number,
    write: (text: string) => void,
  ) {
    const { size, title, unixSeconds } = options
    const start = seconds()
    this.#write = write
    this.#seconds = () => Math.max(0, seconds() - start)
    const header = {
      version: 2,
      width: size.columns,
      height: size.rows,
      timestamp: Math.floor(unixSeconds),
      title,
      env: { TERM: 'xterm-256color', SHELL: '/bin/sh' },
    }
    write(`${JSON.stringify(header)}\n`)
  }

  output(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true })
    if (text !== '') this.#event('o', text)
  }

  resize({ columns, rows }: TerminalSize): void {
    this.#event('r', `${columns}x${rows}`)
  }

  #event(code: 'o' | 'r', data: string): void {
    this.#write(`${JSON.stringify([Number(this.#seconds().toFixed(6)), code, data])}\n`)
  }
}
