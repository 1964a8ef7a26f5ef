// One who looks at a terminal session. Output goes to it as the program writes it, while its terminal is as large as the
// session; a larger one is painted, because bytes would wrap elsewhere there. One that does not read holds the program
// up for a moment, and then misses output: when it reads again it gets the screen anew.

import type { RemoteStreams } from '../api/request.js'
import type { TerminalSize } from '../posix/process.js'
import type { Screen } from './screen.js'

/** What may be on its way to a client before the program waits for it. */
const MOST_PENDING_BYTES = 256 * 1024
/** How long the program waits for a client. */
const PATIENCE_MS = 1_000
/** Between two paintings: 15 a second. */
const PAINT_MS = 66
const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 }
const encoder = new TextEncoder()

/** How the program ended. */
export type Exit = Parameters<NonNullable<RemoteStreams['onExit']>>[0]

/** The session as its clients know it. */
export interface SharedTerminal {
  readonly screen: Screen
  join(client: SessionClient): void
  leave(client: SessionClient): void
  resized(client: SessionClient): void
  input(bytes: Uint8Array): unknown
}

export class SessionClient implements RemoteStreams {
  onOutput: RemoteStreams['onOutput']
  size = DEFAULT_SIZE
  readonly #session: SharedTerminal
  #onExit: RemoteStreams['onExit']
  #exit: Exit | undefined
  #state: 'new' | 'joining' | 'live' | 'over' = 'new'
  #pendingBytes = 0
  #missesOutput = false
  #waiting: { readonly room: Promise<void>; readonly end: () => void } | undefined
  #isPainted = false
  #painter: NodeJS.Timeout | undefined

  constructor(session: SharedTerminal) {
    this.#session = session
  }

  get onExit(): RemoteStreams['onExit'] {
    return this.#onExit
  }

  /** The client joins with the size that it has told by then. */
  set onExit(listener: RemoteStreams['onExit']) {
    this.#onExit = listener
    if (listener === undefined) return
    if (this.#exit !== undefined) listener(this.#exit)
    else if (this.#state === 'new') {
      this.#state = 'joining'
      this.#session.join(this)
    }
  }

  write(bytes: Uint8Array): unknown {
    return this.#state === 'over' ? undefined : this.#session.input(bytes)
  }

  /** Others may go on typing. */
  end(): void {}

  resize(columns: number, rows: number): void {
    this.size = { columns, rows }
    if (this.#state === 'joining' || this.#state === 'live') this.#session.resized(this)
  }

  close(): void {
    if (this.#state === 'over') return
    this.#end()
    this.#session.leave(this)
  }

  /** From now on output goes to it. `before`: what the session has shown so far, unless nothing. */
  begin(isShown: boolean): void {
    if (this.#state !== 'joining') return
    this.#state = 'live'
    this.#isPainted = !this.#fits()
    if (this.#isPainted || isShown) this.#showAll()
  }

  /** Bytes that are on the session's screen; a promise when the program should wait. */
  output(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#state !== 'live' || this.#missesOutput) return undefined
    if (this.#isPainted) this.#paintSoon()
    else this.#send(bytes)
    return this.#room()
  }

  /** The session has another size. */
  fit(): void {
    if (this.#state !== 'live') return
    const wasPainted = this.#isPainted
    this.#isPainted = !this.#fits()
    if (this.#isPainted || wasPainted) this.#showAll()
  }

  exit(exit: Exit): void {
    if (this.#state === 'over') return
    if (this.#painter !== undefined) this.#paint()
    this.#end()
    this.#exit = exit
    this.#onExit?.(exit)
  }

  #end(): void {
    this.#state = 'over'
    clearTimeout(this.#painter)
    this.#waiting?.end()
  }

  #fits(): boolean {
    const { screen } = this.#session
    return this.size.columns === screen.columns && this.size.rows === screen.rows
  }

  /** What the client's terminal showed before goes to its scrollback. */
  #showAll(): void {
    const clear = `\x1b[?1047l\x1b[0m${'\r\n'.repeat(this.size.rows)}\x1b[H\x1b[J`
    if (this.#isPainted) this.#send(encoder.encode(clear + this.#session.screen.painting()))
    else this.#send(encoder.encode(clear + this.#session.screen.snapshot()))
  }

  #paintSoon(): void {
    this.#painter ??= setTimeout(() => this.#paint(), PAINT_MS)
  }

  #paint(): void {
    clearTimeout(this.#painter)
    this.#painter = undefined
    // One that is slow is painted when it has taken what it got.
    if (this.#pendingBytes > 0) return this.#paintSoon()
    this.#send(encoder.encode(this.#session.screen.painting()))
  }

  #send(bytes: Uint8Array): void {
    const taken = this.onOutput?.('stdout', bytes)
    if (!(taken instanceof Promise)) return
    this.#pendingBytes += bytes.length
    const done = () => this.#taken(bytes.length)
    // A client that failed is told to have gone by its connection.
    taken.then(done, done)
  }

  #taken(bytes: number): void {
    this.#pendingBytes -= bytes
    if (this.#state === 'over' || this.#pendingBytes > MOST_PENDING_BYTES / 2) return
    this.#waiting?.end()
    if (!this.#missesOutput || this.#pendingBytes > 0) return
    this.#session.screen.whenShown(() => {
      if (!this.#missesOutput || this.#state === 'over') return
      this.#missesOutput = false
      this.#showAll()
    })
  }

  #room(): Promise<void> | undefined {
    if (this.#pendingBytes <= MOST_PENDING_BYTES) return undefined
    this.#waiting ??= this.#wait()
    return this.#waiting.room
  }

  #wait(): { readonly room: Promise<void>; readonly end: () => void } {
    let resolve: () => void = () => {}
    const room = new Promise<void>((settle) => {
      resolve = settle
    })
    const end = () => {
      clearTimeout(timer)
      this.#waiting = undefined
      resolve()
    }
    const timer = setTimeout(() => {
      this.#missesOutput = true
      end()
    }, PATIENCE_MS)
    return { room, end }
  }
}
