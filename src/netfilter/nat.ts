// Address translation: the first packet of a flow decides (in the nat chains) what the flow is translated to, every
// packet after it is translated by what conntrack remembers - destinations before routing, sources after it - and
// answers the other way round. Quoted packets inside ICMP errors are translated too (RFC 5508 section 4). Which port a
// translated source gets is source-port.ts.

import type { Random } from '../base/random.js'
import type { HookName, Packet } from '../stack/hooks.js'
import type { Interface } from '../stack/interface.js'
import { parseQuotedPacket, quotedPacket } from '../stack/quoted-packet.js'
import {
  type AddressFamily,
  cidrContains,
  familyOf,
  IPV4_LOOPBACK,
  IPV6_LOOPBACK,
  type IpAddress,
  networkOf,
} from '../wire/address.js'
import { ICMP_HEADER_BYTES } from '../wire/icmp.js'
import type { Conntrack } from './conntrack.js'
import { type Flow, type Tracking, trackingOf } from './flow.js'
import {
  refreshIcmpChecksum,
  rewriteAddress,
  rewriteDestination,
  rewriteQuoted,
  rewriteSource,
} from './rewrite.js'
import { chooseSourcePort } from './source-port.js'
import { endpointOf, type Tracer } from './tracer.js'
import type { FinalTarget } from './traversal.js'
import { hasPorts, isIcmp, type Tuple } from './tuple.js'

/** What of a packet a hook may translate: the destination before routing, the source after it. */
type Part = 'source' | 'destination'

const PARTS: Readonly<Record<HookName, Part | undefined>> = {
  PREROUTING: 'destination',
  OUTPUT: 'destination',
  INPUT: 'source',
  POSTROUTING: 'source',
  FORWARD: undefined,
}

/** What address translation needs of the rest. */
export interface NatPorts {
  /** The nat chains' verdict about the first packet of a flow. */
  decide(packet: Packet, hook: HookName): FinalTarget
  interfaces(): readonly Interface[]
}

export class Nat {
  readonly #conntrack: Conntrack
  readonly #random: Random
  readonly #ports: NatPorts
  readonly #tracer: Tracer
  readonly #quoted = quotedPacket()

  constructor(conntrack: Conntrack, random: Random, ports: NatPorts, tracer: Tracer) {
    this.#conntrack = conntrack
    this.#random = random
    this.#ports = ports
    this.#tracer = tracer
  }

  /** The hook function of PREROUTING, INPUT, OUTPUT and POSTROUTING. */
  run(packet: Packet, hook: HookName): 'ACCEPT' | 'DROP' {
    const part = PARTS[hook]
    const tracking = trackingOf(packet)
    if (tracking?.flow === undefined || part === undefined) return 'ACCEPT'
    const { flow } = tracking
    if (tracking.state === 'RELATED' && isIcmp(packet.header.protocol)) {
      this.#translateError(packet, tracking, part)
      return 'ACCEPT'
    }
    if (!flow.confirmed && !tracking.reply && !isDecided(flow, part)) {
      const target = this.#ports.decide(packet, hook)
      if (target.target === 'DROP' || target.target === 'REJECT') return 'DROP'
      if (!this.#decide(packet, flow, target, hook, part)) return 'DROP'
    }
    if (isTranslated(flow, tracking.reply, part)) this.#translate(packet, tracking, part, hook)
    return 'ACCEPT'
  }

  /** False when there is no address to translate to. */
  #decide(packet: Packet, flow: Flow, target: FinalTarget, hook: HookName, part: Part): boolean {
    if (part === 'source') {
      flow.sourceDecided = true
      return this.#decideSource(packet, flow, target)
    }
    flow.destinationDecided = true
    if (target.target === 'DNAT') {
      setDestination(flow, target.to.address, target.to.port)
    } else if (target.target === 'REDIRECT') {
      const family = familyOf(packet.header.destination)
      const address =
        hook === 'OUTPUT' ? LOOPBACK[family] : packet.input && firstAddress(packet.input, family)
      if (address === undefined) return false
      setDestination(flow, address, target.port)
    }
    return true
  }

