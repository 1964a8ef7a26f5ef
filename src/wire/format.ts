// One line of text for a frame, worded as tcpdump -n does. For traces and tests; never throws: what is
// malformed is printed as far as it can be read, with the reason.

import { getUint16, getUint32 } from '../base/bytes.js'
import { formatAddress, formatMac, type IpAddress } from './address.js'
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
  ICMPV6_DEST_UNREACHABLE,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_NEIGHBOR_ADVERTISEMENT,
  ICMPV6_NEIGHBOR_SOLICITATION,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_TIME_EXCEEDED,
  parseIcmpv6,
} from './icmpv6.js'
import {
  type IpHeader,
  ipHeader,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  parseIpHeader,
} from './ip.js'
import { type NeighborMessage, parseNeighbor } from './ndp.js'
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
  if (ethernet.etherType === ETHERTYPE_IPV4 || ethernet.etherType === ETHERTYPE_IPV6)
    return formatIpPacket(frame, ETHERNET_HEADER_BYTES, frame.length)
  const type = `Unknown (0x${ethernet.etherType.toString(16).padStart(4, '0')})`
  return `${formatMac(ethernet.source)} > ${formatMac(ethernet.destination)}, ethertype ${type}, length ${frame.length}`
}

function formatArp(frame: Uint8Array): string {
  const arp = arpPacket()
  const length = frame.length - ETHERNET_HEADER_BYTES
  const reason = parseArp(frame, ETHERNET_HEADER_BYTES, frame.length, arp)
  if (reason !== undefined) return `ARP, [${reason}], length ${length}`
  if (arp.operation === ARP_REQUEST)
    return `ARP, Request who-has ${formatAddress(arp.targetAddress)} tell ${formatAddress(arp.senderAddress)}, length ${length}`
  if (arp.operation === ARP_REPLY)
    return `ARP, Reply ${formatAddress(arp.senderAddress)} is-at ${formatMac(arp.senderMac)}, length ${length}`
  return `ARP, Unknown (${arp.operation}), length ${length}`
}

/** Describes the IP packet in `bytes[start, end)`. */
export function formatIpPacket(bytes: Uint8Array, start: number, end: number): string {
  const ip = ipHeader()
  const reason = parseIpHeader(bytes, start, end, ip)
  if (reason !== undefined) return `IP [${reason}], length ${end - start}`
  if (ip.moreFragments || ip.fragmentOffset > 0) {
    const range = `${ip.payloadEnd - ip.payloadStart}@${ip.fragmentOffset}${ip.moreFragments ? '+' : ''}`
    return `${ipName(ip)} ${flow(ip)}: ${protocolName(ip.protocol)} (frag ${ip.identification}:${range})`
  }
  if (ip.protocol === PROTOCOL_TCP) return formatTcp(bytes, ip)
  if (ip.protocol === PROTOCOL_UDP) return formatUdp(bytes, ip)
  if (ip.protocol === PROTOCOL_ICMP) return formatIcmp(bytes, ip)
  if (ip.protocol === PROTOCOL_ICMPV6) return formatIcmpv6(bytes, ip)
  return `${ipName(ip)} ${flow(ip)}: ${protocolName(ip.protocol)}, length ${ip.payloadEnd - ip.payloadStart}`
}

function ipName(ip: IpHeader): string {
  return ip.version === 6 ? 'IP6' : 'IP'
}

function flow(ip: IpHeader): string {
  return `${formatAddress(ip.source)} > ${formatAddress(ip.destination)}`
}

function portFlow(ip: IpHeader, sourcePort: number, destinationPort: number): string {
  return `${formatAddress(ip.source)}.${sourcePort} > ${formatAddress(ip.destination)}.${destinationPort}`
}

function protocolName(protocol: number): string {
  if (protocol === PROTOCOL_TCP) return 'tcp'
  if (protocol === PROTOCOL_UDP) return 'udp'
  return protocol === PROTOCOL_ICMP ? 'icmp' : `ip-proto-${protocol}`
}

function formatUdp(bytes: Uint8Array, ip: IpHeader): string {
  const udp = udpDatagram()
  const reason = parseUdp(bytes, ip.payloadStart, ip.payloadEnd, ip.source, ip.destination, udp)
  if (reason !== undefined) return `${ipName(ip)} ${flow(ip)}: UDP [${reason}]`
  return `${ipName(ip)} ${portFlow(ip, udp.sourcePort, udp.destinationPort)}: UDP, length ${udp.payloadEnd - udp.payloadStart}`
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

function formatTcp(bytes: Uint8Array, ip: IpHeader): string {
  const tcp = tcpSegment()
  const reason = parseTcp(bytes, ip.payloadStart, ip.payloadEnd, ip.source, ip.destination, tcp)
  if (reason !== undefined) return `${ipName(ip)} ${flow(ip)}: TCP [${reason}]`
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
  return `${ipName(ip)} ${portFlow(ip, tcp.sourcePort, tcp.destinationPort)}: ${parts.join(', ')}`
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

function formatIcmp(bytes: Uint8Array, ip: IpHeader): string {
  const icmp = icmpMessage()
  const reason = parseIcmp(bytes, ip.payloadStart, ip.payloadEnd, icmp)
  if (reason !== undefined) return `${ipName(ip)} ${flow(ip)}: ICMP [${reason}]`
  return `${ipName(ip)} ${flow(ip)}: ICMP ${icmpText(icmp)}, length ${ip.payloadEnd - ip.payloadStart}`
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
  const host = formatAddress(getUint32(bytes, at + 16) as IpAddress)
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

function formatIcmpv6(bytes: Uint8Array, ip: IpHeader): string {
  const message = icmpMessage()
  const { payloadStart, payloadEnd, source, destination } = ip
  const reason = parseIcmpv6(bytes, payloadStart, payloadEnd, source, destination, message)
  const length = payloadEnd - payloadStart
  const what = reason === undefined ? icmpv6Text(message) : `[${reason}]`
  return `IP6 ${flow(ip)}: ICMP6, ${what}, length ${length}`
}

function icmpv6Text(message: IcmpMessage): string {
  const { type, code, rest } = message
  const echo = `id ${rest >>> 16}, seq ${rest & 0xffff}`
  const neighbor: NeighborMessage = { target: 0n, mac: undefined }
  switch (type) {
    case ICMPV6_ECHO_REQUEST:
      return `echo request, ${echo}`
    case ICMPV6_ECHO_REPLY:
      return `echo reply, ${echo}`
    case ICMPV6_NEIGHBOR_SOLICITATION:
      if (!parseNeighbor(message, neighbor)) break
      return `neighbor solicitation, who has ${formatAddress(neighbor.target)}`
    case ICMPV6_NEIGHBOR_ADVERTISEMENT:
      if (!parseNeighbor(message, neighbor)) break
      return `neighbor advertisement, tgt is ${formatAddress(neighbor.target)}`
    case ICMPV6_DEST_UNREACHABLE:
      return `destination unreachable, code ${code}`
    case ICMPV6_PACKET_TOO_BIG:
      return `packet too big, mtu ${rest}`
    case ICMPV6_TIME_EXCEEDED:
      return `time exceeded in-transit`
  }
  return `type ${type}, code ${code}`
}
