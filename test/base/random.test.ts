import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'

const test = suite('random')

test('the same name gives the same draws, another name others', () => {
  const draw = (random: Random) => Array.from({ length: 8 }, () => random.uint32())
  assert.equal(draw(new Random('1').fork('dns')), draw(new Random('1').fork('dns')))
  assert.not.equal(draw(new Random('1').fork('dns')), draw(new Random('1').fork('tcp')))
  assert.not.equal(draw(new Random('1')), draw(new Random('2')))
})

test('forking does not advance the stream forked from', () => {
  const forked = new Random('seed')
  forked.fork('child').uint32()
  assert.is(forked.uint32(), new Random('seed').uint32())
})

test('int is uniform: chi-square over 10 cells stays under the bound of p = 0.001', () => {
  const random = new Random('uniform')
  const cells = new Array<number>(10).fill(0)
  for (let i = 0; i < 10_000; i++) cells[random.int(10)]!++
  const chiSquare = cells.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
  assert.ok(chiSquare < 27.88, `chi-square ${chiSquare}`)
})

test('shuffle reaches all 6 orders of 3 items about equally often', () => {
  const random = new Random('orders')
  const seen = new Map<string, number>()
  for (let i = 0; i < 6000; i++) {
    const order = random.shuffle(['a', 'b', 'c']).join('')
    seen.set(order, (seen.get(order) ?? 0) + 1)
  }
  assert.is(seen.size, 6)
  for (const n of seen.values()) assert.ok(n > 850 && n < 1150, `${n}`)
})

test.run()
