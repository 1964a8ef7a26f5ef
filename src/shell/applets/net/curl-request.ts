// The request that curl sends: its default headers, and those of the command line in their place.

import type { CurlBody } from './curl-body.js'
import { basicCredentials } from './curl-credentials.js'
import type { CurlOptions } from './curl-options.js'
import { proxyAuthorization } from './curl-proxy.js'
import type { HttpRequest } from './http-client.js'
import { splitOnce } from './options.js'
import { formatUrl, type HttpUrl, hostHeader } from './url.js'

const LARGE_BODY_BYTES = 1024 * 1024

/** What a request has beyond the options. */
export interface RequestCircumstances {
  readonly method: string
  readonly body: CurlBody | undefined
  /** Of the jar. */
  readonly cookies: readonly string[]
  /** Which is asked for the whole URL, not for a tunnel. */
  readonly proxy: HttpUrl | undefined
  /** Whether the host is the first one of its redirects. */
  readonly isTrusted: boolean
  readonly referer: string | undefined
  readonly resumeAt: number
}

/** The request for `url`. */
export function curlRequest(
  options: CurlOptions,
  url: HttpUrl,
  circumstances: RequestCircumstances,
): HttpRequest {
  const { method, body, proxy, isTrusted } = circumstances
  const user = url.userInfo ?? (isTrusted ? options.user : undefined)
  const given = isTrusted ? options.cookies.join(';') : ''
  const cookies = [...circumstances.cookies, ...(given === '' ? [] : [given])]
  const [condition, date] = options.timeCondition ?? ['If-Modified-Since', undefined]
  const resumed = circumstances.resumeAt > 0 ? `${circumstances.resumeAt}-` : undefined
  const range = options.range ?? resumed
  const defaults: [string, string | undefined][] = [
    ['Host', hostHeader(url)],
    ['Proxy-Authorization', proxy && proxyAuthorization(options, proxy)],
    ['Authorization', authorization(isTrusted ? options.bearer : undefined, user)],
    ['Range', range === undefined ? undefined : `bytes=${range}`],
    ['User-Agent', options.userAgent === '' ? undefined : options.userAgent],
    ['Accept', body?.accept ?? '*/*'],
    ['Accept-Encoding', options.compressed ? 'deflate, gzip' : undefined],
    ['Referer', circumstances.referer ?? options.referer],
    ['Proxy-Connection', proxy && 'Keep-Alive'],
    ['Cookie', cookies.length === 0 ? undefined : cookies.join('; ')],
    [condition, date],
    ['Transfer-Encoding', body?.chunked ? 'chunked' : undefined],
    ['Content-Length', body === undefined || body.chunked ? undefined : String(body.bytes.length)],
    ['Content-Type', body?.contentType],
    ['Expect', expectsContinue(options, body) ? '100-continue' : undefined],
  ]
  const own = options.headers
    .map(readHeader)
    .filter(([name]) => isTrusted || !/^(authorization|cookie)$/i.test(name))
  const replaced = new Set(own.map(([name]) => name.toLowerCase()))
  const headers: [string, string][] = []
  for (const [name, value] of defaults)
    if (value !== undefined && !replaced.has(name.toLowerCase())) headers.push([name, value])
  for (const [name, value] of own) {
    if (value === undefined) continue
    // Host belongs in front (RFC 9110 section 7.2).
    if (name.toLowerCase() === 'host') headers.unshift([name, value])
    else headers.push([name, value])
  }
  return {
    method,
    target: options.requestTarget ?? (proxy === undefined ? url.target : formatUrl(url)),
    version: options.http10 ? 'HTTP/1.0' : 'HTTP/1.1',
    headers,
    ...(body === undefined ? {} : { body: body.chunked ? chunked(body.bytes) : body.bytes }),
  }
}

/** What is large, or a file, is sent when the server says that it wants it. */
function expectsContinue({ http10 }: CurlOptions, body: CurlBody | undefined): boolean {
  return body !== undefined && !http10 && (body.upload === true || body.bytes.length > LARGE_BODY_BYTES)
}

function authorization(bearer: string | undefined, user: string | undefined): string | undefined {
  if (bearer !== undefined) return `Bearer ${bearer}`
  return user === undefined ? undefined : basicCredentials(user)
}

/** `Name: value`; `Name:` takes a default away (undefined); `Name;` sends it empty. */
function readHeader(text: string): [string, string | undefined] {
  const [name, value] = splitOnce(text, ':')
  if (value === undefined) return [text.replace(/;$/, ''), text.endsWith(';') ? '' : undefined]
  return [name, value.trim() === '' ? undefined : value.trim()]
}

/** One chunk and the last. */
function chunked(bytes: Uint8Array): Uint8Array {
  const encoder = new TextEncoder()
  const last = encoder.encode('0\r\n\r\n')
  if (bytes.length === 0) return last
  const pieces = [encoder.encode(`${bytes.length.toString(16)}\r\n`), bytes, encoder.encode('\r\n'), last]
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
