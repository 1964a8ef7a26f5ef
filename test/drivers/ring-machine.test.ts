import { MessageChannel } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Slab } from '../../src/base/slab.js'
import { doorbell } from '../../src/drivers/doorbell.js'
import { RingMachine } from '../../src/drivers/ring-machine.js'
import { ringBuffer } from '../../src/fabric/ring.js'

const test = suite('ring machine')

test('a frame says when it was sent, over any border of 32 bits, and never that it is still to be sent', () => {
  const { port1, port2 } = new MessageChannel()
  const [there, back] = [ringBuffer(4096), ringBuffer(4096)]
  const ends = [
    { outgoing: there, incoming: back, bell: doorbell(), port: port1 },
    { outgoing: back, incoming: there, bell: doorbell(), port: port2 },
  ].map((wire) => new RingMachine(wire, new Slab(), () => {}))
  const [sender, receiver] = ends as [RingMachine, RingMachine]
  try {
    for (const now of [0, 5, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 32 + 7, 3 * 2 ** 40]) {
      sender.receive(3, new Uint8Array([1, 2, 3]), now)
      sender.publish()
      assert.ok(receiver.pending())
      assert.equal(receiver.transmit()?.frame, new Uint8Array([1, 2, 3]))
      for (const later of [0, 1, 40_000_000]) assert.is(receiver.sent(now + later), now)
      if (now > 0) assert.is(receiver.sent(now - 1), now - 1)
      receiver.release()
    }
  } finally {
    for (const end of ends) end.close()
  }
})

test.run()
