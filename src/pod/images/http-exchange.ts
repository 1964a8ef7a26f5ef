// One connection of the HTTP engine: requests off it one after the other, their answers, and its end. Called when the
// connection is ready; never waits. What connections share is http-server.ts.

import type { Place } from '../../base/linked-list.js'
import type { Micros } from '../../base/time.js'
import type { NonBlockingConnection } from '../../posix/net.js'
import type { ServiceDesk } from '../load/service-time.js'
import { type HttpRequest, RequestReader } from './http-request.js'
import type { HttpServer } from './http-server.js'

export class HttpExchange {
  /** Among its server's exchanges. */
  place: Place<HttpExchange> | undefined
  /** When bytes came last. */
  lastReadAt: Micros
  readonly #connection: NonBlockingConnection
  readonly #server: HttpServer
  readonly #reader: RequestReader
  /** What of the last answer has not been taken yet. */
  #unsent: Uint8Array | undefined
  #answered = false
  /** The last answer ends the connection. */
  #closing = false
  /** A request is being worked on. */
  #serving = false
  #over = false

  constructor(connection: NonBlockingConnection, server: HttpServer) {
    this.#connection = connection
    this.#server = server
    this.#reader = new RequestReader(server.repeated)
    this.lastReadAt = server.process.system.clock.now()
  }

  start(): void {
    this.#connection.setNoDelay(true)
    this.#connection.onReady = () => this.ready()
    this.ready()
  }

  /** Something came, or there is room again. */
  ready(): void {
    if (this.#over) return
    try {
      this.#work()
    } catch {
      // Broken by the peer, or by a program's mistake: neither is another connection's business.
      this.#end()
      this.#connection.abort()
    }
  }

  /** A graceful end begins: a connection between two requests is closed. */
  drain(): void {
    if (this.#answered && !this.#serving && !this.#reader.pending && this.#unsent === undefined) this.#close()
  }

  /** Nothing came for too long. */
  expire(): void {
    if (!this.#serving) this.#close()
  }

  #work(): void {
    while (!this.#serving) {
      if (!this.#flush()) return
      if (this.#closing) return this.#close()
      if (this.#server.logIsFull) return
      const request = this.#reader.next()
      if (request === undefined) {
        const { buffer } = this.#server
        const count = this.#connection.readInto(buffer)
        if (count === 0) {
          if (this.#connection.ended || (this.#server.draining && this.#answered && !this.#reader.pending))
            this.#close()
          return
        }
        this.lastReadAt = this.#server.process.system.clock.now()
        this.#reader.add(buffer.subarray(0, count))
        continue
      }
      if (this.#server.desk === undefined) this.#answer(request)
      else this.#serve(this.#server.desk, request)
    }
  }

  /** Answers when the request has been worked on. */
  #serve(desk: ServiceDesk, request: HttpRequest): void {
    this.#serving = true
    void desk.serve().then(() => {
      this.#serving = false
      if (this.#over) return
      this.lastReadAt = this.#server.process.system.clock.now()
      this.#answer(request)
      this.ready()
    })
  }

  #answer(request: HttpRequest): void {
    const { service, process, encoder, draining } = this.#server
    const response = service.respond(request, this.#connection, process)
    this.#answered = true
    this.#closing = request.close || response.status === 400 || draining
    const unixMillis = process.system.clock.unixMillis()
    this.#unsent = encoder.encode(response, this.#closing, request.method === 'HEAD', unixMillis)
    const line = service.logLine?.(this.#connection, request, response, process) ?? ''
    if (line !== '') this.#server.log(line)
  }

  /** Whether all was taken. */
  #flush(): boolean {
    if (this.#unsent === undefined) return true
    const taken = this.#connection.write(this.#unsent)
    this.#unsent = taken === this.#unsent.length ? undefined : this.#unsent.subarray(taken)
    return this.#unsent === undefined
  }

  #close(): void {
    this.#end()
    this.#connection.close()
  }

  #end(): void {
    this.#over = true
    this.#connection.onReady = undefined
    this.#server.ended(this)
  }
}
