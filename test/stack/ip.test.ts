// IP, ARP, ICMP and UDP between hosts: what a packet meets on its way, frame by frame.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setUint48 } from '../../src/base/bytes.js'
import { SECOND } from '../../src/base/time.js'
import type { Host } from '../../src/host/host.js'
import { formatAddress, ipv4 } from '../../src/wire/address.js'
import { endpoint, Lab } from '../support/hosts.js'

const test = suite('ip')

/** Two nodes on a LAN with one pod each; the pods have the lowest addresses of their ranges. */
function twoNodes(mtu2 = 1500) {
  const lab = new Lab()
  const node1 = lab.node('node1', '192.168.56.11/24', '10.36.0.1/16', { '10.39.0.0/16': '192.168.56.12' })
  const node2 = lab.node(
    'node2',
    '192.168.56.12/24',
    '10.39.0.1/16',
    { '10.36.0.0/16': '192.168.56.11' },
    mtu2,
  )
  lab.lan(node1, node2)
  const pod1 = lab.pod('pod1', '10.36.0.0/16', '10.36.0.1')
  const pod2 = lab.pod('pod2', '10.39.0.0/16', '10.39.0.1')
  lab.plug(pod1, node1)
  lab.plug(pod2, node2)
  return { lab, node1, node2, pod1, pod2 }
}

const eth0 = (host: Host) => host.stack.interfaces().find((each) => each.name === 'eth0')!

function ping(lab: Lab, from: Host, to: string, bytes = 56, ttl = 64) {
  const socket = from.stack.ping()
  socket.setTtl(ttl)
  socket.send(ipv4(to), 1, new Uint8Array(bytes).fill(0x61))
  lab.run(10 * SECOND)
  const reply = socket.receive()
  socket.close()
  return reply
}

test('a pod pings another node’s pod, both with a .0 address, and each router takes one off the TTL', () => {
  const { lab, pod1 } = twoNodes()
  const reply = ping(lab, pod1, '10.39.0.0')
  assert.is(reply?.type, 0)
  assert.is(formatAddress(reply!.from), '10.39.0.0')
  assert.is(reply?.ttl, 62)
  assert.is(reply?.bytes.length, 56)
  assert.equal(lab.faults, [])
})

test('a host pings itself and 127.0.0.1 without a frame on the wire', () => {
  const { lab, pod1 } = twoNodes()
  assert.is(ping(lab, pod1, '127.0.0.1')?.type, 0)
  assert.is(ping(lab, pod1, '10.36.0.0')?.type, 0)
  assert.not.ok(lab.frames.some((line) => line.includes('ICMP')))
})

test('frames of lo can be watched', () => {
  const { lab, pod1 } = twoNodes()
  let frames = 0
  const stop = pod1.stack.tap(1, () => frames++)
  ping(lab, pod1, '127.0.0.1')
  assert.is(frames, 2)
  stop()
  ping(lab, pod1, '127.0.0.1')
  assert.is(frames, 2)
})

test('traceroute: hop by hop, each router says time exceeded from its own address', () => {
  const { lab, pod1 } = twoNodes()
  const hops = [1, 2, 3].map((ttl) => ping(lab, pod1, '10.39.0.0', 32, ttl)!)
  assert.equal(
    hops.map((hop) => [formatAddress(hop.from), hop.type, hop.code]),
    [
      ['10.36.0.1', 11, 0],
      ['192.168.56.12', 11, 0],
      ['10.39.0.0', 0, 0],
    ],
  )
  assert.equal(lab.faults, [])
})

test('an address nobody has: three requests a second apart, then host unreachable', () => {
  const { lab, pod1 } = twoNodes()
  const reply = ping(lab, pod1, '10.36.0.77')
  assert.is(lab.frames.filter((line) => line.startsWith('pod1') && line.includes('10.36.0.77')).length, 3)
  assert.equal([reply?.type, reply?.code], [3, 1])
  const remote = ping(lab, pod1, '10.39.0.77')
  assert.equal([formatAddress(remote!.from), remote!.type, remote!.code], ['192.168.56.12', 3, 1])
  assert.is(pod1.stack.neighbors().find((n) => n.address === ipv4('10.36.0.77'))?.state, 'FAILED')
})

