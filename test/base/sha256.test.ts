import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sha256 } from '../../src/base/sha256.js'
import { fc } from '../support/properties.js'

const test = suite('sha256')
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('the digest of "abc" is that of FIPS 180-4', () => {
  assert.is(hex(sha256('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('texts of any length have the digest that OpenSSL gives', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      assert.is(hex(sha256(text)), createHash('sha256').update(text).digest('hex'))
    }),
  )
})

test.run()
