// Two nodes get the same random traffic and the same changes, one with its fast path and one without: every frame that
// leaves, every counter, conntrack, the bridge's and the neighbours' tables are the same. Pods and other hosts are
// played by the test, frame by frame.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ForwardingLab } from '../../benchmarks/host/forwarding.js'
import { getUint48 } from '../../src/base/bytes.js'
import { GIVEN_AWAY } from '../../src/base/offload.js'
import { Random } from '../../src/base/random.js'
import { MILLISECOND, type Micros, SECOND } from '../../src/base/time.js'
import { type NodeHost, nodeHost } from '../../src/host/node-host.js'
import type { Match, Rule, Target } from '../../src/netfilter/rule.js'
import { formatAddress, type InterfaceAddress, ipv4, parseInterfaceAddress } from '../../src/wire/address.js'
import { ARP_BYTES, ARP_REPLY, arpPacket, parseArp, writeArp } from '../../src/wire/arp.js'
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, writeEthernet } from '../../src/wire/ethernet.js'
import { ipHeader, PROTOCOL_TCP, PROTOCOL_UDP, parseIpHeader, writeIpHeader } from '../../src/wire/ip.js'
import { ACK, FIN, PSH, RST, SYN, tcpSegment, writeTcp } from '../../src/wire/tcp.js'
import { writeUdp } from '../../src/wire/udp.js'

const fastPath = suite('the fast path of a node')

const ETH0 = 0
const NODE_MAC = 0x525400000001
const PEER_MAC = 0x525400000002
const IP = 14
const SERVICE = ipv4('10.97.0.1')
const PODS = ['10.39.0.2', '10.39.0.3', '10.39.0.4'].map(ipv4)
const REMOTES = ['10.36.0.2', '10.36.0.3', '192.168.0.2', '8.8.8.8'].map(ipv4)
const podMac = (index: number) => 0x0a5800000001 + index

/** One direction of a conversation, from the one who sends; ports of both. */
interface Stream {
  readonly source: number
  readonly destination: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
}

function makeNode(hasFastPath: boolean): NodeHost {
  const at = (text: string) => parseInterfaceAddress(text) as InterfaceAddress<number>
  const node = nodeHost({
    name: 'node',
    mac: NODE_MAC,
    address: at('192.168.0.1/24'),
    bridge: at('10.39.0.1/16'),
    offload: true,
    fastPath: hasFastPath,
    random: new Random('node'),
  })
  node.addRoute({ network: ipv4('10.36.0.0'), prefixLength: 16 }, ipv4('192.168.0.2'))
  node.addRoute({ network: 0, prefixLength: 0 }, ipv4('192.168.0.2'))
  const to = (port: number, address: number, probability?: number): Rule => ({
    matches: [
      { match: 'destination', cidr: { network: SERVICE, prefixLength: 32 } },
      ...(probability === undefined ? [] : [{ match: 'statistic-random', probability } as const]),
    ],
    target: { target: 'DNAT', to: { address, port } },
  })
  node.netfilter.replaceChain('nat', 'PREROUTING', [
    to(8080, PODS[1]!, 0.4),
    to(8081, PODS[0]!, 0.5),
    to(8082, REMOTES[0]!),
  ])
  const pods = { network: ipv4('10.39.0.0'), prefixLength: 16 }
  node.netfilter.replaceChain('nat', 'POSTROUTING', [
    // A pod that reaches itself through the service, and what leaves the cluster.
    {
      matches: [
        { match: 'source', cidr: pods },
        { match: 'out-interface', name: 'eth0' },
      ],
      target: { target: 'MASQUERADE' },
    },
    {
      matches: [
        { match: 'source', cidr: pods },
        { match: 'state', states: ['DNAT'] },
      ],
      target: { target: 'MASQUERADE', fullyRandom: true },
    },
  ])
  node.netfilter.appendRule('filter', 'FORWARD', {
    matches: [{ match: 'state', states: ['INVALID'] }],
    target: { target: 'DROP' },
  })
  return node
}

const MATCHES: readonly Match[] = [
  { match: 'protocol', protocol: 'udp' },
  { match: 'destination-port', port: 8080 },
  { match: 'state', states: ['ESTABLISHED'] },
  { match: 'source', cidr: { network: PODS[0]!, prefixLength: 32 } },
  { match: 'statistic-nth', every: 3, packet: 1 },
  { match: 'statistic-random', probability: 0.3 },
  { match: 'recent', name: 'seen', action: 'set', source: true },
  { match: 'mark', value: 1 },
  { match: 'connmark', value: 2 },
  { match: 'in-interface', name: 'eth0' },
]
const TARGETS: readonly Target[] = [
  { target: 'none' },
  { target: 'none' },
  { target: 'ACCEPT' },
  { target: 'RETURN' },
  { target: 'DROP' },
  { target: 'REJECT' },
]

