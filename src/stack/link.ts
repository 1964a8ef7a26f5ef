// The link layer of a stack: its interfaces, ARP (RFC 826) and neighbour discovery (RFC 4861) on them, and the queue
// of frames that leave. Below IP and
// above the wire; who is asked, and what waits for an answer, is decided in neighbors.ts.

import type { ChangeCount } from '../base/change-count.js'
import { invariant } from '../base/errors.js'
import { GIVEN_AWAY, hasWorkLeft, type Offload } from '../base/offload.js'
import type { Micros } from '../base/time.js'
import type { TimerHeap } from '../base/timer-heap.js'
import {
  cidrContains,
  IPV6_ANY,
  type IpAddress,
  type Ipv4,
  type Ipv6,
  isIpv6,
  isLoopback,
  isMulticast,
  MAC_BROADCAST,
  MAC_ZERO,
  type Mac,
  networkOf,
} from '../wire/address.js'
import { ARP_BYTES, ARP_REPLY, ARP_REQUEST, arpPacket, parseArp, writeArp } from '../wire/arp.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  writeEthernet,
} from '../wire/ethernet.js'
import { ICMP_HEADER_BYTES, type IcmpMessage } from '../wire/icmp.js'
import { ICMPV6_NEIGHBOR_ADVERTISEMENT, ICMPV6_NEIGHBOR_SOLICITATION, writeIcmpv6 } from '../wire/icmpv6.js'
import { type IpHeader, ipHeader, PROTOCOL_ICMPV6, writeIpHeader } from '../wire/ip.js'
import { IPV6_HEADER_BYTES } from '../wire/ipv6.js'
import {
  multicastMac,
  NEIGHBOR_OVERRIDE,
  NEIGHBOR_SOLICITED,
  type NeighborMessage,
  neighborBody,
  parseNeighbor,
  solicitedNodeAddress,
} from '../wire/ndp.js'
import { forEachPacket, packetBytes, packetCount } from '../wire/segmentation.js'
import type { Drops } from './counters.js'
import type { Expiring } from './expiring.js'
import { FrameQueue } from './frame-queue.js'
import { type Interface, type InterfaceOptions, makeInterface, showToTaps } from './interface.js'
import { NeighborTable } from './neighbors.js'

/** 01:00:5e:00:00:00, the block of IPv4 multicast (RFC 1112 section 6.4). */
const MULTICAST_MAC: Mac = 0x01005e000000

/** ff02::1 (RFC 4291 section 2.7.1). */
const ALL_NODES: Ipv6 = 0xff02_0000_0000_0000_0000_0000_0000_0001n

/** What the link layer needs of IP. */
export interface LinkPorts {
  now(): Micros
  isLocal(address: IpAddress): boolean
  /** Nobody answered for the next hop of this frame. */
  unreachable(output: Interface, frame: Uint8Array): void
}

export class Link {
  readonly interfaces = new Map<number, Interface>()
  readonly neighbors: NeighborTable
  /** Frames that leave, given away; those of lo come back to this stack. */
  readonly queue = new FrameQueue()
  readonly #ports: LinkPorts
  readonly #drops: Drops
  readonly #arp = arpPacket()
  readonly #neighbor: NeighborMessage = { target: IPV6_ANY, mac: undefined }
  #nextIndex = 1

  constructor(ports: LinkPorts, timers: TimerHeap<Expiring>, drops: Drops, changes: ChangeCount) {
    this.#ports = ports
    this.#drops = drops
    this.neighbors = new NeighborTable(
      {
        ask: (output, address, mac) => this.#ask(output, address, mac),
        send: (output, frame, mac, offload) => this.#send(output, frame, mac, undefined, 0, offload),
        unreachable: (output, frame) => this.#ports.unreachable(output, frame),
      },
      timers,
      changes,
    )
  }

