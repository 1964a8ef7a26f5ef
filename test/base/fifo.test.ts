import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Fifo } from '../../src/base/fifo.js'
import { Random } from '../../src/base/random.js'

const test = suite('fifo')

test('what comes first goes first, as in an array, however much waits', () => {
  const random = new Random('fifo')
  const fifo = new Fifo<number>()
  const array: number[] = []
  for (let step = 0; step < 20_000; step++) {
    // More comes than goes in every other stretch.
    if (random.float() < (Math.floor(step / 2000) % 2 === 0 ? 0.8 : 0.2)) {
      fifo.push(step)
      array.push(step)
    } else assert.is(fifo.shift(), array.shift())
    assert.is(fifo.length, array.length)
    assert.is(fifo.first, array[0])
    if (step % 500 === 0) assert.equal([...fifo], array)
  }
  assert.equal(fifo.clear(), array)
  assert.is(fifo.length, 0)
  assert.is(fifo.shift(), undefined)
  fifo.push(1)
  assert.equal([...fifo], [1])
})

test('values that are falsy wait as others do', () => {
  const fifo = new Fifo<number | undefined>()
  for (const value of [0, undefined, 1]) fifo.push(value)
  assert.is(fifo.length, 3)
  assert.equal([fifo.shift(), fifo.shift(), fifo.shift(), fifo.length], [0, undefined, 1, 0])
})

test.run()
