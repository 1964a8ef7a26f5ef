// The network of programs (posix/net.ts) over a stack's synchronous sockets (stack/socket.ts). One PodNetwork per
// pod, one ProcessNet per process: what a process leaves open is closed when it ends, as a kernel does.

import { invariant, SystemError } from '../base/errors.js'
import type { Micros } from '../base/time.js'
import type { RecordType } from '../dns/message.js'
import type { Datagram, IcmpReply, SocketRow, TcpListener, TcpSocket, UdpSocket } from '../stack/socket.js'
import type { Stack } from '../stack/stack.js'
import { type Endpoint, IPV4_ANY, IPV6_ANY, type IpAddress, isIpv6 } from '../wire/address.js'
import { abortable, NO_LONGER_NEEDED, Wakeup } from './abort.js'
import type {
  Connection,
  ConnectOptions,
  DatagramSocket,
  EchoSocket,
  InterfaceRow,
  Listener,
  NeighborRow,
  Net,
  NonBlockingConnection,
  NonBlockingDatagramSocket,
  NonBlockingListener,
  PacketCapture,
  PacketFilter,
  QueryAnswer,
  QueryOptions,
  Resolution,
  RouteRow,
} from './net.js'
import { interfaceRows, neighborRows, routeRows } from './network-rows.js'
import { type Closable, StackCapture } from './packet-capture.js'
import { toBytes } from './pipe.js'
import type { Clock } from './process.js'
import type { SecureConnection, TlsClientSettings, TlsEngine } from './tls.js'

/** Names to addresses and back, and questions of any type (posix/resolver.ts). */
export interface NameService {
  resolve(host: string, signal?: AbortSignal): Promise<Resolution>
  reverse(address: IpAddress, signal?: AbortSignal): Promise<string | undefined>
  query(name: string, type: RecordType, options?: QueryOptions): Promise<QueryAnswer>
}

/** What the processes of a pod share. */
export interface PodNetwork {
  readonly stack: Stack
  readonly clock: Clock
  /** The stack may have something to send, or a new deadline: the driver should look. */
  touched(): void
  /** For programs that speak TLS. */
  readonly tls?: TlsEngine
}

const NO_NAMES: NameService = {
  resolve: () => Promise.reject(new TypeError('no names here')),
  reverse: () => Promise.reject(new TypeError('no names here')),
  query: () => Promise.reject(new TypeError('no names here')),
}

/** The network of somebody who goes by addresses alone: the kubelet, the API server. */
export function addressNet(network: PodNetwork): ProcessNet {
  return new ProcessNet(network, () => NO_NAMES)
}

export class ProcessNet implements Net {
  readonly #network: PodNetwork
  readonly #names: (net: Net) => NameService
  readonly #open = new Set<Closable>()

  constructor(network: PodNetwork, names: (net: Net) => NameService) {
    this.#network = network
    this.#names = names
  }

