import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NEVER } from '../../src/base/time.js'
import { TimerHeap } from '../../src/base/timer-heap.js'
import { fc } from '../support/properties.js'

const test = suite('timer heap')

test('gives deadlines in order of time, ties in the order in which they were set', () => {
  const heap = new TimerHeap<string>()
  heap.set(heap.timer('late'), 20)
  heap.set(heap.timer('first of two'), 10)
  heap.set(heap.timer('second of two'), 10)
  assert.is(heap.next(), 10)
  assert.is(heap.due(10)?.owner, 'first of two')
  assert.is(heap.due(10)?.owner, 'second of two')
  assert.is(heap.due(10), undefined)
  assert.is(heap.due(20)?.owner, 'late')
  assert.is(heap.next(), NEVER)
})

test('agrees with a sorted list under any mix of set, move and cancel', () => {
  const operation = fc.tuple(fc.nat(9), fc.oneof(fc.nat(50), fc.constant(NEVER)))
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const heap = new TimerHeap<number>()
      const timers = Array.from({ length: 10 }, (_, owner) => heap.timer(owner))
      const model = new Map<number, { at: number; order: number }>()
      let order = 0
      for (const [owner, at] of operations) {
        heap.set(timers[owner]!, at)
        if (at === NEVER) model.delete(owner)
        else if (model.get(owner)?.at !== at) model.set(owner, { at, order: order++ })
      }
      const expected = [...model]
        .sort(([, a], [, b]) => a.at - b.at || a.order - b.order)
        .map(([owner]) => owner)
      const got: number[] = []
      for (let timer = heap.due(50); timer !== undefined; timer = heap.due(50)) got.push(timer.owner)
      assert.equal(got, expected)
      assert.is(heap.size, 0)
    }),
  )
})

test.run()
