// Records everything that happens on the wires and in the netfilters of a cluster while one connection is tried, in
// the order in which it happens, and picks out afterwards what belongs to that connection: whatever it was translated
// to on its way, conntrack knows.

import type { Micros } from '../base/time.js'
import type { ClusterNetwork } from '../drivers/cluster-network.js'
import type { TracedPacket, TraceEvent } from '../netfilter/trace.js'
import type { HookName } from '../stack/hooks.js'
import { parseQuotedPacket, quotedPacket } from '../stack/quoted-packet.js'
import { type Endpoint, formatEndpoint } from '../wire/address.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ethernetHeader,
  parseEthernet,
} from '../wire/ethernet.js'
import { ICMP_DEST_UNREACHABLE, ICMP_HEADER_BYTES } from '../wire/icmp.js'
import { ICMPV6_DEST_UNREACHABLE } from '../wire/icmpv6.js'
import {
  ipHeader,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  parseIpHeader,
} from '../wire/ip.js'
import { ACK, RST, SYN } from '../wire/tcp.js'

/** A packet on a wire, as far as a trace needs it. */
export interface WirePacket {
  readonly protocol: number
  readonly source: Endpoint
  readonly destination: Endpoint
  readonly kind: 'SYN' | 'SYN+ACK' | 'RST' | 'segment' | 'datagram' | 'unreachable'
  /** Of `unreachable`: the packet that could not be delivered. */
  readonly about?: { readonly source: Endpoint; readonly destination: Endpoint; readonly protocol: number }
}

export type TraceRecord =
  | {
      readonly type: 'frame'
      readonly at: Micros
      /** `curl:eth0`. */
      readonly point: string
      readonly direction: 'in' | 'out'
      readonly packet: WirePacket
    }
  | {
      readonly type: 'netfilter'
      readonly at: Micros
      readonly node: string
      readonly hook: HookName
      readonly event: TraceEvent
      readonly packet: TracedPacket
    }

export class Recorder {
  readonly #network: ClusterNetwork
  readonly #nodes: readonly string[]
  readonly #now: () => Micros
  #records: TraceRecord[] = []
  #on = false

  constructor(network: ClusterNetwork, nodes: readonly string[], now: () => Micros) {
    this.#network = network
    this.#nodes = nodes
    this.#now = now
    network.capture((point) =>
      point.listen((direction, frame, at) => {
        if (!this.#on) return
        const packet = readPacket(frame)
        if (packet !== undefined)
          this.#records.push({ type: 'frame', at, point: point.name, direction, packet })
      }),
    )
  }

  start(): void {
    this.#records = []
    this.#on = true
    for (const node of this.#nodes) {
      this.#network.node(node).host.netfilter.trace((event, hook, packet) => {
        this.#records.push({ type: 'netfilter', at: this.#now(), node, hook, event, packet })
      })
    }
  }

  /** Ends the recording; what belongs to the connection between `client` and `to`, in order. */
  stop(protocol: number, client: Endpoint, to: Endpoint): TraceRecord[] {
    this.#on = false
    for (const node of this.#nodes) this.#network.node(node).host.netfilter.trace(undefined)
    const records = this.#records
    this.#records = []
    const ways = this.#translations(protocol, new Set([wayOf(protocol, client, to)]))
    addRelayed(records, ways, client, to)
    this.#translations(protocol, ways)
    return records.filter((record) => belongs(record, ways))
  }

  /** Adds to `ways` how conntrack of any node has translated them. */
  #translations(protocol: number, ways: Set<string>): Set<string> {
    for (let before = -1; before !== ways.size; ) {
      before = ways.size
      for (const node of this.#nodes) {
        for (const { original, reply } of this.#network.node(node).host.netfilter.flows()) {
          if (original.protocol !== protocol) continue
          const there = wayOf(
            protocol,
            { address: original.source, port: original.sourcePort },
            { address: original.destination, port: original.destinationPort },
          )
          const translated = wayOf(
            protocol,
            { address: reply.destination, port: reply.destinationPort },
            { address: reply.source, port: reply.sourcePort },
          )
          // The halves of a double translation: after the destination's, before the source's.
          const between = wayOf(
            protocol,
            { address: original.source, port: original.sourcePort },
            { address: reply.source, port: reply.sourcePort },
          )
          if (!ways.has(there)) continue
          ways.add(translated).add(between)
        }
      }
    }
    return ways
  }
}

