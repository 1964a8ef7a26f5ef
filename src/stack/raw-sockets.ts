// Raw sockets of one stack, raw(7): packets of one IP protocol, beside what the protocol itself does with them. Not here:
// IP headers made by programs (IP_HDRINCL). What programs get is socket.ts' RawSocket.

import { SystemError } from '../base/errors.js'
import type { IpAddress } from '../wire/address.js'
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js'
import { ErrorQueue } from './error-queue.js'
import type { Packet } from './hooks.js'
import { icmpErrorMeaning } from './icmp-error-code.js'
import { DEFAULT_TTL, type Ip, payloadOffset } from './ip.js'
import type { Path } from './paths.js'
import type { QuotedPacket } from './quoted-packet.js'
import type { Notifying, ReadyQueue } from './ready-queue.js'
import type { QueuedError, RawPacket, RawSocket } from './socket.js'

/** net.core.rmem_default. Each packet counts with some of its overhead. */
const RECEIVE_BUFFER_BYTES = 212_992
const PACKET_OVERHEAD_BYTES = 256

class StackRawSocket implements RawSocket, Notifying {
  readonly protocol: number
  onReady: (() => void) | undefined
  owner: object | undefined
  readyQueued = false
  readonly queue: RawPacket[] = []
  queuedBytes = 0
  readonly errors = new ErrorQueue()
  ttl = DEFAULT_TTL
  tos = 0
  readonly #owner: RawSockets

  constructor(owner: RawSockets, protocol: number) {
    this.#owner = owner
    this.protocol = protocol
  }

  sourceFor(to: IpAddress): IpAddress {
    return this.#owner.pathTo(to).source
  }

  send(bytes: Uint8Array, to: IpAddress): void {
    this.#owner.send(this, bytes, to)
  }

  receive(): RawPacket | undefined {
    const packet = this.queue.shift()
    if (packet !== undefined) this.queuedBytes -= packet.bytes.length + PACKET_OVERHEAD_BYTES
    return packet
  }

  receiveError(): QueuedError | undefined {
    return this.errors.take()
  }

  setTtl(ttl: number): void {
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > 255) throw new SystemError('EINVAL', 'setsockopt')
    this.ttl = ttl
  }

  setTos(tos: number): void {
    this.tos = tos & 0xff
  }

  close(): void {
    this.onReady = undefined
    this.#owner.close(this)
  }
}

export class RawSockets {
  readonly #ip: Ip
  readonly #ready: ReadyQueue
  readonly #sockets = new Set<StackRawSocket>()

  constructor(ip: Ip, ready: ReadyQueue) {
    this.#ip = ip
    this.#ready = ready
  }

  /** Whether there are any. */
  get active(): boolean {
    return this.#sockets.size > 0
  }

  open(protocol: number): RawSocket {
    const socket = new StackRawSocket(this, protocol)
    this.#sockets.add(socket)
    return socket
  }

  close(socket: StackRawSocket): void {
    this.#sockets.delete(socket)
  }

  pathTo(destination: IpAddress): Path {
    const path = this.#ip.path(destination)
    if (path === undefined) throw new SystemError('ENETUNREACH', 'connect')
    return path
  }

  send(socket: StackRawSocket, bytes: Uint8Array, to: IpAddress): void {
    if (!this.#sockets.has(socket)) throw new SystemError('EBADF', 'sendto')
    const path = this.pathTo(to)
    if (path.broadcast) throw new SystemError('EACCES', 'sendto')
    const start = payloadOffset(to)
    const frame = new Uint8Array(start + bytes.length)
    frame.set(bytes, start)
    const result = this.#ip.send(frame, path, {
      protocol: socket.protocol,
      source: path.source,
      destination: to,
      ttl: socket.ttl,
      tos: socket.tos,
      dontFragment: frame.length - ETHERNET_HEADER_BYTES <= path.mtuBytes,
    })
    if (result === 'dropped') throw new SystemError('EPERM', 'sendto')
    if (result === 'too-long') throw new SystemError('EMSGSIZE', 'sendto')
  }

  /** A packet for this host; whether there is a socket for it. */
  receive(packet: Packet): boolean {
    const { header, bytes } = packet
    let taken = false
    for (const socket of this.#sockets) {
      if (socket.protocol !== header.protocol) continue
      taken = true
      const size = header.payloadEnd - header.payloadStart + PACKET_OVERHEAD_BYTES
      if (socket.queuedBytes + size > RECEIVE_BUFFER_BYTES) {
        this.#ip.drops.count('raw-queue-full')
        continue
      }
      socket.queuedBytes += size
      socket.queue.push({
        from: header.source,
        to: header.destination,
        ttl: header.ttl,
        bytes: bytes.slice(header.payloadStart, header.payloadEnd),
      })
      this.#ready.push(socket)
    }
    return taken
  }

  /** An ICMP error about a packet of this host, whoever has sent it. */
  icmpError(quoted: QuotedPacket, type: number, code: number, rest: number, message: Packet): void {
    const meaning = icmpErrorMeaning(type, code)
    if (meaning === undefined) return
    for (const socket of this.#sockets) {
      if (socket.protocol !== quoted.protocol) continue
      socket.errors.add(meaning.code, quoted, type, code, rest, message, 0)
      this.#ready.push(socket)
    }
  }
}
