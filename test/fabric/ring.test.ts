import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RingConsumer, RingProducer, ringBuffer } from '../../src/fabric/ring.js'
import { fc } from '../support/properties.js'

const test = suite('ring')

function ring(capacityBytes = 4096) {
  const buffer = ringBuffer(capacityBytes)
  return { producer: new RingProducer(buffer), consumer: new RingConsumer(buffer) }
}

test('gives frames back in order and byte for byte, whatever their sizes and the rhythm of both sides', () => {
  const step = fc.oneof(fc.integer({ min: 1, max: 1514 }), fc.constant('read' as const))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { producer, consumer } = ring()
      const expected: Uint8Array[] = []
      let fill = 0
      const readAll = () => {
        for (let frame = consumer.read(); frame !== undefined; frame = consumer.read()) {
          assert.equal(new Uint8Array(frame), expected.shift())
        }
        consumer.release()
      }
      for (const action of steps) {
        if (action === 'read') readAll()
        else {
          const frame = new Uint8Array(action).fill(++fill & 255)
          if (producer.write(frame)) expected.push(frame)
          producer.publish()
        }
      }
      readAll()
      assert.is(expected.length, 0)
    }),
  )
})

test('a full ring drops and counts, and takes frames again once room was released', () => {
  const { producer, consumer } = ring()
  let taken = 0
  while (producer.write(new Uint8Array(1000))) taken++
  assert.is(taken, 4)
  assert.is(producer.dropped, 1)
  producer.publish()
  consumer.read()
  assert.not(producer.write(new Uint8Array(1000)))
  consumer.release()
  assert.ok(producer.write(new Uint8Array(1000)))
})

test('frames are not seen before they are published', () => {
  const { producer, consumer } = ring()
  producer.write(new Uint8Array(10))
  assert.is(consumer.read(), undefined)
  producer.publish()
  assert.is(consumer.read()?.length, 10)
})

test('a capacity that is no power of two is refused', () => {
  assert.throws(() => ringBuffer(5000), /power of two/)
})

test('a frame comes with its port and the work that is left to do of it', () => {
  const { producer, consumer } = ring()
  producer.write(Uint8Array.of(1), 7, 0x105b4)
  producer.publish()
  assert.equal(consumer.read(), Uint8Array.of(1))
  assert.is(consumer.port, 7)
  assert.is(consumer.offload, 0x105b4)
})

test.run()
