// The network as programs see it: promises over the stack's sockets (posix/net-over-stack.ts implements it on
// stack/socket.ts). Failures are SystemError with Node's codes. Waits end with `signal.reason` when aborted.

import type { SystemError } from '../base/errors.js'
import type { Micros } from '../base/time.js'
import type { DnsMessage, RecordType } from '../dns/message.js'
import type { Counters } from '../stack/counters.js'
import type { NetworkSettings } from '../stack/network-settings.js'
import type { Datagram, IcmpReply, MtuDiscovery, QueuedError, RawPacket, SocketRow } from '../stack/socket.js'
import type { AddressFamily, Endpoint, IpAddress, Port } from '../wire/address.js'
import type { SecureConnection, TlsClientSettings } from './tls.js'

export interface Connection {
  readonly local: Endpoint
  readonly remote: Endpoint
  /** Next bytes, waiting for them; undefined after the peer's FIN. */
  read(signal?: AbortSignal): Promise<Uint8Array | undefined>
  /** As `read`, but copies the bytes to `into`; how many, 0 after the peer's FIN. */
  readInto(into: Uint8Array, signal?: AbortSignal): Promise<number>
  /** Resolves when all was taken into the send buffer. */
  write(bytes: Uint8Array | string, signal?: AbortSignal): Promise<void>
  /** FIN after what was written; reading goes on. */
  shutdown(): void
  close(): void
  /** RST. */
  abort(): void
  setNoDelay(on: boolean): void
}

export interface Listener {
  readonly local: Endpoint
  accept(signal?: AbortSignal): Promise<Connection>
  close(): void
}

/** A connection that never waits (O_NONBLOCK), for servers of many: `onReady` is what epoll(7) would tell. */
export interface NonBlockingConnection {
  readonly local: Endpoint
  readonly remote: Endpoint
  /** Copies what is here now to `into`; how many bytes. Throws the connection's error. */
  readInto(into: Uint8Array): number
  /** The peer has finished, and all of it was read. */
  readonly ended: boolean
  /** Takes as much as there is room for; how much. */
  write(bytes: Uint8Array): number
  /** Called when there may be something to read, room to write, the end or an error. Must not throw. */
  onReady: (() => void) | undefined
  setNoDelay(on: boolean): void
  close(): void
  /** RST. */
  abort(): void
}

/** A listener that never waits. */
export interface NonBlockingListener {
  readonly local: Endpoint
  /** The next connection that is here; undefined when none is. */
  accept(): NonBlockingConnection | undefined
  /** Called when there may be one. Must not throw. */
  onReady: (() => void) | undefined
  close(): void
}

export interface DatagramSocket {
  readonly local: Endpoint
  send(bytes: Uint8Array, to?: Endpoint): void
  connect(to: Endpoint): void
  /** Next datagram; undefined when `timeout` passes first. Rejects with a pending socket error. */
  receive(timeout?: Micros, signal?: AbortSignal): Promise<Datagram | undefined>
  close(): void
}

/** A socket for datagrams that never waits. */
export interface NonBlockingDatagramSocket {
  readonly local: Endpoint
  send(bytes: Uint8Array, to?: Endpoint): void
  connect(to: Endpoint): void
  /** The next datagram that is here; undefined when none is. Throws a pending socket error. */
  receive(): Datagram | undefined
  /** Called when there may be one. Must not throw. */
  onReady: (() => void) | undefined
  close(): void
}

export interface EchoSocket {
  readonly identifier: number
  send(to: IpAddress, sequence: number, bytes: Uint8Array): void
  receive(timeout?: Micros, signal?: AbortSignal): Promise<IcmpReply | undefined>
  setTtl(ttl: number): void
  setMtuDiscovery(mode: MtuDiscovery): void
  close(): void
}

/** What comes back to a socket that hears of errors: an error about what it sent, or something else. */
export type Heard<Item> = { readonly error: QueuedError } | { readonly item: Item }

/** What a socket that measures a path has beside its sending (Linux: IP_RECVERR, IP_TTL, IP_TOS). */
export interface PathSocket<Item> {
  /** The next error or item; undefined when `timeout` passes first. */
  next(timeout: Micros, signal?: AbortSignal): Promise<Heard<Item> | undefined>
  setTtl(ttl: number): void
  setTos(tos: number): void
  close(): void
}

/** A datagram socket for measuring paths: traceroute and tracepath. */
export interface PathDatagramSocket extends PathSocket<Datagram> {
  readonly local: Endpoint
  setMtuDiscovery(mode: MtuDiscovery): void
  send(bytes: Uint8Array, to: Endpoint): void
}

/** A raw(7) socket of one IP protocol; what is sent is all behind the IP header. */
export interface RawPathSocket extends PathSocket<RawPacket> {
  /** The source address of what is sent to `to`. */
  sourceFor(to: IpAddress): IpAddress
  send(bytes: Uint8Array, to: IpAddress): void
}

/** How a connection is made. */
export interface ConnectOptions {
  readonly timeout?: Micros
  readonly signal?: AbortSignal
  readonly from?: Partial<Endpoint>
}

/** A row of `ip addr`. */
export interface InterfaceRow {
  readonly index: number
  readonly name: string
  readonly mac: string
  readonly mtuBytes: number
  readonly loopback: boolean
  readonly up: boolean
  /** `10.36.0.0/16`. */
  readonly addresses: readonly string[]
  /** Since the interface is there: `ip -s link`. */
  readonly receivedFrames: number
  readonly receivedBytes: number
  readonly sentFrames: number
  readonly sentBytes: number
}

