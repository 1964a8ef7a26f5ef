import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeScheduler, type NewConnection, type SchedulerName } from '../../src/ipvs/scheduler.js'
import { RealServer, VirtualService, type VirtualServiceOptions } from '../../src/ipvs/service.js'
import { halfSipHash32 } from '../../src/ipvs/siphash.js'
import { ipv4 } from '../../src/wire/address.js'

const test = suite('ipvs schedulers')

/** Servers a, b, c ... of these weights; the first is the head of the list, that is the one that was added last. */
function lab(name: SchedulerName, weights: readonly number[], options: VirtualServiceOptions = {}) {
  const make = (servers: readonly RealServer[]) => makeScheduler(name, options.schedulerFlags ?? [], servers)
  const id = { protocol: 'TCP', address: ipv4('10.96.0.1'), port: 80 } as const
  const service = new VirtualService(id, make, name, options)
  for (const [i, weight] of weights.entries()) {
    service.servers.push(new RealServer(service, ipv4('10.0.0.1') + i, 80, weight))
  }
  service.scheduler.changed()
  const nameOf = (server: RealServer | undefined) =>
    server === undefined ? '-' : String.fromCharCode(97 + Number(server.address) - ipv4('10.0.0.1'))
  return {
    service,
    one: (connection: Partial<NewConnection> = {}) =>
      nameOf(service.scheduler.schedule({ source: 1, sourcePort: 1, destination: 1, now: 0, ...connection })),
    many(count: number) {
      return Array.from({ length: count }, () => this.one()).join('')
    },
    remove(index: number) {
      const [server] = service.servers.splice(index, 1)
      service.scheduler.removed(server!, service.servers[index - 1])
    },
    server: (index: number) => service.servers[index]!,
  }
}

test('rr gives each server its turn and passes over those of weight 0', () => {
  assert.is(lab('rr', [1, 1, 1]).many(7), 'abcabca')
  assert.is(lab('rr', [1, 0, 5]).many(5), 'acaca')
  assert.is(lab('rr', [0, 0]).many(2), '--')
  assert.is(lab('rr', []).many(1), '-')
})

test('rr goes on behind a server that is removed', () => {
  const service = lab('rr', [1, 1, 1, 1])
  assert.is(service.many(2), 'ab')
  service.remove(1)
  assert.is(service.many(4), 'cdac')
})

test('wrr lowers its bar by the greatest common divisor', () => {
  assert.is(lab('wrr', [4, 3, 2]).many(18), 'aababcabc'.repeat(2))
  assert.is(lab('wrr', [8, 4, 0]).many(6), 'aabaab')
  assert.is(lab('wrr', [0, 0]).many(2), '--')
})

test('wrr shares exactly by weight over whole rounds', () => {
  const choices = lab('wrr', [5, 1, 3]).many(900)
  for (const [name, share] of [
    ['a', 500],
    ['b', 100],
    ['c', 300],
  ] as const) {
    assert.is([...choices].filter((choice) => choice === name).length, share)
  }
})

/** Gives each choice an active connection, and counts them. */
function fill(service: ReturnType<typeof lab>, count: number): number[] {
  for (let i = 0; i < count; i++) {
    const name = service.one()
    service.server(name.charCodeAt(0) - 97).activeConnections++
  }
  return service.service.servers.map((server) => server.activeConnections)
}

test('lc levels connections, wlc levels them by weight', () => {
  assert.equal(fill(lab('lc', [1, 9, 1]), 30), [10, 10, 10])
  assert.equal(fill(lab('wlc', [1, 3, 2]), 60), [10, 30, 20])
  const inactive = lab('lc', [1, 1])
  inactive.server(0).inactiveConnections = 255
  inactive.server(1).activeConnections = 1
  assert.is(inactive.one(), 'a', 'an active connection costs as much as 256 inactive ones')
})

