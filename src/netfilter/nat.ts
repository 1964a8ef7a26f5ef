// Address translation: the first packet of a flow decides (in the nat table) what the flow is translated to, every
// packet after it is translated by what conntrack remembers - destinations before routing, sources after it - and
// answers the other way round. Quoted packets inside ICMP errors are translated too (RFC 5508 section 4).

import type { Random } from '../base/random.js'
import type { HookName, Packet } from '../stack/hooks.js'
import { parseQuotedPacket, quotedPacket } from '../stack/quoted-packet.js'
import { IPV4_LOOPBACK, type Ipv4, type Port } from '../wire/address.js'
import { ICMP_HEADER_BYTES } from '../wire/icmp.js'
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.js'
import { type Conntrack, type Flow, type Tracking, trackingOf } from './conntrack.js'
import {
  refreshIcmpChecksum,
  rewriteAddress,
  rewriteDestination,
  rewriteQuoted,
  rewriteSource,
} from './rewrite.js'
import type { FinalTarget } from './traversal.js'
import { invert, type Tuple } from './tuple.js'

/** Looks for a free port at most so often. */
const PORT_ATTEMPTS = 128

/** What of a packet a hook may translate: the destination before routing, the source after it. */
type Part = 'source' | 'destination'

const PARTS: Readonly<Record<HookName, Part | undefined>> = {
  PREROUTING: 'destination',
  OUTPUT: 'destination',
  INPUT: 'source',
  POSTROUTING: 'source',
  FORWARD: undefined,
}

export class Nat {
  readonly #conntrack: Conntrack
  readonly #random: Random
  /** The nat table's verdict about the first packet of a flow. */
  readonly #decide: (packet: Packet, hook: HookName) => FinalTarget
  readonly #quoted = quotedPacket()

  constructor(conntrack: Conntrack, random: Random, decide: (packet: Packet, hook: HookName) => FinalTarget) {
    this.#conntrack = conntrack
    this.#random = random
    this.#decide = decide
  }

  /** The hook function of PREROUTING, INPUT, OUTPUT and POSTROUTING. */
  run(packet: Packet, hook: HookName): 'ACCEPT' | 'DROP' {
    const part = PARTS[hook]
    const tracking = trackingOf(packet)
    if (tracking?.flow === undefined || part === undefined) return 'ACCEPT'
    const { flow } = tracking
    if (tracking.state === 'RELATED') {
      if (packet.header.protocol === PROTOCOL_ICMP) this.#translateError(packet, tracking, part)
      return 'ACCEPT'
    }
    if (!flow.confirmed && !(part === 'source' ? flow.sourceDecided : flow.destinationDecided)) {
      const target = this.#decide(packet, hook)
      if (target.target === 'DROP') return 'DROP'
      if (part === 'destination') this.#decideDestination(packet, flow, target, hook)
      else this.#decideSource(flow)
    }
    this.#translate(packet, tracking, part)
    return 'ACCEPT'
  }

  #decideDestination(packet: Packet, flow: Flow, target: FinalTarget, hook: HookName): void {
    flow.destinationDecided = true
    if (target.target === 'DNAT') {
      this.#setDestination(flow, target.to.address, target.to.port)
    } else if (target.target === 'REDIRECT') {
      const address = hook === 'OUTPUT' ? IPV4_LOOPBACK : packet.input?.addresses[0]?.address
      // Linux drops what arrives on an interface without address; here it is left alone.
      if (address !== undefined) this.#setDestination(flow, address, target.port)
    }
  }

  #setDestination(flow: Flow, address: Ipv4, port: Port): void {
    const { reply } = flow
    const hasPorts = reply.protocol === PROTOCOL_TCP || reply.protocol === PROTOCOL_UDP
    // DNAT without a port (0) leaves the port alone.
    const sourcePort = hasPorts && port !== 0 ? port : reply.sourcePort
    if (reply.source === address && reply.sourcePort === sourcePort) return
    flow.reply = { ...reply, source: address, sourcePort }
    flow.destinationTranslated = true
  }

  /**
   * No target changes sources, but two flows that were different before translation may be the same after it: then
   * the later one gets another source port (Linux: a null binding with nf_nat_l4proto_unique_tuple).
   */
  #decideSource(flow: Flow): void {
    flow.sourceDecided = true
    if (!this.#conntrack.isTaken(flow.reply, flow)) return
    const icmp = flow.reply.protocol === PROTOCOL_ICMP
    const wanted = icmp ? flow.reply.sourcePort : flow.reply.destinationPort
    const [first, count] = icmp ? [0, 0x10000] : portRange(wanted)
    const start = this.#random.int(count)
    for (let i = 0; i < Math.min(PORT_ATTEMPTS, count); i++) {
      const port = first + ((start + i) % count)
      const candidate: Tuple = icmp
        ? { ...flow.reply, sourcePort: port }
        : { ...flow.reply, destinationPort: port }
      if (this.#conntrack.isTaken(candidate, flow)) continue
      flow.reply = candidate
      flow.sourceTranslated = true
      return
    }
    // None is free: conntrack's confirmation drops the packet.
  }

  #translate(packet: Packet, tracking: Tracking, part: Part): void {
    const flow = tracking.flow!
    if (!isTranslated(flow, tracking.reply, part)) return
    // As the packet shall look: the inverse of how the other direction looks.
    const target = invert(tracking.reply ? flow.original : flow.reply)
    if (target === undefined) return
    if (part === 'source') rewriteSource(packet, target.source, target.sourcePort)
    else rewriteDestination(packet, target.destination, portOf(target))
  }

  /** An ICMP error of a translated flow: what it quotes travelled the other way, so source and destination change places. */
  #translateError(packet: Packet, tracking: Tracking, part: Part): void {
    const flow = tracking.flow!
    if (!isTranslated(flow, tracking.reply, part)) return
    const other = tracking.reply ? flow.original : flow.reply
    const quoted = this.#quoted
    const { header, bytes } = packet
    if (!parseQuotedPacket(bytes, header.payloadStart + ICMP_HEADER_BYTES, header.payloadEnd, quoted)) return
    if (part === 'source') {
      rewriteQuoted(quoted, false, other.destination, portOf(other))
      rewriteAddress(packet, true, other.destination)
    } else {
      rewriteQuoted(quoted, true, other.source, other.sourcePort)
      rewriteAddress(packet, false, other.source)
    }
    refreshIcmpChecksum(packet)
  }
}

/** Whether packets of this direction are changed in `part`: an answer's source is the first packet's destination. */
function isTranslated(flow: Flow, reply: boolean, part: Part): boolean {
  return (part === 'source') !== reply ? flow.sourceTranslated : flow.destinationTranslated
}

/** What `rewriteDestination` writes: the destination port, or the identifier of an ICMP query. */
function portOf(tuple: Tuple): number {
  return tuple.protocol === PROTOCOL_ICMP ? tuple.sourcePort : tuple.destinationPort
}

/** First port and count of the class that a port is replaced from, as Linux: low ports stay low. */
function portRange(port: Port): [first: number, count: number] {
  if (port < 512) return [1, 511]
  if (port < 1024) return [600, 424]
  return [1024, 64_512]
}
