// ICMP messages as tcpdump tells them; errors with the packet that they quote.

import { checksumOf, onesSum } from '../../../../wire/checksum.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../../../wire/ip.js'
import { hex, type Line } from './line.js'
import { printIpv4 } from './print-ip.js'
import type { Payload } from './print-transport.js'
import { expected } from './print-transport.js'

const ERRORS = [3, 4, 5, 11, 12]

export function printIcmp(line: Line, { start, end, isFragment }: Payload): void {
  const type = line.byte(start)
  line.add(`ICMP ${messageText(line, start, end)}, length ${end - start}`)
  if (line.style.verbose === 0 || isFragment) return
  if (!line.style.trusting && end <= line.bytes.length) {
    const sum = checksumOf(onesSum(line.bytes, start, end))
    const told = line.uint16(start + 2)
    if (sum !== 0) line.add(` (wrong icmp cksum ${hex(told)} (->${hex(expected(told, sum))})!)`)
  }
  if (!ERRORS.includes(type)) return
  line.add('\n\t')
  const quoted = start + 8
  // The packet may be quoted in part only: what its header says of its length counts.
  line.protocol('ip', () => printIpv4(line, quoted, quoted + line.uint16(quoted + 2)))
}

function messageText(line: Line, start: number, end: number): string {
  const type = line.byte(start)
  const code = line.byte(start + 1)
  switch (type) {
    case 0:
    case 8:
      return `echo ${type === 0 ? 'reply' : 'request'}, id ${line.uint16(start + 4)}, seq ${line.uint16(start + 6)}`
    case 3:
      return unreachableText(line, start, end, code)
    case 5:
      return `redirect ${line.style.address(line.uint32(start + 24))} to ${code === 1 ? 'host' : 'net'} ${line.style.address(line.uint32(start + 4))}`
    case 11:
      return code === 0 ? 'time exceeded in-transit' : 'ip reassembly time exceeded'
    case 13:
      return `time stamp query id ${line.uint16(start + 4)} seq ${line.uint16(start + 6)}`
  }
  return `type-#${type}`
}

function unreachableText(line: Line, start: number, end: number, code: number): string {
  const { style } = line
  const quoted = start + 8
  const host = style.address(line.uint32(quoted + 16))
  const protocol = line.byte(quoted + 9)
  switch (code) {
    case 0:
      return `net ${host} unreachable`
    case 1:
      return `host ${host} unreachable`
    case 2:
      return `${host} protocol ${protocol} unreachable`
    case 3: {
      const ports = quoted + (line.byte(quoted) & 0x0f) * 4
      if (ports + 4 > end) return `${host} unreachable`
      const port = line.uint16(ports + 2)
      if (protocol === PROTOCOL_TCP) return `${host} tcp port ${style.port(port, 'tcp')} unreachable`
      if (protocol === PROTOCOL_UDP) return `${host} udp port ${style.port(port, 'udp')} unreachable`
      return `${host} protocol ${protocol} port ${port} unreachable`
    }
    case 4: {
      const mtu = line.uint16(start + 6)
      return `${host} unreachable - need to frag${mtu === 0 ? '' : ` (mtu ${mtu})`}`
    }
    case 9:
      return `net ${host} unreachable - admin prohibited`
    case 10:
      return `host ${host} unreachable - admin prohibited`
    case 13:
      return `host ${host} unreachable - admin prohibited filter`
  }
  return `${host} unreachable - #${code}`
}
