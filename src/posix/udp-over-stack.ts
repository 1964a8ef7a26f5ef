// Datagram sockets of programs (posix/net.ts) over a stack's (stack/socket.ts), in both kinds: those that do not block,
// and those that promise, over the former. Which ones a process has, and opening them, is net-over-stack.ts.

import type { Micros } from '../base/time.js'
import type { Datagram, UdpSocket } from '../stack/socket.js'
import { type Endpoint, isIpv6 } from '../wire/address.js'
import type { DatagramSocket, NonBlockingDatagramSocket } from './net.js'
import type { OpenSockets } from './open-sockets.js'
import type { PodNetwork } from './pod-network.js'
import type { Clock } from './process.js'
import { ReadyItems } from './ready-items.js'

export class StackReadyDatagramSocket implements NonBlockingDatagramSocket {
  /** One, or one of each family until it is connected. */
  #sockets: readonly [UdpSocket, ...UdpSocket[]]
  readonly #network: PodNetwork
  readonly #open: OpenSockets

  constructor(sockets: [UdpSocket, ...UdpSocket[]], network: PodNetwork, open: OpenSockets) {
    this.#sockets = sockets
    this.#network = network
    this.#open = open
    for (const socket of sockets) socket.owner = open
    open.add(this)
  }

  get local(): Endpoint {
    return this.#sockets[0].local
  }

  set onReady(onReady: (() => void) | undefined) {
    for (const socket of this.#sockets) socket.onReady = onReady
  }

  send(bytes: Uint8Array, to?: Endpoint): void {
    this.#network.stack.setNow(this.#network.clock.now())
    this.#socketFor(to).send(bytes, to)
    this.#network.touched()
  }

  connect(to: Endpoint): void {
    const chosen = this.#socketFor(to)
    chosen.connect(to)
    for (const socket of this.#sockets) if (socket !== chosen) socket.close()
    this.#sockets = [chosen]
  }

  receive(): Datagram | undefined {
    for (const socket of this.#sockets) {
      const error = socket.takeError()
      if (error !== undefined) throw error
      const datagram = socket.receive()
      if (datagram !== undefined) return datagram
    }
    return undefined
  }

  close(): void {
    this.#open.delete(this)
    for (const socket of this.#sockets) socket.close()
    this.#network.touched()
  }

  /** A socket without an address of its own sends to either family. */
  #socketFor(to: Endpoint | undefined): UdpSocket {
    const sockets = this.#sockets
    if (to === undefined || sockets.length === 1) return sockets[0]
    return sockets.find(({ local }) => isIpv6(local.address) === isIpv6(to.address)) ?? sockets[0]
  }
}

export class StackDatagramSocket implements DatagramSocket {
  readonly #socket: NonBlockingDatagramSocket
  readonly #received: ReadyItems<Datagram>

  constructor(socket: NonBlockingDatagramSocket, clock: Clock) {
    this.#socket = socket
    this.#received = new ReadyItems(() => socket.receive(), clock)
    socket.onReady = this.#received.onReady
  }

  get local(): Endpoint {
    return this.#socket.local
  }

  send(bytes: Uint8Array, to?: Endpoint): void {
    this.#socket.send(bytes, to)
  }

  connect(to: Endpoint): void {
    this.#socket.connect(to)
  }

  receive(timeout?: Micros, signal?: AbortSignal): Promise<Datagram | undefined> {
    return this.#received.next(timeout, signal)
  }

  close(): void {
    this.#socket.close()
  }
}