  /** Closes what the process left open. */
  closeAll(): void {
    for (const socket of [...this.#open]) socket.close()
  }

  async connect(to: Endpoint, options: ConnectOptions = {}): Promise<Connection> {
    const stack = this.#now()
    const socket = stack.tcpConnect(to, options.from)
    const connection = new StackConnection(socket, this.#network, this.#open)
    try {
      if (!(await connection.established(options.timeout, options.signal))) {
        throw new SystemError('ETIMEDOUT', 'connect')
      }
      return connection
    } catch (error) {
      connection.abort()
      throw error
    }
  }

  async secure(connection: Connection, settings: TlsClientSettings): Promise<SecureConnection> {
    const { tls } = this.#network
    invariant(tls !== undefined, 'programs have TLS')
    return tls.connect(connection, settings)
  }

  listen(on: Endpoint): Listener {
    return new StackListener(listenAt(this.#now(), on), this.#network, this.#open)
  }

  listenNonBlocking(on: Endpoint): NonBlockingListener {
    return new StackReadyListener(listenAt(this.#now(), on), this.#network, this.#open)
  }

  datagram(on?: Partial<Endpoint>): DatagramSocket {
    return new StackDatagramSocket(this.datagramNonBlocking(on), this.#network.clock)
  }

  datagramNonBlocking(on?: Partial<Endpoint>): NonBlockingDatagramSocket {
    return new StackReadyDatagramSocket(bindAt(this.#now(), on ?? {}), this.#network, this.#open)
  }

  echo(): EchoSocket {
    const socket = this.#now().ping()
    const queue = new ReadyQueue<IcmpReply>(() => socket.receive(), this.#network.clock)
    socket.onReady = queue.onReady
    const echo: EchoSocket = {
      identifier: socket.identifier,
      send: (to, sequence, bytes) => {
        this.#now()
        socket.send(to, sequence, bytes)
        this.#network.touched()
      },
      receive: (timeout, signal) => queue.next(timeout, signal),
      setTtl: (ttl) => socket.setTtl(ttl),
      close: () => {
        this.#open.delete(echo)
        socket.close()
      },
    }
    this.#open.add(echo)
    return echo
  }

  resolve(host: string, signal?: AbortSignal): Promise<Resolution> {
    return this.#names(this).resolve(host, signal)
  }

  reverse(address: IpAddress, signal?: AbortSignal): Promise<string | undefined> {
    return this.#names(this).reverse(address, signal)
  }

  query(name: string, type: RecordType, options?: QueryOptions): Promise<QueryAnswer> {
    return this.#names(this).query(name, type, options)
  }

  capture(interfaceIndex: number | undefined, filter: PacketFilter): PacketCapture {
    return new StackCapture(this.#network.stack, interfaceIndex, filter, this.#open)
  }

  interfaces(): InterfaceRow[] {
    return interfaceRows(this.#network.stack)
  }

  routes(): RouteRow[] {
    return routeRows(this.#network.stack)
  }

  neighbors(): NeighborRow[] {
    return neighborRows(this.#network.stack)
  }

  sockets(): SocketRow[] {
    return this.#network.stack.sockets()
  }

  #now(): Stack {
    const { stack, clock } = this.#network
    stack.setNow(clock.now())
    return stack
  }
}

/** Whether a host has the family at all, but for ::1. */
function hasIpv6(stack: Stack): boolean {
  return stack
    .interfaces()
    .some(({ loopback, addresses }) => !loopback && addresses.some(({ address }) => isIpv6(address)))
}

/**
 * Listeners for one that a program asks for: every address means those of both families where there are both, as servers
 * bind them. The first one says what it is.
 */
function listenAt(stack: Stack, on: Endpoint): [TcpListener, ...TcpListener[]] {
  const first = stack.tcpListen(on)
  if (on.address !== IPV4_ANY || !hasIpv6(stack)) return [first]
  try {
    return [first, stack.tcpListen({ address: IPV6_ANY, port: first.local.port })]
  } catch (error) {
    first.close()
    throw error
  }
}

/** The same of datagrams. */
function bindAt(stack: Stack, on: Partial<Endpoint>): [UdpSocket, ...UdpSocket[]] {
  const first = stack.udpBind(on)
  if ((on.address ?? IPV4_ANY) !== IPV4_ANY || !hasIpv6(stack)) return [first]
  try {
    return [first, stack.udpBind({ address: IPV6_ANY, port: first.local.port })]
  } catch (error) {
    first.close()
    throw error
  }
}

/** Waits with a time limit; undefined when it passes first. The clock's timer does not outlive the wait. */
async function within<Value>(
  wait: Promise<Value>,
  timeout: Micros | undefined,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Value | undefined> {
  if (timeout === undefined) return abortable(wait, signal)
  const timer = new AbortController()
  const expired = clock.sleep(timeout, timer.signal).then(
    () => undefined,
    () => undefined,
  )
  try {
    return await abortable(Promise.race([wait, expired]), signal)
  } finally {
    timer.abort(NO_LONGER_NEEDED)
  }
}

/** Items of a socket's queue as promises. */
class ReadyQueue<Item> {
  readonly onReady: () => void
  readonly #take: () => Item | undefined
  readonly #clock: Clock
  readonly #wakeup = new Wakeup()

  constructor(take: () => Item | undefined, clock: Clock) {
    this.#take = take
    this.#clock = clock
    this.onReady = () => this.#wakeup.wake()
  }

  async next(timeout: Micros | undefined, signal: AbortSignal | undefined): Promise<Item | undefined> {
    const end = timeout === undefined ? undefined : this.#clock.now() + timeout
    for (;;) {
      const item = this.#take()
      if (item !== undefined) return item
      const left = end === undefined ? undefined : end - this.#clock.now()
      if (left !== undefined && left <= 0) return undefined
      await within(this.#wakeup.wait(), left, this.#clock, signal)
    }
  }
}

class StackConnection implements Connection {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly #socket: TcpSocket
  readonly #network: PodNetwork
  readonly #open: Set<Closable>
  readonly #wakeup = new Wakeup()
  /** The signal that ends waits: listened to as long as waits come with the same one. */
  #signal: AbortSignal | undefined
  readonly #onAbort = () => this.#wakeup.wake()

  constructor(socket: TcpSocket, network: PodNetwork, open: Set<Closable>) {
    this.local = socket.local
    this.remote = socket.remote
    this.#socket = socket
    this.#network = network
    this.#open = open
    socket.onReady = () => this.#wakeup.wake()
    open.add(this)
    network.touched()
  }

  /** Waits for the handshake; false when `timeout` passes first. Rejects with the socket's error. */
  async established(timeout: Micros | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const clock = this.#network.clock
    const end = timeout === undefined ? undefined : clock.now() + timeout
    for (;;) {
      const { error, state } = this.#socket
      if (error !== undefined) throw error
      if (state !== 'SYN-SENT' && state !== 'SYN-RECEIVED') return true
      const left = end === undefined ? undefined : end - clock.now()
      if (left === undefined) await this.#wait(signal)
      else if (left <= 0) return false
      else await within(this.#wakeup.wait(), left, clock, signal)
    }
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const socket = this.#now()
      const bytes = socket.read()
      if (bytes !== undefined) {
        this.#network.touched()
        return bytes
      }
      if (socket.error !== undefined) throw socket.error
      if (socket.ended || socket.state === 'CLOSED') return undefined
      await this.#wait(signal)
    }
  }

  async readInto(into: Uint8Array, signal?: AbortSignal): Promise<number> {
    for (;;) {
      const socket = this.#now()
      const count = socket.readInto(into)
      if (count > 0) {
        this.#network.touched()
        return count
      }
      if (socket.error !== undefined) throw socket.error
      if (socket.ended || socket.state === 'CLOSED') return 0
      await this.#wait(signal)
    }
  }

  async write(content: Uint8Array | string, signal?: AbortSignal): Promise<void> {
    const bytes = toBytes(content)
    for (let offset = 0; offset < bytes.length; ) {
      const taken = this.#now().write(bytes.subarray(offset))
      offset += taken
      if (taken > 0) this.#network.touched()
      else await this.#wait(signal)
    }
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on)
  }

  shutdown(): void {
    this.#now().shutdown()
    this.#network.touched()
  }

  close(): void {
    this.#open.delete(this)
    this.#listenTo(undefined)
    this.#now().close()
    this.#wakeup.wake()
    this.#network.touched()
  }

  abort(): void {
    this.#open.delete(this)
    this.#listenTo(undefined)
    this.#now().abort()
    this.#wakeup.wake()
    this.#network.touched()
  }

  /** Until the socket is ready; rejects with the reason of `signal`. */
  async #wait(signal: AbortSignal | undefined): Promise<void> {
    if (signal !== this.#signal) this.#listenTo(signal)
    signal?.throwIfAborted()
    await this.#wakeup.wait()
    signal?.throwIfAborted()
  }

  #listenTo(signal: AbortSignal | undefined): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort)
  }

  #now(): TcpSocket {
    this.#network.stack.setNow(this.#network.clock.now())
    return this.#socket
  }
}

class StackListener implements Listener {
  readonly local: Endpoint
  readonly #listeners: readonly TcpListener[]
  readonly #network: PodNetwork
  readonly #open: Set<Closable>
  readonly #accepted: ReadyQueue<TcpSocket>

  constructor(listeners: [TcpListener, ...TcpListener[]], network: PodNetwork, open: Set<Closable>) {
    this.local = listeners[0].local
    this.#listeners = listeners
    this.#network = network
    this.#open = open
    this.#accepted = new ReadyQueue(() => acceptFrom(listeners), network.clock)
    for (const listener of listeners) listener.onReady = this.#accepted.onReady
    open.add(this)
  }

  async accept(signal?: AbortSignal): Promise<Connection> {
    const socket = await this.#accepted.next(undefined, signal)
    return new StackConnection(socket!, this.#network, this.#open)
  }

  close(): void {
    this.#open.delete(this)
    for (const listener of this.#listeners) listener.close()
    this.#network.touched()
  }
}

function acceptFrom(listeners: readonly TcpListener[]): TcpSocket | undefined {
  for (const listener of listeners) {
    const socket = listener.accept()
    if (socket !== undefined) return socket
  }
  return undefined
}

class StackReadyListener implements NonBlockingListener {
  readonly local: Endpoint
  readonly #listeners: readonly TcpListener[]
  readonly #network: PodNetwork
  readonly #open: Set<Closable>

  constructor(listeners: [TcpListener, ...TcpListener[]], network: PodNetwork, open: Set<Closable>) {
    this.local = listeners[0].local
    this.#listeners = listeners
    this.#network = network
    this.#open = open
    open.add(this)
  }

  set onReady(onReady: (() => void) | undefined) {
    for (const listener of this.#listeners) listener.onReady = onReady
  }

  accept(): NonBlockingConnection | undefined {
    const socket = acceptFrom(this.#listeners)
    return socket && new StackReadyConnection(socket, this.#network, this.#open)
  }

  close(): void {
    this.#open.delete(this)
    for (const listener of this.#listeners) listener.close()
    this.#network.touched()
  }
}

class StackReadyConnection implements NonBlockingConnection {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly #socket: TcpSocket
  readonly #network: PodNetwork
  readonly #open: Set<Closable>

  constructor(socket: TcpSocket, network: PodNetwork, open: Set<Closable>) {
    this.local = socket.local
    this.remote = socket.remote
    this.#socket = socket
    this.#network = network
    this.#open = open
    open.add(this)
  }

  set onReady(onReady: (() => void) | undefined) {
    this.#socket.onReady = onReady
  }

  get ended(): boolean {
    return this.#socket.ended || this.#socket.state === 'CLOSED'
  }

  readInto(into: Uint8Array): number {
    const count = this.#socket.readInto(into)
    // Room in the buffer may be news for the peer.
    if (count > 0) this.#network.touched()
    else if (this.#socket.error !== undefined) throw this.#socket.error
    return count
  }

  write(bytes: Uint8Array): number {
    this.#setNow()
    const taken = this.#socket.write(bytes)
    if (taken > 0) this.#network.touched()
    return taken
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on)
  }

  close(): void {
    this.#open.delete(this)
    this.#setNow()
    this.#socket.close()
    this.#network.touched()
  }

  abort(): void {
    this.#open.delete(this)
    this.#setNow()
    this.#socket.abort()
    this.#network.touched()
  }

  #setNow(): void {
    this.#network.stack.setNow(this.#network.clock.now())
  }
}

class StackReadyDatagramSocket implements NonBlockingDatagramSocket {
  /** One, or one of each family until it is connected. */
  #sockets: readonly [UdpSocket, ...UdpSocket[]]
  readonly #network: PodNetwork
  readonly #open: Set<Closable>

  constructor(sockets: [UdpSocket, ...UdpSocket[]], network: PodNetwork, open: Set<Closable>) {
    this.#sockets = sockets
    this.#network = network
    this.#open = open
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

class StackDatagramSocket implements DatagramSocket {
  readonly #socket: NonBlockingDatagramSocket
  readonly #received: ReadyQueue<Datagram>

  constructor(socket: NonBlockingDatagramSocket, clock: Clock) {
    this.#socket = socket
    this.#received = new ReadyQueue(() => socket.receive(), clock)
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