  #decideSource(packet: Packet, flow: Flow, target: FinalTarget): boolean {
    let address: IpAddress | undefined = flow.reply.destination
    let port = 0
    let fullyRandom = false
    if (target.target === 'SNAT') {
      address = target.to.address
      port = target.to.port
      fullyRandom = target.fullyRandom ?? false
    } else if (target.target === 'MASQUERADE') {
      address = this.#addressOf(packet)
      fullyRandom = target.fullyRandom ?? false
    }
    if (address === undefined) return false
    const before = flow.reply
    // Without a target too: two flows that were different before translation may be the same after it, and then the
    // later one gets another source port (Linux: a null binding).
    const reply = chooseSourcePort(flow, { address, port, fullyRandom }, this.#conntrack, this.#random)
    if (sameTuple(reply, before)) return true
    flow.reply = reply
    flow.sourceTranslated = true
    return true
  }

  /** The address that packets get where they leave: the one on the next hop's link, else the interface's first. */
  #addressOf({ output, nextHop, header }: Packet): IpAddress | undefined {
    const family = familyOf(header.source)
    if (output !== undefined && !output.loopback) {
      const near = output.addresses.find((address) => cidrContains(networkOf(address), nextHop))
      const own = near?.address ?? firstAddress(output, family)
      if (own !== undefined) return own
    }
    // lo's address is good for lo only (scope host): one of another interface (inet_select_addr).
    for (const each of this.#ports.interfaces()) {
      const address = each.loopback ? undefined : firstAddress(each, family)
      if (address !== undefined) return address
    }
    return undefined
  }

  #translate(packet: Packet, tracking: Tracking, part: Part, hook: HookName): void {
    const flow = tracking.flow!
    const before = this.#tracer.active ? endpointOf(packet, part) : undefined
    const target = tracking.reply ? flow.replyTarget : flow.originalTarget
    if (part === 'source') rewriteSource(packet, target.source, target.sourcePort)
    else rewriteDestination(packet, target.destination, portOf(target))
    if (before !== undefined) this.#tracer.nat('netfilter', part, before, hook, packet)
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

const LOOPBACK: Readonly<Record<AddressFamily, IpAddress>> = { IPv4: IPV4_LOOPBACK, IPv6: IPV6_LOOPBACK }

/** The primary address of an interface in a family. */
function firstAddress({ addresses }: Interface, family: AddressFamily): IpAddress | undefined {
  return addresses.find(({ address }) => familyOf(address) === family)?.address
}

function isDecided(flow: Flow, part: Part): boolean {
  return part === 'source' ? flow.sourceDecided : flow.destinationDecided
}

function setDestination(flow: Flow, address: IpAddress, port: number): void {
  const { reply } = flow
  // DNAT without a port (0) leaves the port alone.
  const sourcePort = hasPorts(reply.protocol) && port !== 0 ? port : reply.sourcePort
  if (reply.source === address && reply.sourcePort === sourcePort) return
  flow.reply = { ...reply, source: address, sourcePort }
  flow.destinationTranslated = true
}

function sameTuple(a: Tuple, b: Tuple): boolean {
  return (
    a.destination === b.destination &&
    a.destinationPort === b.destinationPort &&
    a.sourcePort === b.sourcePort
  )
}

/** Whether packets of this direction are changed in `part`: an answer's source is the first packet's destination. */
function isTranslated(flow: Flow, reply: boolean, part: Part): boolean {
  return (part === 'source') !== reply ? flow.sourceTranslated : flow.destinationTranslated
}

/** What `rewriteDestination` writes: the destination port, or the identifier of an ICMP query. */
function portOf(tuple: Tuple): number {
  return isIcmp(tuple.protocol) ? tuple.sourcePort : tuple.destinationPort
}
