import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReceiveBuffer } from '../../src/tcp/receive-buffer.js'
import { SendBuffer } from '../../src/tcp/send-buffer.js'
import { fc } from '../support/properties.js'
import { streamBytes } from '../support/tcp.js'

const test = suite('tcp buffers')

test('segments in any order, overlapping as they like, give the same bytes', () => {
  const LENGTH = 20_000
  const segment = fc.tuple(fc.nat(LENGTH - 1), fc.integer({ min: 1, max: 4000 }))
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 60 }), fc.nat(5000), (segments, readSize) => {
      const buffer = new ReceiveBuffer(LENGTH)
      const got: number[] = []
      const covered = new Uint8Array(LENGTH)
      const into = new Uint8Array(readSize)
      for (const [start, size] of [...segments, ...sweep(LENGTH, 1460)]) {
        const end = Math.min(LENGTH, start + size)
        const from = Math.max(start, buffer.next)
        if (from < end) {
          covered.fill(1, from, end)
          const before = buffer.next
          const moved = buffer.insert(from, streamBytes(from, end - from), 0, end - from)
          assert.is(buffer.next, before + moved)
        }
        // In order is exactly what is covered without a gap.
        const gap = covered.indexOf(0)
        assert.is(buffer.next, gap < 0 ? LENGTH : gap)
        const count = buffer.readInto(into)
        for (let i = 0; i < count; i++) got.push(into[i]!)
        const seen = buffer.peek()?.subarray(0, readSize) ?? new Uint8Array()
        assert.is(seen.length === 0, buffer.readable === 0 || readSize === 0)
        got.push(...seen)
        buffer.skip(seen.length)
      }
      while (buffer.readable > 0) {
        const rest = new Uint8Array(buffer.readable)
        buffer.readInto(rest)
        got.push(...rest)
      }
      assert.not(buffer.hasGap)
      assert.equal(Uint8Array.from(got), streamBytes(0, LENGTH))
    }),
    { numRuns: 40 },
  )
})

/** Segments of `size` that cover everything. */
function sweep(length: number, size: number): [number, number][] {
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => [i * size, size])
}

test('a peer that sends only crumbs with gaps between them is limited', () => {
  const buffer = new ReceiveBuffer(1 << 16)
  for (let offset = 1; offset < 1 << 14; offset += 2) buffer.insert(offset, Uint8Array.of(7), 0, 1)
  // The first 1024 crumbs were kept; the gaps before them filled, the data ends where the limit struck.
  for (let offset = 0; offset < 4096; offset += 2)
    if (offset >= buffer.next) buffer.insert(offset, Uint8Array.of(7), 0, 1)
  assert.is(buffer.next, 2049)
})

test('the send buffer keeps bytes by offset while it wraps and grows', () => {
  const buffer = new SendBuffer(10_000)
  let written = 0
  for (let round = 0; round < 200; round++) {
    written += buffer.write(streamBytes(written, 37 * (round % 50)))
    assert.is(buffer.end, written)
    const bytes = new Uint8Array(buffer.length)
    buffer.copyTo(buffer.start, buffer.length, bytes, 0)
    assert.equal(bytes, streamBytes(buffer.start, buffer.length))
    buffer.acknowledge(Math.floor(buffer.length / (1 + (round % 4))))
  }
  assert.ok(written > 50_000)
})

test.run()
