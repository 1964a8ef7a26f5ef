import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ipv4 } from '../../src/wire/address.js'
import { checksumOf, onesSum, pseudoHeaderSum } from '../../src/wire/checksum.js'
import {
  ACK,
  parseTcp,
  SYN,
  type TcpSegment,
  tcpHeaderBytes,
  tcpSegment,
  writeTcp,
} from '../../src/wire/tcp.js'
import { fc } from '../support/properties.js'
import { hex, SYN_ACK, toHex } from './vectors.js'

const test = suite('TCP segments')
const source = ipv4('10.36.0.0')
const destination = ipv4('10.244.1.5')

/** A segment with these options and flags, with its right checksum, parsed. */
function withOptions(options: string, flags = SYN): TcpSegment {
  const list = hex(options)
  const segment = new Uint8Array(20 + list.length)
  segment.set(list, 20)
  segment[12] = (segment.length / 4) << 4
  segment[13] = flags
  const sum = checksumOf(onesSum(segment, 0, segment.length, pseudoHeaderSum(1, 2, 6, segment.length)))
  segment.set([sum >> 8, sum & 255], 16)
  const into = { ...tcpSegment(), mss: 999, windowScale: 9, sackPermitted: true }
  assert.is(parseTcp(segment, 0, segment.length, 1, 2, into), undefined)
  return into
}

const optionsOf = ({ mss, windowScale, sackPermitted }: TcpSegment) => ({ mss, windowScale, sackPermitted })
const none = { mss: 0, windowScale: -1, sackPermitted: false }

test('a known SYN, ACK is read and written', () => {
  const tcp = tcpSegment()
  assert.is(parseTcp(SYN_ACK, 34, SYN_ACK.length, source, destination, tcp), undefined)
  assert.equal(tcp, {
    sourcePort: 80,
    destinationPort: 40000,
    seq: 1,
    ack: 2,
    flags: SYN | ACK,
    window: 65535,
    urgentPointer: 0,
    mss: 1460,
    windowScale: 7,
    sackPermitted: false,
    bytes: SYN_ACK,
    payloadStart: SYN_ACK.length,
    payloadEnd: SYN_ACK.length,
  })
  const out = new Uint8Array(28).fill(0xee)
  assert.is(writeTcp(out, 0, tcp, 0, source, destination), 28)
  assert.is(toHex(out), toHex(SYN_ACK.subarray(34)))
})

test('every segment survives the way in and out', () => {
  const fields = fc.record({
    sourcePort: fc.nat(0xffff),
    destinationPort: fc.nat(0xffff),
    seq: fc.nat(0xffffffff),
    ack: fc.nat(0xffffffff),
    flags: fc.nat(0xff).map((flags) => flags | SYN),
    window: fc.nat(0xffff),
    urgentPointer: fc.nat(0xffff),
    mss: fc.nat(0xffff),
    windowScale: fc.integer({ min: -1, max: 14 }),
    sackPermitted: fc.boolean(),
  })
  fc.assert(
    fc.property(fields, fc.uint8Array({ maxLength: 30 }), fc.nat(5), (fields, payload, start) => {
      const bytes = new Uint8Array(80).fill(0xee)
      const sent = { ...tcpSegment(), ...fields }
      bytes.set(payload, start + tcpHeaderBytes(sent))
      const end = writeTcp(bytes, start, sent, payload.length, source, destination)
      const got = tcpSegment()
      assert.is(parseTcp(bytes, start, end, source, destination, got), undefined)
      const { payloadStart, payloadEnd } = got
      assert.equal(got, { ...sent, bytes, payloadStart, payloadEnd })
      assert.equal(bytes.subarray(payloadStart, payloadEnd), payload)
      bytes[start + 4]! ^= 0x80
      assert.is(parseTcp(bytes, start, end, source, destination, got), 'bad-checksum')
    }),
  )
})

test('the pseudo header belongs to the checksum', () => {
  assert.is(parseTcp(SYN_ACK, 34, SYN_ACK.length, source, destination + 1, tcpSegment()), 'bad-checksum')
})

test('headers that are too short or reach too far are refused', () => {
  assert.is(parseTcp(SYN_ACK, 34, 34 + 19, source, destination, tcpSegment()), 'truncated')
  assert.is(parseTcp(SYN_ACK, 34, 34 + 27, source, destination, tcpSegment()), 'truncated')
  const short = SYN_ACK.slice()
  short[34 + 12] = 0x40
  assert.is(parseTcp(short, 34, short.length, source, destination, tcpSegment()), 'bad-header-length')
})

test('options are found at any alignment, behind NOPs and unknown options (MUST-6, MUST-64)', () => {
  const expected = { mss: 1460, windowScale: 7, sackPermitted: true }
  assert.equal(optionsOf(withOptions('01 0204 05b4 0303 07 0402 01 01')), expected)
  assert.equal(optionsOf(withOptions('fd05 aabbcc 0204 05b4 0402 0303 07 00 00')), { ...expected })
})

test('nothing behind the end of the option list is read', () => {
  assert.equal(optionsOf(withOptions('0402 00 01 0204 05b4')), { ...none, sackPermitted: true })
})

test('an option with an illegal length ends the list; what came before it holds (MUST-7)', () => {
  for (const bad of [
    'fd00 0000',
    'fd01 0000',
    '0200 0000',
    '0205 05b4',
    'fd28 0000',
    '0101 01fd',
    '0101 0102',
  ])
    assert.equal(optionsOf(withOptions(`0402 0101 ${bad}`)), { ...none, sackPermitted: true }, bad)
})

test('a known option with a length of its own making is skipped', () => {
  assert.equal(optionsOf(withOptions('0203 05 0304 0707 0403 00 0303 02 0101 00 00 00')), {
    ...none,
    windowScale: 2,
  })
})

test('a shift count above 14 is taken as 14 (RFC 7323 section 2.3)', () => {
  assert.is(withOptions('0303 ff 00').windowScale, 14)
})

test('MSS, window scale and SACK-permitted mean nothing without SYN', () => {
  assert.equal(optionsOf(withOptions('0204 05b4 0303 07 0402 00 00 00', ACK)), none)
})

test.run()
