// A node's sockets without a network, for tests of programs on them: connections are pairs of bounded buffers,
// and `run` calls `onReady` until nothing is left to tell. Who answers at an address is set by `server`.

import { SystemError } from '../../src/base/errors.js'
import type { Micros } from '../../src/base/time.js'
import type {
  Datagram,
  PingSocket,
  SocketApi,
  SocketRow,
  TcpListener,
  TcpSocket,
  TcpState,
  UdpSocket,
} from '../../src/stack/socket.js'
import { type Endpoint, formatEndpoint, ipv4, type Port } from '../../src/wire/address.js'

export const NODE: Endpoint = { address: ipv4('192.168.56.11'), port: 0 }

/** What a dial meets: a listener, a refusal, nothing at all, or no route. */
export type Server = 'accepts' | 'refuses' | 'silent' | 'unreachable'

export class FakeTcp implements TcpSocket {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly sockets: FakeSockets
  readonly softError = undefined
  state: TcpState = 'SYN-SENT'
  error: SystemError | undefined
  peer: FakeTcp | undefined
  onReady: (() => void) | undefined
  noDelay = false
  aborted = false
  /** Most bytes ever held for the reader. */
  highWater = 0
  #received: number[] = []
  #finReceived = false
  #finSent = false

  constructor(sockets: FakeSockets, local: Endpoint, remote: Endpoint) {
    this.sockets = sockets
    this.local = local
    this.remote = remote
  }

  get readable(): number {
    return this.#received.length
  }

