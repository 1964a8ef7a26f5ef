// Copies bytes between two connections, both ways, as data and room come: what kube-proxy's userspace mode does
// with a client's connection and the one it dialled. It holds no bytes of its own: it reads only what the other
// side can take now, so a slow reader closes the other side's window (back-pressure).

import { invariant } from '../base/errors.js'
import type { TcpSocket } from '../stack/socket.js'

export class TcpRelay {
  readonly #client: TcpSocket
  readonly #endpoint: TcpSocket
  readonly #buffer: Uint8Array
  /** Whether the end of what that side sent was passed on as a FIN. */
  #clientEnded = false
  #endpointEnded = false

  /** `buffer` is for bytes on their way from one to the other; relays may share it. */
  constructor(client: TcpSocket, endpoint: TcpSocket, buffer: Uint8Array) {
    this.#buffer = buffer
    this.#client = client
    this.#endpoint = endpoint
  }

  /** Takes both sockets over. `onEnd` is called once, when both are given up. */
  start(onEnd: () => void): void {
    const pump = () => {
      if (this.#pump()) onEnd()
    }
    this.#client.onReady = pump
    this.#endpoint.onReady = pump
    pump()
  }

  /** Resets both connections. */
  abort(): void {
    this.#release()
    this.#client.abort()
    this.#endpoint.abort()
  }

  /** Copies what can be copied now; true when both directions are done. */
  #pump(): boolean {
    // Unlike kube-proxy: a reset of one side is passed on as a reset, where its copy loop closed the other side
    // in order and made a broken transfer look complete.
    if (this.#client.error !== undefined || this.#endpoint.error !== undefined) {
      this.abort()
      return true
    }
    this.#clientEnded = copy(this.#client, this.#endpoint, this.#clientEnded, this.#buffer)
    this.#endpointEnded = copy(this.#endpoint, this.#client, this.#endpointEnded, this.#buffer)
    if (!this.#clientEnded || !this.#endpointEnded) return false
    this.#release()
    this.#client.close()
    this.#endpoint.close()
    return true
  }

  #release(): void {
    this.#client.onReady = undefined
    this.#endpoint.onReady = undefined
  }
}

/**
 * Moves what is there and fits, and passes the end on once. Half-close: the other direction goes on, as in
 * kube-proxy's early versions; the later ones closed both sides at the first FIN.
 */
function copy(from: TcpSocket, to: TcpSocket, ended: boolean, buffer: Uint8Array): boolean {
  if (ended) return true
  for (let room = to.writable; room > 0; room = to.writable) {
    const count = from.readInto(room < buffer.length ? buffer.subarray(0, room) : buffer)
    if (count === 0) break
    const written = to.write(count < buffer.length ? buffer.subarray(0, count) : buffer)
    invariant(written === count, `a socket with room for ${room} bytes took ${written}`)
  }
  if (!from.ended) return false
  to.shutdown()
  return true
}
