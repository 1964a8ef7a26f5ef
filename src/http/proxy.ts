// The proxy subresource of pods and Services: a request goes on to a program in the cluster, over a connection that is
// handed in (Dial), and its answer comes back as it is. Unlike upstream: connections are not upgraded, links in pages
// not rewritten.

import {
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import type { Duplex } from 'node:stream'
import { serviceUnavailable } from '../api/status.js'
import { formatAddress, type IpAddress, type Port } from '../wire/address.js'
import type { ProxyTarget } from './proxy-target.js'

/** Connects to a pod; the error has Node's code. */
export type Dial = (
  to: { readonly address: IpAddress; readonly port: Port },
  signal: AbortSignal,
) => Promise<Duplex>

/** Of one connection and not of what is asked over it (RFC 9110 section 7.6.1), and what is between us and the client. */
const NOT_FORWARDED = [
  'authorization',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** RFC 9110 section 15: what is less is no final answer. */
const LEAST_STATUS = 200

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ETIMEDOUT: 'i/o timeout',
}

/** Rejects with what carries a Status as long as nothing was answered. */
export async function proxyRequest(
  dial: Dial,
  target: ProxyTarget,
  search: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const at = `${formatAddress(target.address)}:${target.port}`
  const socket = await dial(target, gone.signal).catch((error: NodeJS.ErrnoException) => {
    const why = REASONS[error.code ?? ''] ?? error.message
    throw serviceUnavailable(`error trying to reach service: dial tcp ${at}: ${why}`)
  })
  response.once('close', () => socket.destroy())
  // The client went away in the very moment.
  if (response.destroyed) return void socket.destroy()
  await new Promise<void>((resolve, reject) => {
    const asked = httpRequest({
      createConnection: () => socket,
      method: request.method,
      path: `${target.path}${search}`,
      headers: { ...headersOf(request.headers), ...forwarding(request), connection: 'close' },
    })
    let answered: IncomingMessage | undefined
    asked.on('response', (answer) => {
      const { statusCode = 0 } = answer
      // Node's parser takes any digits, but does not write them.
      if (statusCode < LEAST_STATUS)
        return void asked.destroy(new Error(`malformed HTTP status code ${statusCode}`))
      answered = answer
      response.writeHead(statusCode, headersOf(answer.headers))
      answer.pipe(response)
      answer.on('error', () => answer.complete || response.destroy())
      answer.on('end', resolve)
    })
    const fail = (why: string) => {
      // What comes behind a whole answer is nobody's: a body of one that has none.
      if (answered?.complete) return
      if (response.headersSent) response.destroy()
      else reject(serviceUnavailable(`error trying to reach service: ${why}`))
    }
    asked.on('error', (error) => fail(error.message))
    // Programs may switch protocols without being asked to.
    asked.on('upgrade', (_answer, upgraded) => {
      upgraded.destroy()
      fail('unsolicited response of status 101')
    })
    request.on('error', () => asked.destroy())
    request.pipe(asked)
  })
}

/** Without those that `Connection` names, too. */
function headersOf(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase())
  const left = [...NOT_FORWARDED, ...named]
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !left.includes(name)))
}

function forwarding({ headers, socket, url }: IncomingMessage): OutgoingHttpHeaders {
  return {
    'x-forwarded-for': socket.remoteAddress,
    'x-forwarded-host': headers.host,
    'x-forwarded-uri': url,
    ...(headers['transfer-encoding'] !== undefined && { 'transfer-encoding': 'chunked' }),
  }
}