class Twins {
  readonly random: Random
  readonly nodes = [makeNode(true), makeNode(false)] as const
  now: Micros = SECOND
  /** Bridge ports of the pods. */
  readonly ports: number[]
  readonly streams: Stream[] = []
  /** Frames that took the fast path. */
  fast = 0
  #answers: { readonly port: number; readonly frame: Uint8Array }[] = []

  constructor(seed: string) {
    this.random = new Random(seed)
    this.ports = PODS.map((_, index) => this.both((node) => node.addPod(`pod${index}`)))
    for (const [index, address] of PODS.entries()) {
      const frame = arp(podMac(index), address, 0xffffffffffff, ipv4('10.39.0.1'), 1)
      this.send(this.ports[index]!, frame, 0)
    }
  }

  both<Result>(change: (node: NodeHost) => Result): Result {
    const results = this.nodes.map(change)
    assert.equal(results[0], results[1])
    return results[0]!
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.random.int(items.length)]!
  }

  chance(part: number): boolean {
    return this.random.float() < part
  }

  /** Gives both nodes the frame; what leaves is the same. */
  send(port: number, frame: Uint8Array, offload: number, drain = true): void {
    for (const node of this.nodes) node.receive(port, frame.slice(), this.now, offload)
    if (drain) this.drain()
  }

  drain(): void {
    for (;;) {
      const [one, other] = this.nodes.map((node) => {
        const out = node.transmit()
        return out && { port: out.port, offload: out.offload, frame: Buffer.from(out.frame).toString('hex') }
      })
      assert.equal(one, other)
      if (one === undefined) break
      this.#see(one.port, Buffer.from(one.frame, 'hex'))
    }
    const answers = this.#answers
    this.#answers = []
    for (const { port, frame } of answers) this.send(port, frame, 0)
  }

  /** Who is asked by ARP answers; who gets a packet may answer it later. */
  #see(port: number, frame: Uint8Array): void {
    if (frame[12] === 0x08 && frame[13] === 0x06) {
      const asked = arpPacket()
      if (parseArp(frame, IP, frame.length, asked) !== undefined || asked.operation !== 1) return
      const owner = PODS.indexOf(asked.targetAddress)
      if (owner >= 0 ? port !== this.ports[owner] : port !== ETH0) return
      const mac = owner >= 0 ? podMac(owner) : PEER_MAC
      const answer = arp(mac, asked.targetAddress, asked.senderMac, asked.senderAddress, ARP_REPLY)
      this.#answers.push({ port, frame: answer })
      return
    }
    const header = ipHeader()
    if (parseIpHeader(frame, IP, frame.length, header) !== undefined || header.fragmentOffset > 0) return
    const { protocol, payloadStart } = header
    if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return
    const stream: Stream = {
      source: header.destination as number,
      destination: header.source as number,
      sourcePort: (frame[payloadStart + 2]! << 8) | frame[payloadStart + 3]!,
      destinationPort: (frame[payloadStart]! << 8) | frame[payloadStart + 1]!,
      protocol,
    }
    const isKnown = this.streams.some((known) => JSON.stringify(known) === JSON.stringify(stream))
    if (!isKnown) this.streams.push(stream)
    if (this.streams.length > 60) this.streams.shift()
  }

  /** A new conversation, from its first packet. */
  open(): void {
    const protocol = this.chance(0.7) ? PROTOCOL_TCP : PROTOCOL_UDP
    const source = this.chance(0.7) ? this.pick(PODS) : this.pick(REMOTES)
    const isPod = PODS.includes(source)
    const destination = this.chance(0.6)
      ? SERVICE
      : this.pick((isPod ? [...PODS, ...REMOTES] : PODS).filter((other) => other !== source))
    const sourcePort = 30_000 + this.random.int(20)
    const stream = { source, destination, sourcePort, destinationPort: 80, protocol }
    this.streams.push(stream)
    this.packet(stream, SYN)
    const answer = this.streams.at(-1)!
    if (answer !== stream) this.packet(answer, SYN | ACK)
    this.packet(stream, ACK)
  }

  /** One packet of a stream, as it is or with something odd about it. */
  packet(stream: Stream, flags: number, drain = true): void {
    const pod = PODS.indexOf(stream.source)
    const frame = this.#frame(stream, flags, pod)
    const given = this.chance(0.5) ? GIVEN_AWAY : 0
    // A segment that is still to be cut, now and then.
    const left = stream.protocol === PROTOCOL_TCP && frame.length > 700 && this.chance(0.5) ? 400 : 0
    if (this.chance(0.02)) frame[24] = (frame[24]! + 1) & 0xff
    this.send(pod < 0 ? ETH0 : this.ports[pod]!, frame, given | left, drain)
  }

  #frame(stream: Stream, flags: number, pod: number): Uint8Array {
    const { protocol, source, destination, sourcePort, destinationPort } = stream
    const length = this.chance(0.1) ? 1000 + this.random.int(700) : this.random.int(60)
    const start = IP + 20
    const frame = new Uint8Array(start + (protocol === PROTOCOL_TCP ? 20 : 8) + length)
    for (let at = start; at < frame.length; at++) frame[at] = this.random.int(256)
    if (protocol === PROTOCOL_TCP) {
      const segment = { ...tcpSegment(), sourcePort, destinationPort, flags, window: 1000 }
      writeTcp(frame, start, segment, length, source, destination)
    } else {
      writeUdp(frame, start, sourcePort, destinationPort, length, source, destination)
      if (this.chance(0.2)) frame.fill(0, start + 6, start + 8)
    }
    writeIpHeader(frame, IP, {
      ...ipHeader(),
      totalLength: frame.length - IP,
      identification: this.random.int(0x1_0000),
      ttl: this.chance(0.03) ? 1 : 64,
      dontFragment: this.chance(0.5),
      moreFragments: this.chance(0.01),
      protocol,
      source,
      destination,
    })
    const peer = PODS.indexOf(destination)
    const to = pod < 0 ? NODE_MAC : peer >= 0 ? podMac(peer) : this.#bridgeMac()
    writeEthernet(frame, to, pod < 0 ? PEER_MAC : podMac(pod), ETHERTYPE_IPV4)
    return frame
  }

  #bridgeMac(): number {
    return this.nodes[0].stack.interfaces().find(({ name }) => name === 'cni0')!.mac
  }

  /** A packet of every stream. */
  all(): void {
    for (const stream of [...this.streams]) this.packet(stream, ACK)
  }

  wait(duration: Micros): void {
    this.now += duration
    for (const node of this.nodes) node.advance(this.now)
    this.drain()
  }

  /** One of the changes that decide about packets. */
  change(): void {
    const { random } = this
    const rule: Rule = {
      matches: this.chance(0.8) ? [this.pick(MATCHES)] : [],
      target: this.pick(TARGETS),
    }
    const table = this.chance(0.5) ? 'filter' : 'mangle'
    const mark: Rule = { matches: [this.pick(MATCHES)], target: this.pick(MARKS) }
    const position = random.int(PODS.length)
    const changes: (() => void)[] = [
      () => this.both((node) => node.netfilter.insertRule('filter', 'FORWARD', rule)),
      () => this.both((node) => node.netfilter.replaceChain('filter', 'FORWARD', [])),
      () => this.both((node) => node.netfilter.replaceChain('mangle', 'PREROUTING', [mark])),
      () => this.both((node) => node.netfilter.replaceChain(table, 'FORWARD', [rule, rule])),
      () => this.both((node) => this.#nft(node)),
      () => this.both((node) => node.netfilter.nft.delete('own')),
      () => this.both((node) => node.netfilter.flushConntrack(({ mark: has }) => has === 0)),
      () => this.both((node) => node.addRoute({ network: REMOTES[1]!, prefixLength: 32 }, PODS[2]!)),
      () => this.both((node) => node.stack.removeRoute({ network: REMOTES[1]!, prefixLength: 32 })),
      () => {
        this.both((node) => node.removePod(this.ports[position]!))
        this.ports[position] = this.both((node) => node.addPod(`pod${position}`))
      },
      () => this.#setTimeout(20 + random.int(100)),
      // Another one takes a pod's address.
      () => this.send(this.ports[position]!, arp(podMac(0), PODS[0]!, 0xffffffffffff, PODS[1]!, 1), 0),
    ]
    this.pick(changes)()
    this.drain()
  }

  #setTimeout(seconds: number): void {
    for (const { netfilter } of this.nodes) {
      const { tcpTimeouts } = netfilter.conntrackSettings
      netfilter.conntrackSettings.tcpTimeouts = { ...tcpTimeouts, ESTABLISHED: seconds * SECOND }
      netfilter.conntrackSettings.udpTimeoutStream = seconds * SECOND
    }
  }

  #nft(node: NodeHost): void {
    const table = node.netfilter.nft.add('own')
    table.addChain('forward', { base: { type: 'filter', hook: 'FORWARD', priority: 10 } })
    table.addChain('counting')
    table.replaceRules('counting', [{ statements: [{ statement: 'counter' }] }])
    table.replaceRules('forward', [
      {
        statements: [
          { statement: 'match-state', states: ['ESTABLISHED'] },
          { statement: 'counter' },
          { statement: 'verdict', verdict: { verdict: 'jump', chain: 'counting' } },
        ],
      },
    ])
  }

  /** Everything that can be read is the same. */
  compare(): void {
    this.fast = this.nodes[0].fastFrames
    assert.is(this.nodes[1].fastFrames, 0)
    const [one, other] = this.nodes.map((node) => ({
      flows: node.netfilter.flowsText(),
      exact: node.netfilter.flows(),
      rules: node.netfilter.save(undefined, { counters: true }),
      ruleset: node.netfilter.ruleset(),
      recent: node.netfilter.recent(),
      conntrack: { ...node.netfilter.conntrackCounters },
      interfaces: node.stack.interfaces().map((each) => ({ ...each, addresses: [], taps: undefined })),
      counters: { ...node.stack.counters },
      drops: [...node.stack.drops.list()].sort(),
      bridge: { ...node.bridge.counters },
      macs: node.bridge.macs(this.now),
      neighbors: node.stack.neighbors().map(({ address, mac, state }) => ({
        address: formatAddress(address),
        mac,
        state,
      })),
      deadline: node.deadline(),
    }))
    assert.equal(one, other)
  }
}

