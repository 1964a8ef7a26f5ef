// Sockets that measure paths (posix/net.ts) over a stack's (stack/socket.ts): datagrams with an error queue, and raw
// sockets. What traceroute and tracepath send and hear. Not here: echoes, which net-over-stack.ts has.

import type { Micros } from '../base/time.js'
import type { Datagram, MtuDiscovery, PathUdpSocket, RawPacket, RawSocket } from '../stack/socket.js'
import type { Endpoint, IpAddress } from '../wire/address.js'
import type { Heard, PathDatagramSocket, PathSocket, RawPathSocket } from './net.js'
import type { OpenSockets } from './open-sockets.js'
import type { PodNetwork } from './pod-network.js'
import { ReadyItems } from './ready-items.js'

class StackPathSocket<Item, Socket extends PathUdpSocket | RawSocket> implements PathSocket<Item> {
  protected readonly socket: Socket
  readonly #network: PodNetwork
  readonly #open: OpenSockets
  readonly #heard: ReadyItems<Heard<Item>>

  constructor(socket: Socket, receive: () => Item | undefined, network: PodNetwork, open: OpenSockets) {
    this.socket = socket
    this.#network = network
    this.#open = open
    this.#heard = new ReadyItems<Heard<Item>>(() => {
      const error = socket.receiveError()
      if (error !== undefined) return { error }
      const item = receive()
      return item === undefined ? undefined : { item }
    }, network.clock)
    socket.onReady = this.#heard.onReady
    socket.owner = open
    open.add(this)
  }

  next(timeout: Micros, signal?: AbortSignal): Promise<Heard<Item> | undefined> {
    return this.#heard.next(timeout, signal)
  }

  setTtl(ttl: number): void {
    this.socket.setTtl(ttl)
  }

  setTos(tos: number): void {
    this.socket.setTos(tos)
  }

  close(): void {
    this.#open.delete(this)
    this.socket.close()
    this.#network.touched()
  }

  /** Brings the stack to now, and lets the driver look after `send`. */
  protected sending(send: () => void): void {
    this.#network.stack.setNow(this.#network.clock.now())
    send()
    this.#network.touched()
  }
}

export class StackPathDatagramSocket
  extends StackPathSocket<Datagram, PathUdpSocket>
  implements PathDatagramSocket
{
  constructor(socket: PathUdpSocket, network: PodNetwork, open: OpenSockets) {
    super(socket, () => socket.receive(), network, open)
    socket.keepErrors()
  }

  get local(): Endpoint {
    return this.socket.local
  }

  setMtuDiscovery(mode: MtuDiscovery): void {
    this.socket.setMtuDiscovery(mode)
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    this.sending(() => this.socket.send(bytes, to))
  }
}

export class StackRawPathSocket extends StackPathSocket<RawPacket, RawSocket> implements RawPathSocket {
  constructor(socket: RawSocket, network: PodNetwork, open: OpenSockets) {
    super(socket, () => socket.receive(), network, open)
  }

  sourceFor(to: IpAddress): IpAddress {
    return this.socket.sourceFor(to)
  }

  send(bytes: Uint8Array, to: IpAddress): void {
    this.sending(() => this.socket.send(bytes, to))
  }
}
