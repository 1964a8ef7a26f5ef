// What a ping remembers: more requests than there are sequence numbers, duplicates, and the sums of round trips.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PingRecord } from '../../../../src/shell/applets/net/ping-record.js'

const test = suite('ping record')

test('sequence numbers come again after 65,536 requests, sums go on', () => {
  const record = new PingRecord()
  const requests = 200_000
  for (let request = 1; request <= requests; request++) {
    const sequence = record.send(request, request * 1000)
    assert.is(sequence, request & 0xffff)
    assert.not.ok(record.isAnswered(request))
    // One of a hundred is lost.
    if (request % 100 === 0) continue
    assert.equal(record.answer(sequence, request * 1000 + 200), { time: 200, isDuplicate: false })
    assert.ok(record.isAnswered(request))
  }
  assert.is(record.transmitted, requests)
  assert.is(record.received, requests - requests / 100)
  assert.equal(record.roundTrips(), { min: 200, max: 200, mean: 200, deviation: 0, ewma: 200 })
})

test('a second answer is a duplicate whose time does not count, an answer to nothing is none', () => {
  const record = new PingRecord()
  assert.is(record.roundTrips(), undefined)
  const sequence = record.send(1, 0)
  assert.is(record.answer(sequence + 1, 5), undefined)
  record.answer(sequence, 100)
  assert.equal(record.answer(sequence, 900), { time: 900, isDuplicate: true })
  record.send(2, 1000)
  record.answer(2, 1300)
  // A time that is not in the packet is not known.
  record.send(3, 2000)
  record.answer(3, 9000, false)
  assert.equal([record.transmitted, record.received, record.duplicates], [3, 3, 1])
  assert.equal(record.roundTrips(), { min: 100, max: 300, mean: 200, deviation: 100, ewma: 125 })
})

test.run()
