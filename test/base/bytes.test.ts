import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  concatBytes,
  equalBytes,
  getUint16,
  getUint32,
  getUint48,
  setUint16,
  setUint32,
  setUint48,
  utf8Decode,
  utf8Encode,
} from '../../src/base/bytes.js'
import { fc } from '../support/properties.js'

const test = suite('bytes')

test('numbers are big-endian and survive the way in and out', () => {
  const bytes = new Uint8Array(8)
  setUint16(bytes, 1, 0xabcd)
  assert.equal([...bytes], [0, 0xab, 0xcd, 0, 0, 0, 0, 0])
  fc.assert(
    fc.property(fc.nat(0xffff), fc.maxSafeNat(), (word, large) => {
      setUint16(bytes, 0, word)
      assert.is(getUint16(bytes, 0), word)
      setUint32(bytes, 3, large % 2 ** 32)
      assert.is(getUint32(bytes, 3), large % 2 ** 32)
      setUint48(bytes, 2, large % 2 ** 48)
      assert.is(getUint48(bytes, 2), large % 2 ** 48)
    }),
  )
})

test('joining keeps every byte in order', () => {
  const joined = concatBytes([Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)])
  assert.ok(equalBytes(joined, Uint8Array.of(1, 2, 3)))
  assert.not.ok(equalBytes(joined, Uint8Array.of(1, 2, 4)))
  assert.not.ok(equalBytes(joined, Uint8Array.of(1, 2)))
})

test('text is encoded as TextEncoder does, surrogates without a partner included', () => {
  const encoder = new TextEncoder()
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
  )
  fc.assert(fc.property(text, (text) => assert.equal(utf8Encode(text), encoder.encode(text))))
})

test('bytes are decoded as TextDecoder does, ill-formed ones included', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const lead = fc.constantFrom(
    0xc0,
    0xc2,
    0xe0,
    0xe1,
    0xed,
    0xef,
    0xf0,
    0xf1,
    0xf4,
    0xf5,
    0x80,
    0x9f,
    0xa0,
    0xbf,
    0x41,
  )
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.array(lead).map((list) => Uint8Array.from(list)),
  )
  fc.assert(fc.property(bytes, (bytes) => assert.is(utf8Decode(bytes), decoder.decode(bytes))))
  assert.is(utf8Decode(utf8Encode('x'.repeat(100_000))).length, 100_000)
  assert.is(utf8Decode(utf8Encode('-é-'), 1, 3), 'é')
})

test.run()
