// One line of text for a frame, worded as tcpdump -n does. For traces and tests; never throws: what is
// malformed is printed as far as it can be read, with the reason.

import { getUint16, getUint32 } from '../base/bytes.js'
import { formatIpv4, formatMac, type Ipv4 } from './address.js'
import { ARP_REPLY, ARP_REQUEST, arpPacket, parseArp } from './arp.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ethernetHeader,
  parseEthernet,
} from './ethernet.js'
import {
  ICMP_DEST_UNREACHABLE,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_REASSEMBLY_TIME_EXCEEDED,
  ICMP_TIME_EXCEEDED,
  type IcmpMessage,
  icmpMessage,
  parseIcmp,
} from './icmp.js'
import {
  type Ipv4Header,
  ipv4Header,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  parseIpv4Header,
} from './ipv4.js'
import {
  ACK,
  CWR,
  ECE,
  FIN,
  OPTION_END,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK_PERMITTED,
  OPTION_WINDOW_SCALE,
  PSH,
  parseTcp,
  RST,
  SYN,
  TCP_HEADER_BYTES,
  tcpSegment,
  URG,
} from './tcp.js'
import { parseUdp, udpDatagram } from './udp.js'

/** Describes an Ethernet frame: `IP 10.36.0.0.80 > 10.244.1.5.40000: Flags [S.], seq 1, ack 2, ...`. */
export function formatFrame(frame: Uint8Array): string {
  const ethernet = ethernetHeader()
  const reason = parseEthernet(frame, ethernet)
  if (reason !== undefined) return `[${reason}], length ${frame.length}`
  if (ethernet.etherType === ETHERTYPE_ARP) return formatArp(frame)
  if (ethernet.etherType === ETHERTYPE_IPV4)
    return formatIpv4Packet(frame, ETHERNET_HEADER_BYTES, frame.length)
  const type =
    ethernet.etherType === ETHERTYPE_IPV6
      ? 'IPv6 (0x86dd)'
      : `Unknown (0x${ethernet.etherType.toString(16).padStart(4, '0')})`
  return `${formatMac(ethernet.source)} > ${formatMac(ethernet.destination)}, ethertype ${type}, length ${frame.length}`
}

function formatArp(frame: Uint8Array): string {
  const arp = arpPacket()
  const length = frame.length - ETHERNET_HEADER_BYTES
  const reason = parseArp(frame, ETHERNET_HEADER_BYTES, frame.length, arp)
  if (reason !== undefined) return `ARP, [${reason}], length ${length}`
  if (arp.operation === ARP_REQUEST)
    return `ARP, Request who-has ${formatIpv4(arp.targetAddress)} tell ${formatIpv4(arp.senderAddress)}, length ${length}`
  if (arp.operation === ARP_REPLY)
    return `ARP, Reply ${formatIpv4(arp.senderAddress)} is-at ${formatMac(arp.senderMac)}, length ${length}`
  return `ARP, Unknown (${arp.operation}), length ${length}`
}

/** Describes the IPv4 packet in `bytes[start, end)`. */
export function formatIpv4Packet(bytes: Uint8Array, start: number, end: number): string {
  const ip = ipv4Header()
  const reason = parseIpv4Header(bytes, start, end, ip)
  if (reason !== undefined) return `IP [${reason}], length ${end - start}`
  if (ip.moreFragments || ip.fragmentOffset > 0) {
    const range = `${ip.payloadEnd - ip.payloadStart}@${ip.fragmentOffset}${ip.moreFragments ? '+' : ''}`
    return `IP ${flow(ip)}: ${protocolName(ip.protocol)} (frag ${ip.identification}:${range})`
  }
  if (ip.protocol === PROTOCOL_TCP) return formatTcp(bytes, ip)
  if (ip.protocol === PROTOCOL_UDP) return formatUdp(bytes, ip)
  if (ip.protocol === PROTOCOL_ICMP) return formatIcmp(bytes, ip)
  return `IP ${flow(ip)}: ${protocolName(ip.protocol)}, length ${ip.payloadEnd - ip.payloadStart}`
}

function flow(ip: Ipv4Header): string {
  return `${formatIpv4(ip.source)} > ${formatIpv4(ip.destination)}`
}

function portFlow(ip: Ipv4Header, sourcePort: number, destinationPort: number): string {
  return `${formatIpv4(ip.source)}.${sourcePort} > ${formatIpv4(ip.destination)}.${destinationPort}`
}

function protocolName(protocol: number): string {
  if (protocol === PROTOCOL_TCP) return 'tcp'
  if (protocol === PROTOCOL_UDP) return 'udp'
  return protocol === PROTOCOL_ICMP ? 'icmp' : `ip-proto-${protocol}`
}

function formatUdp(bytes: Uint8Array, ip: Ipv4Header): string {
  const udp = udpDatagram()
  const reason = parseUdp(bytes, ip.payloadStart, ip.payloadEnd, ip.source, ip.destination, udp)
  if (reason !== undefined) return `IP ${flow(ip)}: UDP [${reason}]`
  return `IP ${portFlow(ip, udp.sourcePort, udp.destinationPort)}: UDP, length ${udp.payloadEnd - udp.payloadStart}`
}

