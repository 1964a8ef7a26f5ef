// Limits: what they read, what they refuse, when they hold.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { holds, parseThreshold, ThresholdError } from '../../src/bench/threshold.js'

const test = suite('thresholds')

const refused = (text: string): string => {
  try {
    parseThreshold(text)
  } catch (error) {
    if (error instanceof ThresholdError) return `${error.message}; ${error.hint}`
  }
  throw new Error(`${text} was taken`)
}

test('a figure, a comparison, a limit in the unit of the figure', () => {
  assert.equal(parseThreshold('p99<5ms'), { text: 'p99<5ms', metric: 'p99', operator: '<', limit: 5 })
  assert.is(parseThreshold('p99.9 <= 0.5s').limit, 500)
  assert.is(parseThreshold('p50<250us').limit, 0.25)
  assert.is(parseThreshold('errors<1%').limit, 0.01)
  assert.is(parseThreshold('jain>0.99').limit, 0.99)
  assert.is(parseThreshold('chi2-p>=0.01').metric, 'chi2-p')
})

test('what is none says what would be one', () => {
  assert.match(refused('fast'), 'such as p99<5ms')
  assert.match(refused('p98<5ms'), 'unknown figure p98; known: rps, p50')
  assert.match(refused('p99<5'), 'the unit is missing; p99 is in us, µs, ms, s')
  assert.match(refused('jain>99%'), '% is no unit of jain; jain is a plain number')
  assert.match(refused('p99<5min'), 'min is no unit of p99')
})

test('a figure that is not there keeps no limit', () => {
  const limit = parseThreshold('p99<5ms')
  assert.is(holds(limit, 4.99), true)
  assert.is(holds(limit, 5), false)
  assert.is(holds(limit, undefined), false)
})

test.run()
