// The request that curl sends: its default headers, and those of the command line in their place.

import type { CurlOptions } from './curl-options.js'
import type { HttpRequest } from './http-client.js'
import { splitOnce } from './options.js'
import { type HttpUrl, hostHeader } from './url.js'

/** The request for `url`; `method` and `body` are given because redirects change them. */
export function curlRequest(
  options: CurlOptions,
  url: HttpUrl,
  method: string,
  body: Uint8Array | undefined,
): HttpRequest {
  const user = url.userInfo ?? options.user
  const defaults: [string, string | undefined][] = [
    ['Host', hostHeader(url)],
    ['Authorization', user === undefined ? undefined : `Basic ${base64(user)}`],
    ['Range', options.range === undefined ? undefined : `bytes=${options.range}`],
    ['User-Agent', options.userAgent === '' ? undefined : options.userAgent],
    ['Accept', '*/*'],
    ['Referer', options.referer],
    ['Cookie', options.cookies.length === 0 ? undefined : options.cookies.join('; ')],
    ['Content-Length', body === undefined ? undefined : String(body.length)],
    ['Content-Type', body === undefined ? undefined : 'application/x-www-form-urlencoded'],
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
  return { method, target: url.target, headers, ...(body === undefined ? {} : { body }) }
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
