import { MessageChannel } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Machine } from '../../src/base/machine.js'
import { Slab } from '../../src/base/slab.js'
import { NEVER } from '../../src/base/time.js'
import { doorbell } from '../../src/drivers/doorbell.js'
import { RealTime } from '../../src/drivers/real-time.js'
import { RingMachine } from '../../src/drivers/ring-machine.js'
import { ThreadGauge, threadGauge } from '../../src/drivers/thread-gauge.js'
import { WiredHosts } from '../../src/drivers/wired-hosts.js'
import { ringBuffer } from '../../src/fabric/ring.js'

const test = suite('wired hosts')

/** A host that sends what it is told to, and may answer every frame. */
class Sender implements Machine {
  readonly queue: number[] = []
  /** How often it was asked for all that it has. */
  asked = 0
  onFrame: (content: number) => void = () => {}

  receive(_port: number, frame: Uint8Array): void {
    this.onFrame(frame[0]!)
  }
  advance(): void {}
  transmit() {
    const content = this.queue.shift()
    if (content !== undefined) return { port: 0, frame: Uint8Array.of(content) }
    this.asked++
    return undefined
  }
  deadline() {
    return NEVER
  }
}

interface Bench {
  readonly hosts: WiredHosts
  readonly sender: Sender
  /** What has come to the other end since it was asked last. */
  arrived(): number[]
  /** Sends to the host; it looks at its next turn. */
  give(contents: readonly number[]): void
  close(): void
}

async function bench(naps: boolean): Promise<Bench> {
  const { port1, port2 } = new MessageChannel()
  const [there, back] = [ringBuffer(4096), ringBuffer(4096)]
  const [own, other] = [doorbell(), doorbell()]
  const time = new RealTime(0)
  const hosts = new WiredHosts({
    wire: { outgoing: there, incoming: back, bell: other, port: port1 },
    bell: own,
    time,
    ...(naps && { gauge: new ThreadGauge(threadGauge()) }),
  })
  const far = new RingMachine(
    { outgoing: back, incoming: there, bell: own, port: port2 },
    new Slab(),
    () => {},
  )
  const sender = new Sender()
  hosts.add(0, sender)
  await turn()
  return {
    hosts,
    sender,
    arrived: () => {
      const contents: number[] = []
      far.pending()
      for (let read = far.transmit(); read !== undefined; read = far.transmit()) contents.push(read.frame[0]!)
      far.release()
      return contents
    },
    give: (contents) => {
      for (const content of contents) far.receive(0, Uint8Array.of(content), time.now())
      far.publish()
    },
    close: () => {
      hosts.close()
      far.close()
      time.close()
    },
  }
}

/** What the event loop has to do now is done. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

function send({ hosts, sender }: Bench, ...contents: number[]): void {
  sender.queue.push(...contents)
  hosts.touch(0)
}

test('where little is going on what a program sends first goes at once, and what follows in one burst', async () => {
  const own = await bench(true)
  send(own, 1, 2)
  assert.equal(own.arrived(), [], 'the program goes on first')
  await undefined
  assert.equal(own.arrived(), [1, 2])
  send(own, 3)
  await undefined
  send(own, 4)
  await undefined
  assert.equal(own.arrived(), [])
  await turn()
  assert.equal(own.arrived(), [3, 4])
  own.close()
})

test('a thread that has carried many frames gathers what its programs send', async () => {
  const own = await bench(true)
  send(own, 1, 2, 3, 4, 5)
  await undefined
  assert.equal(own.arrived(), [1, 2, 3, 4, 5])
  send(own, 6, 7, 8)
  await turn()
  assert.equal(own.arrived(), [6, 7, 8])
  send(own, 9)
  await undefined
  assert.equal(own.arrived(), [])
  await turn()
  assert.equal(own.arrived(), [9])
  send(own, 10)
  await undefined
  assert.equal(own.arrived(), [10], 'it is quiet again')
  own.close()
})

test('a thread that never naps gathers always', async () => {
  const own = await bench(false)
  send(own, 1)
  await undefined
  assert.equal(own.arrived(), [])
  await turn()
  assert.equal(own.arrived(), [1])
  own.close()
})

test('answers of programs that are called within a burst leave with it', async () => {
  const own = await bench(false)
  own.sender.onFrame = (content) => send(own, content + 100)
  own.give([1, 2])
  // The sleeping thread's bell is a message.
  while (own.sender.asked < 2) await turn()
  assert.equal(own.arrived(), [101, 102])
  await turn()
  assert.is(own.sender.asked, 2, 'and nobody looks again')
  own.close()
})

test.run()
