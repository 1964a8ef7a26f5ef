// Channels in one WebSocket, as Kubernetes has them: the first byte of a message names its channel; in the base64
// forms the first digit of a text message does, and the rest is base64. Whether a client's message is marked as text or
// as binary says nothing: Python's marks what was given to it as a string.

import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'

/** What may have come and not be taken. */
const UNTAKEN_BYTES = 1024 * 1024
/** A socket that is not read does not show that its client is gone; a write to it does. */
const PING_INTERVAL_MS = 1_000
/** How long a client has to take what is left when we close, as `ws` gives it for the closing handshake. */
const CLOSE_TIMEOUT_MS = 30_000
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
  /** The last message that was given to the socket. */
  #sending: Promise<void> = Promise.resolve()

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
    socket.on('message', (data) => this.#message(data))
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

  /** After what was sent. */
  close(code: number, reason?: string): void {
    if (this.#socket.readyState === this.#socket.CLOSED) return
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS)
    this.#socket.once('close', () => clearTimeout(timer))
    void this.#sending.then(() => this.#socket.close(code, reason))
    if (this.#socket.isPaused) this.#socket.resume()
  }

  /**
   * One message after the other, so that none shares a TLS record with another: Python's client polls its TCP socket
   * after each message, and does not see what OpenSSL has read already.
   */
  #send(channel: number, bytes: Uint8Array): Promise<void> {
    const message = this.#base64
      ? `${channel}${Buffer.from(bytes).toString('base64')}`
      : Buffer.concat([Buffer.of(channel), bytes])
    this.#sending = this.#sending.then(() => this.#write(message))
    return this.#sending
  }

  #write(message: string | Buffer): Promise<void> {
    if (!this.#isOpen()) return Promise.resolve()
    return new Promise((resolve) => this.#socket.send(message, { binary: !this.#base64 }, () => resolve()))
  }

  #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  #message(data: RawData): void {
    const message = data as Buffer
    // Nothing but a channel's name opens it; an empty message says nothing.
    if (message.length === 0 || this.#closed) return
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
