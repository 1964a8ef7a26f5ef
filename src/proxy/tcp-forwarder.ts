// A TCP service port in userspace mode: accept, take the next endpoint, dial, copy. After
// pkg/proxy/userspace/proxysocket.go of Kubernetes: a failed dial moves on to the next endpoint with a longer
// time-out, and the accept loop waits for the dial, so that one port's clients are served one after the other.

import { SystemError } from '../base/errors.js'
import { NEVER } from '../base/time.js'
import type { Timer } from '../base/timer-heap.js'
import type { TcpListener, TcpSocket } from '../stack/socket.js'
import { anyOf, type Endpoint, type Port } from '../wire/address.js'
import {
  DIAL_TIMEOUTS,
  type Forwarder,
  type Forwarding,
  onRandomPort,
  reportFlow,
  type Timed,
} from './forwarder.js'
import { TcpRelay } from './tcp-relay.js'

/** What Go's net.Listen asks for: the default of net.core.somaxconn. */
const BACKLOG = 4096

/** A client that was accepted and the endpoint that is being dialled for it. */
interface Dial {
  readonly client: TcpSocket
  /** Index into DIAL_TIMEOUTS. */
  readonly attempt: number
  readonly endpoint: Endpoint
  readonly socket: TcpSocket
}

export class TcpForwarder implements Forwarder, Timed {
  readonly #forwarding: Forwarding
  readonly #relays: Set<TcpRelay>
  readonly #listener: TcpListener
  readonly #timer: Timer<Timed>
  #dial: Dial | undefined
  #closed = false

  /** `relays` outlives this forwarder: established connections go on when their service is gone. */
  constructor(forwarding: Forwarding, relays: Set<TcpRelay>) {
    this.#forwarding = forwarding
    this.#relays = relays
    this.#timer = forwarding.timers.timer(this)
    this.#listener = onRandomPort(forwarding.random, (port) =>
      forwarding.sockets.tcpListen({ address: anyOf(forwarding.info.clusterIP), port }, BACKLOG),
    )
    this.#listener.onReady = () => this.#acceptNext()
  }

  get port(): Port {
    return this.#listener.local.port
  }

  /** Stops listening. A dial under way may still succeed, but no other endpoint is tried. */
  close(): void {
    this.#closed = true
    this.#listener.onReady = undefined
    this.#listener.close()
  }

  abort(): void {
    this.close()
    const dial = this.#dial
    if (dial === undefined) return
    this.#settle(dial)
    dial.socket.abort()
    dial.client.abort()
  }

  /** The dial took too long. */
  due(): void {
    const dial = this.#dial
    if (dial === undefined) return
    this.#settle(dial)
    dial.socket.abort()
    this.#start(dial.client, dial.attempt + 1)
    this.#acceptNext()
  }

  #acceptNext(): void {
    while (this.#dial === undefined && !this.#closed) {
      const client = this.#listener.accept()
      if (client === undefined) return
      this.#start(client, 0)
    }
  }

  /** Dials the next endpoint for `client`, or closes it when there is none or all attempts have failed. */
  #start(client: TcpSocket, firstAttempt: number): void {
    const { balancer, sockets, timers } = this.#forwarding
    for (let attempt = firstAttempt; attempt < DIAL_TIMEOUTS.length && !this.#closed; attempt++) {
      const endpoint = balancer.next(client.remote.address, sockets.now, attempt > 0)
      if (endpoint === undefined) break
      const socket = this.#connect(endpoint)
      if (socket === undefined) continue
      this.#dial = { client, attempt, endpoint, socket }
      socket.onReady = () => this.#onDialReady()
      timers.set(this.#timer, sockets.now + DIAL_TIMEOUTS[attempt]!)
      return
    }
    reportFlow(this.#forwarding, client.remote, undefined)
    client.close()
  }

  /** Undefined when the stack refuses at once (no route). */
  #connect(endpoint: Endpoint): TcpSocket | undefined {
    try {
      return this.#forwarding.sockets.tcpConnect(endpoint)
    } catch (error) {
      if (error instanceof SystemError) return undefined
      throw error
    }
  }

  #onDialReady(): void {
    const dial = this.#dial
    if (dial === undefined) return
    if (dial.socket.error !== undefined) {
      this.#settle(dial)
      dial.socket.close()
      this.#start(dial.client, dial.attempt + 1)
    } else if (dial.socket.state !== 'SYN-SENT' && dial.socket.state !== 'SYN-RECEIVED') {
      this.#settle(dial)
      this.#relay(dial)
    } else return
    this.#acceptNext()
  }

  /** The dial is decided, one way or the other. */
  #settle(dial: Dial): void {
    this.#forwarding.timers.set(this.#timer, NEVER)
    dial.socket.onReady = undefined
    this.#dial = undefined
  }

  #relay(dial: Dial): void {
    reportFlow(this.#forwarding, dial.client.remote, dial.endpoint)
    // Go turns Nagle's algorithm off on every TCP connection. Simplified: it also sends keep-alive probes.
    dial.client.setNoDelay(true)
    dial.socket.setNoDelay(true)
    const relay = new TcpRelay(dial.client, dial.socket)
    this.#relays.add(relay)
    relay.start(() => this.#relays.delete(relay))
  }
}
