// Copies bytes between two connections, both ways, as data and room come: what kube-proxy's userspace mode does
// with a client's connection and the one it dialled, as splice(2) without a copy of their own. It holds no bytes: it
// takes only what the other side can take now, so a slow reader closes the other side's window (back-pressure).

import type { TcpSocket } from '../stack/socket.js'

export class TcpRelay {
  readonly #client: TcpSocket
  readonly #endpoint: TcpSocket
  /** Whether the end of what that side sent was passed on as a FIN. */
  #clientEnded = false
  #endpointEnded = false

  constructor(client: TcpSocket, endpoint: TcpSocket) {
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
    this.#clientEnded = copy(this.#client, this.#endpoint, this.#clientEnded)
    this.#endpointEnded = copy(this.#endpoint, this.#client, this.#endpointEnded)
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
function copy(from: TcpSocket, to: TcpSocket, ended: boolean): boolean {
  if (ended) return true
  while (to.writable > 0) {
    const bytes = from.peek()
    if (bytes === undefined) break
    from.skip(to.write(bytes))
  }
  if (!from.ended) return false
  to.shutdown()
  return true
}
