// A client of the API server as tests need it: any method, header and body; answers whole, or as they come.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { connect } from 'node:net'

export interface Asked extends RequestOptions {
  readonly port: number
  readonly body?: string | Uint8Array
}

export interface Answer {
  readonly code: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** The answer's headers have come; with `ca` over TLS. */
export function open({ body, ...options }: Asked): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = options.ca === undefined ? httpRequest : httpsRequest
    const sent = request({ host: '127.0.0.1', agent: false, ...options }, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

export async function ask(asked: Asked): Promise<Answer> {
  const response = await open(asked)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { code: response.statusCode ?? 0, headers: response.headers, text }
}

/** Sends bytes as they are; resolves with all that came back when the server has closed the connection. */
export function exchangeBytes(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => resolve(text))
  })
}

/** The events of a watch, one at a time. */
export async function* linesOf(response: IncomingMessage): AsyncGenerator<unknown> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      yield JSON.parse(text.slice(0, end))
      text = text.slice(end + 1)
    }
  }
}
