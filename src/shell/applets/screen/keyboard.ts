// Keys and sizes for full-screen programs: a terminal in raw mode, its bytes as named keys, its resizes. What stands
// before it is given back when the program ends.

import { abortable, Wakeup } from '../../../posix/abort.js'
import type { ByteReader, Process } from '../../../posix/process.js'
import type { TerminalControl } from '../../../posix/terminal.js'

/** Escape sequences of xterm and its kin, without ESC. */
const SEQUENCES: Readonly<Record<string, string>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[H': 'home',
  '[F': 'end',
  '[1~': 'home',
  '[4~': 'end',
}

const CONTROL_Z = '\x1a'

/** A key: a character, a name of SEQUENCES, or what else there was to wait for. */
export type KeyEvent = string | 'resize' | 'wake' | 'hang-up'

export class Keyboard {
  readonly terminal: TerminalControl
  readonly #reader: ByteReader
  readonly #process: Process
  /** What is written when the program is stopped and when it goes on, for those with a screen of their own. */
  onSuspend = ''
  onResume = ''
  readonly #wakeup = new Wakeup()
  readonly #endResize: () => void
  readonly #events: KeyEvent[] = []
  readonly #decoder = new TextDecoder()
  #closed = false

  private constructor(process: Process, reader: ByteReader, terminal: TerminalControl) {
    this.#reader = reader
    this.terminal = terminal
    this.#process = process
    terminal.setRaw(true)
    this.#endResize = terminal.onResize(() => this.#put('resize'))
    void this.#listen()
  }

  /** The process' terminal, made raw: that of its input, or of its output when its input is a pipe. */
  static of(process: Process): Keyboard | undefined {
    const { stdin, stdout, stderr } = process
    const reader = [stdin, stdout.keyboard, stderr.keyboard].find((each) => each?.terminal !== undefined)
    return reader?.terminal && new Keyboard(process, reader, reader.terminal)
  }

  async #listen(): Promise<void> {
    try {
      for (let bytes = await this.#reader.read(); bytes !== undefined; bytes = await this.#reader.read()) {
        // The program is over, and these are for whoever reads next.
        if (this.#closed) return this.#reader.unread(bytes)
        for (const key of keysOf(this.#decoder.decode(bytes, { stream: true }))) {
          if (key === CONTROL_Z) await this.#suspend()
          else this.#put(key)
        }
      }
    } catch {
      // The process ends: nobody waits for keys any more.
    }
    this.#put('hang-up')
  }

  /** ^Z: a raw terminal sends no signal, so the program stops itself, with all of its job. */
  async #suspend(): Promise<void> {
    const { stdout, system, group } = this.#process
    await stdout.write(this.onSuspend)
    system.kill(-group, 'SIGTSTP')
    // A stopped process writes nothing: this is done when it goes on.
    await stdout.write(this.onResume)
    this.terminal.setRaw(true)
    this.#put('resize')
  }

  #put(event: KeyEvent): void {
    this.#events.push(event)
    this.#wakeup.wake()
  }

  /** Ends a wait for a key. */
  wake(): void {
    if (!this.#events.includes('wake')) this.#put('wake')
  }

  /** The next key, or what else happened first; undefined when `limit` resolves before that. */
  async next(signal: AbortSignal, limit?: Promise<void>): Promise<KeyEvent | undefined> {
    let isLate = false
    limit?.then(
      () => {
        isLate = true
        this.#wakeup.wake()
      },
      () => {},
    )
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined) return event
      if (isLate) return undefined
      await abortable(this.#wakeup.wait(), signal)
    }
  }

  close(): void {
    this.#closed = true
    this.#endResize()
    this.terminal.setRaw(false)
  }
}

function keysOf(text: string): string[] {
  const keys: string[] = []
  for (let at = 0; at < text.length; ) {
    const sequence =
      text[at] === '\x1b' ? /^(?:\[[\d;]*[A-Za-z~]|O[A-Za-z])/.exec(text.slice(at + 1))?.[0] : undefined
    if (sequence !== undefined) {
      keys.push(SEQUENCES[sequence] ?? 'unknown')
      at += 1 + sequence.length
      continue
    }
    const character = String.fromCodePoint(text.codePointAt(at)!)
    keys.push(character)
    at += character.length
  }
  return keys
}
