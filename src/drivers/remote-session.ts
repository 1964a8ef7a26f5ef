// One exec or attach session or one forwarded connection as its client holds it. It begins when the client listens for
// its end; output that comes before the client listens for output is kept for it.

import type { ForwardStreams, RemoteStreams } from '../api/request.js'
import type { PodCommand, StreamId } from '../pod/protocol.js'
import { StreamTaken, StreamWindow } from '../pod/stream-window.js'

type OutputListener = NonNullable<RemoteStreams['onOutput']>
type ExitListener = NonNullable<RemoteStreams['onExit']>

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export interface SessionLink {
  readonly id: StreamId
  readonly send: (command: PodCommand) => void
  /** Called once, when the session begins; it may end it at once. */
  readonly begin: (size: TerminalSize | undefined) => void
}

export class RemoteSession implements RemoteStreams, ForwardStreams {
  readonly #link: SessionLink
  readonly #early: Parameters<OutputListener>[] = []
  readonly #taken: StreamTaken
  readonly #window = new StreamWindow()
  #state: 'new' | 'open' | 'over' = 'new'
  #size: TerminalSize | undefined
  #exit: Parameters<ExitListener>[0] | undefined
  #outputEnded = false
  #onOutput: OutputListener | undefined
  #onOutputEnd: (() => void) | undefined
  #onExit: ExitListener | undefined

  constructor(link: SessionLink) {
    this.#link = link
    this.#taken = new StreamTaken((bytes) => this.#send({ type: 'stream-taken', id: link.id, bytes }))
  }

  get onOutput(): OutputListener | undefined {
    return this.#onOutput
  }

  set onOutput(listener: OutputListener | undefined) {
    this.#onOutput = listener
    if (listener !== undefined) for (const output of this.#early.splice(0)) this.#give(listener, ...output)
  }

  get onOutputEnd(): (() => void) | undefined {
    return this.#onOutputEnd
  }

  set onOutputEnd(listener: (() => void) | undefined) {
    this.#onOutputEnd = listener
    if (this.#outputEnded) listener?.()
  }

  get onExit(): ExitListener | undefined {
    return this.#onExit
  }

  set onExit(listener: ExitListener | undefined) {
    this.#onExit = listener
    if (listener === undefined) return
    if (this.#state === 'new') {
      this.#state = 'open'
      this.#link.begin(this.#size)
    } else if (this.#exit !== undefined) listener(this.#exit)
  }

  write(bytes: Uint8Array): unknown {
    this.#window.sent(bytes.length)
    this.#send({ type: 'stream-input', id: this.#link.id, bytes: bytes.slice() })
    return this.#state === 'over' ? undefined : this.#window.room()
  }

  end(): void {
    this.#send({ type: 'stream-end', id: this.#link.id })
  }

  resize(columns: number, rows: number): void {
    if (this.#state === 'new') this.#size = { columns, rows }
    else this.#send({ type: 'stream-resize', id: this.#link.id, columns, rows })
  }

  close(): void {
    this.#send({ type: 'stream-close', id: this.#link.id })
    if (this.#state === 'new') this.#state = 'over'
    this.#window.open()
  }

  /** Output came from the pod. */
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    if (this.#onOutput !== undefined) this.#give(this.#onOutput, stream, bytes)
    else this.#early.push([stream, bytes])
  }

  /** No more output comes. */
  outputEnd(): void {
    if (this.#outputEnded) return
    this.#outputEnded = true
    this.#onOutputEnd?.()
  }

  /** The pod has taken input. */
  inputTaken(bytes: number): void {
    this.#window.taken(bytes)
  }

  /** The session is over; told once. */
  exit(exitCode: number, error?: string): void {
    if (this.#exit !== undefined) return
    this.#state = 'over'
    this.#window.open()
    this.#exit = error === undefined ? { exitCode } : { exitCode, error }
    this.#onExit?.(this.#exit)
  }

  #send(command: PodCommand): void {
    if (this.#state === 'open') this.#link.send(command)
  }

  #give(listener: OutputListener, stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    const taken = listener(stream, bytes)
    const length = bytes.length
    // A client that failed takes no more, but it closes the session itself.
    if (taken instanceof Promise) taken.then(() => this.#taken.add(length)).catch(() => {})
    else this.#taken.add(length)
  }
}
