// Channels in one WebSocket, as Kubernetes has them: the first byte of a message names its channel; in the base64
// forms the first digit of a text message does, and the rest is base64.

import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'

/** What may have come and not be taken. */
const UNTAKEN_BYTES = 1024 * 1024
/** A socket that is not read does not show that its client is gone; a write to it does. */
const PING_INTERVAL_MS = 1_000
/** Of one message: what clients' buffers are made for. */
const LARGEST_PIECE = 32 * 1024

export class ChannelSocket {
  /** When it returns a promise, the bytes count as taken once that has settled. */
  onMessage: ((channel: number, bytes: Uint8Array) => unknown) | undefined
  /** Called once, after the last message. */
  onClose: (() => void) | undefined
  readonly #socket: WebSocket
  readonly #base64: boolean
  #untaken = 0
  #closed = false

  constructor(socket: WebSocket, transport: Duplex, base64: boolean) {
    this.#socket = socket
    this.#base64 = base64
    const pings = setInterval(() => this.#isOpen() && socket.isPaused && socket.ping(), PING_INTERVAL_MS)
    pings.unref()
    const closed = () => {
      if (this.#closed) return
      this.#closed = true
      clearInterval(pings)
      this.onClose?.()
    }
    socket.on('message', (data, isBinary) => this.#message(data, isBinary))
    // The client broke the protocol: ws closes with the code that says how.
    socket.on('error', () => {})
    socket.on('close', closed)
    transport.on('close', closed)
  }

  /** Resolves when the bytes are with the system, or the client is gone. */
  async send(channel: number, bytes: Uint8Array): Promise<void> {
    // All at once, so that what is sent next comes behind it.
    let sent = this.#send(channel, bytes.subarray(0, LARGEST_PIECE))
    for (let at = LARGEST_PIECE; at < bytes.length; at += LARGEST_PIECE)
      sent = this.#send(channel, bytes.subarray(at, at + LARGEST_PIECE))
    await sent
  }

  close(code: number, reason?: string): void {
    this.#socket.close(code, reason)
    if (this.#socket.isPaused) this.#socket.resume()
  }

  #send(channel: number, bytes: Uint8Array): Promise<void> {
    if (!this.#isOpen()) return Promise.resolve()
    const message = this.#base64
      ? `${channel}${Buffer.from(bytes).toString('base64')}`
      : Buffer.concat([Buffer.of(channel), bytes])
    return new Promise((resolve) => this.#socket.send(message, { binary: !this.#base64 }, () => resolve()))
  }

  #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  #message(data: RawData, isBinary: boolean): void {
    const message = data as Buffer
    // Nothing but a channel's name opens it; an empty message says nothing.
    if (message.length === 0 || this.#closed) return
    if (!this.#base64 && !isBinary) return this.close(1003, 'messages have to be binary')
    const channel = this.#base64 ? message[0]! - 0x30 : message[0]!
    const bytes = this.#base64 ? Buffer.from(message.toString('latin1', 1), 'base64') : message.subarray(1)
    const taken = this.onMessage?.(channel, bytes)
    if (!(taken instanceof Promise)) return
    this.#untaken += bytes.length
    if (this.#untaken > UNTAKEN_BYTES) this.#socket.pause()
    const done = () => {
      this.#untaken -= bytes.length
      if (this.#untaken <= UNTAKEN_BYTES && this.#socket.isPaused) this.#socket.resume()
    }
    taken.then(done, done)
  }
}
