// Answers as bytes: the head of RFC 9112 section 4 with its body. An answer that is given again within the same second
// is not encoded anew: a server under load says the same thing thousands of times.

import { toBytes } from '../../posix/pipe.js'
import type { HttpResponse } from './http-server.js'

export const REASON_PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  301: 'Moved Permanently',
  304: 'Not Modified',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Not Allowed',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

export class ResponseEncoder {
  readonly #server: string | undefined
  #second = -1
  #date = ''
  /** The last answer, by whether it closes and whether it has no body. */
  readonly #last: ({ readonly response: HttpResponse; readonly bytes: Uint8Array } | undefined)[] = []

  /** `server`: the field Server. */
  constructor(server: string | undefined) {
    this.#server = server
  }

  /** Head and body; `headOnly`: the head alone, as it would be with the body (RFC 9110 section 9.3.2). */
  encode(response: HttpResponse, close: boolean, headOnly: boolean, unixMillis: number): Uint8Array {
    const second = Math.floor(unixMillis / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#date = new Date(unixMillis).toUTCString()
      this.#last.length = 0
    }
    const form = (close ? 1 : 0) + (headOnly ? 2 : 0)
    const last = this.#last[form]
    if (last?.response === response) return last.bytes
    const head = toBytes(this.#head(response, close))
    const body = headOnly ? 0 : response.body.length
    const bytes = new Uint8Array(head.length + body)
    bytes.set(head)
    if (body > 0) bytes.set(response.body, head.length)
    this.#last[form] = { response, bytes }
    return bytes
  }

  #head(response: HttpResponse, close: boolean): string {
    const lines = [
      `HTTP/1.1 ${response.status} ${REASON_PHRASES[response.status] ?? 'Unknown'}`,
      ...(this.#server === undefined ? [] : [`Server: ${this.#server}`]),
      `Date: ${this.#date}`,
      ...(response.status === 304
        ? []
        : [`Content-Type: ${response.type}`, `Content-Length: ${response.body.length}`]),
      ...response.headers,
      `Connection: ${close ? 'close' : 'keep-alive'}`,
    ]
    return `${lines.join('\r\n')}\r\n\r\n`
  }
}
