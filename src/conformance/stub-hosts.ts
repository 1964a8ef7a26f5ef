// Every other host of a network at once, on one wire: it owns all addresses but the node's, sends first packets from
// any of them, answers those that reach one, and writes down what arrives. Not a stack: a connection is opened and
// answered here, never carried on.

import type { Machine, Outgoing } from '../base/machine.js'
import { type Micros, NEVER } from '../base/time.js'
import { type Endpoint, endpointKey, type IpAddress, isIpv6, type Mac } from '../wire/address.js'
import { ARP_BYTES, ARP_REPLY, ARP_REQUEST, arpPacket, parseArp, writeArp } from '../wire/arp.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ethernetHeader,
  parseEthernet,
  writeEthernet,
} from '../wire/ethernet.js'
import { ICMP_DEST_UNREACHABLE, ICMP_HEADER_BYTES, icmpMessage } from '../wire/icmp.js'
import {
  ICMPV6_DEST_UNREACHABLE,
  ICMPV6_NEIGHBOR_ADVERTISEMENT,
  ICMPV6_NEIGHBOR_SOLICITATION,
  parseIcmpv6,
  writeIcmpv6,
} from '../wire/icmpv6.js'
import {
  ipHeader,
  ipHeaderBytes,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  parseIpHeader,
  writeIpHeader,
} from '../wire/ip.js'
import {
  NEIGHBOR_OVERRIDE,
  NEIGHBOR_SOLICITED,
  type NeighborMessage,
  neighborBody,
  parseNeighbor,
} from '../wire/ndp.js'
import { PROTOCOL_SCTP, SCTP_HEADER_BYTES, writeSctpInit } from '../wire/sctp.js'
import { ACK, parseTcp, RST, SYN, tcpSegment, writeTcp } from '../wire/tcp.js'
import { parseUdp, udpDatagram, writeUdp } from '../wire/udp.js'

export type FlowProtocol = 'TCP' | 'UDP' | 'SCTP'

/** opened: a first packet came; answered: the answer to one sent from here; refused: RST or ICMP unreachable. */
export interface Arrival {
  readonly what: 'opened' | 'answered' | 'refused'
  readonly source: Endpoint
  readonly destination: Endpoint
}

const PAYLOAD = new Uint8Array([0x70, 0x6f, 0x64])

export class StubHosts implements Machine {
  readonly arrivals: Arrival[] = []
  readonly #mac: Mac
  readonly #node: Mac
  readonly #isNode: (address: IpAddress) => boolean
  readonly #queue: Uint8Array[] = []
  readonly #outgoing: { port: number; frame: Uint8Array } = { port: 0, frame: PAYLOAD }
  /** Endpoints that first packets were sent from. */
  readonly #clients = new Set<number | string>()
  readonly #ethernet = ethernetHeader()
  readonly #arp = arpPacket()
  readonly #ip = ipHeader()
  readonly #tcp = tcpSegment()
  readonly #udp = udpDatagram()
  readonly #icmp = icmpMessage()
  readonly #neighbor: NeighborMessage = { target: 0n, mac: undefined }

  /** `node` is the MAC of the node's interface on this wire; `isNode` tells the node's own addresses. */
  constructor(mac: Mac, node: Mac, isNode: (address: IpAddress) => boolean) {
    this.#mac = mac
    this.#node = node
    this.#isNode = isNode
  }

