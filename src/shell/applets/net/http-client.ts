// HTTP/1.1 as a client speaks it (RFC 9112) over one Connection: a request goes out, a response's head is read, its
// body streams. Bodies are never collected; one chunk of the network at a time is held. No cache, no redirects.

import type { Micros } from '../../../base/time.js'
import type { Connection } from '../../../posix/net.js'
import type { Clock } from '../../../posix/process.js'
import { splitOnce } from './options.js'
import { TimeLimitExceeded, withinLimit } from './time-limit.js'

/** What can go wrong with a response besides the network. */
export type HttpFailure =
  | { readonly kind: 'empty reply' }
  | { readonly kind: 'not HTTP' }
  | { readonly kind: 'head too large' }
  | { readonly kind: 'bad chunk' }
  /** The connection ended before the body did; `remaining` is undefined in a chunked body. */
  | { readonly kind: 'partial'; readonly remaining: number | undefined }

export class HttpError extends Error {
  readonly failure: HttpFailure
  constructor(failure: HttpFailure) {
    super(failure.kind)
    this.name = 'HttpError'
    this.failure = failure
  }
}

export interface HttpRequest {
  readonly method: string
  readonly target: string
  /** HTTP/1.1 when left out. */
  readonly version?: 'HTTP/1.0' | 'HTTP/1.1'
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: Uint8Array
}

export interface HttpHead {
  /** `HTTP/1.1`. */
  readonly version: string
  readonly status: number
  readonly reason: string
  readonly headers: readonly (readonly [string, string])[]
  /** The head's lines without their ends, status line first. */
  readonly lines: readonly string[]
  /** Its size with line ends and the empty line. */
  readonly bytes: number
}

/** curl's limit for one response's head is 300 KiB. */
const MAX_HEAD_BYTES = 300 * 1024

const encoder = new TextEncoder()
/** Heads are bytes; Latin-1 keeps each of them (RFC 9110 section 5.5). */
const decoder = new TextDecoder('latin1')

/** First value of a header, undefined without it. Names compare without case. */
export function header(head: HttpHead, name: string): string | undefined {
  const wanted = name.toLowerCase()
  return head.headers.find(([key]) => key.toLowerCase() === wanted)?.[1]
}

/** The request's head as it is sent. */
export function requestHead(request: HttpRequest): string {
  const lines = request.headers.map(([name, value]) => `${name}: ${value}\r\n`)
  return `${request.method} ${request.target} ${request.version ?? 'HTTP/1.1'}\r\n${lines.join('')}\r\n`
}

/** One connection to an HTTP server: requests one after the other. */
export class HttpConnection {
  readonly connection: Connection
  /** Read from the connection and not used yet. */
  #buffered: Uint8Array = new Uint8Array(0)
  #reusable = true

  constructor(connection: Connection) {
    this.connection = connection
  }

  /** Whether another request may follow: the last response said so and was read to its end. */
  get reusable(): boolean {
    return this.#reusable
  }

  close(): void {
    this.#reusable = false
    this.connection.close()
  }

  /** Head and body, or with `part` one of them. */
  async send(request: HttpRequest, signal: AbortSignal, part?: 'head' | 'body'): Promise<void> {
    this.#reusable = false
    const none = new Uint8Array(0)
    const head = part === 'body' ? none : encoder.encode(requestHead(request))
    const body = part === 'head' ? none : (request.body ?? none)
    const bytes = new Uint8Array(head.length + body.length)
    bytes.set(head)
    bytes.set(body, head.length)
    await this.connection.write(bytes, signal)
  }

