// The HTTP/1.1 engine of the built-in servers (RFC 9110, 9112): connections, keep-alive, pipelining, a graceful end.
// What a request is answered with, and what the log says of it, is the service's. It works as nginx does, one loop over
// sockets that are ready: a promise for each read would cost more than the answer. One connection is http-exchange.ts.

import { LinkedList } from '../../base/linked-list.js'
import { type Micros, NEVER, SECOND } from '../../base/time.js'
import { NO_LONGER_NEEDED } from '../../posix/abort.js'
import type { NonBlockingConnection, NonBlockingListener } from '../../posix/net.js'
import type { Process } from '../../posix/process.js'
import { type ServiceDesk, serviceDesk } from '../load/service-time.js'
import { HttpExchange } from './http-exchange.js'
import { type HttpRequest, RepeatedRequest } from './http-request.js'
import { ResponseEncoder } from './http-response.js'

/** nginx' default keepalive_timeout. */
const IDLE_TIMEOUT: Micros = 75 * SECOND
const READ_BYTES = 16 * 1024
/** Log lines that may wait for whoever takes them; requests wait when there are more. */
const LOG_LIMIT_CHARACTERS = 64 * 1024

export interface HttpResponse {
  readonly status: number
  /** The media type. */
  readonly type: string
  readonly body: Uint8Array
  /** Further fields, `Name: value`. */
  readonly headers: readonly string[]
}

/** Who asks, and where. */
export type HttpPeer = Pick<NonBlockingConnection, 'local' | 'remote'>

/** What a server does with the requests of its engine. */
export interface HttpService {
  /** The field Server; left out where the program sends none. */
  readonly server?: string
  /**
   * Requests that are no HTTP come too: without a method. A request that comes again as the same record has the same
   * bytes, and a response given again as the same record is not encoded anew.
   */
  respond(request: HttpRequest, peer: HttpPeer, process: Process): HttpResponse
  /** What stdout is told after a response; '' for nothing. */
  logLine?(peer: HttpPeer, request: HttpRequest, response: HttpResponse, process: Process): string
}

/** Serves until a signal: SIGQUIT lets open requests finish (nginx' graceful shutdown), the others do not. */
export function serveHttp(
  listener: NonBlockingListener,
  service: HttpService,
  process: Process,
): Promise<number> {
  return new HttpServer(listener, service, process).run()
}

/** What the exchanges of one server share. */
export class HttpServer {
  readonly service: HttpService
  readonly process: Process
  readonly encoder: ResponseEncoder
  readonly repeated = new RepeatedRequest()
  /** For bytes on their way from a connection to its reader. */
  readonly buffer = new Uint8Array(READ_BYTES)
  /** Where requests wait, when the container declares what they take. */
  readonly desk: ServiceDesk | undefined
  /** A graceful end has begun. */
  draining = false
  readonly #listener: NonBlockingListener
  readonly #exchanges = new LinkedList<HttpExchange>()
  readonly #idleTimer = new AbortController()
  #sweeping = false
  #log = ''
  #logging = false
  #stop: () => void = () => {}

  constructor(listener: NonBlockingListener, service: HttpService, process: Process) {
    this.#listener = listener
    this.service = service
    this.process = process
    this.encoder = new ResponseEncoder(service.server)
    this.desk = serviceDesk(process)
  }

  async run(): Promise<number> {
    const { process } = this
    const stopped = new Promise<void>((resolve, reject) => {
      this.#stop = resolve
      process.signal.addEventListener('abort', () => reject(process.signal.reason), { once: true })
    })
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.onSignal(signal, this.#stop)
    process.onSignal('SIGQUIT', () => this.#drain())
    this.#listener.onReady = () => this.#accept()
    this.#accept()
    try {
      await stopped
    } finally {
      this.#idleTimer.abort(NO_LONGER_NEEDED)
      this.#listener.close()
    }
    return 0
  }

  /** Whether requests have to wait until the log was taken. */
  get logIsFull(): boolean {
    return this.#log.length > LOG_LIMIT_CHARACTERS
  }

  /** Lines that come while others are written go out together. */
  log(line: string): void {
    this.#log += line
    if (this.#logging) return
    this.#logging = true
    void this.#writeLog()
  }

  /** An exchange is over. */
  ended(exchange: HttpExchange): void {
    if (exchange.place !== undefined) this.#exchanges.remove(exchange.place)
    if (this.draining && this.#exchanges.size === 0) this.#stop()
  }

  #accept(): void {
    for (let next = this.#listener.accept(); next !== undefined; next = this.#listener.accept()) {
      const exchange = new HttpExchange(next, this)
      exchange.place = this.#exchanges.add(exchange)
      exchange.start()
    }
    if (!this.#sweeping && this.#exchanges.size > 0) void this.#sweep()
  }

  /** A connection that waits for its next request is closed at a graceful end; one that is new is still served. */
  #drain(): void {
    this.draining = true
    this.#listener.onReady = undefined
    this.#listener.close()
    for (const exchange of [...this.#exchanges]) exchange.drain()
    if (this.#exchanges.size === 0) this.#stop()
  }

  /** One timer for all connections: it waits for the one that would be idle for too long first. */
  async #sweep(): Promise<void> {
    this.#sweeping = true
    const { clock } = this.process.system
    try {
      while (this.#exchanges.size > 0) {
        const now = clock.now()
        let next = NEVER
        for (const exchange of this.#exchanges) {
          const end = exchange.lastReadAt + IDLE_TIMEOUT
          if (end <= now) exchange.expire()
          else if (end < next) next = end
        }
        if (next !== NEVER) await clock.sleep(next - now, this.#idleTimer.signal)
      }
    } catch {
      // The server has ended, or its process was killed: its sockets are closed with it.
    } finally {
      this.#sweeping = false
    }
  }

  async #writeLog(): Promise<void> {
    // What this round of ready connections says goes out as one.
    await undefined
    try {
      while (this.#log !== '') {
        const wasFull = this.logIsFull
        const text = this.#log
        this.#log = ''
        await this.process.stdout.write(text)
        if (wasFull) for (const exchange of [...this.#exchanges]) exchange.ready()
      }
    } catch {
      // Nobody reads the log any more: the server goes on without.
      this.#log = ''
    }
    this.#logging = false
  }
}
