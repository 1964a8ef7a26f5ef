import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setUint16 } from '../../src/base/bytes.js'
import { ipv4 } from '../../src/wire/address.js'
import { ARP_REPLY, arpPacket, parseArp, writeArp } from '../../src/wire/arp.js'
import { ETHERTYPE_IPV4, writeEthernet } from '../../src/wire/ethernet.js'
import { formatFrame } from '../../src/wire/format.js'
import { writeIcmp } from '../../src/wire/icmp.js'
import { ipHeader } from '../../src/wire/ip.js'
import { writeIpv4Header } from '../../src/wire/ipv4.js'
import { ACK, FIN, PSH, SYN, tcpHeaderBytes, tcpSegment, writeTcp } from '../../src/wire/tcp.js'
import { writeUdp } from '../../src/wire/udp.js'
import { ARP_WHO_HAS, SYN_ACK } from './vectors.js'

const test = suite('one line for a frame')
const source = ipv4('10.36.0.0')
const destination = ipv4('10.244.1.5')

/** A frame with `length` bytes behind its IPv4 header, filled by `write` from offset 34. */
function frameOf(
  protocol: number,
  length: number,
  write: (frame: Uint8Array, start: number) => void,
): Uint8Array {
  const frame = new Uint8Array(34 + length)
  writeEthernet(frame, 2, 1, ETHERTYPE_IPV4)
  const header = { ...ipHeader(), totalLength: 20 + length, ttl: 64, protocol, source, destination }
  write(frame, writeIpv4Header(frame, 14, header))
  return frame
}

test('ARP asks and answers', () => {
  assert.is(formatFrame(ARP_WHO_HAS), 'ARP, Request who-has 10.36.0.0 tell 10.36.0.1, length 28')
  const arp = arpPacket()
  parseArp(ARP_WHO_HAS, 14, 42, arp)
  const reply = ARP_WHO_HAS.slice()
  writeArp(reply, 14, { ...arp, operation: ARP_REPLY, senderAddress: source })
  assert.is(formatFrame(reply), 'ARP, Reply 10.36.0.0 is-at 02:de:ad:be:ef:01, length 28')
})

test('TCP shows flags, sequence numbers, window and options', () => {
  assert.is(
    formatFrame(SYN_ACK),
    'IP 10.36.0.0.80 > 10.244.1.5.40000: Flags [S.], seq 1, ack 2, win 65535, options [mss 1460,nop,wscale 7], length 0',
  )
  const line = (flags: number, payload: number, more = {}) => {
    const segment = {
      ...tcpSegment(),
      sourcePort: 80,
      destinationPort: 9,
      seq: 0xffffffff,
      ack: 7,
      window: 5,
      flags,
      ...more,
    }
    return formatFrame(
      frameOf(6, tcpHeaderBytes(segment) + payload, (frame, start) =>
        writeTcp(frame, start, segment, payload, source, destination),
      ),
    ).replace('IP 10.36.0.0.80 > 10.244.1.5.9: ', '')
  }
  assert.is(line(ACK, 0), 'Flags [.], ack 7, win 5, length 0')
  assert.is(line(ACK | PSH, 3), 'Flags [P.], seq 4294967295:2, ack 7, win 5, length 3')
  assert.is(line(ACK | FIN, 0), 'Flags [F.], seq 4294967295, ack 7, win 5, length 0')
  assert.is(line(0, 0), 'Flags [none], win 5, length 0')
  assert.is(
    line(SYN, 0, { mss: 9, sackPermitted: true }),
    'Flags [S], seq 4294967295, win 5, options [mss 9,nop,nop,sackOK], length 0',
  )
})

test('UDP shows ports and length', () => {
  const frame = frameOf(17, 12, (frame, start) => writeUdp(frame, start, 53, 4000, 4, source, destination))
  assert.is(formatFrame(frame), 'IP 10.36.0.0.53 > 10.244.1.5.4000: UDP, length 4')
})

test('ICMP shows echoes and what an error quotes', () => {
  const none = new Uint8Array(0)
  const icmp = (type: number, code: number, rest: number, payload = none) =>
    formatFrame(
      frameOf(1, 8 + payload.length, (frame, start) =>
        writeIcmp(frame, start, type, code, rest, payload, 0, payload.length),
      ),
    ).replace('IP 10.36.0.0 > 10.244.1.5: ', '')
  const quoted = frameOf(17, 8, (frame, start) =>
    writeUdp(frame, start, 4000, 53, 0, source, destination),
  ).slice(14)
  assert.is(icmp(8, 0, 0x0007_0002), 'ICMP echo request, id 7, seq 2, length 8')
  assert.is(icmp(0, 0, 0x0007_0002), 'ICMP echo reply, id 7, seq 2, length 8')
  assert.is(icmp(3, 3, 0, quoted), 'ICMP 10.244.1.5 udp port 53 unreachable, length 36')
  assert.is(icmp(3, 1, 0, quoted), 'ICMP host 10.244.1.5 unreachable, length 36')
  assert.is(icmp(3, 0, 0, quoted), 'ICMP net 10.244.1.5 unreachable, length 36')
  assert.is(icmp(3, 4, 1400, quoted), 'ICMP 10.244.1.5 unreachable - need to frag (mtu 1400), length 36')
  assert.is(icmp(11, 0, 0, quoted), 'ICMP time exceeded in-transit, length 36')
  assert.is(icmp(3, 3, 0, none), 'ICMP unreachable, code 3, length 8')
})

test('fragments, unknown protocols and damaged frames are told as such', () => {
  const fragment = frameOf(17, 8, (frame) => {
    writeIpv4Header(frame, 14, {
      ...ipHeader(),
      totalLength: 28,
      identification: 9,
      moreFragments: true,
      fragmentOffset: 16,
      protocol: 17,
      source,
      destination,
    })
  })
  assert.is(formatFrame(fragment), 'IP 10.36.0.0 > 10.244.1.5: udp (frag 9:8@16+)')
  assert.is(formatFrame(frameOf(89, 4, () => {})), 'IP 10.36.0.0 > 10.244.1.5: ip-proto-89, length 4')
  const damaged = SYN_ACK.slice()
  setUint16(damaged, 34, 81)
  assert.is(formatFrame(damaged), 'IP 10.36.0.0 > 10.244.1.5: TCP [bad-checksum]')
  assert.is(formatFrame(SYN_ACK.slice(0, 20)), 'IP [truncated], length 6')
  assert.is(formatFrame(new Uint8Array(3)), '[truncated], length 3')
})

test.run()