const FLAG_LETTERS: readonly (readonly [number, string])[] = [
  [FIN, 'F'],
  [SYN, 'S'],
  [RST, 'R'],
  [PSH, 'P'],
  [ACK, '.'],
  [URG, 'U'],
  [ECE, 'E'],
  [CWR, 'W'],
]

/** Flags of a segment in tcpdump's letters: `S.` for SYN and ACK, `none` for no flag. */
export function formatTcpFlags(flags: number): string {
  return (
    FLAG_LETTERS.filter(([flag]) => (flags & flag) !== 0)
      .map(([, letter]) => letter)
      .join('') || 'none'
  )
}

function formatTcp(bytes: Uint8Array, ip: Ipv4Header): string {
  const tcp = tcpSegment()
  const reason = parseTcp(bytes, ip.payloadStart, ip.payloadEnd, ip.source, ip.destination, tcp)
  if (reason !== undefined) return `IP ${flow(ip)}: TCP [${reason}]`
  const length = tcp.payloadEnd - tcp.payloadStart
  const parts = [`Flags [${formatTcpFlags(tcp.flags)}]`]
  // As tcpdump: a segment that occupies no sequence space is told by its acknowledgment alone.
  if (length > 0) parts.push(`seq ${tcp.seq}:${(tcp.seq + length) >>> 0}`)
  else if ((tcp.flags & (SYN | FIN | RST)) !== 0) parts.push(`seq ${tcp.seq}`)
  if ((tcp.flags & ACK) !== 0) parts.push(`ack ${tcp.ack}`)
  parts.push(`win ${tcp.window}`)
  if ((tcp.flags & URG) !== 0) parts.push(`urg ${tcp.urgentPointer}`)
  const options = formatTcpOptions(bytes, ip.payloadStart + TCP_HEADER_BYTES, tcp.payloadStart)
  if (options !== '') parts.push(`options [${options}]`)
  parts.push(`length ${length}`)
  return `IP ${portFlow(ip, tcp.sourcePort, tcp.destinationPort)}: ${parts.join(', ')}`
}

function formatTcpOptions(bytes: Uint8Array, at: number, end: number): string {
  const names: string[] = []
  while (at < end) {
    const kind = bytes[at]!
    if (kind === OPTION_END) {
      names.push('eol')
      break
    }
    if (kind === OPTION_NOP) {
      names.push('nop')
      at++
      continue
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0
    if (length < 2 || at + length > end) {
      names.push('[bad opt]')
      break
    }
    names.push(formatTcpOption(bytes, at, kind, length))
    at += length
  }
  return names.join(',')
}

function formatTcpOption(bytes: Uint8Array, at: number, kind: number, length: number): string {
  if (kind === OPTION_MSS && length === 4) return `mss ${getUint16(bytes, at + 2)}`
  if (kind === OPTION_WINDOW_SCALE && length === 3) return `wscale ${bytes[at + 2]}`
  if (kind === OPTION_SACK_PERMITTED && length === 2) return 'sackOK'
  return `unknown-${kind}`
}

function formatIcmp(bytes: Uint8Array, ip: Ipv4Header): string {
  const icmp = icmpMessage()
  const reason = parseIcmp(bytes, ip.payloadStart, ip.payloadEnd, icmp)
  if (reason !== undefined) return `IP ${flow(ip)}: ICMP [${reason}]`
  return `IP ${flow(ip)}: ICMP ${icmpText(icmp)}, length ${ip.payloadEnd - ip.payloadStart}`
}

function icmpText(icmp: IcmpMessage): string {
  if (icmp.type === ICMP_ECHO_REQUEST || icmp.type === ICMP_ECHO_REPLY) {
    const name = icmp.type === ICMP_ECHO_REQUEST ? 'request' : 'reply'
    return `echo ${name}, id ${icmp.rest >>> 16}, seq ${icmp.rest & 0xffff}`
  }
  if (icmp.type === ICMP_TIME_EXCEEDED)
    return icmp.code === ICMP_REASSEMBLY_TIME_EXCEEDED
      ? 'ip reassembly time exceeded'
      : 'time exceeded in-transit'
  if (icmp.type === ICMP_DEST_UNREACHABLE) return unreachableText(icmp)
  return `type-#${icmp.type}, code ${icmp.code}`
}

/** An error names what could not be reached, from the packet that it quotes (RFC 792: header and 8 bytes at least). */
function unreachableText(icmp: IcmpMessage): string {
  const { bytes, payloadStart: at, payloadEnd: end } = icmp
  if (end - at < 20) return `unreachable, code ${icmp.code}`
  const host = formatIpv4(getUint32(bytes, at + 16) as Ipv4)
  const protocol = protocolName(bytes[at + 9]!)
  const ports = at + (bytes[at]! & 0x0f) * 4
  switch (icmp.code) {
    case 0:
      return `net ${host} unreachable`
    case 1:
      return `host ${host} unreachable`
    case 2:
      return `${host} protocol ${bytes[at + 9]} unreachable`
    case 3:
      return ports + 4 > end
        ? `${host} ${protocol} port unreachable`
        : `${host} ${protocol} port ${getUint16(bytes, ports + 2)} unreachable`
    case 4:
      return `${host} unreachable - need to frag (mtu ${icmp.rest & 0xffff})`
    case 13:
      return `host ${host} unreachable - admin prohibited filter`
    default:
      return `${host} unreachable, code ${icmp.code}`
  }
}
