// Connections into the cluster for the API server's proxy: made by the computer on the nodes' network that is no node
// (external-host.ts), as by a control plane that somebody else runs. They are packets like all others.

import { Duplex } from 'node:stream'
import type { Dial } from '../http/proxy.js'
import type { Connection } from '../posix/net.js'
import type { Emulation } from './emulation.js'

/** Emulated microseconds that a connection may take to be made. */
const CONNECT_TIMEOUT = 5_000_000

export function outsideDial(emulation: Pick<Emulation, 'outside'>): Dial {
  return async (to, signal) => {
    const { net } = emulation.outside()
    return new ConnectionDuplex(await net.connect(to, { timeout: CONNECT_TIMEOUT, signal }))
  }
}

/** A connection as Node's streams have it; each way ends by itself. */
class ConnectionDuplex extends Duplex {
  readonly #connection: Connection
  readonly #gone = new AbortController()

  constructor(connection: Connection) {
    super({ allowHalfOpen: true })
    this.#connection = connection
  }

  override _read(): void {
    this.#connection.read(this.#gone.signal).then(
      (bytes) => this.push(bytes ?? null),
      (error: Error) => this.destroy(error),
    )
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#connection.write(bytes, this.#gone.signal).then(() => done(), done)
  }

  override _final(done: () => void): void {
    this.#connection.shutdown()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#gone.abort()
    if (this.readableEnded && this.writableFinished) this.#connection.close()
    else this.#connection.abort()
    done(error)
  }
}
