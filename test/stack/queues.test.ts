// The two queues of a stack by themselves: frames that leave, and sockets whose owners are to be called.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FrameQueue } from '../../src/stack/frame-queue.js'
import { type Notifying, ReadyQueue } from '../../src/stack/ready-queue.js'

const test = suite('queues')

test('thousands of frames leave in their order, with their interface, however they come and go', () => {
  const queue = new FrameQueue()
  let pushed = 0
  let taken = 0
  const push = (count: number) => {
    for (let i = 0; i < count; i++, pushed++)
      queue.push(pushed % 3, Uint8Array.of(pushed & 255), pushed, pushed * 2, 0)
  }
  const take = (count: number) => {
    for (let i = 0; i < count; i++, taken++) {
      assert.equal(queue.shift(), Uint8Array.of(taken & 255))
      assert.equal([queue.interfaceIndex, queue.tracking, queue.mark], [taken % 3, taken, taken * 2])
    }
  }
  push(3000)
  take(2500)
  push(1000)
  take(1500)
  assert.is(queue.length, 0)
  assert.is(queue.shift(), undefined)
  push(10)
  take(10)
})

function socket(onReady: () => void): Notifying {
  return { onReady, readyQueued: false }
}

test('an owner is called once however often its socket became ready, and never from within a flush', () => {
  const queue = new ReadyQueue()
  const log: string[] = []
  const second = socket(() => log.push('second'))
  const first = socket(() => {
    log.push('first')
    queue.push(second)
    queue.flush()
    log.push('first ends')
  })
  queue.push(first)
  queue.push(first)
  assert.equal(log, [])
  queue.flush()
  assert.equal(log, ['first', 'first ends'])
  assert.ok(queue.pending)
  queue.flush()
  assert.equal(log, ['first', 'first ends', 'second'])
  assert.not.ok(queue.pending)
})

test('an owner that throws does not take the others’ calls with it', () => {
  const queue = new ReadyQueue()
  let called = 0
  queue.push(
    socket(() => {
      throw new Error('owner')
    }),
  )
  queue.push(socket(() => called++))
  assert.throws(() => queue.flush(), /owner/)
  queue.flush()
  assert.is(called, 1)
})

test.run()
