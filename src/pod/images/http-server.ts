// The HTTP/1.1 engine of the built-in servers (RFC 9110, 9112): connections, keep-alive, pipelining, a graceful end.
// What a request is answered with, and what the log says of it, is the service's.

import { type Micros, SECOND } from '../../base/time.js'
import type { Connection, Listener } from '../../posix/net.js'
import type { Process } from '../../posix/process.js'
import { type HttpRequest, RequestReader } from './http-request.js'

/** nginx' default keepalive_timeout. */
const IDLE_TIMEOUT: Micros = 75 * SECOND

export interface HttpResponse {
  readonly status: number
  /** The media type. */
  readonly type: string
  readonly body: Uint8Array
  /** Further fields, `Name: value`. */
  readonly headers: readonly string[]
}

/** What a server does with the requests of its engine. */
export interface HttpService {
  /** The field Server; left out where the program sends none. */
  readonly server?: string
  /** Requests that are no HTTP come too: without a method. */
  respond(request: HttpRequest, connection: Connection, process: Process): HttpResponse
  /** What stdout is told after a response; '' for nothing. */
  logLine?(connection: Connection, request: HttpRequest, response: HttpResponse, process: Process): string
}

export const REASON_PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  301: 'Moved Permanently',
  304: 'Not Modified',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Not Allowed',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** Serves until a signal: SIGQUIT lets open requests finish (nginx' graceful shutdown), the others do not. */
export async function serveHttp(listener: Listener, service: HttpService, process: Process): Promise<number> {
  let stop = () => {}
  const stopped = new Promise<'stopped'>((resolve) => {
    stop = () => resolve('stopped')
  })
  let quit = () => {}
  const drain: Drain = {
    draining: false,
    begun: new Promise<undefined>((resolve) => {
      quit = () => {
        drain.draining = true
        resolve(undefined)
      }
    }),
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.onSignal(signal, stop)
  process.onSignal('SIGQUIT', quit)
  const serving = new Set<Promise<void>>()
  for (;;) {
    const connection = await Promise.race([listener.accept(process.signal), stopped, drain.begun])
    if (connection === 'stopped' || connection === undefined) break
    const served = serve(connection, service, process, drain)
      .catch(() => connection.abort())
      .finally(() => serving.delete(served))
    serving.add(served)
  }
  listener.close()
  await Promise.race([Promise.all(serving), stopped])
  return 0
}

/** A graceful end, once it has begun. */
interface Drain {
  draining: boolean
  readonly begun: Promise<undefined>
}

async function serve(
  connection: Connection,
  service: HttpService,
  process: Process,
  drain: Drain,
): Promise<void> {
  const reader = new RequestReader(connection, process)
  connection.setNoDelay(true)
  for (let first = true; ; first = false) {
    const next = reader.next(IDLE_TIMEOUT)
    // A connection that waits for its next request is closed at a graceful end; one that is new is still served.
    let request = first ? await next : await Promise.race([next, drain.begun])
    if (request === undefined && drain.draining && reader.pending) request = await next
    if (request === undefined) break
    const response = service.respond(request, connection, process)
    const close = request.close || response.status === 400 || drain.draining
    await connection.write(head(response, close, process.system.clock.unixMillis(), service))
    if (request.method !== 'HEAD' && response.body.length > 0) await connection.write(response.body)
    const line = service.logLine?.(connection, request, response, process) ?? ''
    if (line !== '') await process.stdout.write(line)
    if (close) break
  }
  connection.close()
}

function head(response: HttpResponse, close: boolean, unixMillis: number, service: HttpService): string {
  const lines = [
    `HTTP/1.1 ${response.status} ${REASON_PHRASES[response.status] ?? 'Unknown'}`,
    ...(service.server === undefined ? [] : [`Server: ${service.server}`]),
    `Date: ${new Date(unixMillis).toUTCString()}`,
    ...(response.status === 304
      ? []
      : [`Content-Type: ${response.type}`, `Content-Length: ${response.body.length}`]),
    ...response.headers,
    `Connection: ${close ? 'close' : 'keep-alive'}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}
