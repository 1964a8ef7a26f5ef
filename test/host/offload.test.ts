// A stream between two pods whose frames leave with work left to do: what arrives is the same bytes, and whoever looks
// on a wire, or breaks it, deals with real packets.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { GIVEN_AWAY } from '../../src/base/offload.js'
import { Random } from '../../src/base/random.js'
import { Slab } from '../../src/base/slab.js'
import { SECOND } from '../../src/base/time.js'
import type { LinkOptions } from '../../src/fabric/link.js'
import { Network } from '../../src/fabric/network.js'
import { podHost } from '../../src/host/host.js'
import { nodeHost } from '../../src/host/node-host.js'
import { type InterfaceAddress, ipv4, parseInterfaceAddress } from '../../src/wire/address.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_IPV4,
  ethernetHeader,
  parseEthernet,
} from '../../src/wire/ethernet.js'
import { ipHeader, PROTOCOL_TCP, parseIpHeader } from '../../src/wire/ip.js'
import { parseTcp, tcpSegment } from '../../src/wire/tcp.js'

const offload = suite('offload')

const BYTES = 1_000_000
const SERVER = ipv4('10.36.0.2')

interface Setup {
  readonly wire?: LinkOptions
  readonly clientOffload?: boolean
  readonly nodeOffload?: boolean
  readonly serverMtu?: number
  /** Which all of them share, as in one thread. */
  readonly frames?: Slab
}

/** client - node1 - node2 - server, with 10.97.0.1:80 translated on node1; sends BYTES and gives what was seen. */
function transfer(setup: Setup) {
  const { wire = {}, clientOffload = true, nodeOffload = true, serverMtu = 1500, frames } = setup
  const network = new Network(new Random('offload'))
  const at = (text: string) => parseInterfaceAddress(text) as InterfaceAddress<number>
  const node = (name: string, mac: number, lan: string, pods: string) =>
    nodeHost({
      name,
      mac,
      address: at(lan),
      bridge: at(pods),
      offload: nodeOffload,
      frames,
      mtuBytes: name === 'node2' ? serverMtu : 1500,
      random: new Random(name),
    })
  const node1 = node('node1', 0x525400000001, '192.168.0.1/24', '10.39.0.1/16')
  const node2 = node('node2', 0x525400000002, '192.168.0.2/24', '10.36.0.1/16')
  node1.addRoute({ network: ipv4('10.36.0.0'), prefixLength: 16 }, ipv4('192.168.0.2'))
  node2.addRoute({ network: ipv4('10.39.0.0'), prefixLength: 16 }, ipv4('192.168.0.1'))
  node1.netfilter.appendRule('nat', 'PREROUTING', {
    matches: [
      { match: 'protocol', protocol: 'tcp' },
      { match: 'destination-port', port: 8080 },
    ],
    target: { target: 'DNAT', to: { address: SERVER, port: 80 } },
  })
  const pod = (name: string, mac: number, address: string, gateway: string, mtuBytes: number) =>
    podHost({
      name,
      mac,
      address: at(address),
      gateway: ipv4(gateway),
      mtuBytes,
      offload: name === 'client' ? clientOffload : true,
      frames,
      random: new Random(name),
    })
  const client = pod('client', 0x0a5800000001, '10.39.0.2/16', '10.39.0.1', 1500)
  const server = pod('server', 0x0a5800000002, '10.36.0.2/16', '10.36.0.1', serverMtu)
  const [n1, n2] = [network.add('node1', node1), network.add('node2', node2)]
  const [c, s] = [network.add('client', client), network.add('server', server)]
  network.connect({ machine: c, port: 0 }, { machine: n1, port: node1.addPod('client') })
  network.connect({ machine: s, port: 0 }, { machine: n2, port: node2.addPod('server') })
  const lan = network.connect({ machine: n1, port: 0 }, { machine: n2, port: 0 }, wire)
  const seen = { packets: 0, longest: 0, damaged: 0 }
  network.tap({ machine: s, port: 0 }, (_direction, frame) => look(frame, seen))
  network.tap({ machine: c, port: 0 }, (_direction, frame) => look(frame, seen))

  const sent = new Uint8Array(BYTES)
  const random = new Random('bytes')
  for (let i = 0; i < BYTES; i++) sent[i] = random.int(256)
  const received = new Uint8Array(BYTES)
  let got = 0
  const listener = server.stack.tcpListen({ address: 0, port: 80 })
  listener.onReady = () => {
    const socket = listener.accept()
    if (socket === undefined) return
    const drain = () => {
      for (let n = 1; n > 0; got += n) n = socket.readInto(received.subarray(got))
    }
    socket.onReady = drain
    drain()
  }
  const socket = client.stack.tcpConnect({ address: ipv4('192.168.0.1'), port: 8080 })
  let written = 0
  const fill = () => {
    if (socket.error !== undefined) throw socket.error
    if (socket.state !== 'ESTABLISHED') return
    for (let n = 1; n > 0 && written < BYTES; written += n) n = socket.write(sent.subarray(written))
  }
  socket.onReady = fill
  network.touch(c)
  let now = 0
  while (got < BYTES && now < 600 * SECOND) {
    now = Math.max(now, network.deadline())
    network.run(now)
  }
  assert.is(Buffer.compare(received, sent), 0, 'the bytes that were sent')
  return { seen, client, server, node1, counters: network.linkCounters(lan) }
}

