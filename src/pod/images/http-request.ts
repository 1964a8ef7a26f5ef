// Requests off a connection, one after the other: the head of RFC 9112 section 3 within limits, bodies skipped.
// Not a framework: only what a static server needs to answer rightly and to keep the connection in step.

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

/** The last request that came in one piece and alone, of any connection: clients under load repeat themselves. */
export class RepeatedRequest {
  #bytes: Uint8Array = new Uint8Array(0)
  #request: HttpRequest | undefined

  /** The request that `bytes` are, when they are those of the last one. */
  find(bytes: Uint8Array): HttpRequest | undefined {
    const known = this.#bytes
    if (bytes.length !== known.length) return undefined
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== known[i]) return undefined
    return this.#request
  }

  /** `bytes` are those of `request` and nothing else. */
  remember(bytes: Uint8Array, request: HttpRequest): void {
    this.#bytes = bytes
    this.#request = request
  }
}

export class RequestReader {
  readonly #repeated: RepeatedRequest
  #text = ''
  /** What came last, while `#text` is that and nothing else. */
  #alone: Uint8Array | undefined
  #ready: HttpRequest | undefined
  /** Body bytes of the last request that are still to be skipped. */
  #skip = 0

  constructor(repeated: RepeatedRequest) {
    this.#repeated = repeated
  }

  /** Whether the beginning of a next request is here. */
  get pending(): boolean {
    return this.#ready !== undefined || this.#text.length > this.#skip
  }

  /** Bytes off the connection; not kept. */
  add(bytes: Uint8Array): void {
    const isAlone = this.#text === '' && this.#skip === 0 && this.#ready === undefined
    if (isAlone) {
      this.#ready = this.#repeated.find(bytes)
      if (this.#ready !== undefined) return
    }
    this.#alone = isAlone ? bytes.slice() : undefined
    this.#text += latin1(bytes)
  }

  /** Next request; undefined when it has not come yet. */
  next(): HttpRequest | undefined {
    if (this.#ready !== undefined) {
      const ready = this.#ready
      this.#ready = undefined
      return ready
    }
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, this.#text.length)
      this.#text = this.#text.slice(skipped)
      this.#skip -= skipped
      if (this.#skip > 0) return undefined
    }
    const end = this.#text.indexOf('\r\n\r\n')
    if (end < 0) return this.#text.length > MAX_HEAD_BYTES ? BAD_REQUEST : undefined
    const request = this.#parse(end)
    if (this.#alone !== undefined && this.#text === '' && this.#skip === 0) {
      this.#repeated.remember(this.#alone, request)
    }
    this.#alone = undefined
    return request
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
}

const BAD_REQUEST: HttpRequest = { method: undefined, target: '', line: '', headers: new Map(), close: true }

/** One character a byte, so that lengths in characters are lengths in bytes. */
function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return text
}
