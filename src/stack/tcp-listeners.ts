// Which listener of a stack has which address and port. What comes to a listener, and what becomes of its queues, is
// tcp-sockets.ts.

import { SystemError } from '../base/errors.js'
import type { Random } from '../base/random.js'
import { anyOf, type Endpoint, type IpAddress, type Port } from '../wire/address.js'
import { choosePort } from './ephemeral-ports.js'
import type { SocketRow } from './socket.js'
import type { StackTcpListener } from './tcp-socket.js'

export class TcpListeners {
  readonly #byPort = new Map<Port, StackTcpListener[]>()
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** The port on which one may listen: that of `on`, or any when it is 0. Throws EADDRINUSE. */
  portFor(on: Endpoint): Port {
    const isFree = (candidate: Port) =>
      !(this.#byPort.get(candidate) ?? []).some(
        (other) =>
          other.local.address === on.address ||
          other.local.address === anyOf(on.address) ||
          on.address === anyOf(other.local.address),
      )
    const port = on.port || choosePort(this.#random, isFree)
    if (port === undefined || !isFree(port)) throw new SystemError('EADDRINUSE', 'listen')
    return port
  }

  add(listener: StackTcpListener): void {
    const { port } = listener.local
    this.#byPort.set(port, [...(this.#byPort.get(port) ?? []), listener])
  }

  remove(listener: StackTcpListener): void {
    const { port } = listener.local
    const others = this.#byPort.get(port)!.filter((other) => other !== listener)
    if (others.length === 0) this.#byPort.delete(port)
    else this.#byPort.set(port, others)
  }

  /** Whether somebody listens on `port`, at any address. */
  has(port: Port): boolean {
    return this.#byPort.has(port)
  }

  /** Who gets what comes for `address`: who listens there, or else at all addresses. */
  at(address: IpAddress, port: Port): StackTcpListener | undefined {
    let any: StackTcpListener | undefined
    for (const listener of this.#byPort.get(port) ?? []) {
      if (listener.local.address === address) return listener
      if (listener.local.address === anyOf(address)) any = listener
    }
    return any
  }

  rows(): SocketRow[] {
    return [...this.#byPort.values()].flat().map(({ local, backlog, established, owner }) => {
      const remote = { address: anyOf(local.address), port: 0 }
      const queues = { receiveQueue: established.length, sendQueue: backlog }
      return { protocol: 'tcp', state: 'LISTEN', ...queues, local, remote, owner }
    })
  }
}
