// UDP sockets of one stack, RFC 768 and RFC 1122 section 4.1: binding, demultiplexing by the best match, errors to
// connected sockets.

import { SystemError } from '../base/errors.js'
import type { Random } from '../base/random.js'
import {
  anyOf,
  type Endpoint,
  IPV4_ANY,
  type IpAddress,
  isLoopback,
  isMulticast,
  isUnspecified,
  type Port,
} from '../wire/address.js'
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js'
import { ICMP_DEST_UNREACHABLE, ICMP_PORT_UNREACHABLE } from '../wire/icmp.js'
import { PROTOCOL_UDP } from '../wire/ip.js'
import { IPV4_HEADER_BYTES } from '../wire/ipv4.js'
import { parseUdp, UDP_HEADER_BYTES, type UdpDatagram, udpDatagram, writeUdp } from '../wire/udp.js'
import { choosePort } from './ephemeral-ports.js'
import { ErrorQueue } from './error-queue.js'
import type { Packet } from './hooks.js'
import { icmpErrorMeaning, isFragmentationNeeded } from './icmp-error-code.js'
import { DEFAULT_TTL, type Ip, payloadOffset, type SendOptions, type Transport } from './ip.js'
import type { Path } from './paths.js'
import type { QuotedPacket } from './quoted-packet.js'
import type { Notifying, ReadyQueue } from './ready-queue.js'
import type { Datagram, MtuDiscovery, PathUdpSocket, QueuedError, SocketRow } from './socket.js'

const MAX_PAYLOAD_BYTES = 65_535 - IPV4_HEADER_BYTES - UDP_HEADER_BYTES
/** net.core.rmem_default. Each datagram counts with some of its overhead, so that empty ones are limited too. */
const RECEIVE_BUFFER_BYTES = 212_992
const DATAGRAM_OVERHEAD_BYTES = 256

const NOWHERE: Endpoint = { address: IPV4_ANY, port: 0 }

class StackUdpSocket implements PathUdpSocket, Notifying {
  local: Endpoint
  remote: Endpoint | undefined
  onReady: (() => void) | undefined
  owner: object | undefined
  readyQueued = false
  readonly queue: Datagram[] = []
  queuedBytes = 0
  error: SystemError | undefined
  closed = false
  path: Path | undefined
  ttl = DEFAULT_TTL
  tos = 0
  mtuDiscovery: MtuDiscovery = 'want'
  /** Of a socket that keeps errors. */
  errors: ErrorQueue | undefined
  readonly #owner: UdpSockets

  constructor(owner: UdpSockets, local: Endpoint) {
    this.#owner = owner
    this.local = local
  }

  takeError(): SystemError | undefined {
    const error = this.error
    this.error = undefined
    return error
  }

  receive(): Datagram | undefined {
    const datagram = this.queue.shift()
    if (datagram !== undefined) this.queuedBytes -= datagram.bytes.length + DATAGRAM_OVERHEAD_BYTES
    return datagram
  }

  send(bytes: Uint8Array, to?: Endpoint): void {
    this.#owner.send(this, bytes, to)
  }

  connect(to: Endpoint): void {
    this.#owner.connect(this, to)
  }

  setTtl(ttl: number): void {
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > 255) throw new SystemError('EINVAL', 'setsockopt')
    this.ttl = ttl
  }

  setTos(tos: number): void {
    this.tos = tos & 0xff
  }

  setMtuDiscovery(mode: MtuDiscovery): void {
    this.mtuDiscovery = mode
  }

  keepErrors(): void {
    this.errors ??= new ErrorQueue()
  }

  receiveError(): QueuedError | undefined {
    const error = this.errors?.take()
    const next = this.errors?.next()
    this.error = next && new SystemError(next.code, 'recvfrom')
    return error
  }

  close(): void {
    this.#owner.close(this)
  }
}

