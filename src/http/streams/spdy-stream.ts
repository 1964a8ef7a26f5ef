// One stream of a SPDY connection. Bytes that come before anybody listens are kept.

import type { ByteStream } from './byte-stream.js'
import { dataFrame } from './spdy-frame.js'

/** Of one data frame. */
const LARGEST_PIECE = 64 * 1024

/** What a stream asks of its connection. */
export interface StreamCarrier {
  /** Resolves when the bytes are with the system, or the connection is gone. */
  send(frame: Uint8Array): Promise<void>
  /** Bytes came (positive) or were taken (negative). */
  untaken(bytes: number): void
  forget(id: number): void
}

export class SpdyStream implements ByteStream {
  onClose: (() => void) | undefined
  readonly #id: number
  readonly #carrier: StreamCarrier
  readonly #early: Uint8Array[] = []
  #onBytes: ByteStream['onBytes']
  #onEnd: (() => void) | undefined
  #receiveEnded = false
  #sendEnded = false
  #closed = false

  constructor(id: number, carrier: StreamCarrier) {
    this.#id = id
    this.#carrier = carrier
  }

  get onBytes(): ByteStream['onBytes'] {
    return this.#onBytes
  }

  set onBytes(listener: ByteStream['onBytes']) {
    this.#onBytes = listener
    for (const bytes of this.#early.splice(0)) this.#give(bytes)
  }

  get onEnd(): (() => void) | undefined {
    return this.#onEnd
  }

  set onEnd(listener: (() => void) | undefined) {
    this.#onEnd = listener
    if (this.#receiveEnded) listener?.()
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#sendEnded) return
    let sent: Promise<void> | undefined
    for (let at = 0; at < bytes.length; at += LARGEST_PIECE)
      sent = this.#carrier.send(dataFrame(this.#id, bytes.subarray(at, at + LARGEST_PIECE), false))
    await sent
  }

  end(): void {
    if (this.#sendEnded) return
    this.#sendEnded = true
    void this.#carrier.send(dataFrame(this.#id, new Uint8Array(0), true))
    if (this.#receiveEnded) this.#close()
  }

  finish(): void {
    this.end()
    this.#close()
  }

  /** For the connection: bytes came. */
  receive(bytes: Uint8Array): void {
    if (this.#receiveEnded || this.#closed) return
    this.#carrier.untaken(bytes.length)
    if (this.#onBytes === undefined) this.#early.push(bytes)
    else this.#give(bytes)
  }

  /** For the connection: FIN came. */
  receiveEnd(): void {
    if (this.#receiveEnded || this.#closed) return
    this.#receiveEnded = true
    this.#onEnd?.()
    if (this.#sendEnded) this.#close()
  }

  /** For the connection: RST_STREAM came, or the connection is gone. */
  reset(): void {
    if (this.#closed) return
    this.#close()
    this.onClose?.()
  }

  #give(bytes: Uint8Array): void {
    const taken = this.#onBytes?.(bytes)
    const done = () => this.#carrier.untaken(-bytes.length)
    if (taken instanceof Promise) taken.then(done, done)
    else done()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#sendEnded = true
    this.#carrier.forget(this.#id)
    for (const bytes of this.#early.splice(0)) this.#carrier.untaken(-bytes.length)
  }
}