  get writable(): number {
    if (this.state !== 'ESTABLISHED' || this.#finSent || this.error || !this.peer) return 0
    return this.sockets.bufferBytes - this.peer.readable
  }

  get ended(): boolean {
    return this.#finReceived && this.#received.length === 0
  }

  get unacknowledged(): number {
    return 0
  }

  get closed(): boolean {
    return this.state === 'CLOSED'
  }

  read(max = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    if (this.#received.length === 0) return undefined
    const bytes = Uint8Array.from(this.#received.splice(0, max))
    this.sockets.wake(this.peer)
    return bytes
  }

  peek(): Uint8Array | undefined {
    return this.#received.length === 0 ? undefined : Uint8Array.from(this.#received)
  }

  skip(count: number): void {
    this.read(count)
  }

  readInto(into: Uint8Array): number {
    const bytes = this.read(into.length) ?? new Uint8Array()
    into.set(bytes)
    return bytes.length
  }

  write(bytes: Uint8Array): number {
    if (this.error) throw this.error
    if (this.#finSent) throw new SystemError('EPIPE', 'write')
    const taken = bytes.subarray(0, this.writable)
    this.peer!.#received.push(...taken)
    this.peer!.highWater = Math.max(this.peer!.highWater, this.peer!.readable)
    this.sockets.wake(this.peer)
    return taken.length
  }

  shutdown(): void {
    if (this.#finSent) return
    this.#finSent = true
    if (this.peer) this.peer.#finReceived = true
    this.sockets.wake(this.peer)
  }

  close(): void {
    this.shutdown()
    this.state = 'CLOSED'
  }

  abort(): void {
    this.aborted = true
    this.state = 'CLOSED'
    this.peer?.fail('ECONNRESET')
  }

  fail(code: 'ECONNRESET' | 'ECONNREFUSED'): void {
    if (this.state === 'CLOSED') return
    this.error = new SystemError(code, 'read')
    this.state = 'CLOSED'
    this.sockets.wake(this)
  }

  establish(): void {
    this.state = 'ESTABLISHED'
    this.sockets.wake(this)
  }

  setNoDelay(on: boolean): void {
    this.noDelay = on
  }

  setKeepAlive(): void {}
  setTtl(): void {}
  setTos(): void {}
  setUserTimeout(): void {}

  text(): string {
    return String.fromCharCode(...(this.read() ?? []))
  }

  send(text: string): void {
    this.write(Uint8Array.from(text, (c) => c.charCodeAt(0)))
  }
}

class FakeListener implements TcpListener {
  readonly local: Endpoint
  readonly sockets: FakeSockets
  readonly waiting: FakeTcp[] = []
  onReady: (() => void) | undefined

  constructor(sockets: FakeSockets, local: Endpoint) {
    this.sockets = sockets
    this.local = local
  }

  accept(): FakeTcp | undefined {
    return this.waiting.shift()
  }

  close(): void {
    for (const socket of this.waiting) socket.abort()
    this.sockets.listeners.delete(this.local.port)
  }
}

export class FakeUdp implements UdpSocket {
  readonly local: Endpoint
  readonly sockets: FakeSockets
  readonly sent: { text: string; to: string }[] = []
  readonly inbox: Datagram[] = []
  remote: Endpoint | undefined
  onReady: (() => void) | undefined
  closed = false
  #error: SystemError | undefined

  constructor(sockets: FakeSockets, local: Endpoint) {
    this.sockets = sockets
    this.local = local
  }

  takeError(): SystemError | undefined {
    const error = this.#error
    this.#error = undefined
    return error
  }

  receive(): Datagram | undefined {
    return this.inbox.shift()
  }

  send(bytes: Uint8Array, to = this.remote): void {
    this.sent.push({ text: String.fromCharCode(...bytes), to: formatEndpoint(to!) })
  }

  connect(to: Endpoint): void {
    if (this.sockets.server(to) === 'unreachable') throw new SystemError('ENETUNREACH', 'connect')
    this.remote = to
  }

  setTtl(): void {}

  close(): void {
    this.closed = true
    this.sockets.udp.delete(this)
  }

  deliver(text: string, source: Endpoint): void {
    this.inbox.push({ source, destination: this.local, bytes: Uint8Array.from(text, (c) => c.charCodeAt(0)) })
    this.sockets.wake(this)
  }

  refuse(): void {
    this.#error = new SystemError('ECONNREFUSED', 'recvmsg')
    this.sockets.wake(this)
  }
}

export class FakeSockets implements SocketApi {
  now: Micros = 0
  bufferBytes = 64
  readonly servers = new Map<string, Server>()
  readonly listeners = new Map<Port, FakeListener>()
  readonly udp = new Set<FakeUdp>()
  /** The endpoints' ends of established connections, in the order of the dials. */
  readonly accepted: FakeTcp[] = []
  /** Every dial, in order. */
  readonly dials: string[] = []
  readonly #ready = new Set<{ onReady: (() => void) | undefined }>()
  #nextPort = 40_000

  server(at: Endpoint): Server {
    return this.servers.get(formatEndpoint(at)) ?? 'accepts'
  }

  setNow(now: Micros): void {
    this.now = now
  }

  wake(socket: { onReady: (() => void) | undefined } | undefined): void {
    if (socket) this.#ready.add(socket)
  }

  /** Tells every owner until nobody has anything to hear. */
  run(): void {
    for (const socket of this.#ready) {
      this.#ready.delete(socket)
      socket.onReady?.()
    }
  }

  tcpConnect(to: Endpoint): FakeTcp {
    this.dials.push(formatEndpoint(to))
    const server = this.server(to)
    if (server === 'unreachable') throw new SystemError('ENETUNREACH', 'connect')
    const local = { address: NODE.address, port: this.#nextPort++ }
    const socket = new FakeTcp(this, local, to)
    if (server === 'refuses') socket.fail('ECONNREFUSED')
    if (server === 'accepts') {
      const other = new FakeTcp(this, to, local)
      pair(socket, other)
      this.accepted.push(other)
    }
    return socket
  }

  tcpListen(on: Endpoint): TcpListener {
    if (this.listeners.has(on.port)) throw new SystemError('EADDRINUSE', 'listen')
    const listener = new FakeListener(this, on)
    this.listeners.set(on.port, listener)
    return listener
  }

  udpBind(on?: Partial<Endpoint>): FakeUdp {
    const socket = new FakeUdp(this, { address: NODE.address, port: on?.port ?? this.#nextPort++ })
    this.udp.add(socket)
    return socket
  }

  ping(): PingSocket {
    throw new SystemError('EPERM', 'socket')
  }

  sockets(): SocketRow[] {
    return []
  }

  /** A client connects to the local listener, as the nat rules make it; its own end is given back. */
  clientTo(port: Port, client: Endpoint): FakeTcp {
    const listener = this.listeners.get(port)
    const mine = new FakeTcp(this, client, { address: NODE.address, port })
    if (listener === undefined) mine.fail('ECONNREFUSED')
    else {
      const theirs = new FakeTcp(this, { address: NODE.address, port }, client)
      pair(mine, theirs)
      listener.waiting.push(theirs)
      this.wake(listener)
    }
    return mine
  }
}

function pair(a: FakeTcp, b: FakeTcp): void {
  a.peer = b
  b.peer = a
  a.establish()
  b.establish()
}
