// IPv4 and IPv6 of one stack: input (RFC 1122 section 3.2, RFC 8200), output, forwarding (RFC 1812 section 5.2), and the
// five hook points in Linux' order. Transports hang above it by protocol number; ARP and the interfaces are below in
// link.ts; where a packet goes is asked of paths.ts; ICMP, which both directions need, is icmp.ts.

import { setUint16 } from '../base/bytes.js'
import { ChangeCount } from '../base/change-count.js'
import { GIVEN_AWAY, type Offload, segmentBytes } from '../base/offload.js'
import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { TimerHeap } from '../base/timer-heap.js'
import {
  IPV4_ANY,
  IPV4_BROADCAST,
  IPV6_ANY,
  type IpAddress,
  isIpv6,
  isLoopback,
  isMulticast,
  NO_ADDRESS,
} from '../wire/address.js'
import { updateChecksum } from '../wire/checksum.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ethernetHeader,
  isGroupMac,
  parseEthernet,
} from '../wire/ethernet.js'
import {
  ICMP_DEST_UNREACHABLE,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_HOST_UNREACHABLE,
  ICMP_NET_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_REASSEMBLY_TIME_EXCEEDED,
  ICMP_TIME_EXCEEDED,
  ICMP_TTL_EXCEEDED,
} from '../wire/icmp.js'
import { ipHeaderBytes, parseIpHeader, writeIpHeader } from '../wire/ip.js'
import { longestPacket, packetBytes, packetCount } from '../wire/segmentation.js'
import { Drops, makeCounters } from './counters.js'
import type { Expiring } from './expiring.js'
import { fragment, Reassembly } from './fragments.js'
import { type HookName, Hooks, makePacket, type Packet } from './hooks.js'
import { type Interface, showToTaps } from './interface.js'
import { Link } from './link.js'
import { type Path, Paths } from './paths.js'
import type { QuotedPacket } from './quoted-packet.js'
import type { RawSockets } from './raw-sockets.js'

/** Offset of the payload in a frame that a transport builds for an address of this family. */
export function payloadOffset(address: IpAddress): number {
  return ETHERNET_HEADER_BYTES + ipHeaderBytes(versionOf(address))
}

function versionOf(address: IpAddress): 4 | 6 {
  return isIpv6(address) ? 6 : 4
}

export const DEFAULT_TTL = 64

/** A protocol above IP. */
export interface Transport {
  /** A packet for this host; it is read before the call ends. */
  receive(packet: Packet): void
  /** An ICMP error about a packet of this protocol from this host: its `rest` is the second word, `message` its packet. */
  icmpError(quoted: QuotedPacket, type: number, code: number, rest: number, message: Packet): void
}

export type SendResult = 'sent' | 'too-long' | 'dropped'

/** Everything of a packet's header that a transport decides. */
export interface SendOptions {
  protocol: number
  source: IpAddress
  destination: IpAddress
  ttl: number
  tos: number
  dontFragment: boolean
  /** What netfilter knows of a packet that answers another one: its flow. */
  tracking?: unknown
  /** What the transport has left undone; the path's interface takes that. */
  offload?: Offload
}

export class Ip {
  readonly counters = makeCounters()
  readonly drops = new Drops()
  /** Routes, interfaces, path MTUs, neighbours that were forgotten, hook functions. */
  readonly changes = new ChangeCount()
  readonly hooks = new Hooks(this.changes)
  readonly link: Link
  readonly paths: Paths
  readonly transports = new Map<number, Transport>()
  /** Sends an ICMP error about a packet; set by icmp.ts. */
  sendError: (about: Packet, type: number, code: number, rest?: number) => void = () => {}
  /** Set by stack.ts. */
  raw!: RawSockets
  now: Micros = 0
  /** Whether packets from a wire may be for 127.0.0.0/8 after translation, and from it before. */
  routeLocalnet = false

  readonly #forwarding: boolean
  readonly #reassembly: Reassembly
  #identification: number
  readonly #ethernet = ethernetHeader()
  readonly #inputPacket = makePacket()
  readonly #outputPacket = makePacket()

