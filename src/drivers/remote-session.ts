// One exec or attach session as its client holds it. Output that comes before the client listens is kept for it.

import type { RemoteStreams } from '../api/request.js'
import { OutputTaken } from '../pod/output-window.js'
import type { PodCommand, StreamId } from '../pod/protocol.js'

type OutputListener = NonNullable<RemoteStreams['onOutput']>
type ExitListener = NonNullable<RemoteStreams['onExit']>

export class RemoteSession implements RemoteStreams {
  readonly #id: StreamId
  readonly #send: (command: PodCommand) => void
  readonly #early: Parameters<OutputListener>[] = []
  readonly #taken: OutputTaken
  #exit: Parameters<ExitListener>[0] | undefined
  #onOutput: OutputListener | undefined
  #onExit: ExitListener | undefined

  constructor(id: StreamId, send: (command: PodCommand) => void) {
    this.#id = id
    this.#send = send
    this.#taken = new OutputTaken((bytes) => {
      if (this.#exit === undefined) send({ type: 'stream-taken', id, bytes })
    })
  }

  get onOutput(): OutputListener | undefined {
    return this.#onOutput
  }

  set onOutput(listener: OutputListener | undefined) {
    this.#onOutput = listener
    if (listener !== undefined) for (const output of this.#early.splice(0)) this.#give(listener, ...output)
  }

  get onExit(): ExitListener | undefined {
    return this.#onExit
  }

  set onExit(listener: ExitListener | undefined) {
    this.#onExit = listener
    if (listener !== undefined && this.#exit !== undefined) listener(this.#exit)
  }

  write(bytes: Uint8Array): void {
    if (this.#exit === undefined) this.#send({ type: 'stream-input', id: this.#id, bytes: bytes.slice() })
  }

  end(): void {
    if (this.#exit === undefined) this.#send({ type: 'stream-end', id: this.#id })
  }

  resize(columns: number, rows: number): void {
    if (this.#exit === undefined) this.#send({ type: 'stream-resize', id: this.#id, columns, rows })
  }

  close(): void {
    if (this.#exit === undefined) this.#send({ type: 'stream-close', id: this.#id })
  }

  /** Output came from the pod. */
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    if (this.#onOutput !== undefined) this.#give(this.#onOutput, stream, bytes)
    else this.#early.push([stream, bytes])
  }

  /** The session is over; told once. */
  exit(exitCode: number, error?: string): void {
    if (this.#exit !== undefined) return
    this.#exit = error === undefined ? { exitCode } : { exitCode, error }
    this.#onExit?.(this.#exit)
  }

  #give(listener: OutputListener, stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    const taken = listener(stream, bytes)
    const length = bytes.length
    // A client that failed takes no more, but it closes the session itself.
    if (taken instanceof Promise) taken.then(() => this.#taken.add(length)).catch(() => {})
    else this.#taken.add(length)
  }
}