  /** Waits for `100 Continue`, whose head it gives; undefined when the server says nothing for so long, or another thing. */
  async continues(
    limits: { readonly signal: AbortSignal; readonly clock: Clock },
    wait: Micros,
  ): Promise<string | undefined> {
    try {
      await withinLimit(limits, wait, async (signal) => {
        while (!includesBlankLine(this.#buffered)) {
          const more = await this.connection.read(signal)
          if (more === undefined) return
          this.#buffered = concatenated(this.#buffered, more)
        }
      })
    } catch (error) {
      if (!(error instanceof TimeLimitExceeded)) throw error
    }
    const [head] = /^HTTP\/1\.[01] 100 .*?\r\n\r\n/s.exec(decoder.decode(this.#buffered)) ?? []
    if (head === undefined) return undefined
    this.#buffered = this.#buffered.subarray(head.length)
    return head
  }

  /** Reads a response's head. Interim ones (1xx) are given as well: the caller reads on. */
  async readHead(signal: AbortSignal): Promise<HttpHead> {
    const lines: string[] = []
    let bytes = 0
    for (;;) {
      const { text, size } = await this.#readHeadLine(bytes, lines.length === 0, signal)
      bytes += size
      if (lines.length === 0 && !/^HTTP\/1\.[01] \d{3}( |$)/.test(text))
        throw new HttpError({ kind: 'not HTTP' })
      if (text === '') break
      lines.push(text)
    }
    const [, version = '', status = '', reason = ''] = /^(\S+) (\d{3}) ?(.*)$/.exec(lines[0]!) ?? []
    const headers = lines.slice(1).map((line) => {
      const [name, value = ''] = splitOnce(line, ':')
      return [name.trim(), value.trim()] as const
    })
    return { version, status: Number(status), reason, headers, lines, bytes }
  }

  /** The body's chunks as they come (RFC 9112 section 6.3). HEAD responses and 204, 304 have none. `raw`: framing too. */
  async *body(
    head: HttpHead,
    method: string,
    signal: AbortSignal,
    raw = false,
  ): AsyncGenerator<Uint8Array, void, void> {
    const closes = header(head, 'connection')?.toLowerCase() ?? (head.version === 'HTTP/1.0' ? 'close' : '')
    const chunked = /(^|,)\s*chunked\s*$/i.test(header(head, 'transfer-encoding') ?? '')
    const length = header(head, 'content-length')
    const none = method === 'HEAD' || head.status === 204 || head.status === 304 || head.status < 200
    if (!none && chunked) yield* this.#chunkedBody(signal, raw)
    else if (!none && length !== undefined) yield* this.#fixedBody(Number.parseInt(length, 10) || 0, signal)
    else if (!none) {
      for (let bytes = await this.#take(signal); bytes !== undefined; bytes = await this.#take(signal))
        yield bytes
      return
    }
    this.#reusable = !/(^|,)\s*close\s*(,|$)/.test(closes)
  }

  async *#fixedBody(length: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    for (let remaining = length; remaining > 0; ) {
      const bytes = await this.#take(signal)
      if (bytes === undefined) throw new HttpError({ kind: 'partial', remaining })
      const part = bytes.subarray(0, remaining)
      this.#buffered = bytes.subarray(part.length)
      remaining -= part.length
      yield part
    }
  }

  async *#chunkedBody(signal: AbortSignal, raw: boolean): AsyncGenerator<Uint8Array, void, void> {
    const shown = (text: string) => encoder.encode(`${text}\r\n`)
    for (;;) {
      const line = (await this.#readLine(MAX_HEAD_BYTES, signal)) ?? partial()
      const [sizeText] = splitOnce(line.text, ';')
      if (!/^\s*[0-9a-f]{1,12}\s*$/i.test(sizeText)) throw new HttpError({ kind: 'bad chunk' })
      const size = Number.parseInt(sizeText, 16)
      if (raw) yield shown(line.text)
      if (size === 0) break
      try {
        yield* this.#fixedBody(size, signal)
      } catch (error) {
        throw error instanceof HttpError ? partialError() : error
      }
      const end = (await this.#readLine(MAX_HEAD_BYTES, signal)) ?? partial()
      if (end.text !== '') throw new HttpError({ kind: 'bad chunk' })
      if (raw) yield shown('')
    }
    // Trailer fields, up to the empty line (RFC 9112 section 7.1.2).
    for (;;) {
      const line = (await this.#readLine(MAX_HEAD_BYTES, signal)) ?? partial()
      if (raw) yield shown(line.text)
      if (line.text === '') return
    }
  }

  async #readHeadLine(
    before: number,
    first: boolean,
    signal: AbortSignal,
  ): Promise<{ text: string; size: number }> {
    const line = await this.#readLine(MAX_HEAD_BYTES - before, signal)
    if (line !== undefined) return line
    // The end without a byte is an empty reply, a line without its end is no head.
    throw new HttpError({ kind: first && this.#buffered.length === 0 ? 'empty reply' : 'not HTTP' })
  }

  /** Next line without its end (CRLF, or LF alone); undefined when the connection ends first. */
  async #readLine(limit: number, signal: AbortSignal): Promise<{ text: string; size: number } | undefined> {
    for (let searched = 0; ; ) {
      const at = this.#buffered.indexOf(10, searched)
      if (at >= 0) {
        const text = decoder.decode(this.#buffered.subarray(0, at)).replace(/\r$/, '')
        this.#buffered = this.#buffered.subarray(at + 1)
        return { text, size: at + 1 }
      }
      if (this.#buffered.length > limit) throw new HttpError({ kind: 'head too large' })
      searched = this.#buffered.length
      const more = await this.connection.read(signal)
      if (more === undefined) return undefined
      this.#buffered = concatenated(this.#buffered, more)
    }
  }

  /** What is buffered, or the next bytes of the connection; undefined at its end. */
  async #take(signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#buffered.length === 0) return this.connection.read(signal)
    const bytes = this.#buffered
    this.#buffered = new Uint8Array(0)
    return bytes
  }
}

function includesBlankLine(bytes: Uint8Array): boolean {
  return decoder.decode(bytes).includes('\r\n\r\n')
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length)
  joined.set(first)
  joined.set(second, first.length)
  return joined
}

function partialError(): HttpError {
  return new HttpError({ kind: 'partial', remaining: undefined })
}

function partial(): never {
  throw partialError()
}
