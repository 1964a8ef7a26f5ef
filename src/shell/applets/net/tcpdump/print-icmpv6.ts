// ICMPv6 messages as tcpdump tells them, neighbour discovery among them.

import { getUint48 } from '../../../../base/bytes.js'
import { formatMac } from '../../../../wire/address.js'
import { PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../../wire/ip.js'
import { hex, type Line } from './line.js'
import { hexLines } from './print-bytes.js'
import { expected, type Payload, transportSum } from './print-transport.js'

const NEIGHBOR_SOLICITATION = 135
const NEIGHBOR_ADVERTISEMENT = 136

export function printIcmpv6(line: Line, payload: Payload): void {
  const { start, end, isFragment } = payload
  const { verbose, trusting } = line.style
  if (verbose > 0 && !trusting && !isFragment && end <= line.bytes.length) {
    const told = line.uint16(start + 2)
    const sum = transportSum(line, payload, PROTOCOL_ICMPV6)
    if (sum === 0) line.add('[icmp6 sum ok] ')
    else line.add(`[bad icmp6 cksum 0x${hex(told, 4)} -> 0x${hex(expected(told, sum), 4)}!] `)
  }
  const type = line.byte(start)
  const length = `, length ${end - start}`
  line.add(`ICMP6, ${nameOf(line, start)}`)
  if (verbose === 0) {
    line.add(`${detailOf(line, start)}${length}`)
  } else if (type === NEIGHBOR_SOLICITATION || type === NEIGHBOR_ADVERTISEMENT) {
    line.add(length)
    line.add(detailOf(line, start))
    if (type === NEIGHBOR_ADVERTISEMENT) line.add(`, Flags [${neighborFlags(line.byte(start + 4))}]`)
    printOptions(line, start + 24, end)
  } else {
    line.add(detailOf(line, start))
  }
}

function nameOf(line: Line, start: number): string {
  const type = line.byte(start)
  switch (type) {
    case 1:
      return 'destination unreachable'
    case 2:
      return 'packet too big'
    case 3:
      return 'time exceeded in-transit'
    case 128:
      return 'echo request'
    case 129:
      return 'echo reply'
    case 133:
      return 'router solicitation'
    case 134:
      return 'router advertisement'
    case NEIGHBOR_SOLICITATION:
      return 'neighbor solicitation'
    case NEIGHBOR_ADVERTISEMENT:
      return 'neighbor advertisement'
  }
  return `unknown icmp6 type (${type})`
}

function detailOf(line: Line, start: number): string {
  switch (line.byte(start)) {
    case 1:
      return `, ${unreachableText(line, start)}`
    case 2:
      return `, mtu ${line.uint32(start + 4)}`
    case 3:
      return ` for ${line.style.address(line.ipv6(start + 8 + 24))}`
    case NEIGHBOR_SOLICITATION:
      return `, who has ${line.style.address(line.ipv6(start + 8))}`
    case NEIGHBOR_ADVERTISEMENT:
      return `, tgt is ${line.style.address(line.ipv6(start + 8))}`
    case 128:
    case 129:
      return `, id ${line.uint16(start + 4)}, seq ${line.uint16(start + 6)}`
  }
  return ''
}

function unreachableText(line: Line, start: number): string {
  const { style } = line
  const quoted = start + 8
  const host = style.address(line.ipv6(quoted + 24))
  switch (line.byte(start + 1)) {
    case 0:
      return `unreachable route ${host}`
    case 1:
      return `unreachable prohibited ${host}`
    case 2:
      return `beyond scope ${host}, source address ${style.address(line.ipv6(quoted + 8))}`
    case 3:
      return `unreachable address ${host}`
    case 4: {
      const protocol = line.byte(quoted + 6)
      const port = line.uint16(quoted + 42)
      if (protocol === PROTOCOL_TCP) return `unreachable port, ${host} tcp port ${style.port(port, 'tcp')}`
      if (protocol === PROTOCOL_UDP) return `unreachable port, ${host} udp port ${style.port(port, 'udp')}`
      return `unreachable port, ${host} protocol ${protocol} port ${port}`
    }
  }
  return `unreachable code-#${line.byte(start + 1)}`
}

function neighborFlags(flags: number): string {
  const names = [
    ...((flags & 0x80) !== 0 ? ['router'] : []),
    ...((flags & 0x40) !== 0 ? ['solicited'] : []),
    ...((flags & 0x20) !== 0 ? ['override'] : []),
  ]
  return names.join(', ') || 'none'
}

function printOptions(line: Line, start: number, end: number): void {
  for (let at = start; at + 2 <= end; ) {
    const type = line.byte(at)
    const units = line.byte(at + 1)
    if (units === 0) return
    const name = type === 1 ? 'source link-address' : type === 2 ? 'destination link-address' : 'unknown'
    line.add(`\n\t  ${name} option (${type}), length ${units * 8} (${units}): `)
    line.need(at + units * 8)
    if (type === 1 || type === 2) line.add(formatMac(getUint48(line.bytes, at + 2)))
    if (line.style.verbose > 1) {
      line.add(hexLines(line.bytes.subarray(at + 2, at + units * 8), '\n\t    ', false))
    }
    at += units * 8
  }
}
