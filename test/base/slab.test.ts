// Arrays from a Slab: zero, apart from each other, and used again only when they were given back.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Slab } from '../../src/base/slab.js'

const test = suite('slab')

const LARGE = 60_000

test('small arrays are zero and do not overlap', () => {
  const slab = new Slab()
  const arrays = Array.from({ length: 100 }, () => slab.take(1514))
  for (const [i, bytes] of arrays.entries()) {
    assert.ok(bytes.every((byte) => byte === 0))
    bytes.fill(i + 1)
  }
  for (const [i, bytes] of arrays.entries()) assert.ok(bytes.every((byte) => byte === i + 1))
})

test('a large array that was given back is used again, its head cleared', () => {
  const slab = new Slab()
  const first = slab.take(LARGE).fill(7)
  slab.giveBack(first)
  const second = slab.take(LARGE - 1000)
  assert.is(second.buffer, first.buffer)
  assert.is(second.length, LARGE - 1000)
  assert.ok(second.subarray(0, 512).every((byte) => byte === 0))
})

test('what is in use is not given out, however often something was given back', () => {
  const slab = new Slab()
  const first = slab.take(LARGE)
  slab.giveBack(first)
  slab.giveBack(first)
  const second = slab.take(LARGE)
  const third = slab.take(LARGE)
  assert.is.not(second.buffer, third.buffer)
})

test('arrays of others, and shared ones, are left alone', () => {
  const slab = new Slab()
  const foreign = new Uint8Array(LARGE)
  slab.giveBack(foreign)
  slab.giveBack(new Uint8Array(new SharedArrayBuffer(LARGE)))
  slab.giveBack(new Slab().take(LARGE))
  assert.ok(slab.take(LARGE).every((byte) => byte === 0))
  assert.is.not(slab.take(LARGE).buffer, foreign.buffer)
})

test('what is larger than any frame is made by itself', () => {
  const slab = new Slab()
  const huge = slab.take(1_000_000)
  assert.is(huge.length, 1_000_000)
  slab.giveBack(huge)
  assert.is.not(slab.take(1_000_000).buffer, huge.buffer)
})

test.run()