test('a router without a route says net unreachable', () => {
  const { lab, pod1 } = twoNodes()
  const reply = ping(lab, pod1, '172.31.0.1')
  assert.equal([formatAddress(reply!.from), reply!.type, reply!.code], ['10.36.0.1', 3, 0])
})

test('a host answers ARP for its own addresses only', () => {
  const { lab, node1, pod1 } = twoNodes()
  ping(lab, pod1, '10.36.0.1')
  const neighbor = pod1.stack.neighbors().find((n) => n.address === ipv4('10.36.0.1'))
  assert.is(neighbor?.mac, node1.stack.interfaces().find((i) => i.name === 'cni0')?.mac)
  // The pod's broadcast request for another pod reaches the node too, which says nothing.
  const before = lab.frames.length
  ping(lab, pod1, '10.36.0.99')
  assert.not.ok(lab.frames.slice(before).some((line) => line.startsWith('node1') && /reply/i.test(line)))
})

test('UDP to a closed port: ECONNREFUSED at the connected socket', () => {
  const { lab, pod1, pod2 } = twoNodes()
  const socket = pod1.stack.udpBind()
  let ready = 0
  socket.onReady = () => ready++
  socket.connect({ address: ipv4('10.39.0.0'), port: 5353 })
  socket.send(new Uint8Array([1, 2, 3]))
  lab.run(SECOND)
  assert.is(ready, 1)
  assert.is(socket.takeError()?.code, 'ECONNREFUSED')
  assert.is(socket.takeError(), undefined)
  assert.is(pod2.stack.counters.UdpNoPorts, 1)
  assert.equal(lab.faults, [])
})

test('a datagram longer than every MTU is cut, put together and answered', () => {
  const { lab, pod1, pod2 } = twoNodes(576)
  const server = pod2.stack.udpBind({ port: 7 })
  server.onReady = () => {
    for (let got = server.receive(); got !== undefined; got = server.receive())
      server.send(got.bytes, got.source)
  }
  const client = pod1.stack.udpBind()
  const bytes = Uint8Array.from({ length: 9000 }, (_, i) => (i * 7) & 255)
  client.send(bytes, endpoint('10.39.0.0:7'))
  lab.run(SECOND)
  assert.equal(client.receive()?.bytes, bytes)
  assert.ok(pod2.stack.counters.IpReasmOKs === 1 && pod1.stack.counters.IpReasmOKs === 1)
  assert.equal(lab.faults, [])
})

test('a missing fragment: the rest is given up after 30 s with time exceeded, reassembly', () => {
  const { lab, pod1, pod2 } = twoNodes()
  ping(lab, pod1, '10.39.0.0')
  pod1.stack.udpBind().send(new Uint8Array(4000), endpoint('10.39.0.0:7'))
  // Of the pod's three fragments only the first one comes to the other pod.
  const first = pod1.transmit()!.frame.slice()
  while (pod1.transmit() !== undefined) assert.ok(pod1.stack.counters.IpFragCreates === 3)
  setUint48(first, 0, eth0(pod2).mac)
  pod2.receive(0, first, lab.now)
  assert.is(pod2.stack.counters.IpReasmReqds, 1)
  lab.run(31 * SECOND)
  assert.is(pod2.stack.counters.IpReasmTimeout, 1)
  assert.ok(lab.frames.some((line) => line.startsWith('pod2') && /reassembly/.test(line)))
})

