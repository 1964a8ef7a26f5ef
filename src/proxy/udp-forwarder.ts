// A UDP service port in userspace mode: each client address gets a socket of its own towards an endpoint, until
// nothing has passed either way for the idle time-out. After pkg/proxy/userspace/proxysocket.go of Kubernetes.

import { SystemError } from '../base/errors.js'
import { NEVER } from '../base/time.js'
import type { Timer } from '../base/timer-heap.js'
import type { UdpSocket } from '../stack/socket.js'
import { anyOf, type Endpoint, endpointKey, type Port } from '../wire/address.js'
import {
  DIAL_TIMEOUTS,
  type Forwarder,
  type Forwarding,
  onRandomPort,
  reportFlow,
  type Timed,
} from './forwarder.js'

export class UdpForwarder implements Forwarder {
  readonly #forwarding: Forwarding
  readonly #listener: UdpSocket
  /** By client address and port. */
  readonly #associations = new Map<number | string, Association>()

  constructor(forwarding: Forwarding) {
    this.#forwarding = forwarding
    this.#listener = onRandomPort(forwarding.random, (port) =>
      forwarding.sockets.udpBind({ address: anyOf(forwarding.info.clusterIP), port }),
    )
    this.#listener.onReady = () => this.#onReady()
  }

  get port(): Port {
    return this.#listener.local.port
  }

  /** Unlike TCP, clients already known are cut off as well: their replies leave through the listener's socket. */
  close(): void {
    for (const association of [...this.#associations.values()]) association.close()
    this.#listener.onReady = undefined
    this.#listener.close()
  }

  abort(): void {
    this.close()
  }

  #onReady(): void {
    for (let got = this.#listener.receive(); got !== undefined; got = this.#listener.receive()) {
      this.#associationOf(got.source)?.forward(got.bytes)
    }
  }

  #associationOf(client: Endpoint): Association | undefined {
    const key = endpointKey(client)
    const known = this.#associations.get(key)
    if (known !== undefined) return known
    const socket = this.#dial(client)
    reportFlow(this.#forwarding, client, socket?.remote)
    if (socket === undefined) return undefined
    const association = new Association(this.#forwarding, this.#listener, client, socket, () =>
      this.#associations.delete(key),
    )
    this.#associations.set(key, association)
    return association
  }

  /** A socket connected to the next endpoint. Only the local stack can refuse; then the next one is tried. */
  #dial(client: Endpoint): UdpSocket | undefined {
    const { balancer, sockets } = this.#forwarding
    for (let attempt = 0; attempt < DIAL_TIMEOUTS.length; attempt++) {
      const endpoint = balancer.next(client.address, sockets.now, attempt > 0)
      if (endpoint === undefined) return undefined
      const socket = this.#connect(endpoint)
      if (socket !== undefined) return socket
    }
    return undefined
  }

  /** Undefined when the stack refuses: no route, no free port. */
  #connect(endpoint: Endpoint): UdpSocket | undefined {
    let socket: UdpSocket | undefined
    try {
      socket = this.#forwarding.sockets.udpBind({ address: anyOf(this.#forwarding.info.clusterIP) })
      socket.connect(endpoint)
      return socket
    } catch (error) {
      socket?.close()
      if (error instanceof SystemError) return undefined
      throw error
    }
  }
}

/** One client of a UDP service port. */
class Association implements Timed {
  readonly #forwarding: Forwarding
  readonly #listener: UdpSocket
  readonly #client: Endpoint
  readonly #socket: UdpSocket
  readonly #onClose: () => void
  readonly #timer: Timer<Timed>

  constructor(
    forwarding: Forwarding,
    listener: UdpSocket,
    client: Endpoint,
    socket: UdpSocket,
    onClose: () => void,
  ) {
    this.#forwarding = forwarding
    this.#listener = listener
    this.#client = client
    this.#socket = socket
    this.#onClose = onClose
    this.#timer = forwarding.timers.timer(this)
    socket.onReady = () => this.#onReady()
    this.#touch()
  }

  forward(bytes: Uint8Array): void {
    if (trySend(this.#socket, bytes)) this.#touch()
  }

  due(): void {
    this.close()
  }

  close(): void {
    this.#forwarding.timers.set(this.#timer, NEVER)
    this.#socket.onReady = undefined
    this.#socket.close()
    this.#onClose()
  }

  #onReady(): void {
    // The endpoint's host refused (ICMP port unreachable): the client's next datagram gets the next endpoint.
    if (this.#socket.takeError() !== undefined) return this.close()
    for (let got = this.#socket.receive(); got !== undefined; got = this.#socket.receive()) {
      this.#touch()
      trySend(this.#listener, got.bytes, this.#client)
    }
  }

  #touch(): void {
    const { timers, sockets, udpTimeout } = this.#forwarding
    timers.set(this.#timer, sockets.now + udpTimeout)
  }
}

/** Sends or loses it, as a datagram may be: false when the stack refused. */
function trySend(socket: UdpSocket, bytes: Uint8Array, to?: Endpoint): boolean {
  try {
    socket.send(bytes, to)
    return true
  } catch (error) {
    if (error instanceof SystemError) return false
    throw error
  }
}
