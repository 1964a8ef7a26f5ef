// A closed-loop load client on a stack's own sockets: a fixed number of connections, each of which sends its next
// request when the answer to the last one is whole. HTTP by GET, with keep-alive or with a connection for each request.

import type { TcpSocket } from '../../src/stack/socket.js'
import type { Stack } from '../../src/stack/stack.js'
import type { Endpoint } from '../../src/wire/address.js'

export interface LoadOptions {
  readonly to: Endpoint
  readonly connections: number
  readonly keepAlive: boolean
}

export class LoadClient {
  readonly #stack: Stack
  readonly #options: LoadOptions
  readonly #request: Uint8Array
  readonly #into = new Uint8Array(64 * 1024)
  readonly #idle: Exchange[] = []
  #left = 0
  #unanswered = 0
  #finished: () => void = () => {}
  #failed: (error: Error) => void = () => {}

  constructor(stack: Stack, options: LoadOptions) {
    this.#stack = stack
    this.#options = options
    const fields = ['Host: web', options.keepAlive ? 'Connection: keep-alive' : 'Connection: close']
    this.#request = new TextEncoder().encode(`GET / HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`)
  }

  /** Asks `requests` times; connections of keep-alive stay open for the next call. */
  run(requests: number): Promise<void> {
    this.#left = requests
    this.#unanswered = requests
    const done = new Promise<void>((resolve, reject) => {
      this.#finished = resolve
      this.#failed = reject
    })
    for (const exchange of this.#idle.splice(0)) this.#next(exchange)
    while (this.#open < this.#options.connections && this.#left > 0) this.#connect()
    return done
  }

  #open = 0

  #connect(): void {
    this.#open++
    this.#left--
    const socket = this.#stack.tcpConnect(this.#options.to)
    socket.setNoDelay(true)
    const exchange: Exchange = { socket, sent: false, missing: undefined }
    socket.onReady = () => this.#ready(exchange)
  }

  #ready(exchange: Exchange): void {
    const { socket } = exchange
    if (socket.error !== undefined) return this.#failed(socket.error)
    if (socket.state === 'SYN-SENT') return
    if (!exchange.sent) this.#send(exchange)
    for (let n = socket.readInto(this.#into); n > 0; n = socket.readInto(this.#into)) {
      if (exchange.missing === undefined) exchange.missing = answerLength(this.#into, n)
      exchange.missing -= n
      if (exchange.missing > 0) continue
      this.#answered(exchange)
      return
    }
    if (socket.ended) this.#failed(new Error('the server ended the connection'))
  }

  #answered(exchange: Exchange): void {
    this.#unanswered--
    if (!this.#options.keepAlive) {
      exchange.socket.close()
      this.#open--
      if (this.#left > 0) this.#connect()
    } else if (this.#left > 0) {
      this.#next(exchange)
    } else {
      this.#idle.push(exchange)
    }
    if (this.#unanswered === 0) this.#finished()
  }

  #next(exchange: Exchange): void {
    this.#left--
    this.#send(exchange)
  }

  #send(exchange: Exchange): void {
    exchange.sent = true
    exchange.missing = undefined
    if (exchange.socket.write(this.#request) !== this.#request.length)
      throw new Error('no room for a request')
  }
}

interface Exchange {
  readonly socket: TcpSocket
  sent: boolean
  /** Bytes of the answer that are still to come; undefined before its head. */
  missing: number | undefined
}

/** Length of a whole answer, whose head is in the first `end` bytes. */
function answerLength(bytes: Uint8Array, end: number): number {
  const at = headEnd(bytes, end)
  if (at < 0) throw new Error('the head of an answer came in parts')
  // `HTTP/1.1 200`
  if (bytes[9] !== 0x32) throw new Error(`answered with ${String.fromCharCode(...bytes.subarray(0, 40))}`)
  return at + contentLength(bytes, at)
}

function headEnd(bytes: Uint8Array, end: number): number {
  for (let at = 3; at < end; at++)
    if (bytes[at] === 10 && bytes[at - 2] === 10 && bytes[at - 1] === 13) return at + 1
  return -1
}

/** `Content-Length` is the only field of an answer with that many letters before its colon. */
function contentLength(bytes: Uint8Array, end: number): number {
  for (let line = bytes.indexOf(10) + 1; line > 0 && line < end; line = bytes.indexOf(10, line) + 1) {
    if (bytes[line + 14] !== 0x3a || (bytes[line + 8]! | 32) !== 0x6c) continue
    let length = 0
    for (let at = line + 16; bytes[at] !== 13; at++) length = length * 10 + bytes[at]! - 0x30
    return length
  }
  throw new Error('an answer without Content-Length')
}