const MARKS: readonly Target[] = [
  { target: 'MARK', operation: 'or', value: 1 },
  { target: 'CONNMARK', action: 'set', value: 2 },
  { target: 'CONNMARK', action: 'restore' },
  { target: 'none' },
]

function arp(mac: number, address: number, toMac: number, to: number, operation: number): Uint8Array {
  const frame = new Uint8Array(IP + ARP_BYTES)
  writeArp(frame, IP, {
    operation,
    senderMac: mac,
    senderAddress: address,
    targetMac: toMac,
    targetAddress: to,
  })
  writeEthernet(frame, toMac, mac, ETHERTYPE_ARP)
  return frame
}

/** Random traffic; `changes`: how many of a thousand steps change something. */
function run(seed: string, steps: number, changes: number): Twins {
  const twins = new Twins(seed)
  for (let step = 0; step < steps; step++) {
    const dice = twins.random.int(1000)
    if (dice < changes) twins.change()
    else if (dice < changes + 30 || twins.streams.length < 4) twins.open()
    else if (dice < changes + 60) twins.wait(twins.random.int(twins.chance(0.1) ? 70 * SECOND : 2 * SECOND))
    else if (dice < changes + 70) twins.compare()
    else {
      const stream = twins.pick(twins.streams)
      if (twins.chance(0.03)) twins.packet(stream, twins.pick([SYN, FIN | ACK, RST, SYN | ACK, 0]))
      // A burst, drained when all of it came.
      const burst = 1 + twins.random.int(6)
      for (let i = 0; i < burst; i++)
        twins.packet(stream, twins.chance(0.5) ? ACK : ACK | PSH, i === burst - 1)
      twins.now += twins.random.int(5 * MILLISECOND)
    }
  }
  twins.compare()
  return twins
}

