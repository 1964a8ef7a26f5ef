import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ChangeCount } from '../../src/base/change-count.js'
import { NEVER, SECOND } from '../../src/base/time.js'
import { Bridge, MAC_AGEING } from '../../src/fabric/bridge.js'
import { MAC_BROADCAST, type Mac } from '../../src/wire/address.js'
import { writeEthernet } from '../../src/wire/ethernet.js'

const test = suite('bridge')

function frame(source: Mac, destination: Mac): Uint8Array {
  const bytes = new Uint8Array(60)
  writeEthernet(bytes, destination, source, 0x0800)
  return bytes
}

function threePorts(): Bridge {
  const bridge = new Bridge()
  for (const name of ['veth0', 'veth1', 'veth2']) bridge.addPort(name)
  return bridge
}

/** Ports that `bytes` leaves through. */
function egress(bridge: Bridge, port: number, bytes: Uint8Array, now = 0): number[] {
  bridge.receive(port, bytes, now)
  const ports: number[] = []
  for (let out = bridge.transmit(); out !== undefined; out = bridge.transmit()) {
    assert.equal(out.frame, bytes)
    ports.push(out.port)
  }
  return ports
}

test('unknown destinations and broadcasts go to all other ports', () => {
  const bridge = threePorts()
  assert.equal(egress(bridge, 0, frame(0xa, 0xb)), [1, 2])
  assert.equal(egress(bridge, 1, frame(0xb, MAC_BROADCAST)), [0, 2])
  assert.equal(egress(bridge, 1, frame(0xb, 0x01005e000001)), [0, 2])
})

test('a station that has spoken is reached through its port alone', () => {
  const bridge = threePorts()
  egress(bridge, 0, frame(0xa, MAC_BROADCAST))
  assert.equal(egress(bridge, 1, frame(0xb, 0xa)), [0])
  assert.equal(egress(bridge, 0, frame(0xa, 0xb)), [1])
  assert.equal(bridge.macs(5), [
    { mac: 0xa, port: 0, age: 5 },
    { mac: 0xb, port: 1, age: 5 },
  ])
  assert.equal(bridge.counters, { received: 3, forwarded: 2, flooded: 1, filtered: 0 })
})

test('a station that moves is followed', () => {
  const bridge = threePorts()
  egress(bridge, 0, frame(0xa, MAC_BROADCAST))
  egress(bridge, 2, frame(0xa, MAC_BROADCAST))
  assert.equal(egress(bridge, 1, frame(0xb, 0xa)), [2])
})

test('who keeps an entry is told when its station moves, and not when it is heard again', () => {
  const changes = new ChangeCount()
  const bridge = new Bridge(changes)
  for (const name of ['veth0', 'veth1']) bridge.addPort(name)
  egress(bridge, 0, frame(0xa, MAC_BROADCAST))
  const before = changes.value
  egress(bridge, 0, frame(0xa, MAC_BROADCAST), 1)
  assert.is(changes.value, before)
  egress(bridge, 1, frame(0xa, MAC_BROADCAST), 2)
  assert.is(changes.value, before + 1)
  assert.equal(bridge.entry(0xa), { port: 1, seen: 2 })
})

test('isolated ports reach the others and not each other, known or not', () => {
  const bridge = new Bridge()
  const [station, one, two] = ['station', 'one', 'two'].map((name, port) =>
    bridge.addPort(name, { isolated: port > 0 }),
  ) as [number, number, number]
  assert.equal(egress(bridge, station, frame(0xa, MAC_BROADCAST)), [one, two])
  assert.equal(egress(bridge, one, frame(0xb, MAC_BROADCAST)), [station])
  assert.equal(egress(bridge, two, frame(0xc, 0xb)), [])
  assert.equal(egress(bridge, two, frame(0xc, 0xa)), [station])
  assert.equal(egress(bridge, station, frame(0xa, 0xb)), [one])
  assert.is(bridge.counters.filtered, 1)
  const forwarded: number[] = []
  bridge.forward(one, frame(0xb, 0xd), 0, (port) => forwarded.push(port))
  assert.equal(forwarded, [station])
  bridge.removePort(one)
  assert.equal(egress(bridge, two, frame(0xc, MAC_BROADCAST)), [station])
})

test('a frame never goes back where it came from', () => {
  const bridge = threePorts()
  egress(bridge, 0, frame(0xa, MAC_BROADCAST))
  assert.equal(egress(bridge, 0, frame(0xb, 0xa)), [])
  assert.is(bridge.counters.filtered, 1)
})

test('an address is forgotten after 300 s without a frame from it, and not before', () => {
  const bridge = threePorts()
  egress(bridge, 0, frame(0xa, MAC_BROADCAST), 0)
  egress(bridge, 0, frame(0xa, MAC_BROADCAST), 10 * SECOND)
  assert.equal(egress(bridge, 1, frame(0xb, 0xa), 10 * SECOND + MAC_AGEING - 1), [0])
  assert.equal(egress(bridge, 1, frame(0xb, 0xa), 10 * SECOND + MAC_AGEING), [0, 2])
  assert.equal(
    bridge.macs(10 * SECOND + MAC_AGEING).map(({ mac }) => mac),
    [0xb],
  )
  assert.is(bridge.deadline(), NEVER)
})

test('a port taken away takes its addresses and waiting frames with it', () => {
  const bridge = threePorts()
  egress(bridge, 0, frame(0xa, MAC_BROADCAST))
  bridge.receive(1, frame(0xb, MAC_BROADCAST), 0)
  bridge.removePort(0)
  assert.is(bridge.transmit()?.port, 2)
  assert.is(bridge.transmit(), undefined)
  assert.equal(egress(bridge, 1, frame(0xb, 0xa)), [2])
  assert.is(bridge.addPort('veth3'), 3)
  assert.throws(() => bridge.receive(0, frame(0xa, 0xb), 0), /bridge has no port 0/)
})

test('malformed frames, group senders and reserved addresses are not forwarded', () => {
  const bridge = threePorts()
  assert.equal(egress(bridge, 0, new Uint8Array(9)), [])
  assert.equal(egress(bridge, 0, frame(MAC_BROADCAST, 0xb)), [])
  assert.equal(egress(bridge, 0, frame(0xa, 0x0180c2000000)), [])
  assert.equal(egress(bridge, 0, frame(0xa, 0x0180c2000010)), [1, 2])
  assert.is(bridge.counters.filtered, 3)
})

test('a frame that waits is not the one that was lent', () => {
  const bridge = threePorts()
  const lent = frame(0xa, MAC_BROADCAST)
  bridge.receive(0, lent, 0)
  lent.fill(0)
  assert.equal(bridge.transmit()?.frame, frame(0xa, MAC_BROADCAST))
})

test.run()
