// What a program on an emulated host sees of the network: sockets, synchronous and without promises. A socket
// never calls its owner from within one of the owner's calls: `onReady` runs when the stack has finished with a
// frame or a deadline, and says only "look again"; the owner looks at the socket's state. Errors are
// SystemError with Node's codes. Time is the stack's `now`.

import type { ErrnoCode, SystemError } from '../base/errors.js'
import type { Micros } from '../base/time.js'
import type { TcpInfo, TcpTimer } from '../tcp/connection.js'
import type { TcpState } from '../tcp/state.js'
import type { Endpoint, IpAddress, Port } from '../wire/address.js'

export type { TcpInfo, TcpTimer } from '../tcp/connection.js'
export type { TcpState } from '../tcp/state.js'

export interface TcpSocket {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly state: TcpState
  /** Set once the connection failed or was reset: ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH. */
  readonly error: SystemError | undefined
  /** Last soft error (ICMP unreachable on a live connection), RFC 9293 section 3.9.2.2; reading clears nothing. */
  readonly softError: SystemError | undefined
  /** Bytes that `read` would give now. */
  readonly readable: number
  /** Bytes that `write` would take now; 0 before the connection is established and after `shutdown`. */
  readonly writable: number
  /** The peer's FIN was received and all data before it was read. */
  readonly ended: boolean
  /** Bytes written and not yet acknowledged by the peer. */
  readonly unacknowledged: number
  onReady: (() => void) | undefined
  /** Whose it is, for those who list sockets; the stack does not look into it. */
  owner?: object | undefined
  /** Copies up to `max` bytes out; undefined when there are none now (see `ended`, `error`). */
  read(max?: number): Uint8Array | undefined
  /** Copies into `into`; the number of bytes copied. */
  readInto(into: Uint8Array): number
  /**
   * Received bytes where they lie, the first ones at least, for who only looks at them; undefined when there are none now.
   * Valid until the socket's or the stack's next call.
   */
  peek(): Uint8Array | undefined
  /** Takes `count` of the bytes that `peek` has shown. */
  skip(count: number): void
  /** Queues as much as fits; the number of bytes taken. Throws EPIPE after `shutdown`, `error` when it failed. */
  write(bytes: Uint8Array): number
  /** No more data from here: FIN follows the queued data. */
  shutdown(): void
  /** Gives the socket up: like `shutdown`, and a reset when received data was left unread (RFC 2525 section 2.17). */
  close(): void
  /** Resets the connection. */
  abort(): void
  /** Nagle's algorithm is on unless this was set (RFC 9293 MUST-17). */
  setNoDelay(on: boolean): void
  /** Keep-alive probes after `idle`, each `interval`, `count` times; NEVER turns them off (the default). */
  setKeepAlive(idle: Micros, interval?: Micros, count?: number): void
  /** TTL of outgoing packets (RFC 9293 MUST-49). */
  setTtl(ttl: number): void
  /** Diffserv field of outgoing packets (RFC 9293 MUST-48). */
  setTos(tos: number): void
  /** Time without acknowledgment after which the connection fails, R2 of RFC 9293 section 3.8.3. */
  setUserTimeout(timeout: Micros): void
}

export interface TcpListener {
  readonly local: Endpoint
  onReady: (() => void) | undefined
  owner?: object | undefined
  /** Next established connection, undefined when there is none now. */
  accept(): TcpSocket | undefined
  /** Stops listening; connections not yet accepted are reset. */
  close(): void
}

export interface Datagram {
  readonly source: Endpoint
  readonly destination: Endpoint
  /** Owned by the receiver. */
  readonly bytes: Uint8Array
}

export interface UdpSocket {
  readonly local: Endpoint
  /** Set by `connect`: only datagrams from there are received, and ICMP errors are reported. */
  readonly remote: Endpoint | undefined
  /** Error of an earlier send (ICMP port unreachable: ECONNREFUSED); cleared by `takeError`. */
  takeError(): SystemError | undefined
  onReady: (() => void) | undefined
  owner?: object | undefined
  receive(): Datagram | undefined
  /** Sends to `to`, or to the connected remote. Throws EMSGSIZE, ENETUNREACH, EINVAL. */
  send(bytes: Uint8Array, to?: Endpoint): void
  connect(to: Endpoint): void
  setTtl(ttl: number): void
  close(): void
}

/** A UDP socket with what measuring a path needs. */
export interface PathUdpSocket extends UdpSocket {
  /** Diffserv field of outgoing packets. */
  setTos(tos: number): void
  setMtuDiscovery(mode: MtuDiscovery): void
  /** Keeps every error about what was sent, ICMP's and this host's own, for `receiveError` (Linux: IP_RECVERR). */
  keepErrors(): void
  /** The next of them; the error of `takeError` is then that of the one after it. */
  receiveError(): QueuedError | undefined
}

