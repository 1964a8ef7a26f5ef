// Packets of 64 bytes through a node: from a pod's port of the bridge through conntrack, DNAT with its incremental
// checksums and routing to the nodes' network, by 10,000 established TCP flows in turn. Rules are those of one Service in
// iptables' style. No wire, no pod: only what the node does with a packet, and writing it.

import { GIVEN_AWAY } from '../../src/base/offload.js'
import { Random } from '../../src/base/random.js'
import { type NodeHost, nodeHost } from '../../src/host/node-host.js'
import { type InterfaceAddress, ipv4, parseInterfaceAddress } from '../../src/wire/address.js'
import { ARP_BYTES, ARP_REPLY, writeArp } from '../../src/wire/arp.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  writeEthernet,
} from '../../src/wire/ethernet.js'
import { ipHeader, PROTOCOL_TCP, writeIpHeader } from '../../src/wire/ip.js'
import { ACK, SYN, tcpSegment, writeTcp } from '../../src/wire/tcp.js'
import type { Benchmark } from '../contestant.js'

const FLOWS = 10_000
const CLIENT = ipv4('10.39.0.2')
const CLIENT_MAC = 0x0a5800000001
const PEER_MAC = 0x525400000002
const SERVICE = ipv4('10.97.0.1')
const ENDPOINT = ipv4('10.36.0.2')
const FRAME_BYTES = 64
const FRAME_WORDS = FRAME_BYTES / 4
const ETH0 = 0
/** Words of a frame with the source port, and with the checksum of TCP. */
const PORT_WORD = 8
const CHECKSUM_WORD = 12
/** Frames that a ring or a pod's stack hands over before the node is asked for what leaves. */
const BURST = 32
/** As real time is: no small integer, so that V8 needs memory wherever it is kept alone. Of a constant it has it already. */
const NOW = 5e9 + 0.5

export const forwarding: Benchmark = {
  name: 'host/forwarding',
  unit: 'packets/s',
  measure: 'value',
  seconds: 15,
  note: '64-byte packets of 10,000 established flows: parsing, conntrack, DNAT, forwarding; one core, no wires; frames come in bursts of 32, and writing them counts',
  contestants: (quick) => {
    const packets = quick ? 300_000 : 2_000_000
    let lab: ForwardingLab
    return [
      {
        name: '64-byte packets, 10,000 flows, one core',
        start: () => {
          lab = new ForwardingLab()
        },
        run: () => {
          const heap = process.memoryUsage().heapUsed
          const started = performance.now()
          lab.forward(packets)
          const value = (packets / (performance.now() - started)) * 1000
          return { value, also: { 'heap bytes/packet': (process.memoryUsage().heapUsed - heap) / packets } }
        },
      },
    ]
  },
}