test('sed counts the connection that is coming, nq prefers who is idle', () => {
  // (active + 1) / weight: the strong server is better even when it is busy.
  const sed = lab('sed', [1, 3])
  sed.server(1).activeConnections = 1
  assert.is(sed.one(), 'b')
  const nq = lab('nq', [1, 3])
  nq.server(1).activeConnections = 1
  assert.is(nq.one(), 'a')
  nq.server(0).activeConnections = 1
  assert.is(nq.one(), 'b')
})

test('sh keeps a source with its server and shares the buckets by weight', () => {
  const sh = lab('sh', [3, 1])
  const counts = { a: 0, b: 0 }
  for (let source = 0; source < 4096; source++) {
    const name = sh.one({ source: ipv4('192.168.0.0') + source })
    assert.is(sh.one({ source: ipv4('192.168.0.0') + source, sourcePort: 99 }), name)
    counts[name as 'a' | 'b']++
  }
  assert.ok(counts.a > 2.5 * counts.b && counts.a < 3.5 * counts.b, JSON.stringify(counts))
})

test('sh without fallback has nobody for the clients of a quiesced server, with it another one', () => {
  for (const [flags, expected] of [
    [[], '-'],
    [['sh-fallback'], 'b'],
  ] as const) {
    const sh = lab('sh', [1, 1], { schedulerFlags: flags })
    let source = 1
    while (sh.one({ source }) !== 'a') source++
    // The bucket keeps its server.
    sh.server(0).weight = 0
    sh.service.scheduler.changed()
    assert.is(sh.one({ source }), expected)
  }
})

test('dh goes by the destination', () => {
  const dh = lab('dh', [1, 1, 1])
  const names = new Set<string>()
  for (let destination = 0; destination < 256; destination++) {
    const name = dh.one({ destination, source: destination * 7 })
    assert.is(dh.one({ destination, source: 5 }), name)
    names.add(name)
  }
  assert.is(names.size, 3)
})

test('mh moves few clients when a server goes', () => {
  const mh = lab('mh', [1, 1, 1, 1, 1])
  const sources = Array.from({ length: 2000 }, (_, i) => ipv4('10.1.0.0') + i * 3)
  const before = sources.map((source) => mh.one({ source }))
  mh.remove(2)
  const after = sources.map((source) => mh.one({ source }))
  const moved = before.filter((name, i) => name !== 'c' && after[i] !== name).length
  assert.ok(moved < 0.12 * sources.length, `${moved} of ${sources.length} moved that need not`)
  assert.ok(after.every((name) => name !== 'c' && name !== '-'))
  for (const name of 'abde') {
    const share = after.filter((other) => other === name).length / sources.length
    assert.ok(Math.abs(share - 0.25) < 0.05, `${name} has ${share}`)
  }
})

test('mh shares by weight', () => {
  const mh = lab('mh', [3, 1])
  const sources = Array.from({ length: 4000 }, (_, i) => ipv4('10.1.0.0') + i)
  const share = sources.filter((source) => mh.one({ source }) === 'a').length / sources.length
  assert.ok(Math.abs(share - 0.75) < 0.04, String(share))
})

test('lblc keeps a destination with its server until that is overloaded', () => {
  const lblc = lab('lblc', [2, 2])
  assert.is(lblc.one({ destination: 7 }), 'a')
  lblc.server(0).activeConnections = 2
  assert.is(lblc.one({ destination: 7 }), 'a')
  lblc.server(0).activeConnections = 3
  assert.is(lblc.one({ destination: 7 }), 'b')
  lblc.server(0).activeConnections = 0
  assert.is(lblc.one({ destination: 7 }), 'b', 'it has a new home')
  assert.is(lblc.one({ destination: 8 }), 'a')
})

test('the hash of mh is SipHash-1-3', () => {
  // What CPython 3.11, whose hash of bytes is SipHash-1-3, gives for the word's four bytes under the key 0.
  assert.is(halfSipHash32(42, [0n, 0n]), 0xa2fbd834)
  assert.is(halfSipHash32(0xffffffff, [0n, 0n]), 0x74cad6e2)
})

test.run()
