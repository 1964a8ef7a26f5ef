import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { initialSequence, isnKey } from '../../src/tcp/isn.js'
import { seqAdd, seqAfter, seqBefore, seqDistance, seqInRange } from '../../src/tcp/seq.js'
import { fc } from '../support/properties.js'
import { established, LOCAL, REMOTE } from '../support/tcp.js'

const test = suite('tcp sequence numbers')

test('arithmetic is modulo 2^32', () => {
  assert.is(seqAdd(0xffff_ffff, 1), 0)
  assert.is(seqAdd(0, -1), 0xffff_ffff)
  assert.is(seqDistance(0xffff_fff0, 0x10), 0x20)
  assert.is(seqDistance(0x10, 0xffff_fff0), -0x20)
  assert.ok(seqBefore(0xffff_ffff, 0))
  assert.ok(seqAfter(0, 0xffff_ffff))
  assert.ok(seqInRange(5, 0xffff_fff0, 0x16))
  assert.not(seqInRange(6, 0xffff_fff0, 0x16))
})

test('distance undoes addition, wherever on the circle', () => {
  const count = fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 })
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), count, (seq, n) => {
      assert.is(seqDistance(seq, seqAdd(seq, n)), n)
      assert.is(seqBefore(seq, seqAdd(seq, n)), n > 0)
      assert.is(seqAfter(seq, seqAdd(seq, n)), n < 0)
    }),
  )
})

test('a connection does not notice that its sequence numbers wrap, either way', () => {
  for (let before = 0; before < 12; before++) {
    const isns = { initialSequence: 2 ** 32 - 1 - before, irs: 2 ** 32 - 1 - before }
    established(isns)
      .write(5)
      .out('P. 1(5) ack 1')
      .in('. 4(3) ack 1')
      .out('. 6(0) ack 1')
      .in('P. 1(3) ack 6')
      .out('. 6(0) ack 7')
      .read(6)
      .shutdown()
      .out('F. 6(0) ack 7')
      .in('F. 7(0) ack 7')
      .out('. 7(0) ack 8')
      .state('TIME-WAIT')
  }
})

test('initial sequence numbers grow by one every 4 µs, from a start that only the key knows', () => {
  const key = isnKey(new Random('a'))
  const first = initialSequence(key, LOCAL, REMOTE, 0)
  assert.is(initialSequence(key, LOCAL, REMOTE, 4_000_000), seqAdd(first, 1_000_000))
  assert.is.not(initialSequence(isnKey(new Random('b')), LOCAL, REMOTE, 0), first)
  const others = Array.from({ length: 64 }, (_, i) =>
    initialSequence(key, LOCAL, { ...REMOTE, port: REMOTE.port + i }, 0),
  )
  assert.is(new Set(others).size, 64)
  // Neighbouring ports differ in about half of the bits.
  let bits = 0
  for (let i = 1; i < 64; i++)
    bits += ((others[i]! ^ others[i - 1]!) >>> 0).toString(2).replaceAll('0', '').length
  assert.ok(bits / 63 > 13 && bits / 63 < 19, `${bits / 63}`)
})

test.run()
