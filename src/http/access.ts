// Who may talk to the server: the right Host (or a web page could come by DNS rebinding), no foreign Origin (or any
// web page could try), and a bearer token or a client certificate of our CA. Refusals are Status objects.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Status } from '../api/request.js'
import { forbidden, unauthorized } from '../api/status.js'

export interface Credentials {
  /** What clients send as `Authorization: Bearer TOKEN`. */
  readonly token: string
  /**
   * PEM texts: the server's key and certificate, and the authority of client certificates. Without it the server
   * speaks plain HTTP, where a token is all that is asked for.
   */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca: string }
  /** Names and addresses, besides loopback's, by which the server may be asked for; in lower case. */
  readonly hosts?: readonly string[]
}

/** Undefined when the request may be served, else why not. */
export type Access = (request: IncomingMessage) => Status | undefined

const LOOPBACK = ['127.0.0.1', 'localhost', '::1']

export function accessTo(credentials: Credentials, bound: string): Access {
  const hosts = new Set([...LOOPBACK, bound, ...(credentials.hosts ?? [])])
  const scheme = credentials.tls === undefined ? 'http' : 'https'
  const token = digest(credentials.token)
  return (request) => {
    const host = hostOf(request.headers.host)
    if (host === undefined || !hosts.has(host))
      return forbidden(`the server is not known as ${JSON.stringify(request.headers.host ?? '')}`).status
    if (isForeign(request, scheme)) return forbidden('requests of web pages are not allowed').status
    if (hasCertificate(request) || hasToken(request, token)) return undefined
    return unauthorized().status
  }
}

/** Without the port; brackets of IPv6 taken off. */
function hostOf(header: string | undefined): string | undefined {
  const match = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(header ?? '')
  const host = (match?.[1] ?? match?.[2])?.toLowerCase()
  if (host === undefined) return undefined
  return isIP(host) === 6 && host === '0:0:0:0:0:0:0:1' ? '::1' : host
}

/** Browsers tell on their pages; programs send neither header, or their own origin. */
function isForeign({ headers }: IncomingMessage, scheme: string): boolean {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  return origin !== undefined && origin !== `${scheme}://${headers.host}`
}

/**
 * `authorized` alone does not do: of a TLS 1.3 session that is resumed Node says so when no certificate was ever shown
 * (it takes resumption for a pre-shared key).
 */
function hasCertificate({ socket }: IncomingMessage): boolean {
  return socket instanceof TLSSocket && socket.authorized && socket.getPeerX509Certificate() !== undefined
}

function hasToken({ headers }: IncomingMessage, token: Buffer): boolean {
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  return given !== undefined && timingSafeEqual(digest(given), token)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
