// The neighbour cache by itself: its states, when it asks, what waits, what is given up.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Micros, NEVER, SECOND } from '../../src/base/time.js'
import { TimerHeap } from '../../src/base/timer-heap.js'
import type { Expiring } from '../../src/stack/expiring.js'
import { makeInterface } from '../../src/stack/interface.js'
import { NeighborTable } from '../../src/stack/neighbors.js'
import type { Mac } from '../../src/wire/address.js'

const test = suite('neighbors')

const PEER = 0x0a000002
const MAC: Mac = 0x020000000002

function table() {
  const log: string[] = []
  const timers = new TimerHeap<Expiring>()
  const eth0 = makeInterface(2, { name: 'eth0', mac: 1, mtuBytes: 1500, addresses: [] })
  const neighbors = new NeighborTable(
    {
      ask: (_output, _address, mac) => log.push(mac === undefined ? 'broadcast' : 'unicast'),
      send: (_output, frame, mac) => log.push(`send ${frame[0]} to ${mac.toString(16)}`),
      unreachable: (_output, frame) => log.push(`unreachable ${frame[0]}`),
    },
    timers,
  )
  return {
    log,
    take: () => log.splice(0),
    send: (tag: number, now: Micros) => neighbors.output(eth0, PEER, new Uint8Array([tag]), 0, now),
    heard: (confirmed: boolean, now: Micros, mac = MAC) =>
      neighbors.learn(eth0, PEER, mac, confirmed, !confirmed, now),
    pass: (until: Micros) => {
      while (timers.next() <= until) {
        const now = timers.next()
        timers.due(now)?.owner.expire(now)
      }
    },
    state: () => neighbors.list()[0]?.state,
    next: () => timers.next(),
  }
}

test('frames wait for the answer and leave in their order', () => {
  const t = table()
  t.send(1, 0)
  t.send(2, 10)
  assert.equal(t.take(), ['broadcast'])
  assert.is(t.state(), 'INCOMPLETE')
  t.heard(true, 20)
  assert.equal(t.take(), ['send 1 to 20000000002', 'send 2 to 20000000002'])
  t.send(3, 30)
  assert.equal(t.take(), ['send 3 to 20000000002'])
  assert.is(t.state(), 'REACHABLE')
})

test('three requests, a second apart, then what waited is unreachable; a later frame asks again', () => {
  const t = table()
  t.send(1, 0)
  t.pass(2 * SECOND)
  assert.equal(t.take(), ['broadcast', 'broadcast', 'broadcast'])
  t.send(2, 2 * SECOND + 1)
  t.pass(10 * SECOND)
  assert.equal(t.take(), ['unreachable 1', 'unreachable 2'])
  assert.is(t.state(), 'FAILED')
  assert.is(t.next(), NEVER)
  t.send(3, 11 * SECOND)
  assert.equal(t.take(), ['broadcast'])
})

test('REACHABLE, STALE, DELAY, PROBE: used again after half a minute, it is asked by unicast', () => {
  const t = table()
  t.send(1, 0)
  t.heard(true, 0)
  t.pass(30 * SECOND)
  assert.is(t.state(), 'STALE')
  assert.is(t.next(), NEVER)
  t.take()
  t.send(2, 40 * SECOND)
  assert.is(t.state(), 'DELAY')
  t.pass(45 * SECOND)
  assert.is(t.state(), 'PROBE')
  assert.equal(t.take(), ['send 2 to 20000000002', 'unicast'])
  t.heard(true, 45 * SECOND)
  assert.is(t.state(), 'REACHABLE')
  t.pass(75 * SECOND)
  t.send(3, 80 * SECOND)
  t.pass(100 * SECOND)
  assert.equal(t.take(), ['send 3 to 20000000002', 'unicast', 'unicast', 'unicast'])
  assert.is(t.state(), 'FAILED')
})

test('who asks us becomes known, but not confirmed; a new MAC is believed', () => {
  const t = table()
  t.heard(false, 0)
  assert.is(t.state(), 'STALE')
  t.send(1, 1)
  t.heard(false, 2, MAC + 1)
  t.send(2, 3)
  assert.equal(t.take(), ['send 1 to 20000000002', 'send 2 to 20000000003'])
})

test('at most 64 frames wait: the oldest gives way', () => {
  const t = table()
  for (let i = 0; i < 70; i++) t.send(i, 0)
  t.take()
  t.heard(true, 1)
  const sent = t.take()
  assert.is(sent.length, 64)
  assert.is(sent[0], 'send 6 to 20000000002')
})

test.run()
