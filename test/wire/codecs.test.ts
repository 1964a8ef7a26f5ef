// Ethernet, ARP, IPv4, ICMP and UDP: known bytes both ways, round trips, and what is refused.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ipv4, MAC_BROADCAST } from '../../src/wire/address.js'
import { ARP_BYTES, ARP_REQUEST, arpPacket, parseArp, writeArp } from '../../src/wire/arp.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_ARP,
  ethernetHeader,
  isGroupMac,
  parseEthernet,
  writeEthernet,
} from '../../src/wire/ethernet.js'
import { ICMP_ECHO_REQUEST, icmpMessage, parseIcmp, writeIcmp } from '../../src/wire/icmp.js'
import { ipHeader } from '../../src/wire/ip.js'
import { parseIpv4Header, writeIpv4Header } from '../../src/wire/ipv4.js'
import { parseUdp, UDP_HEADER_BYTES, udpDatagram, writeUdp } from '../../src/wire/udp.js'
import { fc } from '../support/properties.js'
import { ARP_WHO_HAS, hex, IPV4_HEADER, toHex } from './vectors.js'

const test = suite('codecs')
const byte = fc.nat(255)
const word = fc.nat(0xffff)
const address = fc.nat(0xffffffff)
const mac = fc.nat(0xffffffff).map((low) => low * 0x1_0000 + (low % 0x1_0000))

test('an ARP request in its Ethernet frame is read and written', () => {
  const ethernet = ethernetHeader()
  const arp = arpPacket()
  assert.is(parseEthernet(ARP_WHO_HAS, ethernet), undefined)
  assert.equal(ethernet, { destination: MAC_BROADCAST, source: 0x02deadbeef01, etherType: ETHERTYPE_ARP })
  assert.is(parseArp(ARP_WHO_HAS, ETHERNET_HEADER_BYTES, ARP_WHO_HAS.length, arp), undefined)
  assert.equal(arp, {
    operation: ARP_REQUEST,
    senderMac: 0x02deadbeef01,
    senderAddress: ipv4('10.36.0.1'),
    targetMac: 0,
    targetAddress: ipv4('10.36.0.0'),
  })
  const frame = new Uint8Array(ETHERNET_HEADER_BYTES + ARP_BYTES)
  writeEthernet(frame, ethernet.destination, ethernet.source, ethernet.etherType)
  assert.is(writeArp(frame, ETHERNET_HEADER_BYTES, arp), frame.length)
  assert.is(toHex(frame), toHex(ARP_WHO_HAS))
})

test('Ethernet and ARP survive the way in and out', () => {
  fc.assert(
    fc.property(mac, mac, word, address, address, fc.nat(5), (a, b, number, source, target, start) => {
      const frame = new Uint8Array(40)
      const ethernet = ethernetHeader()
      writeEthernet(frame, a, b, number)
      parseEthernet(frame, ethernet)
      assert.equal(ethernet, { destination: a, source: b, etherType: number })
      const sent = {
        operation: number,
        senderMac: a,
        senderAddress: source,
        targetMac: b,
        targetAddress: target,
      }
      const arp = arpPacket()
      assert.is(parseArp(frame, start, writeArp(frame, start, sent), arp), undefined)
      assert.equal(arp, sent)
    }),
  )
})

test('the group bit tells broadcast and multicast from a station', () => {
  assert.ok(isGroupMac(MAC_BROADCAST))
  assert.ok(isGroupMac(0x01005e000001))
  assert.not.ok(isGroupMac(0x02deadbeef01))
})

test('short frames and ARP for other protocols are refused', () => {
  assert.is(parseEthernet(new Uint8Array(13), ethernetHeader()), 'truncated')
  assert.is(parseArp(ARP_WHO_HAS, 14, 41, arpPacket()), 'truncated')
  for (const at of [14, 16, 18, 19]) {
    const frame = ARP_WHO_HAS.slice()
    frame[at]! ^= 1
    assert.is(parseArp(frame, 14, 42, arpPacket()), 'bad-format')
  }
})

test('a known IPv4 header is read and written', () => {
  const packet = new Uint8Array(0x73 + 6)
  packet.set(IPV4_HEADER)
  const header = ipHeader()
  assert.is(parseIpv4Header(packet, 0, packet.length, header), undefined)
  assert.equal(header, {
    version: 4,
    tos: 0,
    totalLength: 0x73,
    identification: 0,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 64,
    protocol: 17,
    source: ipv4('192.168.0.1'),
    destination: ipv4('192.168.0.199'),
    headerStart: 0,
    payloadStart: 20,
    payloadEnd: 0x73,
  })
  const out = new Uint8Array(20).fill(0xee)
  assert.is(writeIpv4Header(out, 0, header), 20)
  assert.is(toHex(out), toHex(IPV4_HEADER))
})

test('every IPv4 header survives the way in and out', () => {
  const fields = fc.record({
    version: fc.constant(4 as const),
    tos: byte,
    totalLength: fc.integer({ min: 20, max: 60 }),
    identification: word,
    dontFragment: fc.boolean(),
    moreFragments: fc.boolean(),
    fragmentOffset: fc.nat(0x1fff).map((units) => units * 8),
    ttl: byte,
    protocol: byte,
    source: address,
    destination: address,
  })
  fc.assert(
    fc.property(fields, fc.nat(7), (fields, start) => {
      const sent = {
        ...fields,
        headerStart: start,
        payloadStart: start + 20,
        payloadEnd: start + fields.totalLength,
      }
      const packet = new Uint8Array(80)
      assert.is(writeIpv4Header(packet, start, sent), start + 20)
      const header = ipHeader()
      assert.is(parseIpv4Header(packet, start, packet.length, header), undefined)
      assert.equal(header, sent)
    }),
  )
})

