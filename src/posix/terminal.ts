// A terminal between a client (kubectl -it, a walkthrough, later a browser) and a process: the small part of a
// kernel's line discipline that programs rely on - echo and line editing while not raw, ^C, ^Z, ^\ and ^D, and
// "\n" as "\r\n" on output (ONLCR). Simplified: no XON/XOFF, no column count for tabs.

import { Wakeup } from './abort.js'
import { toBytes } from './pipe.js'
import type { ByteReader, ByteWriter, SignalName, TerminalSize } from './process.js'

const CONTROL_C = 3
const CONTROL_D = 4
const BACKSPACE = 8
const TAB = 9
const NEWLINE = 10
const RETURN = 13
const CONTROL_U = 21
const CONTROL_W = 23
const CONTROL_Z = 26
const CONTROL_BACKSLASH = 28
const SPACE = 32
const DELETE = 127

/** Typed and not read: more waits. Unlike Linux, which drops what does not fit into its 4096 bytes. */
const UNREAD_BYTES = 65_536

/** What a program may ask of its terminal: termios' raw mode, its size (TIOCGWINSZ), and SIGWINCH. */
export interface TerminalControl extends TerminalSize {
  /** Raw: bytes pass as they are, without echo or signals. What was typed so far of a line is handed over. */
  setRaw(on: boolean): void
  readonly isRaw: boolean
  /** Whether what is typed is shown, while not raw (termios' ECHO). */
  echo: boolean
  /** The process group that may read, as tcsetpgrp sets it; undefined where no shell controls jobs. */
  foreground: number | undefined
  /** Hears of every change of the size; the returned function ends it. */
  onResize(listener: () => void): () => void
}

export class Terminal implements TerminalControl {
  readonly reader: ByteReader
  readonly writer: ByteWriter
  columns: number
  rows: number
  foreground: number | undefined
  echo = true
  #raw = false
  readonly #resizeListeners = new Set<() => void>()
  /** Output towards the client, echo included. A promise holds writers back until the client has room. */
  onOutput: (bytes: Uint8Array) => Promise<void> | undefined = () => undefined
  /** Signal for the foreground process. */
  onSignal: (signal: SignalName) => void = () => {}
  #line: number[] = []
  #ready: Uint8Array[] = []
  #hungUp = false
  readonly #readable = new Wakeup()
  readonly #taken = new Wakeup()

  constructor(columns = 80, rows = 24) {
    this.columns = columns
    this.rows = rows
    const terminal = this
    this.reader = {
      isTTY: true,
      terminal,
      read: () => this.#read(),
      unread: (bytes) => {
        if (bytes.length === 0) return
        this.#ready.unshift(bytes)
        this.#readable.wake()
      },
    }
    this.writer = {
      isTTY: true,
      keyboard: this.reader,
      get columns() {
        return terminal.columns
      },
      write: async (content) => this.onOutput(withReturns(toBytes(content))),
    }
  }

  /** Bytes typed by the client; a promise when programs should read first. */
  input(bytes: Uint8Array): Promise<void> | undefined {
    // Of no bytes would become the end of input.
    if (this.#raw && bytes.length > 0) this.#deliver(bytes.slice())
    else for (const byte of bytes) this.#typed(byte)
    return this.#full() ? this.#room() : undefined
  }

  /** The client is gone: readers see the end. */
  hangUp(): void {
    this.#hungUp = true
    this.#taken.wake()
    this.#readable.wake()
  }

  resize(columns: number, rows: number): void {
    this.columns = columns
    this.rows = rows
    for (const listener of this.#resizeListeners) listener()
  }

  get isRaw(): boolean {
    return this.#raw
  }

  setRaw(on: boolean): void {
    if (on === this.#raw) return
    this.#raw = on
    if (!on) this.#makeLines()
    else if (this.#line.length > 0) this.#endLine()
  }

  /** What came raw and was not read is lines again; it is not echoed any more. */
  #makeLines(): void {
    const typed = this.#ready.splice(0)
    for (const byte of typed.flatMap((bytes) => [...bytes])) {
      this.#line.push(byte === RETURN ? NEWLINE : byte)
      if (byte === RETURN || byte === NEWLINE) this.#endLine()
    }
  }

  onResize(listener: () => void): () => void {
    this.#resizeListeners.add(listener)
    return () => this.#resizeListeners.delete(listener)
  }

  #typed(byte: number): void {
    switch (byte) {
      case RETURN:
      case NEWLINE:
        this.#echo([NEWLINE])
        this.#line.push(NEWLINE)
        this.#endLine()
        return
      case CONTROL_C:
      case CONTROL_Z:
      case CONTROL_BACKSLASH:
        this.#echo([0x5e, byte + 0x40, NEWLINE])
        this.#line = []
        this.onSignal(byte === CONTROL_C ? 'SIGINT' : byte === CONTROL_Z ? 'SIGTSTP' : 'SIGQUIT')
        return
      case CONTROL_D:
        this.#endLine()
        return
      case BACKSPACE:
      case DELETE:
        this.#erase()
        return
      case CONTROL_U:
        while (this.#line.length > 0) this.#erase()
        return
      case CONTROL_W:
        while (this.#line.at(-1) === SPACE) this.#erase()
        while (this.#line.length > 0 && this.#line.at(-1) !== SPACE) this.#erase()
        return
      default:
        this.#line.push(byte)
        // Control characters are shown as ^X, except the tab (ECHOCTL).
        this.#echo(byte < SPACE && byte !== TAB ? [0x5e, byte + 0x40] : [byte])
    }
  }

  /** Removes the last character, all bytes of its UTF-8 form. */
  #erase(): void {
    if (this.#line.length === 0) return
    let byte = this.#line.pop()!
    while ((byte & 0xc0) === 0x80 && this.#line.length > 0) byte = this.#line.pop()!
    const rubOut = [BACKSPACE, SPACE, BACKSPACE]
    // A control character was shown as two.
    this.#echo(byte < SPACE && byte !== TAB ? [...rubOut, ...rubOut] : rubOut)
  }

  /** Hands the line over; an empty one (^D at the start of a line) is the end of input. */
  #endLine(): void {
    this.#deliver(Uint8Array.from(this.#line))
    this.#line = []
  }

  #echo(bytes: readonly number[]): void {
    if (!this.echo) return
    this.onOutput(withReturns(Uint8Array.from(bytes)))
  }

  #full(): boolean {
    return !this.#hungUp && this.#ready.reduce((sum, { length }) => sum + length, 0) > UNREAD_BYTES
  }

  async #room(): Promise<void> {
    while (this.#full()) await this.#taken.wait()
  }

  #deliver(bytes: Uint8Array): void {
    this.#ready.push(bytes)
    this.#readable.wake()
  }

  async #read(): Promise<Uint8Array | undefined> {
    while (this.#ready.length === 0) {
      if (this.#hungUp) return undefined
      await this.#readable.wait()
    }
    const bytes = this.#ready.shift()!
    this.#taken.wake()
    return bytes.length === 0 ? undefined : bytes
  }
}

/** ONLCR: every "\n" becomes "\r\n". */
function withReturns(bytes: Uint8Array): Uint8Array {
  let newlines = 0
  for (const byte of bytes) if (byte === NEWLINE) newlines++
  if (newlines === 0) return bytes.slice()
  const out = new Uint8Array(bytes.length + newlines)
  let at = 0
  for (const byte of bytes) {
    if (byte === NEWLINE) out[at++] = RETURN
    out[at++] = byte
  }
  return out
}
