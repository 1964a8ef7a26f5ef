// What a firewall answers to a packet that it refuses (Linux: nf_reject_ipv4): an ICMP error or a TCP reset, in the
// name of who was asked. The packet itself is dropped by who calls.

import { resetFor } from '../tcp/listen.js'
import { PROTOCOL_TCP } from '../wire/ip.js'
import { parseTcp, TCP_HEADER_BYTES, tcpSegment, writeTcp } from '../wire/tcp.js'
import type { Packet } from './hooks.js'
import { DEFAULT_TTL, type Ip, payloadOffset } from './ip.js'

export class Rejection {
  readonly #ip: Ip
  readonly #segment = tcpSegment()
  readonly #answer = tcpSegment()

  constructor(ip: Ip) {
    this.#ip = ip
  }

  /** Sends an ICMP error about a packet, within the limits for all such errors (icmp.ts). */
  sendIcmpError(about: Packet, type: number, code: number): void {
    this.#ip.sendError(about, type, code)
  }

  /** Resets the connection that a TCP segment belongs to; nothing for another packet, a damaged one or a reset. */
  sendReset(about: Packet): void {
    const { header, bytes, offload } = about
    if (header.protocol !== PROTOCOL_TCP || header.fragmentOffset !== 0) return
    const { payloadStart, payloadEnd, source, destination } = header
    const segment = this.#segment
    if (parseTcp(bytes, payloadStart, payloadEnd, source, destination, segment, offload) !== undefined) return
    if (this.#ip.isBroadcast(destination) || !resetFor(segment, this.#answer)) return
    const path = this.#ip.path(source)
    if (path === undefined) return
    const start = payloadOffset(source)
    const frame = new Uint8Array(start + TCP_HEADER_BYTES)
    writeTcp(frame, start, this.#answer, 0, destination, source)
    this.#ip.counters.TcpOutRsts++
    this.#ip.send(frame, path, {
      protocol: PROTOCOL_TCP,
      source: destination,
      destination: source,
      ttl: DEFAULT_TTL,
      tos: 0,
      dontFragment: true,
      tracking: this.#ip.hooks.trackingOfAnswer(about),
    })
  }
}
