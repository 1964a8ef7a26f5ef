import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { MILLISECOND, NEVER, SECOND } from '../../src/base/time.js'
import { Bridge } from '../../src/fabric/bridge.js'
import type { LinkOptions } from '../../src/fabric/link.js'
import { type LinkSettings, Network } from '../../src/fabric/network.js'
import { MAC_BROADCAST } from '../../src/wire/address.js'
import { writeEthernet } from '../../src/wire/ethernet.js'
import { bytesOf, Probe } from './probe.js'

const test = suite('network')

function pair(settings?: LinkSettings, seed = 'seed') {
  const network = new Network(new Random(seed))
  const a = new Probe()
  const b = new Probe()
  const idA = network.add('a', a)
  const idB = network.add('b', b)
  const link = network.connect({ machine: idA, port: 0 }, { machine: idB, port: 0 }, settings)
  const runUntil = (end: number) => {
    for (let at = network.deadline(); at <= end; at = network.deadline()) network.run(at)
    network.run(end)
  }
  return { network, a, b, idA, idB, link, runUntil }
}

const texts = (probe: Probe) => probe.arrivals.map(({ text }) => text)

test('a link without delay delivers within the same run, and so does every answer', () => {
  const { network, a, b, idA } = pair()
  b.answer = (text) => (text.length < 6 ? [{ port: 0, frame: bytesOf(`${text}!`) }] : [])
  a.answer = (text) => [{ port: 0, frame: bytesOf(`${text}?`) }]
  a.send('hi')
  network.touch(idA)
  assert.is(network.deadline(), 0)
  network.run(5)
  assert.equal(b.arrivals, [
    { port: 0, text: 'hi', at: 5 },
    { port: 0, text: 'hi!?', at: 5 },
    { port: 0, text: 'hi!?!?', at: 5 },
  ])
  assert.equal(texts(a), ['hi!', 'hi!?!'])
  assert.is(network.deadline(), NEVER)
})

test('a frame with a delay arrives after it, unharmed by the sender using its buffer again', () => {
  const { network, a, b, idA } = pair({ delay: 200 })
  a.send('one')
  a.send('two')
  network.touch(idA)
  network.run(1000)
  assert.is(network.deadline(), 1200)
  network.run(1199)
  assert.equal(b.arrivals, [])
  network.run(1200)
  assert.equal(b.arrivals, [
    { port: 0, text: 'one', at: 1200 },
    { port: 0, text: 'two', at: 1200 },
  ])
})

test("a machine's own deadline is kept", () => {
  const { network, a, b, runUntil } = pair({ ab: { delay: 10 }, ba: {} })
  a.sendAt(300, 'later')
  a.sendAt(100, 'soon')
  runUntil(SECOND)
  assert.equal(b.arrivals, [
    { port: 0, text: 'soon', at: 110 },
    { port: 0, text: 'later', at: 310 },
  ])
  assert.is(network.deadline(), NEVER)
})

test('events of one time happen in the order in which they were caused, over all links', () => {
  const network = new Network(new Random('seed'))
  const hub = new Probe()
  const hubId = network.add('hub', hub)
  const senders = ['x', 'y', 'z'].map((name, index) => {
    const probe = new Probe()
    const id = network.add(name, probe)
    network.connect({ machine: id, port: 0 }, { machine: hubId, port: index }, { delay: 100 - 10 * index })
    return { probe, id }
  })
  // Sent at 0, 10, 20 they all arrive at 100; then in another order, with a second frame each.
  senders.forEach(({ probe }, index) => {
    probe.sendAt(10 * index, `${index}`)
  })
  for (const index of [2, 0, 1]) {
    senders[index]!.probe.sendAt(1000 + 10 * index, `${index}a`)
    senders[index]!.probe.sendAt(1000 + 10 * index, `${index}b`)
  }
  for (let at = network.deadline(); at < NEVER; at = network.deadline()) network.run(at)
  assert.equal(texts(hub), ['0', '1', '2', '0a', '0b', '1a', '1b', '2a', '2b'])
})

test('nothing is delivered after a cable was pulled, and the ports are free again', () => {
  const { network, a, b, idA, idB, link, runUntil } = pair({ delay: 10 })
  a.send('lost on the way')
  network.touch(idA)
  network.run(0)
  network.disconnect(link)
  assert.is(network.deadline(), NEVER)
  a.send('no way out')
  network.touch(idA)
  runUntil(100)
  network.connect({ machine: idB, port: 0 }, { machine: idA, port: 0 })
  a.send('there')
  network.touch(idA)
  network.run(200)
  assert.equal(texts(b), ['there'])
})

test('a machine that was removed neither hears nor speaks', () => {
  const { network, a, b, idA, idB } = pair({ delay: 10 })
  a.sendAt(50, 'never')
  a.send('on the way')
  b.sendAt(20, 'to nobody')
  network.touch(idA)
  network.touch(idB)
  network.run(0)
  network.remove(idA)
  for (let at = network.deadline(); at < NEVER; at = network.deadline()) network.run(at)
  assert.equal([a.arrivals, b.arrivals], [[], []])
  assert.throws(() => network.touch(idA), /podwire bug: network has no machine/)
})

