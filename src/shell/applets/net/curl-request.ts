// The request that curl sends: its default headers, and those of the command line in their place.

import type { CurlBody } from './curl-body.js'
import type { CurlOptions } from './curl-options.js'
import type { HttpRequest } from './http-client.js'
import { splitOnce } from './options.js'
import { type HttpUrl, hostHeader } from './url.js'

const LARGE_BODY_BYTES = 1024 * 1024

/** The request for `url`; `method` and `body` are given because redirects change them. */
export function curlRequest(
  options: CurlOptions,
  url: HttpUrl,
  method: string,
  body: CurlBody | undefined,
): HttpRequest {
  const user = url.userInfo ?? options.user
  const defaults: [string, string | undefined][] = [
    ['Host', hostHeader(url)],
    ['Authorization', authorization(options.bearer, user)],
    ['Range', options.range === undefined ? undefined : `bytes=${options.range}`],
    ['User-Agent', options.userAgent === '' ? undefined : options.userAgent],
    ['Accept', body?.accept ?? '*/*'],
    ['Accept-Encoding', options.compressed ? 'deflate, gzip' : undefined],
    ['Referer', options.referer],
    ['Cookie', options.cookies.length === 0 ? undefined : options.cookies.join('; ')],
    ['Content-Length', body === undefined ? undefined : String(body.bytes.length)],
    ['Content-Type', body?.contentType],
    ['Expect', expectsContinue(options, body) ? '100-continue' : undefined],
  ]
  const own = options.headers.map(readHeader)
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
    target: options.requestTarget ?? url.target,
    version: options.http10 ? 'HTTP/1.0' : 'HTTP/1.1',
    headers,
    ...(body === undefined ? {} : { body: body.bytes }),
  }
}

/** What is large, or a file, is sent when the server says that it wants it. */
function expectsContinue({ http10 }: CurlOptions, body: CurlBody | undefined): boolean {
  return body !== undefined && !http10 && (body.upload === true || body.bytes.length > LARGE_BODY_BYTES)
}

function authorization(bearer: string | undefined, user: string | undefined): string | undefined {
  if (bearer !== undefined) return `Bearer ${bearer}`
  return user === undefined ? undefined : `Basic ${base64(user)}`
}

/** `Name: value`; `Name:` takes a default away (undefined); `Name;` sends it empty. */
function readHeader(text: string): [string, string | undefined] {
  const [name, value] = splitOnce(text, ':')
  if (value === undefined) return [text.replace(/;$/, ''), text.endsWith(';') ? '' : undefined]
  return [name, value.trim() === '' ? undefined : value.trim()]
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
