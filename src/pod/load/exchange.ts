// One request and its answer over one connection, by protocol. What it cost and who sends when is load-client.ts.

import type { SystemError } from '../../base/errors.js'
import { type Connection, type DatagramSocket, type Net, ResolveError } from '../../posix/net.js'
import { type Endpoint, formatEndpoint } from '../../wire/address.js'
import type { LoadProtocol, LoadSpec, Outcome } from './load-spec.js'

/** A connection, or what stands for one. Every wait rejects when `signal` is aborted. */
export interface Exchange {
  readonly local: string
  /** Sends a request and takes its answer. Failures of the network are thrown as they are. */
  request(signal: AbortSignal): Promise<Outcome>
  /** Whether the other side takes another request. */
  readonly reusable: boolean
  close(): void
}

export type OpenExchange = (net: Net, to: Endpoint, signal: AbortSignal) => Promise<Exchange>

/** How `spec` talks; what it sends is made once. */
export function exchangeOf(spec: LoadSpec): OpenExchange {
  const open: Readonly<Record<LoadProtocol, OpenExchange>> = {
    http: async (net, to, signal) => new HttpExchange(await dial(net, to, signal), request, bodiless),
    tcp: async (net, to, signal) => new TcpExchange(await dial(net, to, signal), payload),
    udp: async (net, to) => new UdpExchange(net.datagram(), to, payload),
  }
  const encoder = new TextEncoder()
  const payload = encoder.encode(spec.payload)
  const request = encoder.encode(httpRequest(spec))
  const bodiless = spec.http?.method === 'HEAD'
  return open[spec.protocol]
}

function httpRequest({ host, port, payload, keepAlive, http = {} }: LoadSpec): string {
  const { method = 'GET', headers = [], body } = http
  const own = headers.some((one) => /^host:/i.test(one))
    ? []
    : [`Host: ${port === 80 ? host : `${host}:${port}`}`]
  const length = body === undefined ? [] : [`Content-Length: ${new TextEncoder().encode(body).length}`]
  const close = keepAlive ? [] : ['Connection: close']
  const head = [
    `${method} ${payload} HTTP/1.1`,
    ...own,
    'User-Agent: podwire-load',
    ...headers,
    ...length,
    ...close,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body ?? ''}`
}

async function dial(net: Net, to: Endpoint, signal: AbortSignal): Promise<Connection> {
  const connection = await net.connect(to, { signal })
  connection.setNoDelay(true)
  return connection
}

const ENOUGH_HEAD_BYTES = 64 * 1024

/** A request of HTTP/1.1 with as little as can be: status, Content-Length, Connection (RFC 9112); no chunked bodies. */
class HttpExchange implements Exchange {
  readonly local: string
  reusable = true
  readonly #connection: Connection
  readonly #request: Uint8Array
  /** Whether answers have no body, whatever their Content-Length says: those to HEAD. */
  readonly #bodiless: boolean

  constructor(connection: Connection, request: Uint8Array, bodiless: boolean) {
    this.#connection = connection
    this.#request = request
    this.#bodiless = bodiless
    this.local = formatEndpoint(connection.local)
  }

  async request(signal: AbortSignal): Promise<Outcome> {
    await this.#connection.write(this.#request, signal)
    let bytes = await this.#connection.read(signal)
    if (bytes === undefined) return this.#ended()
    let end = headEnd(bytes, 0)
    while (end < 0) {
      const more = await this.#connection.read(signal)
      if (more === undefined || bytes.length > ENOUGH_HEAD_BYTES) return this.#ended()
      const before: number = bytes.length
      bytes = joined(bytes, more)
      end = headEnd(bytes, Math.max(0, before - 3))
    }
    const { length, closes } = headFields(bytes, end)
    if (closes) this.reusable = false
    // `HTTP/1.1 200`: the status begins at 9.
    const status = (bytes[9]! - 48) * 100 + (bytes[10]! - 48) * 10 + bytes[11]! - 48
    const empty = this.#bodiless || status === 204 || status === 304
    // A body without a length ends with the connection.
    let left = empty ? 0 : length < 0 ? Number.POSITIVE_INFINITY : length - (bytes.length - end)
    while (left > 0) {
      const more = await this.#connection.read(signal)
      if (more === undefined) {
        this.reusable = false
        if (length >= 0) return 'connection closed'
        break
      }
      left -= more.length
    }
    return status >= 200 && status < 400 ? 'ok' : `HTTP ${status}`
  }

  close(): void {
    this.#connection.close()
  }

  #ended(): Outcome {
    this.reusable = false
    return 'connection closed'
  }
}

/** Index behind the empty line that ends a head; -1 when it has not come. */
function headEnd(bytes: Uint8Array, from: number): number {
  for (let i = from; i + 3 < bytes.length; i++)
    if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i + 4
  return -1
}

/** Content-Length (-1 without) and whether the server closes. */
function headFields(bytes: Uint8Array, end: number): { length: number; closes: boolean } {
  let length = -1
  let closes = false
  for (let i = 0; i < end; i++) {
    if (bytes[i] !== 10) continue
    // `Content-Length`, `Connection`: a c, and the t or n at the fourth place tells which.
    if ((bytes[i + 1]! | 32) !== 99) continue
    const colon = bytes.indexOf(58, i)
    const name = colon - i - 1
    if (name === 14 && (bytes[i + 9]! | 32) === 108) {
      length = 0
      for (let at = colon + 1; bytes[at] !== 13; at++)
        if (bytes[at] !== 32) length = length * 10 + bytes[at]! - 48
    } else if (name === 10 && (bytes[i + 5]! | 32) === 101) {
      closes = (bytes[colon + 2]! | 32) === 99
    }
  }
  return { length, closes }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}

/** Sends text and takes the first bytes of an answer; without text a connection is all. */
class TcpExchange implements Exchange {
  readonly local: string
  reusable = true
  readonly #connection: Connection
  readonly #payload: Uint8Array

  constructor(connection: Connection, payload: Uint8Array) {
    this.#connection = connection
    this.#payload = payload
    this.local = formatEndpoint(connection.local)
  }

  async request(signal: AbortSignal): Promise<Outcome> {
    if (this.#payload.length === 0) {
      this.reusable = false
      return 'ok'
    }
    await this.#connection.write(this.#payload, signal)
    const answer = await this.#connection.read(signal)
    if (answer !== undefined) return 'ok'
    this.reusable = false
    return 'connection closed'
  }

  close(): void {
    this.#connection.close()
  }
}

/** A datagram and the one that answers it, over one socket. */
class UdpExchange implements Exchange {
  readonly local: string
  readonly reusable = true
  readonly #socket: DatagramSocket
  readonly #payload: Uint8Array

  constructor(socket: DatagramSocket, to: Endpoint, payload: Uint8Array) {
    this.#socket = socket
    this.#payload = payload
    socket.connect(to)
    this.local = formatEndpoint(socket.local)
  }

  async request(signal: AbortSignal): Promise<Outcome> {
    this.#socket.send(this.#payload)
    await this.#socket.receive(undefined, signal)
    return 'ok'
  }

  close(): void {
    this.#socket.close()
  }
}

/** What an error of a connection was. Passes on what is no failure of the network. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof ResolveError) return 'name not resolved'
  const { code } = error as SystemError
  switch (code as string | undefined) {
    case 'ECONNREFUSED':
      return 'connection refused'
    case 'ETIMEDOUT':
      return 'timeout'
    case 'ECONNRESET':
    case 'EPIPE':
      return 'connection reset'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'unreachable'
    case 'EADDRNOTAVAIL':
      return 'no local port'
    default:
      throw error
  }
}
