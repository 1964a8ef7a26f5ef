// The list against a Set that does the same.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LinkedList, type Place } from '../../src/base/linked-list.js'
import { Random } from '../../src/base/random.js'

const test = suite('linked list')

test('gives its members in the order in which they came, whatever goes between', () => {
  const random = new Random('members')
  const list = new LinkedList<number>()
  const model = new Set<number>()
  const places: Place<number>[] = []
  for (let step = 0; step < 3000; step++) {
    if (random.int(5) < 3) {
      places.push(list.add(step))
      model.add(step)
    } else if (places.length > 0) {
      const place = places[random.int(places.length)]!
      assert.is(list.remove(place), model.delete(place.value))
    }
    assert.is(list.size, model.size)
  }
  assert.equal([...list], [...model])
})

test('members may go and come while it is walked', () => {
  const list = new LinkedList<number>()
  const places = [1, 2, 3].map((value) => list.add(value))
  const seen: number[] = []
  for (const value of list) {
    seen.push(value)
    list.remove(places[value - 1]!)
    if (value === 2) places.push(list.add(4))
  }
  assert.equal(seen, [1, 2, 3, 4])
  assert.is(list.size, 0)
})

test.run()
