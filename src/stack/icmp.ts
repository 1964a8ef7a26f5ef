// ICMP of one stack, RFC 792 and RFC 1122 section 3.2.2, and ICMPv6, RFC 4443: answers echo requests, hands echo replies to ping sockets
// and errors to the transport that they are about, and sends errors about packets that could not be served.

import { type Micros, SECOND } from '../base/time.js'
import { type IpAddress, isIpv6, isLoopback, isMulticast, isUnspecified } from '../wire/address.js'
import type { DropReason } from '../wire/drop-reason.js'
import {
  ICMP_DEST_UNREACHABLE,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_HEADER_BYTES,
  ICMP_PARAMETER_PROBLEM,
  ICMP_REDIRECT,
  ICMP_TIME_EXCEEDED,
  icmpMessage,
  parseIcmp,
  writeIcmp,
} from '../wire/icmp.js'
import {
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_NEIGHBOR_ADVERTISEMENT,
  ICMPV6_NEIGHBOR_SOLICITATION,
  isIcmpv6Error,
  parseIcmpv6,
  writeIcmpv6,
} from '../wire/icmpv6.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from '../wire/ip.js'
import type { Packet } from './hooks.js'
import { icmpErrorOf, icmpv6ErrorOf } from './icmp-families.js'
import { DEFAULT_TTL, type Ip, payloadOffset, type Transport } from './ip.js'
import type { PingSockets } from './ping-sockets.js'
import { parseQuotedPacket, type QuotedPacket, quotedPacket } from './quoted-packet.js'

/** Deprecated by RFC 6633 and not in the codec, but an error all the same. */
const ICMP_SOURCE_QUENCH = 4
/** An error quotes as much as fits into 576 bytes (RFC 1812 section 4.3.2.3). */
const ERROR_PACKET_BYTES = 576
/** Linux' icmp_ratelimit: one error a second and destination, in bursts of six. */
const ERROR_INTERVAL: Micros = SECOND
const ERROR_BURST = 6
/** Internetwork control, Linux' default for errors (RFC 1812 section 4.3.2.5). */
const ERROR_TOS = 0xc0
/** Linux' min_pmtu: nobody makes us cut packets smaller than this. */
const MIN_PATH_MTU = 552

/** The smallest MTU of a link for IPv6 (RFC 8200 section 5). */
const IPV6_MINIMUM_MTU = 1280

export function isIcmpError(type: number): boolean {
  return (
    type === ICMP_DEST_UNREACHABLE ||
    type === ICMP_SOURCE_QUENCH ||
    type === ICMP_REDIRECT ||
    type === ICMP_TIME_EXCEEDED ||
    type === ICMP_PARAMETER_PROBLEM
  )
}

export class Icmp implements Transport {
  readonly #ip: Ip
  readonly #pings: PingSockets
  readonly #message = icmpMessage()
  readonly #quoted = quotedPacket()
  /** Token buckets by destination. */
  readonly #buckets = new Map<IpAddress, { tokens: number; at: Micros }>()

  constructor(ip: Ip, pings: PingSockets) {
    this.#ip = ip
    this.#pings = pings
    ip.sendError = (about, type, code, rest) => this.#sendError(about, type, code, rest ?? 0)
  }

  receive(packet: Packet): void {
    const { counters, drops } = this.#ip
    const { header } = packet
    counters.IcmpInMsgs++
    const message = this.#message
    const reason = this.#parse(packet)
    if (reason !== undefined) {
      if (reason === 'bad-checksum') counters.IcmpInCsumErrors++
      counters.IcmpInErrors++
      return drops.count(`icmp-${reason}`)
    }
    if (header.version === 6) return this.#receiveV6(packet)
    switch (message.type) {
      case ICMP_ECHO_REQUEST:
        counters.IcmpInEchos++
        return this.#answerEcho(packet)
      case ICMP_ECHO_REPLY:
        return this.#pings.reply(packet, message)
      case ICMP_DEST_UNREACHABLE:
      case ICMP_TIME_EXCEEDED:
      case ICMP_PARAMETER_PROBLEM:
        return this.#receiveError(packet)
      default:
        // Source quench is ignored (RFC 6633), redirects are not followed, the rest is unknown.
        drops.count('icmp-type')
    }
  }

