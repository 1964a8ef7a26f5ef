// Requests off a connection, one after the other: the head of RFC 9112 section 3 within limits, bodies skipped.
// Not a framework: only what a static server needs to answer rightly and to keep the connection in step.

import type { Micros } from '../../base/time.js'
import { NO_LONGER_NEEDED } from '../../posix/abort.js'
import type { Connection } from '../../posix/net.js'
import type { Process } from '../../posix/process.js'

export interface HttpRequest {
  /** undefined when the head was no HTTP request. */
  readonly method: string | undefined
  readonly target: string
  /** The request line as it came, for the log. */
  readonly line: string
  /** Names in lower case; the first of several. */
  readonly headers: ReadonlyMap<string, string>
  /** The connection ends after the response. */
  readonly close: boolean
}

/** nginx' large_client_header_buffers, in one number. */
const MAX_HEAD_BYTES = 32 * 1024

export class RequestReader {
  readonly #connection: Connection
  readonly #process: Process
  #text = ''
  /** Body bytes of the last request that are still to be skipped. */
  #skip = 0

  constructor(connection: Connection, process: Process) {
    this.#connection = connection
    this.#process = process
  }

  /** Whether the beginning of a next request is here. */
  get pending(): boolean {
    return this.#text.length > this.#skip
  }

  /** Next request; undefined when the client is done or silent for `idle`. */
  async next(idle: Micros): Promise<HttpRequest | undefined> {
    for (;;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, this.#text.length)
        this.#text = this.#text.slice(skipped)
        this.#skip -= skipped
      } else {
        const end = this.#text.indexOf('\r\n\r\n')
        if (end >= 0) return this.#parse(end)
        if (this.#text.length > MAX_HEAD_BYTES) return BAD_REQUEST
      }
      const bytes = await this.#read(idle)
      if (bytes === undefined) return undefined
      this.#text += latin1(bytes)
    }
  }

  #parse(end: number): HttpRequest {
    const [line = '', ...fields] = this.#text.slice(0, end).split('\r\n')
    this.#text = this.#text.slice(end + 4)
    const match = /^([!#$%&'*+.^`|~\w-]+) (\S+) HTTP\/1\.([01])$/.exec(line)
    const headers = new Map<string, string>()
    for (const field of fields) {
      const colon = field.indexOf(':')
      // A space before the colon must be refused (RFC 9112 section 5.1).
      if (colon <= 0 || /\s/.test(field.slice(0, colon))) return { ...BAD_REQUEST, line }
      const name = field.slice(0, colon).toLowerCase()
      if (!headers.has(name)) headers.set(name, field.slice(colon + 1).trim())
    }
    if (match === null) return { ...BAD_REQUEST, line }
    const http11 = match[3] === '1'
    const length = headers.get('content-length')
    // RFC 9112 section 3.2: HTTP/1.1 requires Host. A chunked body is not read: the connection ends instead.
    if ((http11 && !headers.has('host')) || (length !== undefined && !/^\d+$/.test(length)))
      return { ...BAD_REQUEST, line }
    this.#skip = Number(length ?? 0)
    const options = (headers.get('connection') ?? '').toLowerCase()
    const close =
      headers.has('transfer-encoding') ||
      (http11 ? /\bclose\b/.test(options) : !/\bkeep-alive\b/.test(options))
    return { method: match[1]!, target: match[2]!, line, headers, close }
  }

  async #read(idle: Micros): Promise<Uint8Array | undefined> {
    const timer = new AbortController()
    const { clock } = this.#process.system
    const expired = clock.sleep(idle, timer.signal).then(
      () => undefined,
      () => undefined,
    )
    try {
      return await Promise.race([this.#connection.read(this.#process.signal), expired])
    } finally {
      timer.abort(NO_LONGER_NEEDED)
    }
  }
}

const BAD_REQUEST: HttpRequest = { method: undefined, target: '', line: '', headers: new Map(), close: true }

/** One character a byte, so that lengths in characters are lengths in bytes. */
function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return text
}