/** Chains of userspace mode. */
const PORTALS = /^KUBE-(PORTALS|NODEPORT)-(CONTAINER|HOST)$/

/** A connection by its two ends, the same in both directions. */
function wayOf(protocol: number, a: Endpoint, b: Endpoint): string {
  return [String(protocol), ...[formatEndpoint(a), formatEndpoint(b)].sort()].join(' ')
}

function belongs(record: TraceRecord, ways: ReadonlySet<string>): boolean {
  const { packet } = record
  const about = 'about' in packet ? packet.about : undefined
  const { protocol, source, destination } = about ?? packet
  return ways.has(wayOf(protocol, source, destination))
}

/** Whether a rule of userspace mode leads the client's connection to kube-proxy itself. */
export function isTakenByProxy(records: readonly TraceRecord[], client: Endpoint): boolean {
  return records.some(
    (record) =>
      record.type === 'netfilter' &&
      record.event.event === 'rule' &&
      // REDIRECT for pods, DNAT to its own port for the node's own programs.
      PORTALS.test(record.event.chain) &&
      (record.event.verdict === 'REDIRECT' || record.event.verdict === 'DNAT') &&
      isFrom(record.packet, client),
  )
}

function isFrom({ source }: { readonly source: Endpoint }, client: Endpoint): boolean {
  return source.address === client.address && source.port === client.port
}

/**
 * Userspace mode carries the connection on by one of its own, from the node to the endpoint: the first that a node
 * opens right after the client's has come to it.
 */
function addRelayed(
  records: readonly TraceRecord[],
  ways: Set<string>,
  client: Endpoint,
  to: Endpoint,
): void {
  if (!isTakenByProxy(records, client)) return
  for (const record of records) {
    // As the node sends it, over a wire or to itself.
    if (record.type !== 'netfilter' || record.hook !== 'OUTPUT' || record.event.event !== 'track') continue
    const { packet, event } = record
    if (event.reply || event.state !== 'NEW' || isFrom(packet, client) || packet.destination.port === 53)
      continue
    if (packet.destination.address === to.address) continue
    ways.add(wayOf(packet.protocol, packet.source, packet.destination))
    return
  }
}

function readPacket(frame: Uint8Array): WirePacket | undefined {
  const ethernet = ethernetHeader()
  const ip = ipHeader()
  if (parseEthernet(frame, ethernet) !== undefined) return undefined
  if (ethernet.etherType !== ETHERTYPE_IPV4 && ethernet.etherType !== ETHERTYPE_IPV6) return undefined
  if (parseIpHeader(frame, ETHERNET_HEADER_BYTES, frame.length, ip) !== undefined) return undefined
  const { protocol, payloadStart, payloadEnd, source, destination } = ip
  if (protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6) {
    const quoted = quotedPacket()
    const unreachable = protocol === PROTOCOL_ICMP ? ICMP_DEST_UNREACHABLE : ICMPV6_DEST_UNREACHABLE
    if (frame[payloadStart] !== unreachable) return undefined
    if (!parseQuotedPacket(frame, payloadStart + ICMP_HEADER_BYTES, payloadEnd, quoted)) return undefined
    return {
      protocol,
      source: { address: source, port: 0 },
      destination: { address: destination, port: 0 },
      kind: 'unreachable',
      about: {
        protocol: quoted.protocol,
        source: { address: quoted.source, port: quoted.sourcePort },
        destination: { address: quoted.destination, port: quoted.destinationPort },
      },
    }
  }
  if ((protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) || payloadEnd - payloadStart < 8)
    return undefined
  const port = (at: number) => frame[payloadStart + at]! * 256 + frame[payloadStart + at + 1]!
  const ends = {
    protocol,
    source: { address: source, port: port(0) },
    destination: { address: destination, port: port(2) },
  }
  return { ...ends, kind: protocol === PROTOCOL_UDP ? 'datagram' : kindOf(frame[payloadStart + 13]!) }
}

function kindOf(flags: number): WirePacket['kind'] {
  if ((flags & RST) !== 0) return 'RST'
  if ((flags & SYN) === 0) return 'segment'
  return (flags & ACK) !== 0 ? 'SYN+ACK' : 'SYN'
}