  add(options: InterfaceOptions): Interface {
    for (const other of this.interfaces.values()) {
      invariant(other.name !== options.name, `two interfaces named ${options.name}`)
    }
    const made = makeInterface(this.#nextIndex++, options)
    this.interfaces.set(made.index, made)
    return made
  }

  remove(index: number): void {
    this.interfaces.delete(index)
    this.neighbors.removeInterface(index)
  }

  /** Sends an IP packet to the next hop; its Ethernet header is written when the MAC is known. */
  output(
    output: Interface,
    nextHop: IpAddress,
    broadcast: boolean,
    frame: Uint8Array,
    tracking: unknown,
    mark: number,
    offload: Offload,
    now: Micros,
  ): void {
    if (!output.up) return this.#drops.count('interface-down')
    if (output.loopback) return this.#send(output, frame, MAC_ZERO, tracking, mark, offload)
    if (broadcast) return this.#send(output, frame, MAC_BROADCAST, undefined, 0)
    if (isMulticast(nextHop)) {
      const group = isIpv6(nextHop) ? multicastMac(nextHop) : MULTICAST_MAC + (nextHop & 0x7fffff)
      return this.#send(output, frame, group, undefined, 0)
    }
    this.neighbors.output(output, nextHop, frame, offload, now)
  }

  /** Says to everyone on the link where this host's addresses are (RFC 5227 section 3, Linux' arp_notify). */
  announce(output: Interface): void {
    for (const { address } of output.addresses) {
      if (isIpv6(address)) {
        this.#sendNeighbor(
          output,
          ICMPV6_NEIGHBOR_ADVERTISEMENT,
          NEIGHBOR_OVERRIDE,
          address,
          ALL_NODES,
          address,
        )
        continue
      }
      const fields = { targetMac: MAC_ZERO, senderAddress: address, targetAddress: address }
      this.#sendArp(output, ARP_REQUEST, MAC_BROADCAST, fields)
    }
  }