fastPath('traffic of settled flows is the same, and most of it takes the fast path', () => {
  for (const seed of ['a', 'b']) {
    const twins = run(seed, 1200, 0)
    assert.ok(twins.fast > 800, `${twins.fast} frames`)
  }
})

fastPath('it is the same while rules, routes, pods, addresses and time-outs change', () => {
  let fast = 0
  for (let seed = 0; seed < 12; seed++) fast += run(`changes ${seed}`, 600, 15).fast
  assert.ok(fast > 1000, `${fast} frames`)
})

/** Conversations that take the fast path. */
function settled(seed: string): Twins {
  const twins = run(seed, 500, 0)
  for (let round = 0; round < 20; round++) twins.all()
  twins.compare()
  const { fast } = twins
  twins.all()
  twins.compare()
  assert.ok(twins.fast > fast + 5, `${twins.fast - fast} of ${twins.streams.length} streams`)
  return twins
}

fastPath('a neighbour that has another address of the link is sent to there', () => {
  for (const seed of ['e', 'f']) {
    const twins = settled(seed)
    const port = twins.ports[1]!
    // What is sent to the first pod goes to the second one's port now, under a new address.
    twins.send(port, arp(podMac(9), PODS[0]!, 0xffffffffffff, ipv4('10.39.0.1'), 1), 0)
    twins.all()
    twins.compare()
  }
})

