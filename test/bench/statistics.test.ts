// Statistics against values that others have published or computed.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LatencyHistogram } from '../../src/bench/latency-histogram.js'
import { chiSquare, longestRun, spreadOf, upperGamma } from '../../src/bench/statistics.js'
import { jainIndex } from '../../src/scenario/shares.js'
import { fc } from '../support/properties.js'

const test = suite('statistics of a load')

const near = (value: number, expected: number, error: number) =>
  assert.ok(Math.abs(value - expected) <= error, `${value} is not ${expected}`)

test('the 5 % and 1 % points of chi-square are those of the tables', () => {
  // Critical values for 1, 2, 5, 10 and 100 degrees of freedom (NIST/SEMATECH e-Handbook, 1.3.6.7.4).
  for (const [degrees, five, one] of [
    [1, 3.841, 6.635],
    [2, 5.991, 9.21],
    [5, 11.07, 15.086],
    [10, 18.307, 23.209],
    [100, 124.342, 135.807],
  ] as const) {
    near(upperGamma(degrees / 2, five / 2), 0.05, 5e-5)
    near(upperGamma(degrees / 2, one / 2), 0.01, 2e-5)
  }
})

test('with two degrees of freedom p is exp(-x/2), with one it is the normal tail', () => {
  for (const x of [0.01, 0.5, 1, 3, 20, 200]) near(upperGamma(1, x), Math.exp(-x), 1e-12)
  near(upperGamma(0.5, 0.5), 0.31731050786291115, 1e-12)
  near(upperGamma(0.5, 2), 0.04550026389635842, 1e-12)
})

test('a die that was thrown 60 times', () => {
  const result = chiSquare([5, 8, 9, 8, 10, 20])!
  near(result.statistic, 13.4, 1e-12)
  assert.is(result.degreesOfFreedom, 5)
  near(result.p, 0.0199, 5e-5)
  near(chiSquare([10, 10, 10])!.p, 1, 1e-12)
  assert.is(chiSquare([7]), undefined)
  assert.is(chiSquare([0, 0]), undefined)
})

test("Jain's index is 1 for equal shares and 1/n when one has all", () => {
  assert.is(jainIndex([5, 5, 5]), 1)
  near(jainIndex([9, 0, 0]), 1 / 3, 1e-12)
  near(jainIndex([1, 2, 3]), 36 / 42, 1e-12)
})

test('the longest run', () => {
  assert.is(longestRun([]), 0)
  assert.is(longestRun(['a']), 1)
  assert.is(longestRun(['a', 'b', 'b', 'b', 'a', 'a']), 3)
})

test('median, least and most', () => {
  assert.equal(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 })
  assert.equal(spreadOf([4, 1]), { median: 2.5, min: 1, max: 4 })
})

test('percentiles of small values are exact', () => {
  const histogram = new LatencyHistogram()
  for (let value = 1; value <= 1000; value++) histogram.record(value)
  for (const [share, expected] of [
    [0.5, 500],
    [0.9, 900],
    [0.99, 990],
    [0.999, 999],
    [1, 1000],
  ] as const)
    assert.is(histogram.percentile(share), expected)
  assert.is(histogram.mean, 500.5)
  assert.is(new LatencyHistogram().percentile(0.99), 0)
})

test('every percentile is that of the sorted values to within 1/2048', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 4_000_000_000 }), { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0.001, max: 1, noNaN: true }),
      (values, share) => {
        const histogram = new LatencyHistogram()
        for (const value of values) histogram.record(value)
        const sorted = [...values].sort((a, b) => a - b)
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length - 1e-9)) - 1]!
        const found = histogram.percentile(share)
        assert.ok(found >= exact && found <= exact * (1 + 1 / 2048) + 1, `${found} for ${exact}`)
        assert.is(histogram.max, sorted.at(-1))
        assert.is(
          [...histogram.buckets()].reduce((sum, [, count]) => sum + count, 0),
          values.length,
        )
      },
    ),
  )
})

test.run()
