import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MILLISECOND, MINUTE, SECOND } from '../../src/base/time.js'
import { streamBytes } from '../support/tcp.js'
import { type PathOptions, TcpPipe, transfer } from '../support/tcp-pipe.js'

const test = suite('tcp transfers')
const MEGABYTE = 1 << 20
const UP = streamBytes(0, MEGABYTE)
const DOWN = streamBytes(777_777, MEGABYTE)

function both(options: PathOptions, limit = 60 * MINUTE) {
  const result = transfer(options, UP, DOWN, limit)
  assert.ok(result.finished, `finished within ${limit / SECOND} s: ${result.atServer.length} bytes up`)
  assert.ok(Buffer.compare(result.atServer, UP) === 0, 'client to server, byte for byte')
  assert.ok(Buffer.compare(result.atClient, DOWN) === 0, 'server to client, byte for byte')
  return result
}

test('1 MB each way over a clean path: no segment is sent twice', () => {
  const result = both({})
  // 719 full segments each way and an ACK for every second at most, where none rides on data.
  assert.ok(result.sent < 719 * 2 * 1.6, `${result.sent} segments`)
  assert.ok(result.time < 2 * SECOND, `${result.time} µs`)
})

test('1 MB each way with 20% loss, reordering and duplication arrives byte for byte', () => {
  for (const seed of ['one', 'two', 'three']) {
    const path = { lossRatio: 0.2, duplicateRatio: 0.1, jitter: 15 * MILLISECOND, seed }
    const result = both(path)
    assert.ok(result.lost > 200, `${result.lost} segments were lost`)
    assert.ok(result.time < 3 * MINUTE, `${result.time} µs`)
  }
})

test('jumbled by jitter alone, nothing is lost and everything arrives', () => {
  assert.is(both({ jitter: 40 * MILLISECOND, duplicateRatio: 0.05 }).lost, 0)
})

test('tiny buffers and odd segment sizes', () => {
  const small = { receiveBufferBytes: 3000, sendBufferBytes: 5000, mss: 997 }
  both({ client: small, server: { ...small, mss: 1203 }, lossRatio: 0.02, delay: 2 * MILLISECOND })
})

test('goodput falls with loss, and stays within a factor of 4 of the inverse-square-root law', () => {
  // Mathis et al. 1997: rate = MSS / RTT * C / sqrt(p), C about 1.2 without delayed ACKs, 0.87 with.
  const rtt = 0.02
  let previous = Number.POSITIVE_INFINITY
  for (const lossRatio of [0.001, 0.01, 0.03]) {
    const options = { lossRatio, delay: (rtt / 2) * SECOND, server: { receiveBufferBytes: 1 << 20 } }
    let time = 0
    for (const seed of ['a', 'b', 'c']) {
      const result = transfer({ ...options, seed }, UP, new Uint8Array(0), 10 * MINUTE)
      assert.ok(result.finished)
      time += result.time / SECOND / 3
    }
    const goodput = MEGABYTE / time
    const law = Math.min(((1460 / rtt) * 0.87) / Math.sqrt(lossRatio), 256 * 1024 * 50)
    assert.ok(goodput < law * 4 && goodput > law / 4, `${lossRatio}: ${goodput} B/s, law ${law} B/s`)
    assert.ok(goodput < previous)
    previous = goodput
  }
})

test('a receive window of 1 MiB keeps a long fat path full', () => {
  const big = { receiveBufferBytes: 1 << 20, sendBufferBytes: 1 << 20 }
  const rate = 100e6
  const options = { delay: 25 * MILLISECOND, rate, client: big, server: big }
  const result = transfer(options, streamBytes(0, 8 * MEGABYTE), new Uint8Array(0), MINUTE)
  assert.ok(result.finished)
  const bitsPerSecond = (8 * MEGABYTE * 8) / (result.time / SECOND)
  assert.ok(bitsPerSecond > 0.6 * rate, `${bitsPerSecond / 1e6} Mbit/s`)
})

test('a reader that stops closes the window, and the transfer goes on when it reads again', () => {
  const pipe = new TcpPipe()
  let written = 0
  const write = () => {
    if (pipe.client.writable > 0) written += pipe.client.write(UP.subarray(written), pipe.now)
  }
  assert.not(pipe.run(write, () => false, 30 * SECOND))
  const full = pipe.server!.readable
  assert.ok(full <= 256 * 1024 && full > 255 * 1000, `${full}`)
  assert.is(pipe.server!.info().receiveMemory, 256 * 1024)
  assert.is(written, full + 256 * 1024)
  const got = new Uint8Array(MEGABYTE)
  let taken = 0
  const both = () => {
    write()
    taken += pipe.server!.readInto(got.subarray(taken))
  }
  assert.ok(pipe.run(both, () => taken === MEGABYTE, 40 * SECOND))
  assert.ok(Buffer.compare(got, UP) === 0)
})

test('the same seed gives the same run', () => {
  const path = { lossRatio: 0.1, duplicateRatio: 0.1, jitter: 5 * MILLISECOND, seed: 'again' }
  const part = UP.subarray(0, 100_000)
  const runs = [0, 1].map(() => transfer(path, part, part, 10 * MINUTE))
  assert.equal([runs[0]!.time, runs[0]!.sent, runs[0]!.lost], [runs[1]!.time, runs[1]!.sent, runs[1]!.lost])
})

test.run()
