// The API server on a socket: takes connections, checks who asks (access.ts), and hands requests to the in-process
// Api (exchange.ts). What upgrades a connection - exec, attach, port-forward - is handed in as UpgradeHandlers.

import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Api, Status } from '../api/request.js'
import { badHttp, headersTooLarge, unknownPath } from '../api/status.js'
import { type Access, accessTo, type Credentials } from './access.js'
import { answerRequest, urlOf } from './exchange.js'
import type { OwnResources } from './own-resource.js'
import type { Dial } from './proxy.js'

/**
 * Takes over a connection upgrade; false, with the socket untouched, when the path is not its own. Called only after
 * Host, Origin and credentials were checked.
 */
export type UpgradeHandler = (upgrade: {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came behind the request's headers. */
  readonly head: Buffer
  readonly url: URL
}) => boolean

export interface ListenOptions {
  readonly api: Api
  /** Address to bind; default 127.0.0.1. */
  readonly host?: string
  /** 0: any that is free. */
  readonly port: number
  readonly credentials: Credentials
  readonly upgrades?: readonly UpgradeHandler[]
  /** What is answered at paths that are none of Kubernetes'. */
  readonly own?: OwnResources
  /** How pods are reached for the proxy subresource, which is not served without. */
  readonly dial?: Dial
  /** Between two bookmarks of a watch; default: a minute, as upstream. */
  readonly bookmarkMillis?: number
  /** The date of answers; default: the real one. */
  readonly unixMillis?: () => number
}

export interface ApiListener {
  readonly port: number
  /** Ends every connection; resolves when the port is free again. */
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
/** Longer than the time for which Go's clients keep an idle connection (90 s): the server must not be the first. */
const KEEP_ALIVE_MS = 180_000
const BOOKMARK_MS = 60_000
/** Node's default, 16 KB, is little for long selectors and tokens; Go's, 1 MB, more than anybody needs. */
const LARGEST_HEADERS = 64 * 1024

/** Resolves when requests are served. Rejects with node's error (EADDRINUSE, EACCES) when the port cannot be had. */
export async function listen(options: ListenOptions): Promise<ApiListener> {
  const { host = LOOPBACK, port } = options
  const { server, close } = createApiServer(options)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return { port: (server.address() as AddressInfo).port, close }
}

/** The server without a socket: `connection` events of its own bring it connections that were accepted elsewhere. */
export function createApiServer(options: Omit<ListenOptions, 'port'>): {
  readonly server: Server
  close(): Promise<void>
} {
  const {
    api,
    host = LOOPBACK,
    credentials,
    upgrades = [],
    own = {},
    dial,
    unixMillis,
    bookmarkMillis = BOOKMARK_MS,
  } = options
  const access = accessTo(credentials, host, api)
  const settings = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Go's clients may open a connection and use it later.
    headersTimeout: KEEP_ALIVE_MS,
    // A watch is a request without an end.
    requestTimeout: 0,
    maxHeaderSize: LARGEST_HEADERS,
    noDelay: true,
  }
  const { tls } = credentials
  const server =
    tls === undefined
      ? createServer(settings)
      : createSecureServer({ ...settings, ...tls, requestCert: true, rejectUnauthorized: false })
  const served = { api, own, dial, bookmarkMillis }
  server.on('request', (request, response) => {
    if (unixMillis !== undefined) {
      response.sendDate = false
      response.setHeader('Date', new Date(unixMillis()).toUTCString())
    }
    answerRequest(served, access, request, response)
  })
  // Node's server forgets connections that are upgraded, but waits for them.
  const upgraded = new Set<Duplex>()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket)
    socket.on('close', () => upgraded.delete(socket))
    upgrade(access, upgrades, request, socket, head)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => refuseBytes(error, socket))
  return {
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        for (const socket of upgraded) socket.destroy()
      }),
  }
}

function upgrade(
  access: Access,
  upgrades: readonly UpgradeHandler[],
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  // A client that goes away is no error of ours.
  socket.on('error', () => socket.destroy())
  const { refused } = access(request)
  if (refused !== undefined) return refuseUpgrade(socket, refused)
  const url = urlOf(request)
  if (url !== undefined && upgrades.some((handle) => handle({ request, socket, head, url }))) return
  refuseUpgrade(socket, unknownPath().status)
}

/** What came is no request. */
function refuseBytes({ code = '', message }: NodeJS.ErrnoException, socket: Duplex): void {
  // An idle connection must end without a word, and one that is no TLS would not understand it.
  if (!code.startsWith('HPE_') || !socket.writable) return void socket.destroy()
  const isLarge = code === 'HPE_HEADER_OVERFLOW'
  refuseUpgrade(socket, isLarge ? headersTooLarge(LARGEST_HEADERS).status : badHttp(message).status)
}

/** An ordinary answer with a Status in place of 101; the connection ends. */
export function refuseUpgrade(socket: Duplex, status: Status): void {
  const body = `${JSON.stringify(status)}\n`
  const code = status.code ?? 500
  socket.end(
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