/**
 * IP_MTU_DISCOVER. 'want' cuts what does not fit the path, 'do' refuses it, 'dont' lets routers cut; 'probe' sends
 * whatever the interface takes and never lets it be cut.
 */
export type MtuDiscovery = 'want' | 'do' | 'dont' | 'probe'

/** What an error queue holds (Linux: struct sock_extended_err). */
export interface QueuedError {
  readonly code: ErrnoCode
  /** Who sent the ICMP error, and its TTL on arrival; undefined when this host itself refused to send. */
  readonly from: IpAddress | undefined
  readonly ttl: number
  /** By ICMP's numbers, ICMPv6's translated; 0 of an error of this host. */
  readonly type: number
  readonly icmpCode: number
  /** With EMSGSIZE: what would fit. Otherwise 0. */
  readonly mtuBytes: number
  /** Where the packet went. Port 0 of a raw socket. */
  readonly to: Endpoint
  /** What is known of its payload: a datagram's, or all behind the IP header of a raw socket's. Owned by the receiver. */
  readonly bytes: Uint8Array
}

/** A packet of the raw socket's protocol that came to this host. */
export interface RawPacket {
  readonly from: IpAddress
  readonly to: IpAddress
  readonly ttl: number
  /** All behind the IP header. Owned by the receiver. */
  readonly bytes: Uint8Array
}

/**
 * A raw(7) socket of one IP protocol, of both families: sees every packet of the protocol that comes to this host, beside
 * the protocol itself, and every ICMP error about one. What it sends is all behind the IP header, checksums included.
 */
export interface RawSocket {
  onReady: (() => void) | undefined
  owner?: object | undefined
  /** The source address of what is sent to `to`. Throws ENETUNREACH. */
  sourceFor(to: IpAddress): IpAddress
  send(bytes: Uint8Array, to: IpAddress): void
  receive(): RawPacket | undefined
  receiveError(): QueuedError | undefined
  setTtl(ttl: number): void
  setTos(tos: number): void
  close(): void
}

/** What came back to a ping socket. */
export interface IcmpReply {
  readonly from: IpAddress
  /** ICMP type and code: 0/0 is an echo reply; 3/x, 11/0 are errors about an echo request of this socket. */
  readonly type: number
  readonly code: number
  readonly sequence: number
  readonly ttl: number
  /** Of "fragmentation needed": what would fit. */
  readonly mtuBytes?: number
  /** This host itself refused to send the request. */
  readonly isLocal?: true
  /** Echoed data (for an error, what was quoted of it). Owned by the receiver. */
  readonly bytes: Uint8Array
}

/** An ICMP echo socket (Linux: IPPROTO_ICMP datagram socket), for ping and traceroute. */
export interface PingSocket {
  readonly identifier: number
  onReady: (() => void) | undefined
  send(to: IpAddress, sequence: number, bytes: Uint8Array): void
  receive(): IcmpReply | undefined
  setTtl(ttl: number): void
  /** 'do' keeps what is too long from being sent: EMSGSIZE, and a reply that says what would fit. */
  setMtuDiscovery(mode: MtuDiscovery): void
  close(): void
}

/** A row of `ss -tuan`. */
export interface SocketRow {
  readonly protocol: 'tcp' | 'udp'
  readonly state: TcpState | 'UNCONN' | 'ESTAB'
  readonly receiveQueue: number
  readonly sendQueue: number
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly owner?: object | undefined
  /** Of a connection. */
  readonly tcp?: TcpInfo
  /** What a connection waits for, and how long still. */
  readonly timer?: TcpTimer | undefined
}

/** The socket calls of a stack (stack/stack.ts implements it; kube-proxy, programs and tests use it). */
export interface SocketApi {
  /** Time of the last `receive`, `advance` or `setNow`. */
  readonly now: Micros
  /** Moves the stack's time forward before socket calls that come from outside a frame or a deadline. */
  setNow(now: Micros): void
  /** Starts a connection (active OPEN). Throws EADDRNOTAVAIL, ENETUNREACH, EADDRINUSE, EINVAL. */
  tcpConnect(to: Endpoint, from?: Partial<Endpoint>): TcpSocket
  /** Passive OPEN. Port 0 takes a free one, address 0.0.0.0 listens on all. Throws EADDRINUSE, EADDRNOTAVAIL. */
  tcpListen(on: Endpoint, backlog?: number): TcpListener
  /** Port 0 takes a free one. Throws EADDRINUSE, EADDRNOTAVAIL. */
  udpBind(on?: Partial<Endpoint>): UdpSocket
  ping(): PingSocket
  sockets(): SocketRow[]
}

/** First and last port of automatic choice, as Linux' ip_local_port_range. */
export const EPHEMERAL_PORTS: { readonly first: Port; readonly last: Port } = { first: 32768, last: 60999 }
