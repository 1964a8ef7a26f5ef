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
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

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
  await new Promise<void>((resolve, reject) => {
    const asked = httpRequest({
      createConnection: () => socket,
      method: request.method,
      path: `${target.path}${search}`,
      headers: { ...headersOf(request.headers), ...forwarding(request), connection: 'close' },
    })
    asked.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, headersOf(answer.headers))
      answer.pipe(response)
      answer.on('error', () => response.destroy())
      answer.on('end', resolve)
    })
    asked.on('error', (error) => {
      if (response.headersSent) return void response.destroy()
      reject(serviceUnavailable(`error trying to reach service: ${error.message}`))
    })
    request.on('error', () => asked.destroy())
    request.pipe(asked)
  })
}

function headersOf(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_FORWARDED.includes(name)))
}

function forwarding({ headers, socket, url }: IncomingMessage): OutgoingHttpHeaders {
  return {
    'x-forwarded-for': socket.remoteAddress,
    'x-forwarded-host': headers.host,
    'x-forwarded-uri': url,
    ...(headers['transfer-encoding'] !== undefined && { 'transfer-encoding': 'chunked' }),
  }
}
