// The vocabulary of packet-flow tests: hosts on a virtual wire, a clock that jumps from deadline to deadline, and a
// check of every frame that any of them sends.

import { Random } from '../../src/base/random.js'
import type { Micros } from '../../src/base/time.js'
import { Bridge } from '../../src/fabric/bridge.js'
import { type LinkId, type LinkSettings, type MachineId, Network } from '../../src/fabric/network.js'
import { type Host, podHost } from '../../src/host/host.js'
import { type NodeHost, nodeHost } from '../../src/host/node-host.js'
import {
  type Cidr,
  cidr,
  type Endpoint,
  type IpAddress,
  ip,
  parseInterfaceAddress,
} from '../../src/wire/address.js'
import { arpPacket, parseArp } from '../../src/wire/arp.js'
import { ETHERTYPE_ARP, ethernetHeader, parseEthernet } from '../../src/wire/ethernet.js'
import { formatFrame } from '../../src/wire/format.js'
import { icmpMessage, parseIcmp } from '../../src/wire/icmp.js'
import { parseIcmpv6 } from '../../src/wire/icmpv6.js'
import {
  ipHeader,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  parseIpHeader,
} from '../../src/wire/ip.js'
import { parseTcp, tcpSegment } from '../../src/wire/tcp.js'
import { parseUdp, udpDatagram } from '../../src/wire/udp.js'

/** Why a frame is not as it should be: a length or a checksum; undefined for a good one. */
export function frameFault(frame: Uint8Array): string | undefined {
  const ethernet = ethernetHeader()
  const reason = parseEthernet(frame, ethernet)
  if (reason !== undefined) return `ethernet ${reason}`
  if (ethernet.etherType === ETHERTYPE_ARP) return parseArp(frame, 14, frame.length, arpPacket())
  const header = ipHeader()
  const ipReason = parseIpHeader(frame, 14, frame.length, header)
  if (ipReason !== undefined) return `ip ${ipReason}`
  if (header.payloadEnd !== frame.length) return 'bytes behind the packet'
  if (header.moreFragments || header.fragmentOffset > 0) return undefined
  const { payloadStart, payloadEnd, source, destination } = header
  switch (header.protocol) {
    case PROTOCOL_ICMP:
      return parseIcmp(frame, payloadStart, payloadEnd, icmpMessage())
    case PROTOCOL_ICMPV6:
      return parseIcmpv6(frame, payloadStart, payloadEnd, source, destination, icmpMessage())
    case PROTOCOL_UDP:
      return parseUdp(frame, payloadStart, payloadEnd, source, destination, udpDatagram())
    case PROTOCOL_TCP:
      return parseTcp(frame, payloadStart, payloadEnd, source, destination, tcpSegment())
    default:
      return undefined
  }
}

/** `10.0.0.1:80` or `[fd00::1]:80` as an endpoint. */
export function endpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':')
  const address = ip(text.slice(0, colon).replace(/^\[|\]$/g, ''))
  return { address, port: Number(text.slice(colon + 1)) }
}

export class Lab {
  readonly network = new Network(new Random('lab'))
  now: Micros = 0
  /** Lines of formatFrame for every frame that left a port, with the name of the host and the port. */
  readonly frames: string[] = []
  /** Whether `frames` is filled. */
  recording = true
  /** Frames that were wrong. */
  readonly faults: string[] = []
  readonly #ids = new Map<Host | Bridge, MachineId>()
  readonly #links = new Map<Host, LinkId>()
  #nextMac = 0x020000000001

  /** A pod behind a gateway: `address` with prefix. */
  pod(name: string, address: string, gateway: string, mtuBytes = 1500): Host {
    return this.#adopt(
      name,
      podHost({
        name,
        mac: this.#nextMac++,
        address: parseInterfaceAddress(address)!,
        gateway: ip(gateway),
        mtuBytes,
        random: new Random(`lab/${name}`),
      }),
    )
  }

  /** A node: `address` on the LAN, `bridge` of cni0. `routes`: prefix to gateway. */
  node(
    name: string,
    address: string,
    bridge: string,
    routes: Record<string, string> = {},
    mtuBytes = 1500,
  ): NodeHost {
    return this.#adopt(
      name,
      nodeHost({
        name,
        mac: this.#nextMac++,
        address: parseInterfaceAddress(address)!,
        bridge: parseInterfaceAddress(bridge)!,
        mtuBytes,
        random: new Random(`lab/${name}`),
        routes: Object.entries(routes).map(([to, gateway]): { destination: Cidr; gateway: IpAddress } => ({
          destination: cidr(to),
          gateway: ip(gateway),
        })),
      }),
    )
  }

  /** Joins port 0 of two hosts by a cable. */
  cable(a: Host, b: Host, settings?: LinkSettings): void {
    this.#connect({ machine: this.#ids.get(a)!, port: 0 }, { machine: this.#ids.get(b)!, port: 0 }, settings)
  }

  /** Plugs a pod into a node's bridge. */
  plug(pod: Host, node: NodeHost, settings?: LinkSettings): void {
    const port = node.addPod(pod.name)
    const link = this.#connect(
      { machine: this.#ids.get(pod)!, port: 0 },
      { machine: this.#ids.get(node)!, port },
      settings,
    )
    this.#links.set(pod, link)
  }

  /** Changes the cable between a pod and its node. */
  setLink(pod: Host, settings: LinkSettings): void {
    this.network.setLink(this.#links.get(pod)!, settings)
  }

  /** Joins port 0 of many hosts by a switch. */
  lan(...hosts: Host[]): void {
    const bridge = new Bridge()
    const id = this.network.add('switch', bridge)
    for (const host of hosts) {
      this.#connect(
        { machine: this.#ids.get(host)!, port: 0 },
        { machine: id, port: bridge.addPort(host.name) },
      )
    }
  }

  /** Runs until nothing is due before `duration` has passed. */
  run(duration: Micros): void {
    const end = this.now + duration
    this.runWhile(() => true, end)
    this.now = end
    this.#touch()
    this.network.run(end)
  }

  /** Runs while `condition` holds and something is due before `end`. */
  runWhile(condition: () => boolean, end: Micros): void {
    this.#touch()
    for (;;) {
      const at = this.network.deadline()
      if (at > end) return
      this.now = Math.max(this.now, at)
      this.network.run(this.now)
      if (!condition()) return
      this.#touch()
    }
  }

  /** Programs used the hosts between two steps. */
  #touch(): void {
    for (const [machine, id] of this.#ids) {
      if (machine instanceof Bridge) continue
      machine.stack.setNow(this.now)
      if (machine.deadline() <= this.now) this.network.touch(id)
    }
  }

  #connect(
    a: { machine: MachineId; port: number },
    b: { machine: MachineId; port: number },
    settings?: LinkSettings,
  ): LinkId {
    const link = this.network.connect(a, b, settings)
    for (const [host, id] of this.#ids) {
      for (const end of [a, b]) {
        if (end.machine !== id || host instanceof Bridge) continue
        this.network.tap(end, (direction, frame) => this.#saw(host.name, end.port, direction, frame))
      }
    }
    return link
  }

  #saw(name: string, port: number, direction: 'in' | 'out', frame: Uint8Array): void {
    if (direction === 'in') return
    const fault = frameFault(frame)
    if (fault !== undefined) this.faults.push(`${name}:${port} ${fault} ${formatFrame(frame)}`)
    if (this.recording) this.frames.push(`${name}:${port} ${formatFrame(frame)}`)
  }

  #adopt<Made extends Host>(name: string, host: Made): Made {
    this.#ids.set(host, this.network.add(name, host))
    return host
  }
}
