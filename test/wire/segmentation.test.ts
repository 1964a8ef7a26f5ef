// Real packets of frames whose sender left work to do, checked with the codecs that verify every checksum.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CHECKSUM_LEFT, GIVEN_AWAY } from '../../src/base/offload.js'
import { Random } from '../../src/base/random.js'
import { type IpAddress, ip, isIpv6 } from '../../src/wire/address.js'
import { ETHERNET_HEADER_BYTES } from '../../src/wire/ethernet.js'
import { ipHeader, ipHeaderBytes, PROTOCOL_TCP, parseIpHeader, writeIpHeader } from '../../src/wire/ip.js'
import { forEachPacket, longestPacket, packetBytes, packetCount } from '../../src/wire/segmentation.js'
import { ACK, FIN, PSH, parseTcp, tcpHeaderBytes, tcpSegment, writeTcp } from '../../src/wire/tcp.js'

const cutting = suite('cutting of segments')

/** A frame with `length` bytes of random text whose checksum is left undone. */
function frameOf(source: IpAddress, destination: IpAddress, length: number, flags: number) {
  const segment = { ...tcpSegment(), sourcePort: 40000, destinationPort: 80, seq: 0xfffff000, ack: 7, flags }
  const version = isIpv6(source) ? 6 : 4
  const start = ETHERNET_HEADER_BYTES + ipHeaderBytes(version)
  const frame = new Uint8Array(start + tcpHeaderBytes(segment) + length)
  const random = new Random('text')
  for (let i = frame.length - length; i < frame.length; i++) frame[i] = random.int(256)
  writeTcp(frame, start, segment, length, source, destination, CHECKSUM_LEFT)
  frame[start + 16] = 0xab
  const header = { ...ipHeader(), version, ttl: 64, protocol: PROTOCOL_TCP, source, destination } as const
  const totalLength = frame.length - ETHERNET_HEADER_BYTES
  writeIpHeader(frame, ETHERNET_HEADER_BYTES, { ...header, totalLength, identification: 0xffff })
  return frame
}

/** What a receiver reads of the packets; fails when one is damaged. */
function read(packets: readonly Uint8Array[]) {
  return packets.map((packet) => {
    const header = ipHeader()
    assert.is(parseIpHeader(packet, ETHERNET_HEADER_BYTES, packet.length, header), undefined)
    const segment = tcpSegment()
    const { payloadStart, payloadEnd, source, destination, identification } = header
    assert.is(parseTcp(packet, payloadStart, payloadEnd, source, destination, segment), undefined)
    const text = packet.slice(segment.payloadStart, segment.payloadEnd)
    return { seq: segment.seq, flags: segment.flags, identification, text }
  })
}

function cut(frame: Uint8Array, offload: number): Uint8Array[] {
  const packets: Uint8Array[] = []
  forEachPacket(frame, offload, (packet) => packets.push(packet))
  return packets
}

for (const [family, source, destination] of [
  ['IPv4', ip('10.244.1.2'), ip('10.97.0.1')],
  ['IPv6', ip('fd00::1'), ip('fd00::2')],
] as const) {
  cutting(`${family}: packets are valid, follow each other, and only the last one ends`, () => {
    const frame = frameOf(source, destination, 5000, ACK | PSH | FIN)
    const before = frame.slice()
    const offload = CHECKSUM_LEFT | 1460
    const packets = cut(frame, offload)
    assert.equal(frame, before, 'the frame itself is not changed')
    assert.equal(
      packets.map((packet) => packet.length - (frame.length - 5000)),
      [1460, 1460, 1460, 620],
    )
    assert.is(packetCount(frame, offload), 4)
    assert.is(
      packetBytes(frame, offload),
      packets.reduce((sum, packet) => sum + packet.length, 0),
    )
    assert.is(
      longestPacket(frame, offload),
      Math.max(...packets.map((packet) => packet.length)) - ETHERNET_HEADER_BYTES,
    )
    const segments = read(packets)
    assert.equal(
      segments.map(({ seq }) => seq),
      [0, 1, 2, 3].map((index) => (0xfffff000 + index * 1460) >>> 0),
    )
    assert.equal(
      segments.map(({ flags }) => flags),
      [ACK, ACK, ACK, ACK | PSH | FIN],
    )
    if (family === 'IPv4')
      assert.equal(
        segments.map(({ identification }) => identification),
        [0xffff, 0, 1, 2],
      )
    assert.equal(Buffer.concat(segments.map(({ text }) => text)), Buffer.from(frame.subarray(-5000)))
  })
}

cutting('a frame that is one packet only gets its checksum', () => {
  const frame = frameOf(ip('10.0.0.1'), ip('10.0.0.2'), 99, ACK)
  for (const offload of [CHECKSUM_LEFT, CHECKSUM_LEFT | 99, CHECKSUM_LEFT | 1460]) {
    const packets = cut(frame, offload)
    assert.is(packets.length, 1)
    assert.equal(read(packets)[0]!.text, frame.slice(-99))
  }
})

cutting('a frame with nothing left to do is given on as it is', () => {
  const frame = Uint8Array.of(1, 2, 3)
  assert.ok(cut(frame, 0)[0] === frame)
  assert.ok(cut(frame, GIVEN_AWAY)[0] === frame)
})

cutting.run()
