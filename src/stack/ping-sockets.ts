// ICMP echo sockets (Linux: SOCK_DGRAM, IPPROTO_ICMP), which ping and traceroute use: each has an identifier of its
// own, gets the replies that carry it, and the errors about its requests.

import { SystemError } from '../base/errors.js'
import type { Random } from '../base/random.js'
import { type IpAddress, isIpv6 } from '../wire/address.js'
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js'
import {
  ICMP_DEST_UNREACHABLE,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_HEADER_BYTES,
  type IcmpMessage,
  writeIcmp,
} from '../wire/icmp.js'
import { ICMPV6_ECHO_REQUEST, writeIcmpv6 } from '../wire/icmpv6.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from '../wire/ip.js'
import type { Packet } from './hooks.js'
import { isFragmentationNeeded } from './icmp-error-code.js'
import { DEFAULT_TTL, type Ip, payloadOffset } from './ip.js'
import type { QuotedPacket } from './quoted-packet.js'
import type { Notifying, ReadyQueue } from './ready-queue.js'
import type { IcmpReply, MtuDiscovery, PingSocket } from './socket.js'

const MAX_PAYLOAD_BYTES = 65_507
/** Replies that wait to be received; more are dropped. */
const QUEUE_REPLIES = 256

class StackPingSocket implements PingSocket, Notifying {
  readonly identifier: number
  onReady: (() => void) | undefined
  readyQueued = false
  readonly queue: IcmpReply[] = []
  ttl = DEFAULT_TTL
  mtuDiscovery: MtuDiscovery = 'want'
  readonly #owner: PingSockets

  constructor(owner: PingSockets, identifier: number) {
    this.#owner = owner
    this.identifier = identifier
  }

  send(to: IpAddress, sequence: number, bytes: Uint8Array): void {
    this.#owner.send(this, to, sequence, bytes)
  }

  receive(): IcmpReply | undefined {
    return this.queue.shift()
  }

  setTtl(ttl: number): void {
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > 255) throw new SystemError('EINVAL', 'setsockopt')
    this.ttl = ttl
  }

  setMtuDiscovery(mode: MtuDiscovery): void {
    this.mtuDiscovery = mode
  }

  close(): void {
    this.onReady = undefined
    this.#owner.close(this)
  }
}

export class PingSockets {
  readonly #ip: Ip
  readonly #random: Random
  readonly #ready: ReadyQueue
  readonly #sockets = new Map<number, StackPingSocket>()

  constructor(ip: Ip, random: Random, ready: ReadyQueue) {
    this.#ip = ip
    this.#random = random
    this.#ready = ready
  }

  open(): PingSocket {
    let identifier = 1 + this.#random.int(0xffff)
    for (let tries = 0; this.#sockets.has(identifier); tries++) {
      if (tries === 0xffff) throw new SystemError('EAGAIN', 'bind')
      identifier = (identifier % 0xffff) + 1
    }
    const socket = new StackPingSocket(this, identifier)
    this.#sockets.set(identifier, socket)
    return socket
  }

  close(socket: StackPingSocket): void {
    if (this.#sockets.get(socket.identifier) === socket) this.#sockets.delete(socket.identifier)
  }

  send(socket: StackPingSocket, to: IpAddress, sequence: number, bytes: Uint8Array): void {
    if (this.#sockets.get(socket.identifier) !== socket) throw new SystemError('EBADF', 'sendto')
    if (bytes.length > MAX_PAYLOAD_BYTES) throw new SystemError('EMSGSIZE', 'sendto')
    const path = this.#ip.path(to)
    if (path === undefined) throw new SystemError('ENETUNREACH', 'sendto')
    if (path.broadcast) throw new SystemError('EACCES', 'sendto')
    const start = payloadOffset(to)
    const frame = new Uint8Array(start + ICMP_HEADER_BYTES + bytes.length)
    const rest = ((socket.identifier << 16) | (sequence & 0xffff)) >>> 0
    const { source } = path
    if (isIpv6(to))
      writeIcmpv6(frame, start, ICMPV6_ECHO_REQUEST, 0, rest, bytes, 0, bytes.length, source, to)
    else writeIcmp(frame, start, ICMP_ECHO_REQUEST, 0, rest, bytes, 0, bytes.length)
    this.#ip.counters.IcmpOutMsgs++
    const { ttl, mtuDiscovery } = socket
    const fits = frame.length - ETHERNET_HEADER_BYTES <= path.mtuBytes
    const dontFragment = mtuDiscovery === 'want' ? fits : mtuDiscovery !== 'dont'
    const result = this.#ip.send(frame, path, {
      protocol: isIpv6(to) ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP,
      source,
      destination: to,
      ttl,
      tos: 0,
      dontFragment,
    })
    if (result === 'too-long') {
      const refusal = { type: ICMP_DEST_UNREACHABLE, code: ICMP_FRAGMENTATION_NEEDED, isLocal: true } as const
      const { mtuBytes } = path
      this.#push(socket.identifier, { ...refusal, from: source, sequence, ttl: 0, mtuBytes, bytes })
      throw new SystemError('EMSGSIZE', 'sendto')
    }
    if (result === 'dropped') throw new SystemError('EPERM', 'sendto')
  }

  /** An echo reply came in. */
  reply(packet: Packet, message: IcmpMessage): void {
    this.#push(message.rest >>> 16, {
      from: packet.header.source,
      type: ICMP_ECHO_REPLY,
      code: 0,
      sequence: message.rest & 0xffff,
      ttl: packet.header.ttl,
      bytes: message.bytes.slice(message.payloadStart, message.payloadEnd),
    })
  }

  /** An error about an echo request of this host came in. */
  error(packet: Packet, type: number, code: number, rest: number, quoted: QuotedPacket): void {
    const request = isIpv6(quoted.destination) ? ICMPV6_ECHO_REQUEST : ICMP_ECHO_REQUEST
    if (quoted.word >>> 24 !== request) return this.#ip.drops.count('icmp-quote')
    const { bytes, payloadStart, payloadEnd } = quoted
    this.#push(quoted.sourcePort, {
      from: packet.header.source,
      type,
      code,
      sequence: (bytes[payloadStart + 6]! << 8) | bytes[payloadStart + 7]!,
      ttl: packet.header.ttl,
      ...(isFragmentationNeeded(type, code) && { mtuBytes: rest }),
      bytes: bytes.slice(payloadStart + ICMP_HEADER_BYTES, payloadEnd),
    })
  }

  #push(identifier: number, reply: IcmpReply): void {
    const socket = this.#sockets.get(identifier)
    if (socket === undefined) return this.#ip.drops.count('icmp-no-socket')
    if (socket.queue.length >= QUEUE_REPLIES) return this.#ip.drops.count('icmp-queue-full')
    socket.queue.push(reply)
    this.#ready.push(socket)
  }
}
