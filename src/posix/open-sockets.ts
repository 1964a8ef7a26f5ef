// What one process has open of its pod's network: closed when it ends, as a kernel does, and what sockets say of whose they
// are (`ss -p`).

import { LinkedList, type Place } from '../base/linked-list.js'

export interface Closable {
  close(): void
  /** For OpenSockets alone. */
  place?: Place<Closable> | undefined
}

export class OpenSockets {
  readonly #sockets = new LinkedList<Closable>()
  /** The table of processes that `pid` is of: containers of a pod share sockets, but not processes. */
  space: object | undefined
  pid = 0

  closeAll(): void {
    for (const socket of [...this.#sockets]) socket.close()
  }

  add(socket: Closable): void {
    socket.place = this.#sockets.add(socket)
  }

  delete(socket: Closable): void {
    if (socket.place !== undefined) this.#sockets.remove(socket.place)
  }
}
