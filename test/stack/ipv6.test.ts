// IPv6 on real packets: neighbours found by NDP, a router in between, TCP, UDP, and ICMPv6's errors.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { SECOND } from '../../src/base/time.js'
import { Network } from '../../src/fabric/network.js'
import { Stack } from '../../src/stack/stack.js'
import { cidr, formatAddress, ip, parseInterfaceAddress } from '../../src/wire/address.js'
import { formatFrame } from '../../src/wire/format.js'

const test = suite('ipv6')

/** a - router - b: fd00:a::/64 and fd00:b::/64. */
function lab() {
  const random = new Random('ipv6')
  const host = (name: string, mac: number, address: string, gateway?: string) => {
    const stack = new Stack({ name, random: random.fork(name) })
    const index = stack.addInterface({
      name: 'eth0',
      mac,
      mtuBytes: 1500,
      addresses: [parseInterfaceAddress(address)!],
    })
    if (gateway !== undefined)
      stack.addRoute({ destination: cidr('::/0'), gateway: ip(gateway), interfaceIndex: index })
    return { stack, machine: machineOf(stack, [index]) }
  }
  const a = host('a', 0x0a0000000001, 'fd00:a::2/64', 'fd00:a::1')
  const b = host('b', 0x0a0000000002, 'fd00:b::2/64', 'fd00:b::1')
  const router = new Stack({ name: 'router', random: random.fork('router'), forwarding: true })
  const ports = ['fd00:a::1/64', 'fd00:b::1/64'].map((address, i) =>
    router.addInterface({
      name: `eth${i}`,
      mac: 0x0a0000000010 + i,
      mtuBytes: i === 0 ? 1500 : 1400,
      addresses: [parseInterfaceAddress(address)!],
    }),
  )
  const network = new Network(random.fork('network'))
  const ids = [a.machine, machineOf(router, ports), b.machine].map((machine, i) =>
    network.add(`${i}`, machine),
  )
  network.connect({ machine: ids[0]!, port: 0 }, { machine: ids[1]!, port: 0 }, { delay: 10 })
  network.connect({ machine: ids[1]!, port: 1 }, { machine: ids[2]!, port: 0 }, { delay: 10 })
  const lines: string[] = []
  network.tap({ machine: ids[0]!, port: 0 }, (_direction, frame) => lines.push(formatFrame(frame)))
  let now = 0
  return {
    a: a.stack,
    b: b.stack,
    lines,
    run(until: () => boolean) {
      for (const id of ids) network.touch(id)
      const end = now + 30 * SECOND
      network.run(now)
      while (!until() && network.deadline() <= end) {
        now = Math.max(now, network.deadline())
        network.run(now)
      }
      return until()
    },
  }
}

function machineOf(stack: Stack, interfaces: readonly number[]) {
  return {
    receive: (port: number, frame: Uint8Array, now: number) => stack.receive(interfaces[port]!, frame, now),
    advance: (now: number) => stack.advance(now),
    transmit: () => {
      const out = stack.transmit()
      return out && { port: interfaces.indexOf(out.interfaceIndex), frame: out.frame }
    },
    deadline: () => stack.deadline(),
  }
}

test('a ping crosses a router, after both neighbours were found by NDP', () => {
  const { a, lines, run } = lab()
  const ping = a.ping()
  ping.send(ip('fd00:b::2'), 1, Uint8Array.of(1, 2, 3))
  let reply: ReturnType<typeof ping.receive>
  assert.ok(run(() => (reply ??= ping.receive()) !== undefined))
  assert.equal([reply!.type, reply!.ttl, [...reply!.bytes]], [0, 63, [1, 2, 3]])
  assert.is(formatAddress(reply!.from), 'fd00:b::2')
  assert.ok(
    lines.some((line) => line.includes('neighbor solicitation, who has fd00:a::1')),
    lines.join('\n'),
  )
})

test('a TCP connection carries bytes both ways with the smaller path MTU', () => {
  const { a, b, run } = lab()
  const listener = b.tcpListen({ address: ip('::'), port: 80 })
  const sent = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) & 255)
  const received: number[] = []
  listener.onReady = () => {
    const socket = listener.accept()!
    socket.onReady = () => {
      for (let bytes = socket.read(); bytes !== undefined; bytes = socket.read()) received.push(...bytes)
      if (socket.ended) socket.close()
    }
  }
  const client = a.tcpConnect({ address: ip('fd00:b::2'), port: 80 })
  let at = 0
  client.onReady = () => {
    if (client.state !== 'ESTABLISHED') return
    at += client.write(sent.subarray(at))
    if (at === sent.length) client.shutdown()
  }
  assert.ok(run(() => client.ended))
  assert.is(received.length, sent.length)
  assert.equal(Uint8Array.from(received), sent)
})

test('a closed port refuses TCP by a reset and UDP by ICMPv6', () => {
  const { a, run } = lab()
  const tcp = a.tcpConnect({ address: ip('fd00:b::2'), port: 81 })
  assert.ok(run(() => tcp.error !== undefined))
  assert.is(tcp.error?.code, 'ECONNREFUSED')
  const udp = a.udpBind({ address: ip('fd00:a::2') })
  udp.connect({ address: ip('fd00:b::2'), port: 81 })
  udp.send(Uint8Array.of(1))
  let error: ReturnType<typeof udp.takeError>
  assert.ok(run(() => (error ??= udp.takeError()) !== undefined))
  assert.is(error?.code, 'ECONNREFUSED')
})

test('a hop limit that runs out is told by the router', () => {
  const { a, run } = lab()
  const ping = a.ping()
  ping.setTtl(1)
  ping.send(ip('fd00:b::2'), 7, new Uint8Array(8))
  let reply: ReturnType<typeof ping.receive>
  assert.ok(run(() => (reply ??= ping.receive()) !== undefined))
  assert.equal([formatAddress(reply!.from), reply!.type, reply!.sequence], ['fd00:a::1', 11, 7])
})

test('an address nobody has is unreachable', () => {
  const { a, run } = lab()
  const tcp = a.tcpConnect({ address: ip('fd00:a::99'), port: 80 })
  assert.ok(run(() => tcp.error !== undefined))
  assert.is(tcp.error?.code, 'EHOSTUNREACH')
})

test('a host speaks with itself at ::1 and at its own address', () => {
  const { a, run } = lab()
  a.tcpListen({ address: ip('::'), port: 80 })
  for (const address of ['::1', 'fd00:a::2']) {
    const socket = a.tcpConnect({ address: ip(address), port: 80 })
    assert.ok(run(() => socket.state === 'ESTABLISHED' || socket.error !== undefined))
    assert.is(socket.error, undefined)
  }
})

test.run()
