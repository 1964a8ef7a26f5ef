// Fairness while endpoints come and go, against figures reckoned by hand and against chance itself.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { chiSquareOverTime, fairShares, jainOverTime, type Received } from '../../src/bench/fairness.js'
import { chiSquare, longestRun, runByChance } from '../../src/bench/statistics.js'
import { jainIndex } from '../../src/scenario/shares.js'
import { fc } from '../support/properties.js'

const test = suite('fairness over time')

const phase = (at: number, ...endpoints: string[]) => ({
  at,
  endpoints: new Map(endpoints.map((one) => [one, undefined])),
})
const received = (at: number, ...endpoints: string[]) =>
  endpoints.map((endpoint): Received => ({ at, endpoint }))
const near = (value: number | undefined, expected: number, error: number) =>
  assert.ok(Math.abs(value! - expected) <= error, `${value} is not ${expected}`)

test('without changes it is the plain index and the plain test', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 8 }), (counts) => {
      fc.pre(counts.reduce((sum, one) => sum + one, 0) >= counts.length)
      const names = counts.map((_, i) => `e${i}`)
      const all = counts.flatMap((count, i) => received(0, ...new Array<string>(count).fill(names[i]!)))
      near(jainOverTime([phase(-1, ...names)], all), jainIndex(counts), 1e-12)
      assert.equal(chiSquareOverTime([phase(-1, ...names)], all), chiSquare(counts))
    }),
  )
})

test('an endpoint that was there half of the time is to have a share of that half alone', () => {
  const ready = [phase(-1, 'a', 'b'), phase(10, 'a', 'b', 'c', 'd')]
  const all = [
    ...received(5, 'a', 'b', 'a', 'b', 'a', 'b', 'a', 'b'),
    ...received(10, 'a', 'b', 'c', 'd', 'a', 'b', 'c', 'd'),
  ]
  assert.is(jainOverTime(ready, all), 1)
  assert.equal(
    [...fairShares(ready, all)],
    [
      ['a', 6],
      ['b', 6],
      ['c', 2],
      ['d', 2],
    ],
  )
  assert.equal(chiSquareOverTime(ready, all), { statistic: 0, degreesOfFreedom: 4, p: 1 })
  // Who never uses the new ones: 16 / (8²/6 + 8²/6).
  const lasting = [...received(5, ...'abababab'), ...received(10, ...'abababab')]
  near(jainOverTime(ready, lasting), 0.75, 1e-12)
})

test('what goes to an endpoint that is not ready any more does not count', () => {
  const ready = [phase(-1, 'a', 'b'), phase(10, 'b', 'c')]
  const all = [...received(5, 'a', 'b'), ...received(11, 'a', 'a', 'b', 'c')]
  assert.is(jainOverTime(ready, all), 1)
  assert.is(chiSquareOverTime(ready, all)!.degreesOfFreedom, 2)
  assert.is(jainOverTime(ready, []), undefined)
  // One connection to two endpoints: too few to test.
  assert.is(chiSquareOverTime(ready, received(5, 'a')), undefined)
})

test('fair choices while endpoints come and go pass at 5 % about 95 times of 100, unfair ones never', () => {
  const names = [...'abcdef']
  const random = new Random('fairness')
  const ready = [3, 5, 2, 6, 4].map((count, i) => phase(i * 100, ...names.slice(0, count)))
  const draw = (choose: (count: number) => number) =>
    ready.flatMap(({ at, endpoints }) =>
      Array.from({ length: 40 }, () => ({ at, endpoint: names[choose(endpoints.size)]! })),
    )
  let failed = 0
  for (let i = 0; i < 400; i++) {
    const fair = draw((count) => Math.floor(random.float() * count))
    if (chiSquareOverTime(ready, fair)!.p < 0.05) failed++
    const skewed = draw((count) => Math.floor(random.float() ** 2 * count))
    assert.ok(chiSquareOverTime(ready, skewed)!.p < 0.05)
  }
  assert.ok(failed >= 6 && failed <= 34, `${failed} of 400`)
})

test('the longest run of fair choices is what it is said to be', () => {
  const random = new Random('runs')
  for (const [count, endpoints] of [
    [100, 3],
    [600, 3],
    [1000, 2],
    [2000, 12],
  ] as const) {
    let sum = 0
    for (let i = 0; i < 300; i++)
      sum += longestRun(Array.from({ length: count }, () => String(Math.floor(random.float() * endpoints))))
    near(sum / 300, runByChance(count, endpoints), 0.3)
  }
  assert.is(runByChance(7, 1), 7)
})

test.run()