  #parse({ bytes, header }: Packet): DropReason | undefined {
    const { payloadStart, payloadEnd, source, destination } = header
    return header.version === 6
      ? parseIcmpv6(bytes, payloadStart, payloadEnd, source, destination, this.#message)
      : parseIcmp(bytes, payloadStart, payloadEnd, this.#message)
  }

  /** ICMPv6 (RFC 4443), with neighbour discovery in it. */
  #receiveV6(packet: Packet): void {
    const { counters, drops, link, now } = this.#ip
    const message = this.#message
    switch (message.type) {
      case ICMPV6_ECHO_REQUEST:
        counters.IcmpInEchos++
        return this.#answerEcho(packet)
      case ICMPV6_ECHO_REPLY:
        return this.#pings.reply(packet, message)
      case ICMPV6_NEIGHBOR_SOLICITATION:
      case ICMPV6_NEIGHBOR_ADVERTISEMENT:
        if (packet.header.ttl !== 255 || packet.input === undefined) return drops.count('ndp-hop-limit')
        return link.receiveNeighbor(packet.input, message, packet.header.source, now)
      default: {
        const error = icmpErrorOf(message)
        if (error === undefined) return drops.count('icmp-type')
        // Transports know errors by ICMP's numbers.
        message.type = error.type
        message.code = error.code
        return this.#receiveError(packet)
      }
    }
  }

  /** An error about an ICMP message of this host. */
  icmpError(): void {
    // Errors about echo requests go to the ping sockets with the outer packet, see #receiveError.
  }

