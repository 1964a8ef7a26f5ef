// Whatever bytes come: no parse function throws, reads outside [start, end), or writes to them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arpPacket, parseArp } from '../../src/wire/arp.js'
import { checksumOf, onesSum, pseudoHeaderSum } from '../../src/wire/checksum.js'
import { ethernetHeader, parseEthernet } from '../../src/wire/ethernet.js'
import { formatFrame } from '../../src/wire/format.js'
import { icmpMessage, parseIcmp } from '../../src/wire/icmp.js'
import { ipHeader } from '../../src/wire/ip.js'
import { parseIpv4Header } from '../../src/wire/ipv4.js'
import { parseTcp, tcpSegment } from '../../src/wire/tcp.js'
import { parseUdp, udpDatagram } from '../../src/wire/udp.js'
import { fc } from '../support/properties.js'
import { ARP_WHO_HAS, SYN_ACK } from './vectors.js'

const test = suite('fuzz')

type Range = { bytes: Uint8Array; start: number; end: number }

/** Hands out `bytes`, but fails on every index outside [start, end). */
function guarded({ bytes, start, end }: Range): Uint8Array {
  return new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && /^-?\d+$/.test(key)) {
        const at = Number(key)
        if (at < start || at >= end) throw new Error(`read at ${at}, outside ${start}..${end}`)
        return target[at]
      }
      return key === 'length' ? target.length : Reflect.get(target, key, target)
    },
    set() {
      throw new Error('parsing writes')
    },
  })
}

const PARSERS: Record<string, (bytes: Uint8Array, start: number, end: number) => unknown> = {
  arp: (bytes, start, end) => parseArp(bytes, start, end, arpPacket()),
  ipv4: (bytes, start, end) => parseIpv4Header(bytes, start, end, ipHeader()),
  icmp: (bytes, start, end) => parseIcmp(bytes, start, end, icmpMessage()),
  udp: (bytes, start, end) => parseUdp(bytes, start, end, 1, 2, udpDatagram()),
  tcp: (bytes, start, end) => parseTcp(bytes, start, end, 1, 2, tcpSegment()),
}

const range = fc.tuple(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100)).map(([bytes, a, b]) => {
  const start = Math.min(a, bytes.length)
  return { bytes, start, end: start + Math.min(b, bytes.length - start) }
})

for (const [name, parse] of Object.entries(PARSERS))
  test(`${name} takes any bytes`, () => {
    fc.assert(
      fc.property(range, (range) => {
        const before = range.bytes.slice()
        parse(guarded(range), range.start, range.end)
        assert.equal(range.bytes, before)
      }),
      { numRuns: 300 },
    )
  })

test('TCP takes any options behind a right checksum', () => {
  const options = fc.array(fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 10, 40, 253, 255), {
    minLength: 40,
    maxLength: 40,
  })
  fc.assert(
    fc.property(options, fc.integer({ min: 5, max: 15 }), (options, words) => {
      const bytes = new Uint8Array(4 * words + 8)
      bytes.set(options.slice(0, 4 * words - 20), 20 + 4)
      bytes[12 + 4] = words << 4
      bytes[13 + 4] = 2
      const end = 4 + 4 * words
      const sum = checksumOf(onesSum(bytes, 4, end, pseudoHeaderSum(1, 2, 6, end - 4)))
      bytes.set([sum >> 8, sum & 255], 16 + 4)
      const tcp = tcpSegment()
      assert.is(parseTcp(guarded({ bytes, start: 4, end }), 4, end, 1, 2, tcp), undefined)
      assert.is(tcp.payloadStart, end)
    }),
    { numRuns: 300 },
  )
})

test('Ethernet and the formatter take any frame, and real frames cut or changed anywhere', () => {
  const mutated = fc
    .tuple(fc.constantFrom(SYN_ACK, ARP_WHO_HAS), fc.nat(70), fc.nat(70), fc.nat(255))
    .map(([frame, length, at, value]) => {
      const bytes = frame.slice(0, length)
      if (at < bytes.length) bytes[at] = value
      return bytes
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutated), (frame) => {
      parseEthernet(guarded({ bytes: frame, start: 0, end: frame.length }), ethernetHeader())
      const line = formatFrame(frame)
      assert.ok(
        line.length > 0 && !line.includes('\n') && !line.includes('undefined') && !line.includes('NaN'),
      )
    }),
    { numRuns: 500 },
  )
})

test.run()
