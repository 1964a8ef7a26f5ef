// What the small servers that are written in Go have in common (net/http, log, flag): how they listen and fail to, how
// they answer text, spell headers, stamp log lines and read flags.

import { SystemError } from '../../base/errors.js'
import type { NonBlockingListener } from '../../posix/net.js'
import type { Process } from '../../posix/process.js'
import { formatDate } from '../../shell/date-format.js'
import { IPV4_ANY } from '../../wire/address.js'
import type { HttpRequest } from './http-request.js'
import { type HttpResponse, type HttpService, serveHttp } from './http-server.js'

const encoder = new TextEncoder()

/** Listens on all addresses and serves; 1 when the port cannot be had. */
export async function serveOn(process: Process, port: number, service: HttpService): Promise<number> {
  let listener: NonBlockingListener
  try {
    listener = process.system.net.listenNonBlocking({ address: IPV4_ANY, port })
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const why = error.code === 'EADDRINUSE' ? 'address already in use' : error.message.toLowerCase()
    await process.stderr.write(logLine(process, `listen tcp :${port}: bind: ${why}`))
    return 1
  }
  return serveHttp(listener, service, process)
}

export function textResponse(
  text: string,
  { status = 200, type = 'text/plain; charset=utf-8', headers = [] as readonly string[] } = {},
): HttpResponse {
  return { status, type, body: encoder.encode(text), headers }
}

/** http.NotFound and its like. */
export function errorResponse(status: 400 | 404): HttpResponse {
  return textResponse(status === 404 ? '404 page not found\n' : '400 Bad Request', { status })
}

/** A line of Go's log package. */
export function logLine(process: Process, text: string): string {
  return `${formatDate(process.system.clock.unixMillis(), '%Y/%m/%d %H:%M:%S')} ${text}\n`
}

/** Path and query of a request; undefined when the request is none. */
export function urlOf(request: HttpRequest): URL | undefined {
  if (request.method === undefined) return undefined
  const base = `http://${request.headers.get('host') ?? 'localhost'}`
  return URL.canParse(request.target, base) ? new URL(request.target, base) : undefined
}

/** The fields as Go spells them (`User-Agent`), in order of their names, without Host. */
export function goHeaders(request: HttpRequest): [name: string, value: string][] {
  return [...request.headers]
    .filter(([name]) => name !== 'host')
    .map(([name, value]): [string, string] => [
      name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase()),
      value,
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The protocol of a request line. */
export function protocolOf(request: HttpRequest): string {
  return /HTTP\/1\.[01]$/.exec(request.line)?.[0] ?? 'HTTP/1.1'
}

/**
 * Flags as Go's flag package reads them, with one dash or two; `names` ends a name with `=` when it needs a value. A
 * string is what is wrong.
 */
export function goFlags(words: readonly string[], names: readonly string[]): Map<string, string> | string {
  const flags = new Map<string, string>()
  for (let at = 0; at < words.length; at++) {
    const [, name = '', value] = /^--?([^=-][^=]*)(?:=(.*))?$/s.exec(words[at]!) ?? []
    const takesValue = names.includes(`${name}=`)
    if (!takesValue && !names.includes(name)) return `flag provided but not defined: ${words[at]}\n`
    const given = value ?? (takesValue ? words[++at] : 'true')
    if (given === undefined) return `flag needs an argument: -${name}\n`
    flags.set(name, given)
  }
  return flags
}

/** A port to listen on; undefined when the text is none. */
export function portOf(text: string): number | undefined {
  const port = Number(text.slice(text.lastIndexOf(':') + 1))
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}
