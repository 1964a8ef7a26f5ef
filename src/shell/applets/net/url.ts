// URLs as curl and wget take them: a missing scheme means http, a port is 0..65535, and nothing of the path is
// rewritten but its fragment, which is never sent.

import { parseIpv6 } from '../../../wire/address.js'
import { splitOnce } from './options.js'

export interface HttpUrl {
  readonly scheme: string
  /** `user:password`, undefined when there is none. */
  readonly userInfo: string | undefined
  /** A name or an address; that of IPv6 without its brackets. */
  readonly host: string
  readonly port: number
  /** Whether the port was written; an explicit one is kept in the Host header unless it is the scheme's. */
  readonly defaultPort: boolean
  /** Path and query, at least `/`. */
  readonly target: string
}

const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, ftp: 21 }

/** undefined when the text is no URL. The scheme may be one that nobody here speaks. */
export function parseUrl(text: string): HttpUrl | undefined {
  const [, scheme = 'http', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text) ?? []
  const [, authority = '', path = ''] = /^([^/?#]*)([^#]*)/s.exec(rest) ?? []
  const at = authority.lastIndexOf('@')
  const [, literal, name = '', portText] =
    /^(?:\[([0-9a-f:.]+)\]|(.*?))(?::(\d*))?$/is.exec(authority.slice(at + 1)) ?? []
  const host = literal ?? name
  if (literal === undefined ? /[\s:\\<>^`{|}]/.test(host) : parseIpv6(literal) === undefined) return undefined
  if (host === '' || /[\s]/.test(path)) return undefined
  const ofScheme = PORTS[scheme.toLowerCase()] ?? 0
  const port = portText === undefined || portText === '' ? ofScheme : Number(portText)
  if (port > 65535) return undefined
  return {
    scheme: scheme.toLowerCase(),
    userInfo: at < 0 ? undefined : decode(authority.slice(0, at)),
    host,
    port,
    defaultPort: port === ofScheme,
    target: path.startsWith('/') ? path : `/${path}`,
  }
}

/** Milliseconds since 1970 of a date with its zone, or of one in UTC; undefined for what is no date. */
export function parseHttpDate(text: string): number | undefined {
  const plain = text.trim().replace(/(\d)-([a-z]{3})-(\d)/i, '$1 $2 $3')
  if (!/\d/.test(plain)) return undefined
  const hasZone = /(GMT|UTC|Z|[+-]\d{4})$/i.test(plain)
  const time = Date.parse(hasZone ? plain : `${plain} UTC`)
  return Number.isNaN(time) ? undefined : time
}

export function formatUrl(url: HttpUrl): string {
  return `${url.scheme}://${hostHeader(url)}${url.target}`
}

/** The Host header's value (RFC 9110 section 7.2). */
export function hostHeader(url: HttpUrl): string {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host
  return url.defaultPort ? host : `${host}:${url.port}`
}

/** Where a Location header leads to (RFC 3986 section 5.2, without the fragment). */
export function resolveLocation(base: HttpUrl, location: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) return location
  if (location.startsWith('//')) return `${base.scheme}:${location}`
  const origin = `${base.scheme}://${hostHeader(base)}`
  const [path, query] = splitOnce(base.target, '?')
  if (location.startsWith('?')) return `${origin}${path}${location}`
  if (location === '') return `${origin}${path}${query === undefined ? '' : `?${query}`}`
  const joined = location.startsWith('/')
    ? location
    : `${path.slice(0, path.lastIndexOf('/') + 1)}${location}`
  const [joinedPath, joinedQuery] = splitOnce(joined, '?')
  return `${origin}${removeDotSegments(joinedPath)}${joinedQuery === undefined ? '' : `?${joinedQuery}`}`
}

/** The last part of the path, what -O names the file by; '' when the path ends with a slash. */
export function remoteName(url: HttpUrl): string {
  const [path] = splitOnce(url.target, '?')
  return path.slice(path.lastIndexOf('/') + 1)
}

function removeDotSegments(path: string): string {
  const parts: string[] = []
  const segments = path.split('/').slice(1)
  for (const segment of segments) {
    if (segment === '..') parts.pop()
    else if (segment !== '.') parts.push(segment)
  }
  const last = segments.at(-1)
  return `/${parts.join('/')}${(last === '.' || last === '..') && parts.length > 0 ? '/' : ''}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
