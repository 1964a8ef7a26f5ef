// What several threads of the network see, put together as one capture: feeds, ways between them and the merge, with
// turns of the threads drawn at random.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CaptureFeed, type Sightings } from '../../src/drivers/capture-feed.js'
import { CaptureMerge } from '../../src/drivers/capture-merge.js'
import type { CapturePoint, FrameListener } from '../../src/drivers/cluster-network.js'
import { fc } from '../support/properties.js'

const test = suite('capture of several threads')

interface Written {
  readonly name: string
  readonly direction: 'in' | 'out'
  readonly id: number
  readonly bytes: number
  readonly at: number
}

/** A network of interfaces whose frames are made up: `see` is what its wires would do. */
function interfaces(...names: string[]) {
  const listeners = new Map<string, FrameListener>()
  return {
    capture: (onPoint: (point: CapturePoint) => void) => {
      for (const name of names)
        onPoint({ name, description: '', listen: (listener) => listeners.set(name, listener) })
    },
    see: (name: string, direction: 'in' | 'out', frame: Uint8Array, now: number) =>
      listeners.get(name)!(direction, frame, now),
  }
}

/** A frame that its number tells from all others. */
function frameOf(id: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(bytes)
  new DataView(frame.buffer).setUint32(14, id)
  return frame
}

function recorded() {
  const names: string[] = []
  const written: Written[] = []
  let closed = 0
  return {
    names,
    written,
    closed: () => closed,
    addInterface: (name: string) => names.push(name) - 1,
    add: (index: number, direction: 'in' | 'out', frame: Uint8Array, at: number) => {
      const id = new DataView(frame.buffer, frame.byteOffset).getUint32(14)
      written.push({ name: names[index]!, direction, id, bytes: frame.length, at })
    },
    close: () => void closed++,
  }
}

/** Threads with an interface each and wires between all of them; what is asked and told waits until it is taken. */
function lab(count: number) {
  const file = recorded()
  const asked = Array.from({ length: count }, () => 0)
  const told: { readonly thread: number; readonly sightings: Sightings }[] = []
  const merge = new CaptureMerge(file, count, (thread) => void asked[thread]!++)
  const threads = asked.map((_, index) => {
    const network = interfaces(`eth${index}`)
    const feed = new CaptureFeed(network, (sightings) => told.push({ thread: index, sightings }))
    return { network, feed, arriving: [] as { frame: Uint8Array; sent: number }[] }
  })
  const burst = (index: number, now: number) => {
    const { network, feed, arriving } = threads[index]!
    for (const { frame, sent } of arriving.splice(0)) {
      feed.relayed(frame, sent, now)
      network.see(`eth${index}`, 'in', frame, now)
    }
  }
  return {
    file,
    asked,
    told,
    merge,
    send: (from: number, to: number, frame: Uint8Array, now: number) => {
      burst(from, now)
      threads[from]!.network.see(`eth${from}`, 'out', frame, now)
      threads[to]!.arriving.push({ frame, sent: now })
    },
    burst,
    answer: (index: number, now: number) => {
      burst(index, now)
      asked[index]!--
      threads[index]!.feed.tell(now)
    },
    hear: () => {
      const part = told.shift()
      if (part !== undefined) merge.add(part.thread, part.sightings)
    },
    end: (now: number) => {
      for (const [index, { feed }] of threads.entries()) {
        burst(index, now)
        feed.tell()
      }
      for (const { thread, sightings } of told.splice(0)) merge.add(thread, sightings)
      merge.close()
    },
  }
}

test('a frame from another thread is seen when it was sent, after its sender saw it and before what follows', () => {
  const { file, send, burst, end } = lab(2)
  send(0, 1, frameOf(1, 60), 10)
  send(0, 1, frameOf(2, 60), 10)
  send(0, 1, frameOf(3, 60), 12)
  burst(1, 15)
  send(1, 0, frameOf(4, 60), 15)
  end(20)
  assert.equal(
    file.written.map(({ name, direction, id, at }) => `${at} ${name} ${direction} ${id}`),
    [
      '10 eth0 out 1',
      '10 eth0 out 2',
      '10 eth1 in 1',
      '10 eth1 in 2',
      '12 eth0 out 3',
      '12 eth1 in 3',
      '15 eth1 out 4',
      '15 eth0 in 4',
    ],
  )
  assert.equal(file.names.sort(), ['eth0', 'eth1'])
  assert.is(file.closed(), 1)
})

test('nobody is asked for little', () => {
  const { asked, told, send, hear, end } = lab(3)
  for (let now = 0; now < 100; now++) send(0, 1, frameOf(now, 1514), now)
  assert.is(told.length, 0)
  hear()
  assert.equal(asked, [0, 0, 0])
  end(200)
})

test('much is written while it comes, once every thread has answered twice', () => {
  const { file, asked, told, send, hear, answer, end } = lab(2)
  for (let id = 0; id < 20; id++) send(0, 1, frameOf(id, 60_000), id)
  for (let round = 0; round < 2; round++) {
    while (told.length > 0) hear()
    assert.equal(asked, [1, 1])
    assert.is(file.written.length, 0)
    answer(1, 100 + round)
    // On its way when the second thread told.
    if (round === 0) send(0, 1, frameOf(20, 60), 99)
    answer(0, 102 + round)
  }
  while (told.length > 0) hear()
  assert.is(file.written.length, 42)
  assert.equal(
    file.written.slice(-2).map(({ id, at, direction }) => [id, at, direction]),
    [
      [20, 99, 'out'],
      [20, 99, 'in'],
    ],
  )
  end(200)
  assert.is(file.written.length, 42)
})

test('whatever the turns of threads, all is written once and in order, packets of a moment by who saw them first', () => {
  const turn = fc.record({
    kind: fc.constantFrom('send', 'send', 'send', 'burst', 'answer', 'hear', 'hear'),
    thread: fc.nat(2),
    other: fc.nat(1),
    later: fc.nat(2),
    bytes: fc.constantFrom(60, 1514, 65_000),
  })
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 300 }), (turns) => {
      const { file, asked, send, burst, answer, hear, end } = lab(3)
      let [now, sent] = [0, 0]
      for (const { kind, thread, other, later, bytes } of turns) {
        now += later
        if (kind === 'send') send(thread, (thread + 1 + other) % 3, frameOf(sent++, bytes), now)
        else if (kind === 'burst') burst(thread, now)
        else if (kind === 'hear') hear()
        else if (asked[thread]! > 0) answer(thread, now)
      }
      end(now + 1)
      const { written } = file
      assert.is(written.length, 2 * sent)
      const seen = new Map<number, number>()
      for (const [index, { id, at, direction }] of written.entries()) {
        assert.ok(index === 0 || written[index - 1]!.at <= at, `at ${index} time goes back`)
        assert.is(direction, seen.has(id) ? 'in' : 'out')
        if (direction === 'in') assert.is(at, seen.get(id))
        seen.set(id, at)
      }
      assert.is(seen.size, sent)
    }),
    { numRuns: 200 },
  )
})

test.run()