/** A socket of the pod. */
export interface ProcessSocketRow extends SocketRow {
  /** Whose it is, when that is a process of this container. */
  readonly process?: { readonly pid: number; readonly fd: number }
}

/** A row of `ip route`. */
export interface RouteRow {
  readonly family: AddressFamily
  /** `default` or a prefix. */
  readonly destination: string
  readonly gateway?: string
  readonly device: string
  readonly source?: string
  readonly scope: 'global' | 'link'
  /** Who made it; undefined by hand. */
  readonly protocol?: string | undefined
  readonly metric?: number
}

/** A row of `ip neigh`. */
export interface NeighborRow {
  readonly address: string
  readonly device: string
  readonly mac?: string
  readonly state: string
}

export interface Resolution {
  /** The name that answered, after the search list. */
  readonly canonicalName: string
  readonly addresses: readonly IpAddress[]
}

/** How a question is asked. */
export interface QueryOptions {
  /** Asked instead of the name servers of /etc/resolv.conf. */
  readonly server?: Endpoint
  /** IN when left out. */
  readonly class?: string
  /** Over TCP at once. */
  readonly tcp?: boolean
  /** Takes a cut answer as it is, where TCP would be tried. */
  readonly ignoreTruncation?: boolean
  /** Tries the names that the search list makes of the name, until one exists. */
  readonly search?: boolean
  /** For each server and attempt; that of /etc/resolv.conf when left out. */
  readonly timeout?: Micros
  /** Rounds over all servers; that of /etc/resolv.conf when left out. */
  readonly attempts?: number
  /** True when left out. */
  readonly recursionDesired?: boolean
  /** EDNS0: the size of answers that may come over UDP; without it no OPT record is sent. */
  readonly ednsUdpSize?: number
  readonly signal?: AbortSignal
}

/** What a server answered, failures of its own included (`message.rcode`). */
export interface QueryAnswer {
  readonly message: DnsMessage
  readonly server: Endpoint
  /** The message as it came. */
  readonly lengthBytes: number
}

/** A packet that was captured, in bytes of its own. */
export interface CapturedPacket {
  /** As `ip link` numbers interfaces. */
  readonly interfaceIndex: number
  readonly direction: 'in' | 'out'
  /** The Ethernet frame, whole. */
  readonly frame: Uint8Array
  readonly time: Micros
}

/** Whether a packet is wanted; it is only lent. Must not throw. */
export type PacketFilter = (frame: Uint8Array, direction: 'in' | 'out') => boolean

/** A packet(7) socket that only listens. */
export interface PacketCapture {
  /** The next packet, waiting for it. */
  next(signal?: AbortSignal): Promise<CapturedPacket>
  /** Packets that wait to be read. */
  readonly waiting: number
  /** Packets that the filter let pass. */
  readonly matched: number
  /** Those of them that had no room: the reader is too slow. */
  readonly dropped: number
  close(): void
}

export interface Net {
  connect(
    to: { readonly address: IpAddress; readonly port: Port },
    options?: ConnectOptions,
  ): Promise<Connection>
  /** Speaks TLS on a connection, which is its own from then on (posix/tls.ts). */
  secure(connection: Connection, settings: TlsClientSettings): Promise<SecureConnection>
  listen(on: Endpoint): Listener
  /** As `listen`, with connections that never wait. */
  listenNonBlocking(on: Endpoint): NonBlockingListener
  datagram(on?: Partial<Endpoint>): DatagramSocket
  datagramNonBlocking(on?: Partial<Endpoint>): NonBlockingDatagramSocket
  echo(): EchoSocket
  pathDatagram(on: Partial<Endpoint>): PathDatagramSocket
  raw(protocol: number): RawPathSocket
  /**
   * getaddrinfo: literal addresses, /etc/hosts, then the stub resolver over UDP per /etc/resolv.conf of `files`.
   * Fails with ResolveError.
   */
  resolve(host: string, signal?: AbortSignal): Promise<Resolution>
  /** getnameinfo: the name of an address by /etc/hosts or PTR; undefined when it has none. */
  reverse(address: IpAddress, signal?: AbortSignal): Promise<string | undefined>
  /**
   * Asks DNS servers for records of any type; /etc/hosts is not looked at. Fails with ResolveError ETIMEOUT when no
   * server answers, ENOTFOUND when the text cannot be a domain name.
   */
  query(name: string, type: RecordType, options?: QueryOptions): Promise<QueryAnswer>
  /** Captures the packets that `filter` lets pass, on one interface or on all of them. */
  capture(interfaceIndex: number | undefined, filter: PacketFilter): PacketCapture
  interfaces(): InterfaceRow[]
  routes(): RouteRow[]
  neighbors(): NeighborRow[]
  sockets(): ProcessSocketRow[]
  /** Changes the network. Throws EPERM for a process without CAP_NET_ADMIN, and what the kernel says to the change. */
  configure<Result>(change: (settings: NetworkSettings) => Result): Result
  /** What the stack has counted since it is there. */
  counters(): Readonly<Counters>
}

export type ResolveFailure = 'ENOTFOUND' | 'ENODATA' | 'ETIMEOUT' | 'ESERVFAIL' | 'EREFUSED'

/** Codes as node:dns gives them. */
export class ResolveError extends Error {
  readonly code: ResolveFailure
  readonly host: string
  /** What the network said instead of an answer, where it said anything. */
  readonly network: SystemError | undefined
  constructor(code: ResolveFailure, host: string, network?: SystemError) {
    super(`query ${code} ${host}`)
    this.name = 'ResolveError'
    this.code = code
    this.host = host
    this.network = network
  }
}
