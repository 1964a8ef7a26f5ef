// The handshake of a WebSocket that carries one of several protocols (RFC 6455, section 4): which of those that the
// client offers, and the refusal when there is none.

import { type WebSocket, WebSocketServer } from 'ws'
import type { Status } from '../../api/request.js'
import { badRequest } from '../../cluster/status.js'
import type { UpgradeHandler } from '../server.js'

/** As golang.org/x/net/websocket's default. */
const LARGEST_MESSAGE_BYTES = 32 * 1024 * 1024

/** The first that the client offers and we know; a client that offers none speaks the first of all, in binary. */
export function chosenProtocol(offered: readonly string[], known: readonly string[]): string | undefined {
  return offered.length === 0 ? 'channel.k8s.io' : offered.find((name) => known.includes(name))
}

/**
 * The handshake of `ws`, with the protocol as we chose it: `ws` itself takes `SPDY/3.1+portforward.k8s.io` for a syntax
 * error, because a slash can't be in a token (RFC 6455, section 4.1). `headers`: more lines of the answer.
 */
export function acceptWebSocket(
  { request, socket, head }: Parameters<UpgradeHandler>[0],
  protocol: string,
  ready: (socket: WebSocket) => void,
  headers: readonly string[] = [],
): void {
  const offers = request.headers['sec-websocket-protocol'] !== undefined
  delete request.headers['sec-websocket-protocol']
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: LARGEST_MESSAGE_BYTES,
  })
  const lines = [...(offers ? [`Sec-WebSocket-Protocol: ${protocol}`] : []), ...headers]
  server.on('headers', (answer) => answer.push(...lines))
  server.handleUpgrade(request, socket, head, ready)
}

export function noProtocol(offered: readonly string[], known: readonly string[]): Status {
  return badRequest(
    `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${known.join(' ')}]`,
  ).status
}

/** Of a header that is a list, however often it is sent. */
export function listOf(header: string | readonly string[] | undefined): string[] {
  const texts = header === undefined ? [] : typeof header === 'string' ? [header] : header
  return texts
    .flatMap((text) => text.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