test('IPv4 options are skipped', () => {
  const packet = hex('4600 0019 0000 0000 4001 63e1 0a00 0001 0a00 0002 0101 0100 ff')
  const header = ipHeader()
  assert.is(parseIpv4Header(packet, 0, packet.length, header), undefined)
  assert.is(header.payloadStart, 24)
  assert.is(header.payloadEnd, 25)
})

test('IPv4 headers that contradict themselves are refused with the reason', () => {
  const check = (change: (packet: Uint8Array) => void, length = 0x73) => {
    const packet = new Uint8Array(length)
    packet.set(IPV4_HEADER.subarray(0, Math.min(length, 20)))
    change(packet)
    return parseIpv4Header(packet, 0, packet.length, ipHeader())
  }
  const rewrite = (change: (packet: Uint8Array) => void) => (packet: Uint8Array) => {
    change(packet)
    packet.set([0, 0], 10)
    let sum = 0
    for (let at = 0; at < 20; at += 2) sum += (packet[at]! << 8) | packet[at + 1]!
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
    packet.set([(~sum >> 8) & 255, ~sum & 255], 10)
  }
  assert.is(
    check(() => {}),
    undefined,
  )
  assert.is(
    check(() => {}, 19),
    'truncated',
  )
  assert.is(
    check(() => {}, 0x72),
    'truncated',
  )
  assert.is(
    check((p) => p.set([0x65])),
    'bad-version',
  )
  assert.is(
    check((p) => p.set([0x44])),
    'bad-header-length',
  )
  assert.is(
    check((p) => p.set([0x4f]), 40),
    'truncated',
  )
  assert.is(
    check((p) => p.set([63], 8)),
    'bad-checksum',
  )
  assert.is(check(rewrite((p) => p.set([0, 19], 2))), 'bad-length')
})

test('an ICMP echo is read and written, with an odd payload too', () => {
  const request = hex('0800 0000 1234 0001 616263')
  // 0800 + 1234 + 0001 + 6162 + 6300 = de97
  request.set(hex('2168'), 2)
  const icmp = icmpMessage()
  assert.is(parseIcmp(request, 0, request.length, icmp), undefined)
  assert.is(icmp.type, ICMP_ECHO_REQUEST)
  assert.is(icmp.rest, 0x12340001)
  assert.is(toHex(icmp.bytes.subarray(icmp.payloadStart, icmp.payloadEnd)), '616263')
  const out = new Uint8Array(11)
  assert.is(writeIcmp(out, 0, ICMP_ECHO_REQUEST, 0, 0x12340001, hex('ff616263'), 1, 4), 11)
  assert.is(toHex(out), toHex(request))
  // The payload may be moved within one buffer: a reply is made in the request's place.
  assert.is(writeIcmp(request, 0, 0, 0, icmp.rest, request, icmp.payloadStart, icmp.payloadEnd), 11)
  assert.is(toHex(request), '0000296812340001616263')
  request[9]! ^= 4
  assert.is(parseIcmp(request, 0, 11, icmp), 'bad-checksum')
  assert.is(parseIcmp(request, 0, 7, icmp), 'truncated')
})

test('UDP survives the way in and out; padding behind it is cut off', () => {
  fc.assert(
    fc.property(
      word,
      word,
      fc.uint8Array({ maxLength: 40 }),
      address,
      address,
      (a, b, payload, source, target) => {
        const packet = new Uint8Array(60)
        packet.set(payload, 3 + UDP_HEADER_BYTES)
        const end = writeUdp(packet, 3, a, b, payload.length, source, target)
        const udp = udpDatagram()
        assert.is(parseUdp(packet, 3, packet.length, source, target, udp), undefined)
        assert.is(udp.sourcePort, a)
        assert.is(udp.destinationPort, b)
        assert.is(udp.payloadEnd, end)
        assert.equal(packet.subarray(udp.payloadStart, udp.payloadEnd), payload)
        packet[3 + 8 + payload.length - 1]! ^= 0x10
        assert.is(parseUdp(packet, 3, packet.length, source, target, udp), 'bad-checksum')
      },
    ),
  )
})

test('a UDP checksum that computes to 0 is sent as ffff, and 0 on the wire is not verified', () => {
  const packet = new Uint8Array(10)
  // Protocol 17 + twice the length 10 + destination port ffff - 37: the sum is ffff without a payload.
  writeUdp(packet, 0, 0, 0xffff - 37, 2, 0, 0)
  assert.is(toHex(packet.subarray(6, 8)), 'ffff')
  assert.is(parseUdp(packet, 0, 10, 0, 0, udpDatagram()), undefined)
  packet.set([0, 0], 6)
  packet[9] = 77
  assert.is(parseUdp(packet, 0, 10, 0, 0, udpDatagram()), undefined)
})

test('UDP lengths that lie are refused', () => {
  assert.is(parseUdp(hex('0001 0002 0007 0000'), 0, 8, 0, 0, udpDatagram()), 'bad-length')
  assert.is(parseUdp(hex('0001 0002 0009 0000'), 0, 8, 0, 0, udpDatagram()), 'truncated')
  assert.is(parseUdp(hex('0001 0002 0008 00'), 0, 7, 0, 0, udpDatagram()), 'truncated')
})

test.run()
