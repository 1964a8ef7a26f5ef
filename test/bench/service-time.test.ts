// Declared service times: their form, their means, the line in front of the workers, the same draws for the same seed.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { drawServiceTime, parseServiceTime, ServiceDesk } from '../../src/pod/load/service-time.js'
import { NameNetwork } from '../support/name-network.js'

const test = suite('service times')

const MEANS = {
  'constant(5ms)': 5000,
  'uniform(1ms, 9ms)': 5000,
  'exponential(5ms)': 5000,
  // exp(sigma^2 / 2) times the median.
  'lognormal(5ms, 0.5)': 5000 * Math.exp(0.125),
}

for (const [text, mean] of Object.entries(MEANS)) {
  test(`${text} has its mean, and the same draws for the same seed`, () => {
    const model = parseServiceTime(text)!
    const draws = (seed: string) => {
      const random = new Random(seed)
      return Array.from({ length: 20_000 }, () => drawServiceTime(model, random))
    }
    const drawn = draws('a')
    const found = drawn.reduce((sum, value) => sum + value, 0) / drawn.length
    assert.ok(Math.abs(found - mean) < mean * 0.03, `${found} for ${mean}`)
    assert.ok(drawn.every((value) => Number.isInteger(value) && value >= 0))
    assert.equal(draws('a'), drawn)
  })
}

test('what is no distribution is none', () => {
  for (const text of ['', '5ms', 'gamma(5ms)', 'constant(5)', 'uniform(9ms, 1ms)', 'lognormal(5ms)'])
    assert.is(parseServiceTime(text), undefined, text)
})

test('requests wait for a free worker, in their order', async () => {
  const network = new NameNetwork()
  const model = parseServiceTime('constant(10ms)')!
  const desk = new ServiceDesk(model, 2, network.clock, new Random('desk'))
  const ends: number[] = []
  await network.run(
    Promise.all([0, 1, 2, 3, 4].map(() => desk.serve().then(() => void ends.push(network.now)))),
  )
  assert.equal(ends, [10_000, 10_000, 20_000, 20_000, 30_000])
})

test.run()
