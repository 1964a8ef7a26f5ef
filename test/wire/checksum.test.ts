import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setUint16, setUint32 } from '../../src/base/bytes.js'
import { checksumOf, onesSum, updateChecksum, updateChecksumAddress } from '../../src/wire/checksum.js'
import { fc } from '../support/properties.js'
import { hex, IPV4_HEADER, RFC_1071_EXAMPLE } from './vectors.js'

const test = suite('checksum')

test('the example of RFC 1071 sums to ddf2', () => {
  assert.is(checksumOf(onesSum(RFC_1071_EXAMPLE, 0, 8)), ~0xddf2 & 0xffff)
})

test('a header with its checksum in place gives 0', () => {
  assert.is(checksumOf(onesSum(IPV4_HEADER, 0, 20)), 0)
})

test('an odd last byte is the high half of a word', () => {
  assert.is(onesSum(hex('0102 03'), 0, 3), 0x0102 + 0x0300)
  assert.is(onesSum(hex('ff 0102 03 ff'), 1, 4), 0x0102 + 0x0300)
  assert.is(onesSum(hex('ff'), 1, 1), 0)
})

test('summed in parts or at once, the result is the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(40), (bytes, half) => {
      const cut = Math.min(half * 2, bytes.length & ~1)
      assert.is(onesSum(bytes, cut, bytes.length, onesSum(bytes, 0, cut)), onesSum(bytes, 0, bytes.length))
    }),
  )
})

test('short and long stretches at any offset sum as word by word', () => {
  const wordByWord = (bytes: Uint8Array, start: number, end: number) => {
    let sum = 0
    for (let at = start; at < end; at += 2) sum += bytes[at]! * 256 + (at + 1 < end ? bytes[at + 1]! : 0)
    return sum
  }
  const all = fc.uint8Array({ minLength: 700, maxLength: 2000 })
  fc.assert(
    fc.property(all, fc.nat(40), fc.nat(600), (memory, offset, start) => {
      const bytes = memory.subarray(offset)
      for (const end of [start, start + 1, start + 21, start + 255, start + 256, bytes.length]) {
        const until = Math.min(end, bytes.length)
        assert.is(onesSum(bytes, start, until), wordByWord(bytes, start, until))
      }
    }),
  )
})

test('folding is right for sums beyond 32 bits', () => {
  const sum = 3_000_000 * 0xffff
  assert.is(checksumOf(sum), 0)
  assert.is(checksumOf(sum + 1), 0xfffe)
})

test('an incremental update (RFC 1624) equals computing anew', () => {
  const words = fc.array(fc.nat(0xffff), { minLength: 4, maxLength: 20 })
  fc.assert(
    fc.property(words, fc.nat(0xffff), fc.nat(0xffffffff), (words, word, address) => {
      // The first word is the version's, as in every IP header: data of zeros only has two checksums.
      const bytes = new Uint8Array(2 * words.length + 2)
      words.forEach((value, index) => {
        setUint16(bytes, 2 * index + 2, value)
      })
      setUint16(bytes, 0, 0x4500)
      const before = checksumOf(onesSum(bytes, 0, bytes.length))
      const oldWord = (bytes[2]! << 8) | bytes[3]!
      setUint16(bytes, 2, word)
      const between = checksumOf(onesSum(bytes, 0, bytes.length))
      assert.is(updateChecksum(before, oldWord, word), between)
      const old = new DataView(bytes.buffer).getUint32(4)
      setUint32(bytes, 4, address)
      assert.is(updateChecksumAddress(between, old, address), checksumOf(onesSum(bytes, 0, bytes.length)))
    }),
  )
})

test('the corner that RFC 1141 had wrong: dd2f, 5555 to 3285, gives 0000', () => {
  assert.is(updateChecksum(0xdd2f, 0x5555, 0x3285), 0)
})

test.run()
