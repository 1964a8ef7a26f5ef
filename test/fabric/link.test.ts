import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { MILLISECOND } from '../../src/base/time.js'
import { LinkDirection, type LinkOptions } from '../../src/fabric/link.js'
import { fc } from '../support/properties.js'

const test = suite('link')

/** Sends `count` frames of `bytes`, one every `gap`; gives the arrivals in the order of sending. */
function arrivals(options: LinkOptions, count: number, { bytes = 100, gap = 0, seed = 'seed' } = {}) {
  const link = new LinkDirection(options, new Random(seed))
  const got: { number: number; at: number; frame: Uint8Array }[] = []
  for (let number = 0; number < count; number++) {
    const frame = new Uint8Array(bytes).fill(number)
    link.send(frame, number * gap, (at, frame) => got.push({ number, at, frame }))
  }
  return { got, counters: link.counters }
}

test('without options every frame arrives at once, uncopied', () => {
  const link = new LinkDirection({}, new Random('seed'))
  const frame = new Uint8Array(60)
  let times = 0
  link.send(frame, 42, (at, sent) => {
    times++
    assert.is(at, 42)
    assert.is(sent, frame)
  })
  assert.is(times, 1)
})

test('the short way is open only where nothing can happen to a frame, and nothing is to be overtaken', () => {
  const link = new LinkDirection({ lossRatio: 0, delay: 0 }, new Random('seed'))
  assert.ok(link.pass(60, 5))
  link.configure({ delay: 100 })
  assert.not.ok(link.pass(60, 10))
  link.send(new Uint8Array(60), 10, () => {})
  link.configure({})
  assert.not.ok(link.pass(60, 109))
  assert.ok(link.pass(60, 110))
  assert.equal([link.counters.accepted, link.counters.bytes], [3, 180])
})

test('a rate spaces frames by their length', () => {
  // 1250 bytes at 10 Mbit/s take 1 ms.
  const { got } = arrivals({ rateBitsPerSecond: 10_000_000, delay: 5 }, 3, { bytes: 1250 })
  assert.equal(
    got.map(({ at }) => at),
    [1005, 2005, 3005],
  )
})

test('a fast line is not slowed down by rounding to microseconds', () => {
  const { got } = arrivals({ rateBitsPerSecond: 10_000_000_000 }, 1000, { bytes: 1000 })
  assert.is(got.at(-1)!.at, 800)
})

test('a queue drops what does not fit, by bytes and by frames, and drains with time', () => {
  const rate = { rateBitsPerSecond: 8_000_000 }
  assert.is(arrivals({ ...rate, queueLimitBytes: 450 }, 10).got.length, 4)
  assert.is(arrivals({ ...rate, queueLimitFrames: 3 }, 10).counters.queueDrops, 7)
  // 100 bytes take 100 us: sent every 100 us, nothing ever waits.
  assert.is(arrivals({ ...rate, queueLimitFrames: 1 }, 10, { gap: 100 }).got.length, 10)
  assert.is(arrivals({ ...rate, queueLimitFrames: 1 }, 10, { gap: 50 }).got.length, 5)
})

test('loss, duplication and damage happen about as often as told', () => {
  const { got, counters } = arrivals({ lossRatio: 0.2, duplicateRatio: 0.1, corruptRatio: 0.3 }, 2000)
  assert.is(got.length, 2000 - counters.lost + counters.duplicated)
  assert.ok(Math.abs(counters.lost - 400) < 80, `${counters.lost}`)
  assert.ok(Math.abs(counters.duplicated - 160) < 50, `${counters.duplicated}`)
  assert.ok(Math.abs(counters.corrupted - 480) < 90, `${counters.corrupted}`)
  const flipped = got.map(({ number, frame }) =>
    frame.reduce((sum, byte) => sum + (byte ^ (number & 255)).toString(2).replaceAll('0', '').length, 0),
  )
  assert.equal(new Set(flipped), new Set([0, 1]))
})

test('a ratio of 1 is always and of 0 never', () => {
  assert.is(arrivals({ lossRatio: 1 }, 50).got.length, 0)
  assert.is(arrivals({ duplicateRatio: 1 }, 50).got.length, 100)
  assert.is(
    arrivals({ lossRatio: 0, duplicateRatio: 0, corruptRatio: 0, reorderRatio: 0 }, 50).got.length,
    50,
  )
})

test('jitter stays within its bounds and keeps the order', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(2000), fc.nat(50), fc.string(), (delay, jitter, gap, seed) => {
      const { got } = arrivals({ delay, jitter }, 30, { gap, seed })
      for (const [index, { at }] of got.entries()) {
        assert.ok(at >= index * gap, 'not before it was sent')
        assert.ok(at <= index * gap + delay + jitter + 1, 'not later than the most')
        if (index > 0) assert.ok(at >= got[index - 1]!.at, 'in order')
      }
    }),
    { numRuns: 50 },
  )
})

test('reordered frames are overtaken by those behind them', () => {
  const { got, counters } = arrivals({ reorderRatio: 0.3, reorderDelay: 2 * MILLISECOND }, 200, { gap: 100 })
  assert.ok(counters.reordered > 30)
  const late = got.filter(({ number, at }) => at === number * 100 + 2000)
  assert.is(late.length, counters.reordered)
  assert.is(got.filter(({ number, at }) => at === number * 100).length, 200 - late.length)
})

test.run()