  /** Sends the first packet of a flow to the node. */
  open(protocol: FlowProtocol, source: Endpoint, destination: Endpoint): void {
    this.#clients.add(keyOf(source))
    switch (protocol) {
      case 'TCP':
        return this.#sendTcp(source, destination, SYN, 1, 0)
      case 'UDP':
        return this.#sendUdp(source, destination)
      case 'SCTP':
        return this.#send(
          PROTOCOL_SCTP,
          SCTP_HEADER_BYTES + 20,
          source.address,
          destination.address,
          (frame, at) => writeSctpInit(frame, at, source.port, destination.port, 1),
        )
    }
  }

  receive(_port: number, frame: Uint8Array): void {
    if (parseEthernet(frame, this.#ethernet) !== undefined) return
    if (this.#ethernet.etherType === ETHERTYPE_ARP) return this.#answerArp(frame)
    if (this.#ethernet.etherType !== ETHERTYPE_IPV4 && this.#ethernet.etherType !== ETHERTYPE_IPV6) return
    if (parseIpHeader(frame, ETHERNET_HEADER_BYTES, frame.length, this.#ip) !== undefined) return
    // Solicitations are sent to a group.
    if (this.#ip.protocol === PROTOCOL_ICMPV6) return this.#receiveIcmpv6(frame)
    if (this.#ethernet.destination !== this.#mac) return
    switch (this.#ip.protocol) {
      case PROTOCOL_TCP:
        return this.#receiveTcp(frame)
      case PROTOCOL_UDP:
        return this.#receiveUdp(frame)
      case PROTOCOL_SCTP:
        return this.#note('opened', this.#ports(frame))
      case PROTOCOL_ICMP:
        if (frame[this.#ip.payloadStart] === ICMP_DEST_UNREACHABLE)
          this.#note('refused', { sourcePort: 0, destinationPort: 0 })
    }
  }

  advance(): void {}

  transmit(): Outgoing | undefined {
    const frame = this.#queue.shift()
    if (frame === undefined) return undefined
    this.#outgoing.frame = frame
    return this.#outgoing
  }

  deadline(): Micros {
    return this.#queue.length > 0 ? 0 : NEVER
  }

  #answerArp(frame: Uint8Array): void {
    const arp = this.#arp
    if (parseArp(frame, ETHERNET_HEADER_BYTES, frame.length, arp) !== undefined) return
    if (arp.operation !== ARP_REQUEST || this.#isNode(arp.targetAddress)) return
    const reply = new Uint8Array(ETHERNET_HEADER_BYTES + ARP_BYTES)
    writeEthernet(reply, arp.senderMac, this.#mac, ETHERTYPE_ARP)
    writeArp(reply, ETHERNET_HEADER_BYTES, {
      operation: ARP_REPLY,
      senderMac: this.#mac,
      senderAddress: arp.targetAddress,
      targetMac: arp.senderMac,
      targetAddress: arp.senderAddress,
    })
    this.#queue.push(reply)
  }

  #receiveIcmpv6(frame: Uint8Array): void {
    const { payloadStart, payloadEnd, source, destination } = this.#ip
    const icmp = this.#icmp
    if (parseIcmpv6(frame, payloadStart, payloadEnd, source, destination, icmp) !== undefined) return
    if (icmp.type === ICMPV6_DEST_UNREACHABLE) {
      return this.#note('refused', { sourcePort: 0, destinationPort: 0 })
    }
    if (icmp.type !== ICMPV6_NEIGHBOR_SOLICITATION || !parseNeighbor(icmp, this.#neighbor)) return
    const { target } = this.#neighbor
    if (this.#isNode(target)) return
    const type = ICMPV6_NEIGHBOR_ADVERTISEMENT
    const body = neighborBody(type, target, this.#mac)
    const flags = (NEIGHBOR_SOLICITED | NEIGHBOR_OVERRIDE) >>> 0
    this.#send(PROTOCOL_ICMPV6, ICMP_HEADER_BYTES + body.length, target, source, (frame, at) => {
      writeIcmpv6(frame, at, type, 0, flags, body, 0, body.length, target, source)
    })
  }

  #receiveTcp(frame: Uint8Array): void {
    const ip = this.#ip
    const tcp = this.#tcp
    if (parseTcp(frame, ip.payloadStart, ip.payloadEnd, ip.source, ip.destination, tcp) !== undefined) return
    const local: Endpoint = { address: ip.destination, port: tcp.destinationPort }
    const remote: Endpoint = { address: ip.source, port: tcp.sourcePort }
    const isClient = this.#clients.has(keyOf(local))
    if ((tcp.flags & RST) !== 0) {
      if (isClient) this.#note('refused', tcp)
    } else if ((tcp.flags & (SYN | ACK)) === SYN) {
      this.#note('opened', tcp)
      this.#sendTcp(local, remote, SYN | ACK, 1, tcp.seq + 1)
    } else if ((tcp.flags & SYN) !== 0 && isClient) {
      this.#note('answered', tcp)
      this.#sendTcp(local, remote, ACK, 2, tcp.seq + 1)
    }
  }

  #receiveUdp(frame: Uint8Array): void {
    const ip = this.#ip
    const udp = this.#udp
    if (parseUdp(frame, ip.payloadStart, ip.payloadEnd, ip.source, ip.destination, udp) !== undefined) return
    const local: Endpoint = { address: ip.destination, port: udp.destinationPort }
    if (this.#clients.has(keyOf(local))) return this.#note('answered', udp)
    this.#note('opened', udp)
    this.#sendUdp(local, { address: ip.source, port: udp.sourcePort })
  }

  #ports(frame: Uint8Array): { sourcePort: number; destinationPort: number } {
    const at = this.#ip.payloadStart
    return {
      sourcePort: (frame[at]! << 8) | frame[at + 1]!,
      destinationPort: (frame[at + 2]! << 8) | frame[at + 3]!,
    }
  }

  #note(what: Arrival['what'], ports: { sourcePort: number; destinationPort: number }): void {
    this.arrivals.push({
      what,
      source: { address: this.#ip.source, port: ports.sourcePort },
      destination: { address: this.#ip.destination, port: ports.destinationPort },
    })
  }

  #sendTcp(source: Endpoint, destination: Endpoint, flags: number, seq: number, ack: number): void {
    const segment = tcpSegment()
    segment.sourcePort = source.port
    segment.destinationPort = destination.port
    segment.flags = flags
    segment.seq = seq
    segment.ack = ack >>> 0
    segment.window = 65_535
    this.#send(PROTOCOL_TCP, 20, source.address, destination.address, (frame, at) =>
      writeTcp(frame, at, segment, 0, source.address, destination.address),
    )
  }

  #sendUdp(source: Endpoint, destination: Endpoint): void {
    this.#send(PROTOCOL_UDP, 8 + PAYLOAD.length, source.address, destination.address, (frame, at) => {
      frame.set(PAYLOAD, at + 8)
      const length = PAYLOAD.length
      writeUdp(frame, at, source.port, destination.port, length, source.address, destination.address)
    })
  }

  #send(
    protocol: number,
    length: number,
    source: IpAddress,
    destination: IpAddress,
    write: (frame: Uint8Array, at: number) => void,
  ): void {
    const start = ETHERNET_HEADER_BYTES
    const version = isIpv6(destination) ? 6 : 4
    const totalLength = ipHeaderBytes(version) + length
    const frame = new Uint8Array(start + totalLength)
    writeEthernet(frame, this.#node, this.#mac, version === 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4)
    // Neighbours believe what passed no router (RFC 4861 section 7.1).
    const ttl = protocol === PROTOCOL_ICMPV6 ? 255 : 64
    const header = { ...ipHeader(), version, totalLength, ttl, protocol, dontFragment: true } as const
    write(frame, writeIpHeader(frame, start, { ...header, source, destination }))
    this.#queue.push(frame)
  }
}

function keyOf({ address, port }: Endpoint): number | string {
  return endpointKey({ address, port })
}
