// IPv4 and IPv6 packets as tcpdump tells them, quoted ones of ICMP errors too.

import { checksumOf, onesSum } from '../../../../wire/checksum.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../../wire/ip.js'
import { hex, type Line } from './line.js'
import { printIcmp } from './print-icmp.js'
import { printIcmpv6 } from './print-icmpv6.js'
import { expected, type Payload, printTcp, printUdp } from './print-transport.js'

const PROTOCOL_NAMES = new Map([
  [0, 'Options'],
  [PROTOCOL_ICMP, 'ICMP'],
  [2, 'IGMP'],
  [PROTOCOL_TCP, 'TCP'],
  [PROTOCOL_UDP, 'UDP'],
  [43, 'Routing'],
  [44, 'Fragment'],
  [PROTOCOL_ICMPV6, 'ICMPv6'],
  [59, 'none'],
  [60, 'Options'],
  [132, 'SCTP'],
])

const ECN = ['', ',ECT(1)', ',ECT(0)', ',CE']
const DONT_FRAGMENT = 0x4000
const MORE_FRAGMENTS = 0x2000

/** The IPv4 packet at `start`; `end`: where the frame ended on the wire. */
export function printIpv4(line: Line, start: number, end: number): void {
  const { style } = line
  if (!style.link) line.add('IP ')
  const headerBytes = (line.byte(start) & 0x0f) * 4
  line.need(start + 20)
  const total = line.uint16(start + 2)
  const fragment = line.uint16(start + 6)
  const offset = (fragment & 0x1fff) * 8
  const protocol = line.byte(start + 9)
  if (style.verbose > 0) printIpv4Header(line, start, headerBytes)
  const source = line.uint32(start + 12)
  const destination = line.uint32(start + 16)
  if (headerBytes < 20 || total < headerBytes) return line.add(`bad-len ${total}`)
  const stop = Math.min(end, start + total)
  const ends = { source, destination }
  if (offset === 0) {
    const isFragment = (fragment & MORE_FRAGMENTS) !== 0
    return printPayload(line, protocol, { ...ends, start: start + headerBytes, end: stop, isFragment })
  }
  line.add(`${style.address(source)} > ${style.address(destination)}: ip-proto-${protocol}`)
}

function printIpv4Header(line: Line, start: number, headerBytes: number): void {
  const tos = line.byte(start + 1)
  const fragment = line.uint16(start + 6)
  const protocol = line.byte(start + 9)
  const flags = [
    ...((fragment & MORE_FRAGMENTS) !== 0 ? ['+'] : []),
    ...((fragment & DONT_FRAGMENT) !== 0 ? ['DF'] : []),
  ]
  const ttl = line.byte(start + 8)
  line.add(`(tos 0x${hex(tos)}${ECN[tos & 3]}${ttl > 0 ? `, ttl ${ttl}` : ''}, id ${line.uint16(start + 4)}`)
  line.add(`, offset ${(fragment & 0x1fff) * 8}, flags [${flags.join(', ') || 'none'}]`)
  line.add(
    `, proto ${PROTOCOL_NAMES.get(protocol) ?? 'unknown'} (${protocol}), length ${line.uint16(start + 2)}`,
  )
  if (!line.style.trusting && start + headerBytes <= line.bytes.length) {
    const sum = checksumOf(onesSum(line.bytes, start, start + headerBytes))
    const told = line.uint16(start + 10)
    if (sum !== 0) line.add(`, bad cksum ${hex(told)} (->${hex(expected(told, sum))})!`)
  }
  line.add(')\n    ')
}

export function printIpv6(line: Line, start: number, end: number): void {
  const { style } = line
  if (!style.link) line.add('IP6 ')
  line.need(start + 40)
  const first = line.uint32(start)
  const length = line.uint16(start + 4)
  let protocol = line.byte(start + 6)
  if (style.verbose > 0) {
    const trafficClass = (first >>> 20) & 0xff
    const flowLabel = first & 0xfffff
    line.add('(')
    if (trafficClass !== 0) line.add(`class 0x${hex(trafficClass, 2)}, `)
    if (flowLabel !== 0) line.add(`flowlabel 0x${hex(flowLabel, 5)}, `)
    line.add(
      `hlim ${line.byte(start + 7)}, next-header ${PROTOCOL_NAMES.get(protocol) ?? 'unknown'} (${protocol})`,
    )
    line.add(` payload length: ${length}) `)
  }
  const ends = { source: line.ipv6(start + 8), destination: line.ipv6(start + 24) }
  const stop = Math.min(end, start + 40 + length)
  let at = start + 40
  if (protocol === 44) {
    const fragment = line.uint16(at + 2)
    protocol = line.byte(at)
    at += 8
    line.add(`${style.address(ends.source)} > ${style.address(ends.destination)}: `)
    line.add(`frag (${fragment & 0xfff8}|${stop - at}) `)
    if ((fragment & 0xfff8) !== 0) return
  }
  printPayload(line, protocol, { ...ends, start: at, end: stop, isFragment: at !== start + 40 })
}

function printPayload(line: Line, protocol: number, payload: Payload): void {
  const { style } = line
  if (protocol === PROTOCOL_TCP) return line.protocol('tcp', () => printTcp(line, payload))
  if (protocol === PROTOCOL_UDP) return line.protocol('udp', () => printUdp(line, payload))
  line.add(`${style.address(payload.source)} > ${style.address(payload.destination)}: `)
  if (protocol === PROTOCOL_ICMP) return line.protocol('icmp', () => printIcmp(line, payload))
  if (protocol === PROTOCOL_ICMPV6) return line.protocol('icmp6', () => printIcmpv6(line, payload))
  line.add(` ip-proto-${protocol} ${payload.end - payload.start}`)
}