  /** Simplified: requests to broadcast addresses are never answered (Linux' icmp_echo_ignore_broadcasts). */
  #answerEcho(packet: Packet): void {
    const { source, destination } = packet.header
    const message = this.#message
    if (!this.#ip.isLocal(destination)) return this.#ip.drops.count('icmp-echo-broadcast')
    this.#send(packet.header.version === 6 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY, 0, message.rest, {
      source: destination,
      destination: source,
      tos: packet.header.tos,
      payload: message.bytes,
      payloadStart: message.payloadStart,
      payloadEnd: message.payloadEnd,
    })
  }

  #receiveError(packet: Packet): void {
    const message = this.#message
    const quoted = this.#quoted
    if (
      !parseQuotedPacket(message.bytes, message.payloadStart, message.payloadEnd, quoted) ||
      !this.#ip.isLocal(quoted.source)
    ) {
      this.#ip.counters.IcmpInErrors++
      return this.#ip.drops.count('icmp-quote')
    }
    let rest = message.rest
    if (message.type === ICMP_DEST_UNREACHABLE && message.code === ICMP_FRAGMENTATION_NEEDED) {
      rest = this.#lowerPathMtu(quoted, packet.header.version === 6 ? rest : rest & 0xffff)
    }
    if (quoted.protocol === PROTOCOL_ICMP || quoted.protocol === PROTOCOL_ICMPV6) {
      return this.#pings.error(packet, message.type, message.code, rest, quoted)
    }
    this.#ip.raw.icmpError(quoted, message.type, message.code, rest, packet)
    this.#ip.transports.get(quoted.protocol)?.icmpError(quoted, message.type, message.code, rest, packet)
  }

  /** RFC 1191 section 3 to 5; gives the MTU that is used from now on. */
  #lowerPathMtu(quoted: QuotedPacket, nextHopMtu: number): number {
    const known = this.#ip.path(quoted.destination)?.mtuBytes
    // Routers before RFC 1191 give no MTU. Simplified: the next plateau is always the smallest one.
    const mtuBytes = Math.max(MIN_PATH_MTU, nextHopMtu)
    if (known !== undefined && mtuBytes >= known) return known
    this.#ip.paths.lowerMtu(quoted.destination, mtuBytes, this.#ip.now)
    return mtuBytes
  }

  /** Sends an error about `about`, unless RFC 1122 section 3.2.2 forbids it or too many were sent. */
  #sendError(about: Packet, type: number, code: number, rest: number): void {
    const { header, bytes } = about
    if (!this.#mayReport(about)) return
    const path = this.#ip.path(header.source)
    if (path === undefined) return
    const limited = type !== ICMP_DEST_UNREACHABLE || code !== ICMP_FRAGMENTATION_NEEDED
    if (limited && !path.output.loopback && !this.#takeToken(header.source)) {
      this.#ip.counters.IcmpOutRateLimited++
      return
    }
    const isV6 = header.version === 6
    // RFC 4443 section 2.4 (c): as much as fits into the smallest MTU of IPv6.
    const room = isV6 ? IPV6_MINIMUM_MTU - 40 : ERROR_PACKET_BYTES - 20
    const quotedBytes = Math.min(header.totalLength, room - ICMP_HEADER_BYTES)
    const error = isV6 ? icmpv6ErrorOf(type, code) : { type, code }
    this.#send(error.type, error.code, rest, {
      // A packet to this very host is answered by the address it was sent to (RFC 1812 section 4.3.2.4).
      source: this.#ip.isLocal(header.destination) ? header.destination : path.source,
      destination: header.source,
      tos: ERROR_TOS,
      tracking: this.#ip.hooks.trackingOfAnswer(about),
      payload: bytes,
      payloadStart: header.headerStart,
      payloadEnd: header.headerStart + quotedBytes,
    })
  }

  #mayReport(about: Packet): boolean {
    const { header, bytes, input } = about
    if (header.fragmentOffset !== 0) return false
    if (isUnspecified(header.source) || isMulticast(header.source) || this.#ip.isBroadcast(header.source))
      return false
    if (isLoopback(header.source) && input !== undefined && !input.loopback) return false
    if (isMulticast(header.destination) || this.#ip.isBroadcast(header.destination)) return false
    // The group bit of the frame's destination; a frame of this host has none written yet.
    if (input !== undefined && (bytes[0]! & 1) === 1) return false
    if (header.protocol === PROTOCOL_ICMPV6) return !isIcmpv6Error(bytes[header.payloadStart] ?? 0)
    return header.protocol !== PROTOCOL_ICMP || !isIcmpError(bytes[header.payloadStart] ?? 0)
  }

  #takeToken(destination: IpAddress): boolean {
    const now = this.#ip.now
    let bucket = this.#buckets.get(destination)
    if (bucket === undefined) {
      if (this.#buckets.size >= 4096) this.#buckets.clear()
      bucket = { tokens: ERROR_BURST, at: now }
      this.#buckets.set(destination, bucket)
    }
    bucket.tokens = Math.min(ERROR_BURST, bucket.tokens + (now - bucket.at) / ERROR_INTERVAL)
    bucket.at = now
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  #send(
    type: number,
    code: number,
    rest: number,
    options: {
      source: IpAddress
      destination: IpAddress
      tos: number
      tracking?: unknown
      payload: Uint8Array
      payloadStart: number
      payloadEnd: number
    },
  ): void {
    const { source, destination, tos, tracking, payload, payloadStart, payloadEnd } = options
    const path = this.#ip.path(destination)
    if (path === undefined) {
      this.#ip.counters.IpOutNoRoutes++
      return
    }
    this.#ip.counters.IcmpOutMsgs++
    const start = payloadOffset(destination)
    const frame = new Uint8Array(start + ICMP_HEADER_BYTES + payloadEnd - payloadStart)
    const isV6 = isIpv6(destination)
    if (isV6) {
      writeIcmpv6(frame, start, type, code, rest, payload, payloadStart, payloadEnd, source, destination)
    } else writeIcmp(frame, start, type, code, rest, payload, payloadStart, payloadEnd)
    this.#ip.send(frame, path, {
      protocol: isV6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP,
      source,
      destination,
      ttl: DEFAULT_TTL,
      tos,
      dontFragment: false,
      tracking,
    })
  }
}
