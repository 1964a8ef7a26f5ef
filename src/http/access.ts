// Who may talk to the server: the right Host (or a web page could come by DNS rebinding), no foreign Origin (or any
// web page could try), and a bearer token - the administrator's or a service account's - or a client certificate of our
// CA. Refusals are Status objects.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import { ANONYMOUS, anonymousRefusal } from '../api/anonymous.js'
import type { Api, Status } from '../api/request.js'
import { ADMINISTRATOR } from '../api/reviews.js'
import { forbidden, type RequestError, unauthorized } from '../api/status.js'
import type { UserInfo } from '../cluster/service-account-tokens.js'

export interface Credentials {
  /** What the administrator sends as `Authorization: Bearer TOKEN`; undefined: nothing does. */
  readonly token?: string
  /**
   * PEM texts: the server's key and certificate, and the authority of client certificates, if any are taken. Without it the server
   * speaks plain HTTP, where a token is all that is asked for.
   */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string }
  /** Names and addresses, besides loopback's, by which the server may be asked for, in lower case; `any`: no matter. */
  readonly hosts?: readonly string[] | 'any'
  /** Who shows neither token nor certificate is system:anonymous, and may see a little; default: 401. */
  readonly anonymous?: boolean
}

/** Who asks, or why the request is not served. */
export type Access = (
  request: IncomingMessage,
) => { readonly user: UserInfo; readonly refused?: undefined } | { readonly refused: Status }

const LOOPBACK = ['127.0.0.1', 'localhost', '::1']

export function accessTo(credentials: Credentials, bound: string, api: Pick<Api, 'authenticate'>): Access {
  const { hosts: known = [] } = credentials
  const hosts = known === 'any' ? undefined : new Set([...LOOPBACK, bound, ...known])
  // Python's websocket-client writes http: even where it speaks TLS; one port serves pages of one scheme at a time.
  const schemes = credentials.tls === undefined ? ['http'] : ['https', 'http']
  const token = credentials.token === undefined ? undefined : digest(credentials.token)
  return (request) => {
    const host = hostOf(request.headers.host)
    if (host === undefined || hosts?.has(host) === false)
      return refusal(forbidden(`the server is not known as ${JSON.stringify(request.headers.host ?? '')}`))
    if (isForeign(request, schemes)) return refusal(forbidden('requests of web pages are not allowed'))
    const given = bearerToken(request)
    const isAdministrator =
      (credentials.tls?.ca !== undefined && hasCertificate(request)) ||
      (given !== undefined && token !== undefined && timingSafeEqual(digest(given), token))
    const user = isAdministrator ? ADMINISTRATOR : given === undefined ? undefined : api.authenticate(given)
    if (user === undefined) {
      if (!credentials.anonymous || request.headers.authorization !== undefined)
        return refusal(unauthorized())
      const refused = anonymousRefusal(request.method ?? '', (request.url ?? '').replace(/\?.*$/s, ''))
      return refused === undefined ? { user: ANONYMOUS } : { refused }
    }
    return isImpersonating(request) ? refusal(noImpersonation()) : { user }
  }
}

/** Without the port; brackets of IPv6 taken off. */
function hostOf(header: string | undefined): string | undefined {
  const match = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(header ?? '')
  const host = (match?.[1] ?? match?.[2])?.toLowerCase()
  if (host === undefined) return undefined
  return isIP(host) === 6 && host === '0:0:0:0:0:0:0:1' ? '::1' : host
}

/** Browsers tell on their pages; programs send neither header, or the server's own origin. */
function isForeign({ headers }: IncomingMessage, schemes: readonly string[]): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  return origin !== undefined && !schemes.some((scheme) => origin === `${scheme}://${host}`)
}

/**
 * `authorized` alone does not do: of a TLS 1.3 session that is resumed Node says so when no certificate was ever shown
 * (it takes resumption for a pre-shared key).
 */
function hasCertificate({ socket }: IncomingMessage): boolean {
  return socket instanceof TLSSocket && socket.authorized && socket.getPeerX509Certificate() !== undefined
}

function bearerToken({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

/** `kubectl --as`: an answer would be about somebody else than was asked for. */
function isImpersonating({ headers }: IncomingMessage): boolean {
  return Object.keys(headers).some((name) => name.startsWith('impersonate-'))
}

function noImpersonation(): RequestError {
  return forbidden('Podwire knows no users but its own, so nobody can be impersonated (--as)')
}

function refusal({ status }: RequestError): { readonly refused: Status } {
  return { refused: status }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