export class UdpSockets implements Transport {
  readonly #ip: Ip
  readonly #random: Random
  readonly #ready: ReadyQueue
  readonly #byPort = new Map<Port, StackUdpSocket[]>()
  readonly #datagram = udpDatagram()
  readonly #options: SendOptions = {
    protocol: PROTOCOL_UDP,
    source: 0,
    destination: 0,
    ttl: DEFAULT_TTL,
    tos: 0,
    dontFragment: false,
  }

  constructor(ip: Ip, random: Random, ready: ReadyQueue) {
    this.#ip = ip
    this.#random = random
    this.#ready = ready
  }

  bind(on: Partial<Endpoint>): PathUdpSocket {
    const address = on.address ?? IPV4_ANY
    if (!isUnspecified(address) && !this.#ip.isLocal(address) && !this.#ip.isBroadcast(address)) {
      throw new SystemError('EADDRNOTAVAIL', 'bind')
    }
    const port = on.port || choosePort(this.#random, (candidate) => this.#isFree(address, candidate))
    if (port === undefined || !this.#isFree(address, port)) throw new SystemError('EADDRINUSE', 'bind')
    const socket = new StackUdpSocket(this, { address, port })
    const sockets = this.#byPort.get(port)
    if (sockets === undefined) this.#byPort.set(port, [socket])
    else sockets.push(socket)
    return socket
  }

  close(socket: StackUdpSocket): void {
    if (socket.closed) return
    socket.closed = true
    socket.onReady = undefined
    const sockets = this.#byPort.get(socket.local.port)!
    sockets.splice(sockets.indexOf(socket), 1)
    if (sockets.length === 0) this.#byPort.delete(socket.local.port)
  }

  connect(socket: StackUdpSocket, to: Endpoint): void {
    if (socket.closed) throw new SystemError('EBADF', 'connect')
    if (to.port === 0) throw new SystemError('EINVAL', 'connect')
    const path = this.#ip.path(to.address)
    if (path === undefined) throw new SystemError('ENETUNREACH', 'connect')
    if (path.broadcast) throw new SystemError('EACCES', 'connect')
    socket.remote = { address: to.address, port: to.port }
    socket.path = path
    // As in Linux, connect fixes the source address.
    if (isUnspecified(socket.local.address)) socket.local = { address: path.source, port: socket.local.port }
  }

  send(socket: StackUdpSocket, bytes: Uint8Array, to: Endpoint | undefined): void {
    if (socket.closed) throw new SystemError('EBADF', 'sendto')
    const target = to ?? socket.remote
    if (target === undefined) throw new SystemError('EINVAL', 'sendto', 'no destination')
    if (target.port === 0) throw new SystemError('EINVAL', 'sendto')
    const known = this.#ip.path(target.address, socket.path)
    if (known === undefined) throw new SystemError('ENETUNREACH', 'sendto')
    const { mtuDiscovery } = socket
    const path = mtuDiscovery === 'probe' ? { ...known, mtuBytes: known.output.mtuBytes } : known
    // There is no SO_BROADCAST to allow it.
    if (path.broadcast) throw new SystemError('EACCES', 'sendto')
    socket.path = known
    if (bytes.length > MAX_PAYLOAD_BYTES) {
      socket.errors?.refused(path.mtuBytes, target, bytes)
      throw new SystemError('EMSGSIZE', 'sendto')
    }
    const source = isUnspecified(socket.local.address) ? path.source : socket.local.address
    if (isLoopback(source) && !path.output.loopback) throw new SystemError('EINVAL', 'sendto')
    const start = payloadOffset(target.address)
    const frame = new Uint8Array(start + UDP_HEADER_BYTES + bytes.length)
    frame.set(bytes, start + UDP_HEADER_BYTES)
    writeUdp(frame, start, socket.local.port, target.port, bytes.length, source, target.address)
    const options = this.#options
    options.source = source
    options.destination = target.address
    options.ttl = socket.ttl
    options.tos = socket.tos
    // By default what fits may not be cut on the way, what does not is cut here.
    const fits = frame.length - ETHERNET_HEADER_BYTES <= path.mtuBytes
    options.dontFragment = mtuDiscovery === 'want' ? fits : mtuDiscovery !== 'dont'
    this.#ip.counters.UdpOutDatagrams++
    const result = this.#ip.send(frame, path, options)
    if (result === 'dropped') throw new SystemError('EPERM', 'sendto')
    if (result === 'too-long') {
      socket.errors?.refused(path.mtuBytes, target, bytes)
      throw new SystemError('EMSGSIZE', 'sendto')
    }
  }

  receive(packet: Packet): void {
    const { counters, drops } = this.#ip
    const { header } = packet
    const datagram = this.#datagram
    const reason = parseUdp(
      packet.bytes,
      header.payloadStart,
      header.payloadEnd,
      header.source,
      header.destination,
      datagram,
    )
    if (reason !== undefined) {
      if (reason === 'bad-checksum') counters.UdpInCsumErrors++
      counters.UdpInErrors++
      return drops.count(`udp-${reason}`)
    }
    if (!this.#ip.isLocal(header.destination)) return this.#receiveGroup(packet)
    const source = { address: header.source, port: datagram.sourcePort }
    const destination = { address: header.destination, port: datagram.destinationPort }
    const socket = this.#match(destination, source)
    if (socket !== undefined) return this.#queue(socket, source, destination, datagram)
    counters.UdpNoPorts++
    drops.count('udp-no-port')
    this.#ip.sendError(packet, ICMP_DEST_UNREACHABLE, ICMP_PORT_UNREACHABLE)
  }

  icmpError(quoted: QuotedPacket, type: number, code: number, rest: number, message: Packet): void {
    const meaning = icmpErrorMeaning(type, code)
    if (meaning === undefined) return
    const local = { address: quoted.source, port: quoted.sourcePort }
    const remote = { address: quoted.destination, port: quoted.destinationPort }
    const socket = this.#match(local, remote)
    if (socket?.errors !== undefined) {
      socket.errors.add(meaning.code, quoted, type, code, rest, message, UDP_HEADER_BYTES)
      socket.error ??= new SystemError(meaning.code, 'recvfrom')
      return this.#ready.push(socket)
    }
    // Others hear of errors only when they are connected (Linux without IP_RECVERR), and of those only the hard ones
    // and the unreachable ones; a smaller path MTU is remembered in the path.
    if (socket?.remote === undefined || isFragmentationNeeded(type, code)) return
    if (type !== ICMP_DEST_UNREACHABLE) return
    socket.error = new SystemError(meaning.code, 'recvfrom')
    this.#ready.push(socket)
  }

  rows(): SocketRow[] {
    return [...this.#byPort.values()].flat().map((socket) => ({
      protocol: 'udp',
      state: socket.remote === undefined ? 'UNCONN' : 'ESTAB',
      receiveQueue: socket.queuedBytes,
      sendQueue: 0,
      local: socket.local,
      remote: socket.remote ?? NOWHERE,
      owner: socket.owner,
    }))
  }

  /** A datagram to a broadcast or multicast address goes to every socket that is bound to it or to any address. */
  #receiveGroup(packet: Packet): void {
    const { header } = packet
    const datagram = this.#datagram
    const source = { address: header.source, port: datagram.sourcePort }
    const destination = { address: header.destination, port: datagram.destinationPort }
    let received = false
    for (const socket of this.#byPort.get(datagram.destinationPort) ?? []) {
      if (!isBoundTo(socket, header.destination)) continue
      if (socket.remote !== undefined && !sameEndpoint(socket.remote, source)) continue
      // Simplified: there is no IGMP and no group membership.
      if (isMulticast(header.destination) && socket.local.address !== header.destination) continue
      received = true
      this.#queue(socket, source, destination, datagram)
    }
    if (!received) this.#ip.drops.count('udp-no-port')
  }

  /** The socket that fits best: connected before bound to the address before bound to any. */
  #match(local: Endpoint, remote: Endpoint): StackUdpSocket | undefined {
    let best: StackUdpSocket | undefined
    let bestScore = 0
    for (const socket of this.#byPort.get(local.port) ?? []) {
      if (!isBoundTo(socket, local.address)) continue
      if (socket.remote !== undefined && !sameEndpoint(socket.remote, remote)) continue
      const score = 1 + (socket.remote === undefined ? 0 : 2) + (isUnspecified(socket.local.address) ? 0 : 1)
      if (score <= bestScore) continue
      best = socket
      bestScore = score
    }
    return best
  }

  #queue(socket: StackUdpSocket, source: Endpoint, destination: Endpoint, datagram: UdpDatagram): void {
    const size = datagram.payloadEnd - datagram.payloadStart + DATAGRAM_OVERHEAD_BYTES
    if (socket.queuedBytes + size > RECEIVE_BUFFER_BYTES) {
      this.#ip.counters.UdpRcvbufErrors++
      this.#ip.counters.UdpInErrors++
      return this.#ip.drops.count('udp-queue-full')
    }
    const bytes = datagram.bytes.slice(datagram.payloadStart, datagram.payloadEnd)
    socket.queue.push({ source, destination, bytes })
    socket.queuedBytes += size
    this.#ip.counters.UdpInDatagrams++
    this.#ready.push(socket)
  }

  #isFree(address: IpAddress, port: Port): boolean {
    for (const socket of this.#byPort.get(port) ?? []) {
      const other = socket.local.address
      if (other === address || other === anyOf(address) || address === anyOf(other)) return false
    }
    return true
  }
}

/** Bound to `address`, or to any of its family. */
function isBoundTo(socket: StackUdpSocket, address: IpAddress): boolean {
  return socket.local.address === address || socket.local.address === anyOf(address)
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address
}