  /** An ARP packet came in: learn the sender, answer when one of this host's addresses is asked for. */
  receiveArp(input: Interface, frame: Uint8Array, now: Micros): void {
    const arp = this.#arp
    const reason = parseArp(frame, ETHERNET_HEADER_BYTES, frame.length, arp)
    if (reason !== undefined) return this.#drops.count(`arp-${reason}`)
    if (arp.operation !== ARP_REQUEST && arp.operation !== ARP_REPLY)
      return this.#drops.count('arp-operation')
    const forUs = this.#ports.isLocal(arp.targetAddress) && arp.targetAddress >>> 24 !== 127
    if (arp.senderAddress !== 0 && !this.#ports.isLocal(arp.senderAddress)) {
      const confirmed = arp.operation === ARP_REPLY && forUs
      // RFC 826: an entry is made only by a packet for us; others merely update what is known.
      const create = arp.operation === ARP_REQUEST && forUs
      this.neighbors.learn(input, arp.senderAddress, arp.senderMac, confirmed, create, now)
    }
    if (arp.operation !== ARP_REQUEST || !forUs) return
    this.#sendArp(input, ARP_REPLY, arp.senderMac, {
      targetMac: arp.senderMac,
      senderAddress: arp.targetAddress,
      targetAddress: arp.senderAddress,
    })
  }

  /**
   * A neighbour solicitation or advertisement came in (RFC 4861 section 7.2): as `receiveArp`. Its hop limit was
   * checked; `source` is the packet's.
   */
  receiveNeighbor(input: Interface, message: IcmpMessage, source: IpAddress, now: Micros): void {
    const neighbor = this.#neighbor
    if (!isIpv6(source) || !parseNeighbor(message, neighbor)) return this.#drops.count('ndp-format')
    const { target, mac } = neighbor
    if (message.type === ICMPV6_NEIGHBOR_ADVERTISEMENT) {
      if (mac === undefined || this.#ports.isLocal(target)) return
      const solicited = (message.rest & NEIGHBOR_SOLICITED) !== 0
      return this.neighbors.learn(input, target, mac, solicited, false, now)
    }
    if (!this.#ports.isLocal(target) || isLoopback(target)) return
    if (mac !== undefined && source !== IPV6_ANY && !this.#ports.isLocal(source)) {
      this.neighbors.learn(input, source, mac, false, true, now)
    }
    const to = source === IPV6_ANY ? ALL_NODES : source
    const flags = NEIGHBOR_OVERRIDE | (source === IPV6_ANY ? 0 : NEIGHBOR_SOLICITED)
    this.#sendNeighbor(input, ICMPV6_NEIGHBOR_ADVERTISEMENT, flags, target, to, target, mac)
  }

  #ask(output: Interface, address: IpAddress, mac: Mac | undefined): void {
    const own =
      output.addresses.find((a) => cidrContains(networkOf(a), address)) ??
      output.addresses.find((a) => isIpv6(a.address) === isIpv6(address))
    if (isIpv6(address)) {
      const to = mac === undefined ? solicitedNodeAddress(address) : address
      const source = own === undefined ? IPV6_ANY : (own.address as Ipv6)
      return this.#sendNeighbor(output, ICMPV6_NEIGHBOR_SOLICITATION, 0, source, to, address, mac)
    }
    this.#sendArp(output, ARP_REQUEST, mac ?? MAC_BROADCAST, {
      targetMac: MAC_ZERO,
      senderAddress: (own?.address as Ipv4 | undefined) ?? 0,
      targetAddress: address,
    })
  }

  /** Sends a solicitation or an advertisement about `target`; to `mac`, when it is known, or to a group's. */
  #sendNeighbor(
    output: Interface,
    type: number,
    flags: number,
    source: Ipv6,
    destination: Ipv6,
    target: Ipv6,
    mac?: Mac,
  ): void {
    const start = ETHERNET_HEADER_BYTES + IPV6_HEADER_BYTES
    const body = neighborBody(type, target, output.mac)
    const frame = new Uint8Array(start + ICMP_HEADER_BYTES + body.length)
    const header: IpHeader = {
      ...ipHeader(),
      version: 6,
      totalLength: frame.length - ETHERNET_HEADER_BYTES,
      // What passed a router is not believed (RFC 4861 section 7.1).
      ttl: 255,
      protocol: PROTOCOL_ICMPV6,
      source,
      destination,
    }
    writeIpHeader(frame, ETHERNET_HEADER_BYTES, header)
    writeIcmpv6(frame, start, type, 0, flags >>> 0, body, 0, body.length, source, destination)
    if (mac !== undefined) return this.#send(output, frame, mac, undefined, 0)
    this.output(output, destination, false, frame, undefined, 0, 0, this.#ports.now())
  }

  #sendArp(
    output: Interface,
    operation: number,
    to: Mac,
    fields: { targetMac: Mac; senderAddress: Ipv4; targetAddress: Ipv4 },
  ): void {
    const frame = new Uint8Array(ETHERNET_HEADER_BYTES + ARP_BYTES)
    writeArp(frame, ETHERNET_HEADER_BYTES, { operation, senderMac: output.mac, ...fields })
    writeEthernet(frame, to, output.mac, ETHERTYPE_ARP)
    this.#enqueue(output, frame, undefined, 0)
  }

  #send(
    output: Interface,
    frame: Uint8Array,
    to: Mac,
    tracking: unknown,
    mark: number,
    offload: Offload = 0,
  ): void {
    const isV6 = frame[ETHERNET_HEADER_BYTES]! >> 4 === 6
    writeEthernet(frame, to, output.mac, isV6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4)
    if (!hasWorkLeft(offload)) return this.#enqueue(output, frame, tracking, mark)
    if (!output.offload) return this.#enqueueCut(output, frame, tracking, mark, offload)
    output.sentFrames += packetCount(frame, offload)
    output.sentBytes += packetBytes(frame, offload)
    this.#show(output, frame, offload)
    this.queue.push(output.index, frame, tracking, mark, offload | GIVEN_AWAY)
  }

  #enqueueCut(output: Interface, frame: Uint8Array, tracking: unknown, mark: number, offload: Offload): void {
    forEachPacket(frame, offload, (packet) => this.#enqueue(output, packet, tracking, mark))
  }

  #enqueue(output: Interface, frame: Uint8Array, tracking: unknown, mark: number): void {
    output.sentFrames++
    output.sentBytes += frame.length
    this.#show(output, frame, 0)
    this.queue.push(output.index, frame, tracking, mark, GIVEN_AWAY)
  }

  /** To who captures. What is sent on lo is seen once, when it comes back. */
  #show(output: Interface, frame: Uint8Array, offload: Offload): void {
    if (output.taps === undefined || output.loopback) return
    showToTaps(output.taps, frame, offload, 'out', this.#ports.now())
  }
}
