import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findMismatch, satisfies } from '../../src/scenario/expectation.js'
import { countsOf, formatShares, isInTurn, jainIndex } from '../../src/scenario/shares.js'
import { fc } from '../support/properties.js'

const test = suite('shares')

test("Jain's index is 1 for equal shares and 1/n when one has everything", () => {
  assert.is(jainIndex([3, 3, 3]), 1)
  assert.is(jainIndex([9, 0, 0]), 1 / 3)
  assert.is(jainIndex([]), 1)
})

test("Jain's index lies between 1/n and 1, whatever the counts", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 }), (counts) => {
      const index = jainIndex(counts)
      assert.ok(index <= 1 + 1e-9 && index >= 1 / counts.length - 1e-9, `${index}`)
    }),
  )
})

test('in turn means the same order in every round', () => {
  assert.ok(isInTurn(['a', 'b', 'c', 'a', 'b', 'c', 'a']))
  assert.ok(isInTurn(['a']))
  assert.not.ok(isInTurn(['a', 'b', 'c', 'b', 'a', 'c']))
  assert.not.ok(isInTurn(['a', 'a', 'b', 'b']))
})

test('counts are sorted by endpoint, and shown with their percentage', () => {
  const shares = { requests: 4, failed: 1, sequence: ['b:80', 'a:80', 'b:80'] }
  assert.equal(
    [...countsOf(shares)],
    [
      ['a:80', 1],
      ['b:80', 2],
    ],
  )
  assert.match(formatShares(shares), /^4 requests, 1 failed\na:80 +1 +33\.3 %\nb:80 +2 +66\.7 %\n/)
})

test('comparisons: a number, a bound, a range', () => {
  const cases: [number | string, number, boolean][] = [
    [3, 3, true],
    [3, 4, false],
    ['>=0.99', 0.99, true],
    ['> 0.99', 0.99, false],
    ['<2', 1, true],
    ['<=2', 3, false],
    ['=2', 2, true],
    ['3..5', 5, true],
    ['3..5', 6, false],
    ['0.5..1.5', 1, true],
  ]
  for (const [wanted, actual, holds] of cases)
    assert.is(satisfies(wanted, actual), holds, `${wanted} ${actual}`)
})

test('an endpoint that was not expected, or not as often, is told', () => {
  const observed = {
    exitCode: 0,
    output: '',
    stdout: '',
    shares: { requests: 3, failed: 0, sequence: ['a', 'a', 'b'] },
  }
  assert.is(findMismatch({ endpoints: { a: 3 } }, observed)?.reason, 'b answered and was not expected to')
  assert.is(findMismatch({ endpoints: { a: 1, b: 1 } }, observed)?.reason, 'expected requests to a 1, got 2')
  assert.is(
    findMismatch({ order: 'in-turn' }, observed)?.reason,
    'the endpoints did not come in turn: a, a, b',
  )
  assert.is(findMismatch({ jain: '>0.95' }, observed)?.reason, "expected Jain's index >0.95, got 0.9")
  assert.is(findMismatch({ endpoints: { a: 2, b: 1 }, requests: 3, distinct: 2 }, observed), undefined)
})

test('counts can only be expected where something was counted', () => {
  const observed = { exitCode: 0, output: '', stdout: '' }
  assert.is(findMismatch({ each: 3 }, observed)?.reason, '`each` can only be expected of load and shares')
})

test.run()
