import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CaptureOrder } from '../../src/fabric/capture-order.js'
import { ipv4 } from '../../src/wire/address.js'
import { ETHERTYPE_IPV4, writeEthernet } from '../../src/wire/ethernet.js'
import { ipHeader } from '../../src/wire/ip.js'
import { writeIpv4Header } from '../../src/wire/ipv4.js'

const test = suite('capture order')

/** Hop `hop` of packet `identification`: link addresses, time to live and header checksum differ from hop to hop. */
function packet(identification: number, hop = 0): Uint8Array {
  const frame = new Uint8Array(60)
  writeEthernet(frame, hop + 1, hop, ETHERTYPE_IPV4)
  writeIpv4Header(frame, 14, {
    ...ipHeader(),
    totalLength: 40,
    identification,
    ttl: 64 - hop,
    protocol: 6,
    source: ipv4('10.244.1.2'),
    destination: ipv4('10.244.2.2'),
  })
  return frame
}

function recorded() {
  const lines: string[] = []
  const order = new CaptureOrder((interfaceId, direction, frame, now) =>
    lines.push(`${now} if${interfaceId} ${direction} id${frame[19]}`),
  )
  return { order, lines }
}

test('the sightings of a packet at one moment stand together, packets in the order of their first', () => {
  const { order, lines } = recorded()
  for (const id of [1, 2]) order.add(0, 'out', packet(id), 5)
  for (const id of [1, 2]) order.add(1, 'in', packet(id, 1), 5)
  order.flush()
  assert.equal(lines, ['5 if0 out id1', '5 if1 in id1', '5 if0 out id2', '5 if1 in id2'])
})

test('a bare acknowledgement is shown at its ends only, everything else at every hop', () => {
  const { order, lines } = recorded()
  const segment = (id: number, hop: number, flags: number) => {
    const frame = packet(id, hop)
    frame[46] = 0x50
    frame[47] = flags
    return frame.subarray(0, 54)
  }
  for (const hop of [0, 1, 2]) order.add(hop, 'in', segment(1, hop, 0x10), 5)
  for (const hop of [0, 1, 2]) order.add(hop, 'in', segment(2, hop, 0x11), 5)
  order.flush()
  assert.equal(lines, ['5 if0 in id1', '5 if2 in id1', '5 if0 in id2', '5 if1 in id2', '5 if2 in id2'])
})

test('time never goes back: a later moment is written after all of the one before', () => {
  const { order, lines } = recorded()
  order.add(0, 'out', packet(1), 5)
  order.add(0, 'out', packet(2), 5)
  order.add(1, 'in', packet(1, 1), 6)
  assert.equal(lines, ['5 if0 out id1', '5 if0 out id2'])
  order.flush()
  assert.equal(lines.at(-1), '6 if1 in id1')
})

test('a frame is copied: the sender may use its buffer again', () => {
  const { order, lines } = recorded()
  const frame = packet(1)
  order.add(0, 'out', frame, 0)
  frame.fill(0)
  order.flush()
  assert.equal(lines, ['0 if0 out id1'])
})

test.run()