  constructor(options: { random: Random; forwarding: boolean; timers: TimerHeap<Expiring> }) {
    this.#forwarding = options.forwarding
    this.#identification = options.random.int(0x10000)
    this.link = new Link(
      {
        now: () => this.now,
        isLocal: (address) => this.isLocal(address),
        unreachable: (output, frame) => this.#hostUnreachable(output, frame),
      },
      options.timers,
      this.drops,
      this.changes,
    )
    this.paths = new Paths(this.link.interfaces, this.changes)
    this.#reassembly = new Reassembly(options.timers, this.counters, (first, index) =>
      this.#reassemblyTimedOut(first, index),
    )
  }

  /** The path to `destination`, undefined when there is no route. `held`, when it is still valid, is given back. */
  path(destination: IpAddress, held?: Path): Path | undefined {
    return this.paths.to(destination, this.now, held)
  }

  /** An address of this host, 127.0.0.0/8 included. */
  isLocal(address: IpAddress): boolean {
    return this.paths.isLocal(address)
  }

  /** 255.255.255.255 or the directed broadcast of an interface's prefix. */
  isBroadcast(address: IpAddress): boolean {
    return this.paths.isBroadcast(address)
  }

  // ---- input

  /** A frame came in. `tracking` and `mark` come with a frame that this stack sent to itself through lo. */
  receive(input: Interface, frame: Uint8Array, tracking: unknown, mark: number, offload: Offload): void {
    input.receivedFrames += packetCount(frame, offload)
    input.receivedBytes += packetBytes(frame, offload)
    if (input.taps !== undefined) showToTaps(input.taps, frame, offload, 'in', this.now)
    if (!input.up) return this.drops.count('interface-down')
    const ethernet = this.#ethernet
    const reason = parseEthernet(frame, ethernet)
    if (reason !== undefined) return this.drops.count(`ethernet-${reason}`)
    const group = isGroupMac(ethernet.destination)
    if (ethernet.destination !== input.mac && !group) return this.drops.count('other-host')
    switch (ethernet.etherType) {
      case ETHERTYPE_IPV4:
      case ETHERTYPE_IPV6:
        return this.#receiveIp(input, frame, group, tracking, mark, offload)
      case ETHERTYPE_ARP:
        if (!input.loopback) this.link.receiveArp(input, frame, this.now)
        return
      default:
        this.drops.count('ether-type')
    }
  }

  #receiveIp(
    input: Interface,
    frame: Uint8Array,
    group: boolean,
    tracking: unknown,
    mark: number,
    offload: Offload,
  ): void {
    this.counters.IpInReceives++
    const packet = this.#inputPacket
    const header = packet.header
    const reason = parseIpHeader(frame, ETHERNET_HEADER_BYTES, frame.length, header)
    if (reason !== undefined) {
      this.counters.IpInHdrErrors++
      return this.drops.count(`ip-${reason}`)
    }
    if (this.#isMartian(header.source, header.destination, input)) {
      this.counters.IpInAddrErrors++
      return this.drops.count('martian')
    }
    packet.bytes = frame
    packet.input = input
    packet.output = undefined
    packet.nextHop = NO_ADDRESS
    packet.tracking = tracking
    packet.mark = mark
    packet.offload = offload
    if (this.hooks.active) {
      // Hooks change packets in place, and the frame belongs to whoever gave it. Connection tracking needs whole
      // packets (Linux: nf_defrag_ipv4, before every table).
      if (!this.#reassemble(packet)) return
      if (packet.bytes === frame && (offload & GIVEN_AWAY) === 0) packet.bytes = frame.slice()
      if (!this.#passes('PREROUTING', packet)) return
    }
    this.#route(packet, group)
  }

  /** After PREROUTING: to a transport of this host, or onwards. `group`: it came to a group's MAC. */
  #route(packet: Packet, group: boolean): void {
    const { destination } = packet.header
    if (isLoopback(destination) && packet.input?.loopback === false && !this.routeLocalnet) {
      this.counters.IpInAddrErrors++
      return this.drops.count('martian')
    }
    if (this.isLocal(destination) || this.isBroadcast(destination) || isMulticast(destination)) {
      return this.#deliver(packet)
    }
    if (group) return this.drops.count('not-for-us')
    this.#forward(packet)
  }

  /** Addresses that no packet from a wire can have (RFC 1812 section 5.3.7; a `.0` of a prefix is an ordinary one). */
  #isMartian(source: IpAddress, destination: IpAddress, input: Interface): boolean {
    if (input.loopback) return false
    if (isLoopback(source) || isLoopback(destination)) return true
    // 0.0.0.0/8: only a host that does not know its address yet, and only to everyone.
    if (!isIpv6(source)) {
      if (source >>> 24 === 0 && (source !== IPV4_ANY || destination !== IPV4_BROADCAST)) return true
    } else if (source === IPV6_ANY) {
      // Only duplicate address detection has no source (RFC 4862 section 5.4.2).
      return !isMulticast(destination)
    }
    if (isMulticast(source) || this.isBroadcast(source)) return true
    return this.isLocal(source)
  }

  /** A frame on its way between two ports of the bridge that is this host's interface `bridge`, see Stack.bridge. */
  bridge(bridge: Interface, frame: Uint8Array, offload: Offload, output: (frame: Uint8Array) => void): void {
    const packet = this.#inputPacket
    const { header } = packet
    if (
      !this.hooks.active ||
      parseEthernet(frame, this.#ethernet) !== undefined ||
      (this.#ethernet.etherType !== ETHERTYPE_IPV4 && this.#ethernet.etherType !== ETHERTYPE_IPV6)
    ) {
      return output(frame)
    }
    // What is no good IPv4 is not the bridge's business; br_netfilter drops it too.
    const reason = parseIpHeader(frame, ETHERNET_HEADER_BYTES, frame.length, header)
    if (reason !== undefined) return this.drops.count(`bridge-${reason}`)
    packet.bytes = frame
    packet.input = bridge
    packet.output = undefined
    packet.tracking = undefined
    packet.mark = 0
    packet.offload = offload
    if (!this.#reassemble(packet)) return
    if (packet.bytes === frame) {
      if ((offload & GIVEN_AWAY) === 0) packet.bytes = frame.slice()
    } else packet.bytes.set(frame.subarray(0, ETHERNET_HEADER_BYTES))
    const { destination } = header
    packet.nextHop = destination
    if (!this.#passes('PREROUTING', packet)) return
    if (header.destination !== destination) return this.#route(packet, false)
    packet.output = bridge
    if (!this.#passes('FORWARD', packet) || !this.#passes('POSTROUTING', packet)) return
    if (longest(packet) <= bridge.mtuBytes) return output(packet.bytes)
    for (const part of fragment(packet.bytes, header, bridge.mtuBytes)) {
      part.set(frame.subarray(0, ETHERNET_HEADER_BYTES))
      output(part)
    }
  }

  /** Puts fragments together; false when `packet` is one and the rest is still missing. */
  #reassemble(packet: Packet): boolean {
    const header = packet.header
    if (!header.moreFragments && header.fragmentOffset === 0) return true
    // Simplified: fragments of IPv6 are neither made nor put together.
    if (header.version === 6) {
      this.drops.count('ipv6-fragment')
      return false
    }
    const whole = this.#reassembly.add(packet.bytes, header, packet.input?.index ?? 0, this.now)
    if (whole === undefined) return false
    packet.bytes = whole
    parseIpHeader(whole, ETHERNET_HEADER_BYTES, whole.length, header)
    return true
  }

  #deliver(packet: Packet): void {
    if (!this.#reassemble(packet)) return
    if (!this.#passes('INPUT', packet)) return
    const transport = this.transports.get(packet.header.protocol)
    const taken = this.raw.active && this.raw.receive(packet)
    if (transport === undefined) {
      if (taken) return
      this.counters.IpInUnknownProtos++
      this.drops.count('unknown-protocol')
      return this.sendError(packet, ICMP_DEST_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE)
    }
    this.counters.IpInDelivers++
    transport.receive(packet)
  }

  // ---- forwarding

  #forward(packet: Packet): void {
    const header = packet.header
    if (!this.#forwarding) {
      this.counters.IpInAddrErrors++
      return this.drops.count('not-for-us')
    }
    // As in Linux, which looks for the route first: without one it says so, whatever the TTL is.
    const path = this.path(header.destination)
    if (path === undefined) {
      this.counters.IpOutNoRoutes++
      this.drops.count('no-route')
      return this.sendError(packet, ICMP_DEST_UNREACHABLE, ICMP_NET_UNREACHABLE)
    }
    if (header.ttl <= 1) {
      this.counters.IpInHdrErrors++
      this.drops.count('ttl-exceeded')
      return this.sendError(packet, ICMP_TIME_EXCEEDED, ICMP_TTL_EXCEEDED)
    }
    if (longest(packet) > path.output.mtuBytes && header.dontFragment) {
      this.counters.IpFragFails++
      this.drops.count('fragmentation-needed')
      return this.sendError(packet, ICMP_DEST_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, path.output.mtuBytes)
    }
    // The copy leaves without the Ethernet padding of a short frame.
    const lent = !this.hooks.active && (packet.offload & GIVEN_AWAY) === 0
    if (lent || packet.bytes.length !== header.payloadEnd) {
      packet.bytes = packet.bytes.slice(0, header.payloadEnd)
    }
    this.#decrementTtl(packet)
    packet.output = path.output
    packet.nextHop = path.nextHop
    if (!this.#passes('FORWARD', packet)) return
    this.counters.IpForwDatagrams++
    this.#emit(packet, path.output.mtuBytes, path.broadcast)
  }

  #decrementTtl(packet: Packet): void {
    const { bytes, header } = packet
    const at = header.headerStart + 8
    const before = (bytes[at]! << 8) | bytes[at + 1]!
    header.ttl--
    if (header.version === 6) {
      bytes[header.headerStart + 7] = header.ttl
      return
    }
    bytes[at] = header.ttl
    const checksum = (bytes[at + 2]! << 8) | bytes[at + 3]!
    setUint16(bytes, at + 2, updateChecksum(checksum, before, before - 0x100))
  }

  // ---- output

  /**
   * Sends a packet of this host. The transport has put its payload into `frame` at `payloadOffset`; `frame` is the
   * stack's from now on. 'too-long': longer than the path takes and `dontFragment` is set.
   */
  send(frame: Uint8Array, path: Path, options: SendOptions): SendResult {
    this.counters.IpOutRequests++
    const packet = this.#outputPacket
    const header = packet.header
    header.version = versionOf(options.destination)
    header.tos = options.tos
    header.totalLength = frame.length - ETHERNET_HEADER_BYTES
    header.identification = this.#identification
    header.dontFragment = options.dontFragment || header.version === 6
    header.moreFragments = false
    header.fragmentOffset = 0
    header.ttl = options.ttl
    header.protocol = options.protocol
    header.source = options.source
    header.destination = options.destination
    header.headerStart = ETHERNET_HEADER_BYTES
    header.payloadStart = payloadOffset(options.destination)
    header.payloadEnd = frame.length
    this.#identification = (this.#identification + 1) & 0xffff
    packet.bytes = frame
    packet.offload = options.offload ?? 0
    if (longest(packet) > path.mtuBytes && header.dontFragment) return 'too-long'
    writeIpHeader(frame, ETHERNET_HEADER_BYTES, header)
    packet.input = undefined
    packet.output = path.output
    packet.nextHop = path.nextHop
    packet.tracking = options.tracking
    packet.mark = 0
    if (this.hooks.active) {
      const verdict = this.hooks.run('OUTPUT', packet)
      if (verdict === 'STOLEN') return 'sent'
      if (verdict === 'DROP') {
        this.drops.count('netfilter')
        return 'dropped'
      }
      if (header.destination !== options.destination) return this.#reroute(packet)
    }
    this.#emit(packet, path.mtuBytes, path.broadcast)
    return 'sent'
  }

  /** A hook changed the destination of a packet of this host: it goes another way (Linux: ip_route_me_harder). */
  #reroute(packet: Packet): SendResult {
    const path = this.path(packet.header.destination)
    // 127.0.0.0/8 leaves through lo only, unless route_localnet allows more.
    const confined = isLoopback(packet.header.source) && !this.routeLocalnet
    if (path === undefined || (confined && !path.output.loopback)) {
      this.counters.IpOutNoRoutes++
      this.drops.count('no-route')
      return 'dropped'
    }
    packet.output = path.output
    packet.nextHop = path.nextHop
    this.#emit(packet, path.mtuBytes, path.broadcast)
    return 'sent'
  }

  /**
   * Sends a packet on that a hook has taken (STOLEN) and given another destination: through OUTPUT and POSTROUTING to
   * where that is, one hop further (Linux: ip_vs_nat_xmit). A packet for this host comes back through lo.
   */
  resend(packet: Packet): void {
    const { header } = packet
    if (packet.input !== undefined && header.ttl <= 1) {
      this.drops.count('ttl-exceeded')
      return this.sendError(packet, ICMP_TIME_EXCEEDED, ICMP_TTL_EXCEEDED)
    }
    const path = this.path(header.destination)
    if (path === undefined) {
      this.counters.IpOutNoRoutes++
      this.drops.count('no-route')
      return this.sendError(packet, ICMP_DEST_UNREACHABLE, ICMP_HOST_UNREACHABLE)
    }
    if (longest(packet) > path.mtuBytes && header.dontFragment) {
      this.counters.IpFragFails++
      this.drops.count('fragmentation-needed')
      return this.sendError(packet, ICMP_DEST_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, path.mtuBytes)
    }
    if (packet.bytes.length !== header.payloadEnd) packet.bytes = packet.bytes.slice(0, header.payloadEnd)
    if (packet.input !== undefined) this.#decrementTtl(packet)
    packet.output = path.output
    packet.nextHop = path.nextHop
    if (this.#passes('OUTPUT', packet)) this.#emit(packet, path.mtuBytes, path.broadcast)
  }

  /** Whether a packet goes on after the functions of a hook have seen it. */
  #passes(hook: HookName, packet: Packet): boolean {
    if (!this.hooks.active) return true
    const verdict = this.hooks.run(hook, packet)
    if (verdict === 'DROP') this.drops.count('netfilter')
    return verdict === 'ACCEPT'
  }

  /** The last steps, common to own and forwarded packets: POSTROUTING, fragmentation, the link. */
  #emit(packet: Packet, mtuBytes: number, broadcast: boolean): void {
    if (!this.#passes('POSTROUTING', packet)) return
    const { output, nextHop, bytes, header, tracking, mark, offload } = packet
    if (longest(packet) <= mtuBytes) {
      return this.link.output(output!, nextHop, broadcast, bytes, tracking, mark, offload, this.now)
    }
    const frames = fragment(bytes, header, mtuBytes)
    this.counters.IpFragOKs++
    this.counters.IpFragCreates += frames.length
    for (const part of frames)
      this.link.output(output!, nextHop, broadcast, part, undefined, mark, 0, this.now)
  }

  // ---- errors that come late

  #hostUnreachable(output: Interface, frame: Uint8Array): void {
    this.drops.count('host-unreachable')
    const packet = makePacket()
    if (parseIpHeader(frame, ETHERNET_HEADER_BYTES, frame.length, packet.header) !== undefined) return
    packet.bytes = frame
    packet.output = output
    this.sendError(packet, ICMP_DEST_UNREACHABLE, ICMP_HOST_UNREACHABLE)
  }

  #reassemblyTimedOut(first: Uint8Array, interfaceIndex: number): void {
    this.drops.count('reassembly-timeout')
    const packet = makePacket()
    if (parseIpHeader(first, ETHERNET_HEADER_BYTES, first.length, packet.header) !== undefined) return
    packet.bytes = first
    packet.input = this.link.interfaces.get(interfaceIndex)
    this.sendError(packet, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY_TIME_EXCEEDED)
  }
}

/** Length of the longest packet that `packet` becomes on a wire. */
function longest({ header, bytes, offload }: Packet): number {
  return segmentBytes(offload) === 0 ? header.totalLength : longestPacket(bytes, offload)
}
