// Whatever comes from a wire: nothing throws, everything is counted, and the hosts still work afterwards.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setUint16, setUint48 } from '../../src/base/bytes.js'
import { Random } from '../../src/base/random.js'
import { MINUTE, SECOND } from '../../src/base/time.js'
import { TimerHeap } from '../../src/base/timer-heap.js'
import { makeCounters } from '../../src/stack/counters.js'
import type { Expiring } from '../../src/stack/expiring.js'
import { fragment, Reassembly } from '../../src/stack/fragments.js'
import { ipv4 } from '../../src/wire/address.js'
import { checksumOf, onesSum } from '../../src/wire/checksum.js'
import { ipHeader } from '../../src/wire/ip.js'
import { parseIpv4Header, writeIpv4Header } from '../../src/wire/ipv4.js'
import { endpoint, frameFault, Lab } from '../support/hosts.js'
import { fc } from '../support/properties.js'

const test = suite('fuzz')

function world() {
  const lab = new Lab()
  const node = lab.node('node', '192.168.56.11/24', '10.36.0.1/16', { '0.0.0.0/0': '192.168.56.12' })
  const other = lab.node('other', '192.168.56.12/24', '10.39.0.1/16')
  lab.cable(node, other)
  const pod = lab.pod('pod', '10.36.0.0/16', '10.36.0.1')
  lab.plug(pod, node)
  pod.stack.tcpListen({ address: 0, port: 80 })
  pod.stack.udpBind({ port: 53 })
  return { lab, node, pod }
}

test('random bytes to a pod and a node never throw and are counted', () => {
  const { lab, node, pod } = world()
  const [podMac, nodeMac] = [pod, node].map(
    (host) => host.stack.interfaces().find((each) => each.name === 'eth0')!.mac,
  )
  const received = () => pod.stack.interfaces().reduce((sum, each) => sum + each.receivedFrames, 0)
  let frames = 0
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), fc.boolean(), (bytes, arp, addressed) => {
      const frame = bytes.slice()
      if (frame.length >= 14) {
        if (addressed) setUint48(frame, 0, podMac!)
        setUint16(frame, 12, arp ? 0x0806 : 0x0800)
      }
      const before = received()
      pod.receive(0, frame, lab.now)
      assert.is(received(), before + 1)
      if (frame.length >= 14 && addressed) setUint48(frame, 0, nodeMac!)
      node.receive(0, frame, lab.now)
      node.receive(1, frame, lab.now)
      frames++
    }),
    { numRuns: 500 },
  )
  assert.ok(pod.stack.drops.total > frames * 0.9)
  lab.run(MINUTE)
  assert.equal(lab.faults, [])
})

test('packets with a right IP header and random content: hosts answer only with good frames', () => {
  const { lab, node, pod } = world()
  const podMac = pod.stack.interfaces().find((each) => each.name === 'eth0')!.mac
  const cniMac = node.stack.interfaces().find((each) => each.name === 'cni0')!.mac
  const address = fc.constantFrom(
    '10.36.0.0',
    '10.36.0.1',
    '10.36.0.9',
    '10.39.0.1',
    '10.36.255.255',
    '127.0.0.1',
    '224.0.0.1',
    '0.0.0.0',
  )
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 90 }),
      fc.constantFrom(1, 6, 17, 47),
      address,
      address,
      fc.nat(0xffff),
      fc.nat(3),
      (payload, protocol, source, destination, fragmentWord, ttl) => {
        const frame = new Uint8Array(34 + payload.length)
        frame.set(payload, 34)
        writeIpv4Header(frame, 14, {
          ...ipHeader(),
          totalLength: 20 + payload.length,
          ttl,
          protocol,
          moreFragments: (fragmentWord & 0x2000) !== 0,
          fragmentOffset: fragmentWord & 1 ? (fragmentWord & 0x1fff) * 8 : 0,
          source: ipv4(source),
          destination: ipv4(destination),
        })
        // Half of the ICMP messages get a right checksum.
        if (protocol === 1 && payload.length >= 8 && ttl & 1) {
          setUint16(frame, 36, 0)
          setUint16(frame, 36, checksumOf(onesSum(frame, 34, frame.length)))
        }
        setUint16(frame, 12, 0x0800)
        setUint48(frame, 0, podMac)
        pod.receive(0, frame, lab.now)
        setUint48(frame, 0, cniMac)
        node.receive(1, frame, lab.now)
        lab.run(1000)
      },
    ),
    { numRuns: 500 },
  )
  lab.run(2 * MINUTE)
  assert.equal(
    lab.faults.filter((fault) => !fault.startsWith('node')),
    [],
  )
  const ping = pod.stack.ping()
  ping.send(ipv4('10.36.0.1'), 1, new Uint8Array(8))
  lab.run(SECOND)
  assert.is(ping.receive()?.type, 0)
  const client = node.stack.tcpConnect(endpoint('10.36.0.0:80'))
  lab.run(SECOND)
  assert.is(client.state, 'ESTABLISHED')
})

test('fragments in any order, some twice, make the packet that was cut', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.integer({ min: 68, max: 1500 }),
      fc.string({ maxLength: 8 }),
      (payload, mtuBytes, seed) => {
        const frame = new Uint8Array(34 + payload.length)
        frame.set(payload, 34)
        const header = {
          ...ipHeader(),
          totalLength: 20 + payload.length,
          ttl: 64,
          protocol: 17,
          source: 1,
          destination: 2,
        }
        setUint16(frame, 12, 0x0800)
        writeIpv4Header(frame, 14, header)
        assert.is(parseIpv4Header(frame, 14, frame.length, header), undefined)
        const pieces = fragment(frame, header, mtuBytes)
        const random = new Random(seed)
        const order = random.shuffle([...pieces, ...pieces.slice(0, 2)])
        const reassembly = new Reassembly(new TimerHeap<Expiring>(), makeCounters(), () => {})
        const whole: Uint8Array[] = []
        for (const piece of order) {
          assert.ok(piece.length <= mtuBytes + 14)
          const part = ipHeader()
          assert.is(parseIpv4Header(piece, 14, piece.length, part), undefined)
          if (!part.moreFragments && part.fragmentOffset === 0) whole.push(piece)
          else whole.push(...[reassembly.add(piece, part, 2, 0)].filter((made) => made !== undefined))
        }
        assert.equal(whole[0]?.subarray(34), payload)
        assert.not.ok(frameFault(whole[0]!)?.startsWith('ip'))
      },
    ),
    { numRuns: 100 },
  )
})

test.run()
