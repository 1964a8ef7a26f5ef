// Real time of a thread: when it must not nap, because something goes by its event loop.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RealTime } from '../../src/drivers/real-time.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const test = suite('real time')

test('a stirred thread yields for some turns of the event loop', async () => {
  const time = new RealTime(0)
  assert.is(time.yielding, false)
  time.stir()
  for (let turns = 0; turns < 5; turns++) {
    assert.ok(time.yielding)
    await turn()
  }
  // Again, before it is over.
  time.stir()
  let turns = 0
  for (; time.yielding && turns < 100; turns++) await turn()
  assert.ok(turns > 5 && turns < 100, `${turns} turns`)
  time.close()
})

test('and until the work that it was told of has settled, however it does', async () => {
  const time = new RealTime(0)
  for (const settle of ['resolve', 'reject'] as const) {
    const { promise, end } = deferred(settle)
    time.stir(promise)
    for (let turns = 0; turns < 50; turns++) await turn()
    assert.ok(time.yielding)
    end()
    let turns = 0
    for (; time.yielding && turns < 100; turns++) await turn()
    assert.ok(turns < 100)
  }
  time.close()
})

function deferred(settle: 'resolve' | 'reject'): { promise: Promise<void>; end: () => void } {
  let end = () => {}
  const promise = new Promise<void>((resolve, reject) => {
    end = settle === 'resolve' ? resolve : () => reject(new Error('refused'))
  })
  return { promise, end }
}

test.run()
