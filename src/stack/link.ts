// The link layer of a stack: its interfaces, ARP on them (RFC 826), and the queue of frames that leave. Below IP and
// above the wire; who is asked, and what waits for an answer, is decided in neighbors.ts.

import { invariant } from '../base/errors.js'
import type { Micros } from '../base/time.js'
import type { TimerHeap } from '../base/timer-heap.js'
import {
  cidrContains,
  type Ipv4,
  isMulticast,
  MAC_BROADCAST,
  MAC_ZERO,
  type Mac,
  networkOf,
} from '../wire/address.js'
import { ARP_BYTES, ARP_REPLY, ARP_REQUEST, arpPacket, parseArp, writeArp } from '../wire/arp.js'
import { ETHERNET_HEADER_BYTES, ETHERTYPE_ARP, ETHERTYPE_IPV4, writeEthernet } from '../wire/ethernet.js'
import type { Drops } from './counters.js'
import type { Expiring } from './expiring.js'
import { FrameQueue } from './frame-queue.js'
import { type Interface, type InterfaceOptions, makeInterface } from './interface.js'
import { NeighborTable } from './neighbors.js'

/** 01:00:5e:00:00:00, the block of IPv4 multicast (RFC 1112 section 6.4). */
const MULTICAST_MAC: Mac = 0x01005e000000

/** What the link layer needs of IP. */
export interface LinkPorts {
  isLocal(address: Ipv4): boolean
  /** Nobody answered for the next hop of this frame. */
  unreachable(output: Interface, frame: Uint8Array): void
}

export class Link {
  readonly interfaces = new Map<number, Interface>()
  readonly neighbors: NeighborTable
  /** Frames that leave; those of lo come back to this stack. */
  readonly queue = new FrameQueue()
  readonly #ports: LinkPorts
  readonly #drops: Drops
  readonly #arp = arpPacket()
  #nextIndex = 1

  constructor(ports: LinkPorts, timers: TimerHeap<Expiring>, drops: Drops) {
    this.#ports = ports
    this.#drops = drops
    this.neighbors = new NeighborTable(
      {
        ask: (output, address, mac) => this.#ask(output, address, mac),
        send: (output, frame, mac) => this.#send(output, frame, mac, undefined, 0),
        unreachable: (output, frame) => this.#ports.unreachable(output, frame),
      },
      timers,
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

  /** Sends an IPv4 packet to the next hop; its Ethernet header is written when the MAC is known. */
  output(
    output: Interface,
    nextHop: Ipv4,
    broadcast: boolean,
    frame: Uint8Array,
    tracking: unknown,
    mark: number,
    now: Micros,
  ): void {
    if (!output.up) return this.#drops.count('interface-down')
    if (output.loopback) return this.#send(output, frame, MAC_ZERO, tracking, mark)
    if (broadcast) return this.#send(output, frame, MAC_BROADCAST, undefined, 0)
    if (isMulticast(nextHop)) {
      return this.#send(output, frame, MULTICAST_MAC + (nextHop & 0x7fffff), undefined, 0)
    }
    this.neighbors.output(output, nextHop, frame, now)
  }

  /** Says to everyone on the link where this host's addresses are (RFC 5227 section 3, Linux' arp_notify). */
  announce(output: Interface): void {
    for (const { address } of output.addresses) {
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

  #ask(output: Interface, address: Ipv4, mac: Mac | undefined): void {
    const own = output.addresses.find((a) => cidrContains(networkOf(a), address)) ?? output.addresses[0]
    this.#sendArp(output, ARP_REQUEST, mac ?? MAC_BROADCAST, {
      targetMac: MAC_ZERO,
      senderAddress: own?.address ?? 0,
      targetAddress: address,
    })
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

  #send(output: Interface, frame: Uint8Array, to: Mac, tracking: unknown, mark: number): void {
    writeEthernet(frame, to, output.mac, ETHERTYPE_IPV4)
    this.#enqueue(output, frame, tracking, mark)
  }

  #enqueue(output: Interface, frame: Uint8Array, tracking: unknown, mark: number): void {
    output.sentFrames++
    output.sentBytes += frame.length
    this.queue.push(output.index, frame, tracking, mark)
  }
}