test('a port takes one cable', () => {
  const { network, idA } = pair()
  const other = { machine: network.add('c', new Probe()), port: 0 }
  assert.throws(() => network.connect(other, { machine: idA, port: 0 }), /a:0 is in use/)
  assert.throws(() => network.connect(other, other), /cannot be connected to itself/)
})

test('a tap sees both directions at its port and changes nothing', () => {
  const run = (tapped: boolean) => {
    const { network, a, b, idA, idB, runUntil } = pair({ delay: 7, jitter: 5, lossRatio: 0.3 })
    const seen: string[] = []
    const listen = (name: string) => (direction: string, frame: Uint8Array, now: number) =>
      seen.push(`${name} ${direction} ${String.fromCharCode(...frame)} ${now}`)
    if (tapped) {
      network.tap({ machine: idA, port: 0 }, listen('a'))
      network.tap({ machine: idB, port: 0 }, listen('b'))()
      network.tap({ machine: idB, port: 0 }, listen('b'))
    }
    b.answer = (text) => [{ port: 0, frame: bytesOf(text.toUpperCase()) }]
    for (let index = 0; index < 20; index++) a.sendAt(index * 100, `f${index}`)
    runUntil(SECOND)
    return { seen, arrivals: [a.arrivals, b.arrivals] }
  }
  const tapped = run(true)
  assert.equal(tapped.arrivals, run(false).arrivals)
  const [toA, toB] = tapped.arrivals
  assert.equal(
    tapped.seen.filter((line) => line.startsWith('b in')),
    toB!.map(({ text, at }) => `b in ${text} ${at}`),
  )
  assert.equal(
    tapped.seen.filter((line) => line.startsWith('a in')),
    toA!.map(({ text, at }) => `a in ${text} ${at}`),
  )
  assert.is(tapped.seen.filter((line) => line.startsWith('a out')).length, 20)
})

test('the same seed gives the same run, another seed another', () => {
  const options: LinkOptions = {
    delay: 500,
    jitter: 300,
    lossRatio: 0.2,
    duplicateRatio: 0.1,
    reorderRatio: 0.2,
  }
  const run = (seed: string) => {
    const { a, b, runUntil } = pair(options, seed)
    for (let index = 0; index < 100; index++) a.sendAt(index * MILLISECOND, `${index}`)
    runUntil(SECOND)
    return b.arrivals
  }
  assert.equal(run('1'), run('1'))
  assert.not.equal(run('1'), run('2'))
})

test('a changed link applies to the frames sent from then on', () => {
  const { network, a, b, idA, link, runUntil } = pair({ delay: 1000 })
  a.send('slow')
  network.touch(idA)
  network.run(0)
  network.setLink(link, { ab: { delay: 10 }, ba: {} })
  a.send('kept in order')
  network.touch(idA)
  runUntil(2000)
  assert.equal(texts(b), ['slow', 'kept in order'])
  network.setLink(link, { lossRatio: 1 })
  a.send('gone')
  network.touch(idA)
  runUntil(3000)
  assert.is(b.arrivals.length, 2)
  const { ab, ba } = network.linkCounters(link)
  assert.equal([ab.accepted, ab.lost, ba.accepted], [3, 1, 0])
})

test('a loop of bridges is noticed, and told by name', () => {
  const network = new Network(new Random('seed'), { instantLimit: 5000 })
  const station = new Probe()
  const ids = ['left', 'right'].map((name) => {
    const bridge = new Bridge()
    for (let port = 0; port < 3; port++) bridge.addPort(`port${port}`)
    return network.add(name, bridge)
  })
  const stationId = network.add('station', station)
  network.connect({ machine: stationId, port: 0 }, { machine: ids[0]!, port: 0 })
  for (const port of [1, 2]) network.connect({ machine: ids[0]!, port }, { machine: ids[1]!, port })
  const frame = new Uint8Array(20)
  writeEthernet(frame, MAC_BROADCAST, 2, 0x1234)
  station.send(String.fromCharCode(...frame))
  network.touch(stationId)
  assert.throws(() => network.run(77), /podwire bug: endless loop at 77 us between left, right, station/)
})

test('a machine whose deadline never moves on is noticed', () => {
  const network = new Network(new Random('seed'), { instantLimit: 1000 })
  network.add('stuck', {
    receive() {},
    advance() {},
    transmit: () => undefined,
    deadline: () => 10,
  })
  network.run(9)
  assert.throws(() => network.run(10), /endless loop at 10 us between stuck/)
})

test('time does not go back, and a run does not run within itself', () => {
  const { network, a, b, idA } = pair()
  network.run(10)
  assert.throws(() => network.run(9), /time goes back/)
  b.answer = () => {
    network.run(10)
    return []
  }
  a.send('x')
  network.touch(idA)
  assert.throws(() => network.run(10), /within its own run/)
})

test.run()
