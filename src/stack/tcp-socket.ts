// One TCP socket and one listener of a stack: the state that belongs to the host rather than to the connection (path,
// TTL, queues, timer), and the calls of socket.ts. What happens between sockets is tcp-sockets.ts; the protocol is
// tcp/.

import { SystemError } from '../base/errors.js'
import { Fifo } from '../base/fifo.js'
import { LinkedList, type Place } from '../base/linked-list.js'
import type { Micros } from '../base/time.js'
import type { Timer, TimerHeap } from '../base/timer-heap.js'
import type { TcpConnection } from '../tcp/connection.js'
import type { Endpoint } from '../wire/address.js'
import type { Expiring } from './expiring.js'
import { DEFAULT_TTL } from './ip.js'
import type { Path } from './paths.js'
import type { Notifying } from './ready-queue.js'
import type { TcpListener, TcpSocket, TcpState } from './socket.js'
import type { TimeWait } from './time-waits.js'

/** What a socket asks of the stack it belongs to. */
export interface TcpSocketOwner {
  readonly now: Micros
  /** The connection was used by its owner: it may have output and a new deadline. */
  used(socket: StackTcpSocket): void
  /** The connection's deadline is over. */
  expired(socket: StackTcpSocket): void
  closeListener(listener: StackTcpListener): void
}

export class StackTcpSocket implements TcpSocket, Notifying, Expiring {
  readonly connection: TcpConnection
  onReady: (() => void) | undefined
  owner: object | undefined
  readyQueued = false
  /** Of a connection that no `accept` has given out yet. */
  listener: StackTcpListener | undefined
  /** Among all of its stack, and among its listener's handshakes. */
  place: Place<StackTcpSocket> | undefined
  handshake: Place<StackTcpSocket> | undefined
  path: Path
  ttl = DEFAULT_TTL
  tos = 0
  /** What stands for it in the stack once it is closed and in TIME-WAIT. */
  timeWait: TimeWait | undefined
  /** It waits to be asked for output. */
  outputQueued = false
  /** `connection.changes` when its owner was last told. */
  seenChanges: number
  readonly timer: Timer<Expiring>
  readonly #owner: TcpSocketOwner

  constructor(owner: TcpSocketOwner, timers: TimerHeap<Expiring>, connection: TcpConnection, path: Path) {
    this.#owner = owner
    this.connection = connection
    this.path = path
    this.seenChanges = connection.changes
    this.timer = timers.timer(this)
  }

  expire(): void {
    this.#owner.expired(this)
  }

  get local(): Endpoint {
    return this.connection.local
  }

  get remote(): Endpoint {
    return this.connection.remote
  }

  get state(): TcpState {
    return this.timeWait?.over ? 'CLOSED' : this.connection.state
  }

  get error(): SystemError | undefined {
    return this.connection.error
  }

  get softError(): SystemError | undefined {
    return this.connection.softError
  }

  get readable(): number {
    return this.connection.readable
  }

  get writable(): number {
    return this.connection.writable
  }

  get ended(): boolean {
    return this.connection.ended
  }

  get unacknowledged(): number {
    return this.connection.unacknowledged
  }

  read(max?: number): Uint8Array | undefined {
    const bytes = this.connection.read(max)
    // Room in the buffer may open the window.
    if (bytes !== undefined) this.#owner.used(this)
    return bytes
  }

  readInto(into: Uint8Array): number {
    const count = this.connection.readInto(into)
    if (count > 0) this.#owner.used(this)
    return count
  }

  peek(): Uint8Array | undefined {
    return this.connection.peek()
  }

  skip(count: number): void {
    this.connection.skip(count)
    this.#owner.used(this)
  }

  write(bytes: Uint8Array): number {
    const taken = this.connection.write(bytes, this.#owner.now)
    if (taken > 0) this.#owner.used(this)
    return taken
  }

  shutdown(): void {
    this.connection.shutdown(this.#owner.now)
    this.#owner.used(this)
  }

  close(): void {
    this.onReady = undefined
    this.connection.close(this.#owner.now)
    this.#owner.used(this)
  }

  abort(): void {
    this.onReady = undefined
    this.connection.abort(this.#owner.now)
    this.#owner.used(this)
  }

  setNoDelay(on: boolean): void {
    this.connection.setNoDelay(on)
    this.#owner.used(this)
  }

  setKeepAlive(idle: Micros, interval?: Micros, count?: number): void {
    this.connection.setKeepAlive(idle, interval, count)
    this.#owner.used(this)
  }

  setTtl(ttl: number): void {
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > 255) throw new SystemError('EINVAL', 'setsockopt')
    this.ttl = ttl
  }

  setTos(tos: number): void {
    if (!Number.isInteger(tos) || tos < 0 || tos > 255) throw new SystemError('EINVAL', 'setsockopt')
    this.tos = tos
  }

  setUserTimeout(timeout: Micros): void {
    this.connection.setUserTimeout(timeout)
    this.#owner.used(this)
  }
}

export class StackTcpListener implements TcpListener, Notifying {
  readonly local: Endpoint
  readonly backlog: number
  onReady: (() => void) | undefined
  owner: object | undefined
  readyQueued = false
  closed = false
  /** Connections in SYN-RECEIVED. */
  readonly handshakes = new LinkedList<StackTcpSocket>()
  /** Established connections that wait for `accept`. */
  readonly established = new Fifo<StackTcpSocket>()
  readonly #owner: TcpSocketOwner

  constructor(owner: TcpSocketOwner, local: Endpoint, backlog: number) {
    this.#owner = owner
    this.local = local
    this.backlog = backlog
  }

  accept(): TcpSocket | undefined {
    const socket = this.established.shift()
    if (socket === undefined) return undefined
    socket.listener = undefined
    return socket
  }

  close(): void {
    this.#owner.closeListener(this)
  }
}