export class ForwardingLab {
  readonly #node: NodeHost
  readonly #port: number
  readonly #mac: number
  /** What the flows' packets have in common, and of each flow the words with its port and its checksum. */
  readonly #template = new Int32Array(FRAME_WORDS)
  readonly #flows = new Int32Array(FLOWS * 2)
  /** Of one burst: beside each other, as in a ring or a slab. */
  readonly #words = new Int32Array(BURST * FRAME_WORDS)
  readonly #frames = Array.from({ length: BURST }, (_, index) => {
    return new Uint8Array(this.#words.buffer, index * FRAME_BYTES, FRAME_BYTES)
  })

  constructor() {
    const at = (text: string) => parseInterfaceAddress(text) as InterfaceAddress<number>
    this.#node = nodeHost({
      name: 'node',
      mac: 0x525400000001,
      address: at('192.168.0.1/24'),
      bridge: at('10.39.0.1/16'),
      random: new Random('node'),
    })
    const node = this.#node
    node.addRoute({ network: ipv4('10.36.0.0'), prefixLength: 16 }, ipv4('192.168.0.2'))
    node.netfilter.appendRule('nat', 'PREROUTING', {
      matches: [{ match: 'destination', cidr: { network: SERVICE, prefixLength: 32 } }],
      target: { target: 'DNAT', to: { address: ENDPOINT, port: 8080 } },
    })
    this.#port = node.addPod('client')
    this.#mac = node.stack.interfaces().find(({ name }) => name === 'cni0')!.mac
    for (let flow = 0; flow < FLOWS; flow++) {
      new Uint8Array(this.#template.buffer).set(this.#establish(20_000 + flow))
      this.#flows[flow * 2] = this.#template[PORT_WORD]!
      this.#flows[flow * 2 + 1] = this.#template[CHECKSUM_WORD]!
    }
  }

  /** So many packets, the flows in turn; how many left the node. Throws when one did not. */
  forward(packets: number): number {
    const node = this.#node
    const words = this.#words
    const template = this.#template
    const flows = this.#flows
    const port = this.#port
    let left = 0
    let flow = 0
    for (let sent = 0; sent < packets; ) {
      const burst = Math.min(BURST, packets - sent)
      for (let index = 0; index < burst; index++) {
        writeFrame(words, index * FRAME_WORDS, template, flows, flow)
        flow = flow + 1 === FLOWS ? 0 : flow + 1
        node.receive(port, this.#frames[index]!, NOW, GIVEN_AWAY)
      }
      for (let out = node.transmit(); out !== undefined; out = node.transmit()) if (out.port === ETH0) left++
      sent += burst
    }
    if (left !== packets) throw new Error(`${left} of ${packets} packets left the node`)
    return left
  }

  /** Opens a connection; a packet of it. */
  #establish(port: number): Uint8Array {
    const there = (flags: number) => this.#segment(CLIENT, port, SERVICE, 80, flags, this.#mac, CLIENT_MAC)
    this.#send(this.#port, there(SYN))
    this.#send(ETH0, this.#segment(ENDPOINT, 8080, CLIENT, port, SYN | ACK, 0x525400000001, PEER_MAC))
    const data = there(ACK)
    this.#send(this.#port, data.slice())
    return data
  }

  /** Brings a frame to the node, and answers what it asks by ARP. */
  #send(port: number, frame: Uint8Array): void {
    const node = this.#node
    node.receive(port, frame, NOW)
    for (let out = node.transmit(); out !== undefined; out = node.transmit()) {
      if (out.frame[12] !== 0x08 || out.frame[13] !== 0x06) continue
      const asked = out.port === ETH0 ? ipv4('192.168.0.2') : CLIENT
      const senderMac = out.port === ETH0 ? PEER_MAC : CLIENT_MAC
      const answer = new Uint8Array(ETHERNET_HEADER_BYTES + ARP_BYTES)
      const [targetMac, targetAddress] =
        out.port === ETH0 ? [0x525400000001, ipv4('192.168.0.1')] : [this.#mac, ipv4('10.39.0.1')]
      writeArp(answer, ETHERNET_HEADER_BYTES, {
        operation: ARP_REPLY,
        senderMac,
        senderAddress: asked,
        targetMac,
        targetAddress,
      })
      writeEthernet(answer, targetMac, senderMac, ETHERTYPE_ARP)
      this.#send(out.port, answer)
    }
  }

  #segment(
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    flags: number,
    to: number,
    from: number,
  ): Uint8Array {
    const frame = new Uint8Array(FRAME_BYTES)
    const tcp = ETHERNET_HEADER_BYTES + 20
    const payload = FRAME_BYTES - tcp - 20
    writeTcp(
      frame,
      tcp,
      { ...tcpSegment(), sourcePort, destinationPort, flags, window: 1000 },
      payload,
      source,
      destination,
    )
    const header = { ...ipHeader(), ttl: 64, protocol: PROTOCOL_TCP, source, destination, dontFragment: true }
    writeIpHeader(frame, ETHERNET_HEADER_BYTES, {
      ...header,
      totalLength: FRAME_BYTES - ETHERNET_HEADER_BYTES,
    })
    writeEthernet(frame, to, from, ETHERTYPE_IPV4)
    return frame
  }
}

/** A packet of a flow, 16 words. No loop: V8 makes one of it, which takes five times as long. */
function writeFrame(
  frames: Int32Array,
  to: number,
  template: Int32Array,
  flows: Int32Array,
  flow: number,
): void {
  frames[to] = template[0]!
  frames[to + 1] = template[1]!
  frames[to + 2] = template[2]!
  frames[to + 3] = template[3]!
  frames[to + 4] = template[4]!
  frames[to + 5] = template[5]!
  frames[to + 6] = template[6]!
  frames[to + 7] = template[7]!
  frames[to + 8] = flows[flow * 2]!
  frames[to + 9] = template[9]!
  frames[to + 10] = template[10]!
  frames[to + 11] = template[11]!
  frames[to + 12] = flows[flow * 2 + 1]!
  frames[to + 13] = template[13]!
  frames[to + 14] = template[14]!
  frames[to + 15] = template[15]!
}
