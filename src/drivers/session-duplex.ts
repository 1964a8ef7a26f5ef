// A forwarded connection (ForwardStreams) as Node's streams have it, for servers of Node that are given connections
// instead of sockets. Each way ends by itself. `stir`: see node-tls.ts.

import { Duplex } from 'node:stream'
import type { ForwardStreams } from '../api/request.js'
import type { Stir } from './node-tls.js'

export class SessionDuplex extends Duplex {
  readonly #session: ForwardStreams
  readonly #stir: Stir
  /** Resolve when there is room for more output: each of them for what was told at one time. */
  #waiting: (() => void)[] = []

  constructor(session: ForwardStreams, stir: Stir) {
    super({ allowHalfOpen: true })
    this.#session = session
    this.#stir = stir
    session.onOutput = (_stream, bytes) => {
      stir()
      if (this.push(bytes)) return undefined
      return new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    session.onOutputEnd = () => {
      stir()
      this.push(null)
    }
    session.onExit = () => {
      stir()
      this.destroy()
    }
    // Node's server hears of it too.
    this.on('error', () => {})
  }

  override _read(): void {
    this.#taken()
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#stir()
    Promise.resolve(this.#session.write(bytes)).then(() => {
      this.#stir()
      done()
    }, done)
  }

  override _final(done: () => void): void {
    this.#stir()
    this.#session.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stir()
    this.#taken()
    this.#session.close()
    done(error)
  }

  #taken(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}