test('a DF packet that a router cannot pass on lowers the path MTU, and the next one fits', () => {
  const { lab, pod1, pod2 } = twoNodes(1000)
  const server = pod2.stack.udpBind({ port: 9 })
  const client = pod1.stack.udpBind()
  client.send(new Uint8Array(1400), endpoint('10.39.0.0:9'))
  lab.run(SECOND)
  assert.is(server.receive(), undefined)
  client.send(new Uint8Array(1400), endpoint('10.39.0.0:9'))
  lab.run(SECOND)
  assert.is(server.receive()?.bytes.length, 1400)
  assert.equal(lab.faults, [])
})

test('TCP lowers its segments when a router says so', () => {
  const { lab, pod1, pod2 } = twoNodes(1000)
  const listener = pod2.stack.tcpListen({ address: 0, port: 80 })
  const client = pod1.stack.tcpConnect(endpoint('10.39.0.0:80'))
  lab.run(SECOND)
  const server = listener.accept()!
  client.write(new Uint8Array(20_000).fill(1))
  lab.run(SECOND)
  assert.is(server.readable, 20_000)
  assert.ok(
    lab.frames.some((line) => line.startsWith('node') && /unreachable - need to frag|mtu/i.test(line)),
  )
  assert.equal(lab.faults, [])
})

test('hosts in one prefix speak without a router; a broadcast datagram is for everyone', () => {
  const lab = new Lab()
  const node = lab.node('node', '192.168.56.11/24', '10.36.0.1/16')
  const [a, b, c] = ['10.36.0.0', '10.36.0.2', '10.36.255.254'].map((address) => {
    const pod = lab.pod(address, `${address}/16`, '10.36.0.1')
    lab.plug(pod, node)
    return pod
  })
  assert.is(ping(lab, a!, '10.36.255.254')?.ttl, 64)
  assert.is(node.stack.counters.IpForwDatagrams, 0)
  assert.is(ping(lab, b!, '10.36.0.0')?.type, 0)
  assert.throws(() => c!.stack.udpBind().send(new Uint8Array(1), endpoint('10.36.255.255:9')), /EACCES/)
  assert.equal(lab.faults, [])
})

test('sockets fail as Node’s do', () => {
  const { pod1 } = twoNodes()
  const code = (call: () => unknown) => {
    try {
      call()
    } catch (error) {
      return (error as { code?: string }).code
    }
    return 'none'
  }
  const { stack } = pod1
  stack.udpBind({ port: 53 })
  assert.is(
    code(() => stack.udpBind({ port: 53 })),
    'EADDRINUSE',
  )
  assert.is(
    code(() => stack.udpBind({ address: ipv4('1.2.3.4'), port: 53 })),
    'EADDRNOTAVAIL',
  )
  assert.is(
    code(() => stack.udpBind().send(new Uint8Array(65_508), endpoint('10.36.0.1:1'))),
    'EMSGSIZE',
  )
  assert.is(
    code(() => stack.udpBind().send(new Uint8Array(1))),
    'EINVAL',
  )
  stack.removeRoute({ network: 0, prefixLength: 0 })
  assert.is(
    code(() => stack.udpBind().send(new Uint8Array(1), endpoint('8.8.8.8:1'))),
    'ENETUNREACH',
  )
  assert.is(
    code(() => stack.tcpConnect(endpoint('8.8.8.8:1'))),
    'ENETUNREACH',
  )
})

test('ICMP errors are limited to bursts of six a second', () => {
  const { lab, pod1, pod2 } = twoNodes()
  const socket = pod1.stack.udpBind()
  ping(lab, pod1, '10.39.0.0')
  const before = pod2.stack.counters.IcmpOutMsgs
  for (let i = 0; i < 20; i++) socket.send(new Uint8Array(1), endpoint('10.39.0.0:4000'))
  lab.run(1000)
  assert.is(pod2.stack.counters.IcmpOutMsgs - before, 6)
  assert.is(pod2.stack.counters.IcmpOutRateLimited, 14)
})

test.run()
