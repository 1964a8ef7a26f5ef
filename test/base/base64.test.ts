import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { base64Decode, base64Encode } from '../../src/base/base64.js'
import { fc } from '../support/properties.js'

const test = suite('base64')

test('encodes and decodes as Node does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64')
      assert.is(base64Encode(bytes), text)
      assert.equal(base64Decode(text), bytes)
    }),
  )
})

test('says where a text is not base64', () => {
  assert.equal(base64Decode('YWJj\nZA=='), Uint8Array.from([97, 98, 99, 100]))
  assert.equal(base64Decode('YW!j'), { illegalAt: 2 })
  assert.equal(base64Decode('YWJ'), { illegalAt: 3 })
  assert.equal(base64Decode('YQ=b'), { illegalAt: 3 })
  assert.equal(base64Decode('='), { illegalAt: 0 })
})

test.run()
