// The connections that IPVS carries, found by what the client sends (client, virtual address) and by what the server
// answers (server, client); the templates of persistence beside them. Keeps time-outs; changes no packet.

import { type Micros, NEVER, SECOND } from '../base/time.js'
import { type Timer, TimerHeap } from '../base/timer-heap.js'
import type { Flow } from '../netfilter/flow.js'
import { FlowTable } from '../stack/flow-table.js'
import type { Endpoint } from '../wire/address.js'
import type { RealServer, VirtualService } from './service.js'
import { type IpvsTcpState, isActive } from './tcp-state.js'

/** A template stays so much longer while it has connections. */
const CONTROLLED_RETRY: Micros = 60 * SECOND

export interface ConnectionOptions {
  /** IP protocol number. */
  readonly protocol: number
  readonly client: Endpoint
  readonly virtual: Endpoint
  readonly service: VirtualService
  readonly server: RealServer
  /** Persistence: a client's binding to a server, not a connection. Its client port is 0. */
  readonly template: boolean
  /** The template that it belongs to. */
  readonly control?: Connection | undefined
  /** The netfilter flow of its packets. */
  readonly flow?: Flow | undefined
}

export class Connection {
  readonly protocol: number
  readonly client: Endpoint
  readonly virtual: Endpoint
  readonly service: VirtualService
  readonly server: RealServer
  readonly template: boolean
  readonly control: Connection | undefined
  readonly flow: Flow | undefined
  /** Connections that belong to this template. */
  controlled = 0
  /** Of TCP. */
  state: IpvsTcpState = 'NONE'
  /** From the last packet on. */
  timeout: Micros = 3 * SECOND
  expiresAt: Micros = 0
  /** Counted as InActConn. */
  inactive = true
  readonly timer: Timer<Connection>

  constructor(options: ConnectionOptions, timers: TimerHeap<Connection>) {
    this.protocol = options.protocol
    this.client = options.client
    this.virtual = options.virtual
    this.service = options.service
    this.server = options.server
    this.template = options.template
    this.control = options.control
    this.flow = options.flow
    this.timer = timers.timer(this)
  }

  /** Notes the state of a TCP connection and keeps its server's counters right. */
  setState(state: IpvsTcpState): void {
    this.state = state
    const inactive = !isActive(state)
    if (inactive === this.inactive) return
    this.inactive = inactive
    this.server.activeConnections += inactive ? -1 : 1
    this.server.inactiveConnections += inactive ? 1 : -1
  }
}

export class ConnectionTable {
  readonly #timers = new TimerHeap<Connection>()
  /** By client and virtual address. */
  readonly #requests = new FlowTable<Connection>()
  /** By server and client; templates are not in it. */
  readonly #replies = new FlowTable<Connection>()
  readonly #all = new Set<Connection>()
  readonly #onRemove: (connection: Connection) => void

  /** `onRemove` hears of every connection that is over. */
  constructor(onRemove: (connection: Connection) => void) {
    this.#onRemove = onRemove
  }

  get size(): number {
    return this.#all.size
  }

  /** Makes a connection and binds it to its server; its time-out runs from the first `touch`. */
  add(options: ConnectionOptions): Connection {
    const connection = new Connection(options, this.#timers)
    const { client, virtual, server, protocol } = connection
    this.#all.add(connection)
    this.#requests.add(client.address, virtual.address, client.port, virtual.port, protocol, connection)
    if (connection.template) {
      server.persistentConnections++
      return connection
    }
    this.#replies.add(server.address, client.address, server.port, client.port, protocol, connection)
    server.inactiveConnections++
    if (connection.control !== undefined) connection.control.controlled++
    return connection
  }

  byRequest(client: Endpoint, virtual: Endpoint, protocol: number): Connection | undefined {
    return this.#requests.get(client.address, virtual.address, client.port, virtual.port, protocol)
  }

  byReply(server: Endpoint, client: Endpoint, protocol: number): Connection | undefined {
    return this.#replies.get(server.address, client.address, server.port, client.port, protocol)
  }

  /** A packet passed: its time-out begins anew. */
  touch(connection: Connection, now: Micros): void {
    connection.expiresAt = now + connection.timeout
    // A later end is found when the time that the heap knows has come.
    if (connection.expiresAt < connection.timer.at) this.#timers.set(connection.timer, connection.expiresAt)
  }

  /** Ends a connection now. */
  remove(connection: Connection): void {
    const { client, virtual, server, protocol, control } = connection
    if (!this.#all.delete(connection)) return
    this.#timers.set(connection.timer, NEVER)
    this.#requests.remove(client.address, virtual.address, client.port, virtual.port, protocol, connection)
    if (connection.template) {
      server.persistentConnections--
    } else {
      this.#replies.remove(server.address, client.address, server.port, client.port, protocol, connection)
      if (connection.inactive) server.inactiveConnections--
      else server.activeConnections--
      if (control !== undefined) control.controlled--
    }
    this.#onRemove(connection)
  }

  /** Ends what is over. Needs no deadline: every packet and every read-out sees to it first. */
  expire(now: Micros): void {
    for (let at = this.#timers.next(); at <= now; at = this.#timers.next()) {
      const timer = this.#timers.due(now)!
      const connection = timer.owner
      // As if each had been looked at in its time: what follows from it may be over by now, too.
      if (connection.expiresAt <= at && connection.controlled > 0)
        connection.expiresAt = at + CONTROLLED_RETRY
      if (connection.expiresAt > at) this.#timers.set(timer, connection.expiresAt)
      else this.remove(connection)
    }
  }

  /** The oldest first. */
  values(): IterableIterator<Connection> {
    return this.#all.values()
  }
}
