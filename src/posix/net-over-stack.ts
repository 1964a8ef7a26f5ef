// The network of programs (posix/net.ts) over a stack: one ProcessNet per process, over the PodNetwork that it shares
// with others. What a process leaves open is closed when it ends, as a kernel does. The sockets themselves are
// tcp-over-stack.ts and udp-over-stack.ts.

import { invariant, SystemError } from '../base/errors.js'
import type { RecordType } from '../dns/message.js'
import type { Counters } from '../stack/counters.js'
import type { NetworkSettings } from '../stack/network-settings.js'
import type { IcmpReply, SocketRow, TcpListener, UdpSocket } from '../stack/socket.js'
import type { Stack } from '../stack/stack.js'
import { type Endpoint, IPV4_ANY, IPV6_ANY, type IpAddress, isIpv6 } from '../wire/address.js'
import type {
  Connection,
  ConnectOptions,
  DatagramSocket,
  EchoSocket,
  InterfaceRow,
  Listener,
  NeighborRow,
  Net,
  NonBlockingDatagramSocket,
  NonBlockingListener,
  PacketCapture,
  PacketFilter,
  PathDatagramSocket,
  ProcessSocketRow,
  QueryAnswer,
  QueryOptions,
  RawPathSocket,
  Resolution,
  RouteRow,
} from './net.js'
import { interfaceRows, neighborRows, routeRows } from './network-rows.js'
import { OpenSockets } from './open-sockets.js'
import { StackCapture } from './packet-capture.js'
import { StackPathDatagramSocket, StackRawPathSocket } from './path-sockets.js'
import type { PodNetwork } from './pod-network.js'
import { ReadyItems } from './ready-items.js'
import { StackConnection, StackListener, StackReadyListener } from './tcp-over-stack.js'
import type { SecureConnection, TlsClientSettings } from './tls.js'
import { StackDatagramSocket, StackReadyDatagramSocket } from './udp-over-stack.js'

/** Names to addresses and back, and questions of any type (posix/resolver.ts). */
export interface NameService {
  resolve(host: string, signal?: AbortSignal): Promise<Resolution>
  reverse(address: IpAddress, signal?: AbortSignal): Promise<string | undefined>
  query(name: string, type: RecordType, options?: QueryOptions): Promise<QueryAnswer>
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
  readonly #open = new OpenSockets()

  constructor(network: PodNetwork, names: (net: Net) => NameService) {
    this.#network = network
    this.#names = names
  }

  /** Closes what the process left open. */
  closeAll(): void {
    this.#open.closeAll()
  }

  /** Whose it is: process `pid` of `space`. */
  belongsTo(space: object, pid: number): void {
    this.#open.space = space
    this.#open.pid = pid
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
    const queue = new ReadyItems<IcmpReply>(() => socket.receive(), this.#network.clock)
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
      setMtuDiscovery: (mode) => socket.setMtuDiscovery(mode),
      close: () => {
        this.#open.delete(echo)
        socket.close()
      },
    }
    this.#open.add(echo)
    return echo
  }

  pathDatagram(on: Partial<Endpoint>): PathDatagramSocket {
    return new StackPathDatagramSocket(this.#now().udpBind(on), this.#network, this.#open)
  }

  raw(protocol: number): RawPathSocket {
    return new StackRawPathSocket(this.#now().raw(protocol), this.#network, this.#open)
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

  sockets(): ProcessSocketRow[] {
    return ownedRows(this.#network.stack.sockets(), this.#open.space)
  }

  configure<Result>(change: (settings: NetworkSettings) => Result): Result {
    if (this.#network.admin !== true) throw new SystemError('EPERM', 'netlink')
    const result = change(this.#now().settings)
    this.#network.touched()
    return result
  }

  counters(): Readonly<Counters> {
    return this.#network.stack.counters
  }

  #now(): Stack {
    const { stack, clock } = this.#network
    stack.setNow(clock.now())
    return stack
  }
}

/** Says which process of `space` a socket belongs to; its descriptor by its place among those of the process. */
function ownedRows(rows: SocketRow[], space: object | undefined): ProcessSocketRow[] {
  const descriptors = new Map<OpenSockets, number>()
  return rows.map((row) => {
    const { owner } = row
    if (!(owner instanceof OpenSockets) || owner.space !== space) return row
    const fd = descriptors.get(owner) ?? FIRST_DESCRIPTOR
    descriptors.set(owner, fd + 1)
    return { ...row, process: { pid: owner.pid, fd } }
  })
}

/** Behind the standard streams. */
const FIRST_DESCRIPTOR = 3

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