function look(frame: Uint8Array, seen: { packets: number; longest: number; damaged: number }): void {
  const ethernet = ethernetHeader()
  parseEthernet(frame, ethernet)
  if (ethernet.etherType !== ETHERTYPE_IPV4) return
  const header = ipHeader()
  const isGood = parseIpHeader(frame, ETHERNET_HEADER_BYTES, frame.length, header) === undefined
  if (isGood && header.protocol !== PROTOCOL_TCP) return
  const { payloadStart, payloadEnd, source, destination } = header
  const segment = tcpSegment()
  seen.packets++
  seen.longest = Math.max(seen.longest, header.totalLength)
  if (!isGood || parseTcp(frame, payloadStart, payloadEnd, source, destination, segment) !== undefined)
    seen.damaged++
}

offload('captures see packets of the MTU with right checksums, and counters count them', () => {
  const { seen, client, server, counters } = transfer({})
  assert.is(seen.damaged, 0)
  assert.is(seen.longest, 1500)
  const least = Math.ceil(BYTES / 1460)
  assert.ok(counters.ab.accepted >= least, `${counters.ab.accepted} packets on the wire`)
  assert.ok(counters.ab.accepted < least * 1.1)
  assert.ok(client.stack.counters.TcpOutSegs >= least)
  assert.ok(server.stack.counters.TcpInSegs >= least)
  const eth0 = server.stack.interfaces().find(({ name }) => name === 'eth0')!
  assert.ok(eth0.receivedFrames >= least)
  assert.ok(eth0.receivedBytes >= BYTES + least * 54)
})

/** Knows what large arrays it lent. */
class CountingSlab extends Slab {
  lent = 0
  readonly buffers = new Set<ArrayBufferLike>()

  override take(length: number): Uint8Array {
    const bytes = super.take(length)
    if (length > 4096) {
      this.lent++
      this.buffers.add(bytes.buffer)
    }
    return bytes
  }
}

offload("a segment's memory is used again once a socket has its text", () => {
  const frames = new CountingSlab()
  transfer({ frames })
  assert.ok(frames.lent > 10)
  assert.ok(
    frames.buffers.size <= frames.lent / 2,
    `${frames.buffers.size} buffers for ${frames.lent} frames`,
  )
  // Where packets are kept, lost or looked at, what arrives is still what was sent.
  const { seen } = transfer({ frames, wire: { lossRatio: 0.01, delay: 100, duplicateRatio: 0.01 } })
  assert.is(seen.damaged, 0)
})

offload('a wire that loses packets loses single ones', () => {
  const { seen, counters } = transfer({ wire: { lossRatio: 0.01, delay: 100 } })
  assert.is(seen.damaged, 0)
  assert.is(seen.longest, 1500)
  assert.ok(counters.ab.lost > 0)
  assert.ok(counters.ab.lost < counters.ab.accepted * 0.05)
})

offload('a damaged packet is known by its checksum', () => {
  const { seen, counters } = transfer({ wire: { corruptRatio: 0.005 } })
  assert.ok(counters.ab.corrupted > 0)
  assert.ok(seen.damaged > 0)
})

offload('where the MTU is smaller, segments are cut to what fits', () => {
  const { seen } = transfer({ serverMtu: 900 })
  assert.is(seen.damaged, 0)
  assert.ok(seen.longest <= 1500)
})

offload(
  'a node without offload cuts what a pod with offload sends, and one with it takes plain packets',
  () => {
    const plainNodes = transfer({ nodeOffload: false })
    assert.is(plainNodes.seen.damaged, 0)
    assert.is(plainNodes.seen.longest, 1500)
    const plainClient = transfer({ clientOffload: false })
    assert.is(plainClient.seen.damaged, 0)
  },
)

offload('through lo, whose segments are as long as packets can be, a stream passes as it is', () => {
  const pod = podHost({
    name: 'pod',
    mac: 0x0a5800000001,
    address: parseInterfaceAddress('10.39.0.2/16') as InterfaceAddress<number>,
    gateway: ipv4('10.39.0.1'),
    mtuBytes: 1500,
    offload: true,
    random: new Random('pod'),
  })
  let received = 0
  const into = new Uint8Array(65_536)
  const listener = pod.stack.tcpListen({ address: 0, port: 80 })
  listener.onReady = () => {
    const socket = listener.accept()!
    socket.onReady = () => {
      for (let n = 1; n > 0; received += n) n = socket.readInto(into)
    }
  }
  const socket = pod.stack.tcpConnect({ address: ipv4('127.0.0.1'), port: 80 })
  let written = 0
  socket.onReady = () => {
    if (socket.state !== 'ESTABLISHED') return
    for (let n = 1; n > 0 && written < BYTES; written += n) n = socket.write(new Uint8Array(BYTES - written))
  }
  for (let now = 0, rounds = 0; received < BYTES; now = Math.max(now, pod.deadline()), rounds++) {
    assert.ok(rounds < 10_000, 'it comes to an end')
    pod.advance(now)
    while (pod.transmit() !== undefined);
  }
  assert.ok(pod.stack.counters.TcpOutSegs < 100, `${pod.stack.counters.TcpOutSegs} segments`)
})

offload('a frame that is given away may be changed, one that is lent stays as it is', () => {
  for (const isGiven of [false, true]) {
    const { node1, client } = transfer({})
    const frame = firstFrame(client)
    const before = frame.slice()
    const port = 1
    node1.receive(port, frame, 700 * SECOND, isGiven ? GIVEN_AWAY : 0)
    const out = node1.transmit()
    assert.ok(out !== undefined)
    assert.is(out!.frame === frame, isGiven)
    assert.is(Buffer.compare(before, frame) !== 0, isGiven)
  }
})

/** A segment that the client sends now. */
function firstFrame(client: ReturnType<typeof podHost>): Uint8Array {
  client.stack.setNow(700 * SECOND)
  while (client.transmit() !== undefined);
  client.stack.tcpConnect({ address: ipv4('192.168.0.1'), port: 8080 })
  return client.transmit()!.frame.slice()
}

offload.run()