fastPath('a station that moves to another port of the bridge is found there', () => {
  for (const seed of ['g', 'h']) {
    const twins = settled(seed)
    twins.send(twins.ports[1]!, arp(podMac(0), PODS[0]!, 0xffffffffffff, PODS[2]!, 1), 0)
    for (const stream of [...twins.streams]) if (stream.source !== PODS[0]) twins.packet(stream, ACK)
    twins.compare()
  }
})

fastPath('flows last as long as their packets keep them', () => {
  const twins = settled('lasting')
  const count = () => twins.nodes[0].netfilter.flows().length
  for (const { netfilter } of twins.nodes) {
    const { tcpTimeouts } = netfilter.conntrackSettings
    netfilter.conntrackSettings.tcpTimeouts = { ...tcpTimeouts, ESTABLISHED: 50 * SECOND }
    netfilter.conntrackSettings.udpTimeoutStream = 50 * SECOND
  }
  const before = twins.fast
  for (let round = 0; round < 3; round++) {
    for (let again = 0; again < 3; again++) twins.all()
    // Not read out: nothing but the packets themselves keeps the flows.
    twins.wait(40 * SECOND)
  }
  twins.all()
  twins.compare()
  assert.ok(twins.fast > before)
  const alive = count()
  assert.ok(alive > 5, `${alive} flows`)
  twins.wait(49 * SECOND)
  twins.compare()
  assert.ok(count() > 0)
  twins.wait(400 * SECOND)
  twins.compare()
  assert.is(count(), 0)
})

fastPath('a trace hears of every packet', () => {
  const twins = settled('trace')
  const heard = [0, 0]
  twins.nodes.forEach((node, index) => {
    node.netfilter.trace(() => {
      heard[index]!++
    })
  })
  const { fast } = twins
  for (const stream of [...twins.streams]) twins.packet(stream, ACK)
  twins.compare()
  assert.is(twins.fast, fast)
  assert.ok(heard[0]! > 0)
  assert.is(heard[0], heard[1])
})

fastPath('a capture on an interface of the node sees every packet', () => {
  const twins = settled('tap')
  const seen: string[][] = [[], []]
  twins.nodes.forEach((node, index) => {
    for (const { index: device, name } of node.stack.interfaces()) {
      node.stack.tap(device, (packet, direction, now) =>
        seen[index]!.push(`${name} ${direction} ${now} ${Buffer.from(packet).toString('hex')}`),
      )
    }
  })
  const { fast } = twins
  for (const stream of [...twins.streams]) twins.packet(stream, ACK)
  twins.compare()
  assert.is(twins.fast, fast)
  assert.ok(seen[0]!.length > 0)
  assert.equal(seen[0], seen[1])
})

fastPath('a hook function that does not say that it can be spared sees every packet', () => {
  const twins = settled('hook')
  const seen = [0, 0]
  twins.nodes.forEach((node, index) => {
    node.stack.hooks.register('FORWARD', 0, ({ bytes }) => {
      seen[index]! += getUint48(bytes, 0) === 0 ? 0 : 1
      return 'ACCEPT'
    })
  })
  const { fast } = twins
  for (const stream of [...twins.streams]) twins.packet(stream, ACK)
  twins.compare()
  assert.is(twins.fast, fast)
  assert.ok(seen[0]! > 0)
  assert.is(seen[0], seen[1])
})

fastPath('a packet of a known flow needs no memory once all is compiled', () => {
  const lab = new ForwardingLab()
  const packets = 100_000
  // A single number on the heap is 12 bytes and more. What V8 keeps of code that it compiles meanwhile comes at first.
  const rounds = Array.from({ length: 40 }, () => {
    const before = process.memoryUsage().heapUsed
    lab.forward(packets)
    return (process.memoryUsage().heapUsed - before) / packets
  })
  // A collection makes a round negative: the others tell.
  const bytes = Math.min(...rounds.filter((each) => each >= 0))
  assert.ok(bytes < 4, `${bytes} bytes for a packet`)
})

fastPath.run()
