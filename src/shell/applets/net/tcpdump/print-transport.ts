// TCP segments and UDP datagrams as tcpdump tells them, with what DNS and HTTP say in them.

import { type IpAddress, isIpv6 } from '../../../../wire/address.js'
import { checksumOf, onesSum, pseudoHeaderSum } from '../../../../wire/checksum.js'
import { formatTcpFlags } from '../../../../wire/format.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../../../wire/ip.js'
import { ACK, FIN, RST, SYN, URG } from '../../../../wire/tcp.js'
import { hex, type Line } from './line.js'
import { printDns } from './print-dns.js'
import { printHttp } from './print-http.js'

/** A packet's payload: offsets into the line's bytes; `end` is where it ended on the wire. */
export interface Payload {
  readonly source: IpAddress
  readonly destination: IpAddress
  readonly start: number
  readonly end: number
  /** Only its first part is here. */
  readonly isFragment: boolean
}

const DNS_PORT = 53
const HTTP_PORTS = [80, 8080, 3128]

export function printTcp(line: Line, payload: Payload): void {
  const { style } = line
  const { start, end, source, destination } = payload
  const sourcePort = line.uint16(start)
  const destinationPort = line.uint16(start + 2)
  printPorts(line, payload, sourcePort, destinationPort, 'tcp')
  const headerBytes = (line.byte(start + 12) >> 4) * 4
  const length = end - start - headerBytes
  if (style.quiet) return line.add(`tcp ${length}`)
  const flags = line.byte(start + 13)
  const seq = line.uint32(start + 4)
  const ack = line.uint32(start + 8)
  const told = style.absolute
    ? { seq, ack }
    : style.conversations.relative({ source, sourcePort, destination, destinationPort }, flags, seq, ack)
  line.add(`Flags [${formatTcpFlags(flags)}]`)
  if (style.verbose > 0 && !style.trusting && !payload.isFragment) printTcpChecksum(line, payload)
  if (style.verbose > 1 || length > 0 || (flags & (SYN | FIN | RST)) !== 0) {
    line.add(`, seq ${told.seq}${length > 0 ? `:${(told.seq + length) >>> 0}` : ''}`)
  }
  if ((flags & ACK) !== 0) line.add(`, ack ${told.ack}`)
  line.add(`, win ${line.uint16(start + 14)}`)
  if ((flags & URG) !== 0) line.add(`, urg ${line.uint16(start + 18)}`)
  if (headerBytes > 20)
    line.add(`, options [${optionTexts(line, start + 20, start + headerBytes).join(',')}]`)
  line.add(`, length ${length}`)
  if (length <= 0) return
  const text = start + headerBytes
  if ((flags & RST) !== 0) return line.add(' [RST]')
  if (sourcePort === DNS_PORT || destinationPort === DNS_PORT) {
    line.add(' ')
    return line.protocol('domain', () => printDns(line, text + 2, end, length - 2))
  }
  if (HTTP_PORTS.includes(sourcePort) || HTTP_PORTS.includes(destinationPort)) {
    line.add(': ')
    printHttp(line, text, end)
  }
}

function printPorts(line: Line, payload: Payload, from: number, to: number, protocol: 'tcp' | 'udp'): void {
  const { style } = line
  const source = `${style.address(payload.source)}.${style.port(from, protocol)}`
  line.add(`${source} > ${style.address(payload.destination)}.${style.port(to, protocol)}: `)
}

function printTcpChecksum(line: Line, payload: Payload): void {
  const { start, end } = payload
  if (end > line.bytes.length) return
  const told = line.uint16(start + 16)
  const sum = transportSum(line, payload, PROTOCOL_TCP)
  line.add(
    `, cksum 0x${hex(told, 4)} (${sum === 0 ? 'correct' : `incorrect -> 0x${hex(expected(told, sum), 4)}`})`,
  )
}

/** 0 when the checksum is right. */
export function transportSum(
  line: Line,
  { source, destination, start, end }: Payload,
  protocol: number,
): number {
  const pseudo = pseudoHeaderSum(source, destination, protocol, end - start)
  return checksumOf(onesSum(line.bytes, start, end, pseudo))
}

function optionTexts(line: Line, start: number, end: number): string[] {
  const texts: string[] = []
  for (let at = start; at < end; ) {
    const kind = line.byte(at)
    if (kind === 0) {
      texts.push('eol')
      break
    }
    if (kind === 1) {
      texts.push('nop')
      at++
      continue
    }
    const length = at + 1 < end ? line.byte(at + 1) : 0
    if (length < 2 || at + length > end) {
      texts.push('[bad opt]')
      break
    }
    texts.push(optionText(line, at, kind, length))
    at += length
  }
  return texts
}

function optionText(line: Line, at: number, kind: number, length: number): string {
  switch (kind) {
    case 2:
      return `mss ${line.uint16(at + 2)}`
    case 3:
      return `wscale ${line.byte(at + 2)}`
    case 4:
      return 'sackOK'
    case 5: {
      const blocks: string[] = []
      for (let block = at + 2; block + 8 <= at + length; block += 8) {
        blocks.push(`{${line.uint32(block)}:${line.uint32(block + 4)}}`)
      }
      return `sack ${blocks.length} ${blocks.join('')}`
    }
    case 8:
      return `TS val ${line.uint32(at + 2)} ecr ${line.uint32(at + 6)}`
  }
  return `unknown-${kind}`
}

export function printUdp(line: Line, payload: Payload): void {
  const { style } = line
  const { start } = payload
  const sourcePort = line.uint16(start)
  const destinationPort = line.uint16(start + 2)
  printPorts(line, payload, sourcePort, destinationPort, 'udp')
  const told = line.uint16(start + 4)
  const length = told - 8
  if (style.quiet) return line.add(`UDP, length ${length}`)
  // As tcpdump has it: of IPv6 with the first -v.
  const isChecked = style.verbose > (isIpv6(payload.source) ? 0 : 1)
  if (isChecked && !style.trusting && !payload.isFragment) printUdpChecksum(line, payload)
  if (!payload.isFragment && (sourcePort === DNS_PORT || destinationPort === DNS_PORT)) {
    return line.protocol('domain', () => printDns(line, start + 8, payload.end, length))
  }
  line.add(`UDP, length ${length}`)
}

function printUdpChecksum(line: Line, payload: Payload): void {
  const told = line.uint16(payload.start + 6)
  if (told === 0) return line.add('[no cksum] ')
  if (payload.end > line.bytes.length) return
  const sum = transportSum(line, payload, PROTOCOL_UDP)
  line.add(
    sum === 0 ? '[udp sum ok] ' : `[bad udp cksum 0x${hex(told, 4)} -> 0x${hex(expected(told, sum), 4)}!] `,
  )
}

/** The checksum that would be right, from the one that is told and what the sum over all comes to. */
export function expected(told: number, sum: number): number {
  const whole = told + sum
  return (whole & 0xffff) + (whole >>> 16)
}
