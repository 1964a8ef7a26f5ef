// A frame in one line, or more with -v: the link's header and ARP here, IP in print-ip.ts. Wording and forms are those of
// tcpdump 4.99. wire/format.ts is the plain form for traces and tests, which knows no names and no cut packets.

import { getUint48 } from '../../../../base/bytes.js'
import {
  ETHERNET_HEADER_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
} from '../../../../wire/ethernet.js'
import { SLL2_BYTES } from './cooked.js'
import { hex, Line, type Style } from './line.js'
import { printIpv4, printIpv6 } from './print-ip.js'

const TYPE_NAMES = new Map([
  [ETHERTYPE_IPV4, 'IPv4'],
  [ETHERTYPE_ARP, 'ARP'],
  [ETHERTYPE_IPV6, 'IPv6'],
  [0x8100, '802.1Q'],
  [0x8035, 'Reverse ARP'],
])

/** What the device `any` tells before a packet: the interface and the direction. */
export interface CookedHeader {
  readonly interfaceIndex: number
  readonly interfaceName: string
  /** `In`, `Out`, `B` and `M` as sll(4) has it. */
  readonly kind: string
}

/** The text of a frame of which `length` bytes were on the wire. */
export function describeFrame(
  frame: Uint8Array,
  length: number,
  style: Style,
  cooked?: CookedHeader,
): string {
  const line = new Line(style, frame)
  if (cooked !== undefined) line.add(`${cooked.interfaceName.padEnd(5)} ${cooked.kind.padEnd(3)} `)
  line.protocol('ether', () => {
    line.need(ETHERNET_HEADER_BYTES)
    const type = line.uint16(12)
    if (style.link) printLink(line, type, length, cooked)
    const end = length
    if (type === ETHERTYPE_ARP) line.protocol('arp', () => printArp(line, end))
    else if (type === ETHERTYPE_IPV4) line.protocol('ip', () => printIpv4(line, ETHERNET_HEADER_BYTES, end))
    else if (type === ETHERTYPE_IPV6) line.protocol('ip6', () => printIpv6(line, ETHERNET_HEADER_BYTES, end))
    else {
      if (!style.link) printEthernet(line, type, length)
      line.add(`unknown ethertype, length ${length - ETHERNET_HEADER_BYTES}`)
    }
  })
  return line.text
}

function printLink(line: Line, type: number, length: number, cooked: CookedHeader | undefined): void {
  if (cooked === undefined) return printEthernet(line, type, length)
  const source = line.style.mac(getUint48(line.bytes, 6))
  line.add(`ifindex ${cooked.interfaceIndex} ${source} ethertype ${TYPE_NAMES.get(type) ?? 'Unknown'} `)
  line.add(`(0x${hex(type, 4)}), length ${length + SLL2_BYTES - ETHERNET_HEADER_BYTES}: `)
}

function printEthernet(line: Line, type: number, length: number): void {
  const { bytes, style } = line
  const macs = `${style.mac(getUint48(bytes, 6))} > ${style.mac(getUint48(bytes, 0))}`
  const name = TYPE_NAMES.get(type) ?? 'Unknown'
  line.add(
    style.quiet
      ? `${macs}, ${name}, length ${length}: `
      : `${macs}, ethertype ${name} (0x${hex(type, 4)}), length ${length}: `,
  )
}

const ARP_REQUEST = 1
const ARP_REPLY = 2

function printArp(line: Line, end: number): void {
  const { style } = line
  const start = ETHERNET_HEADER_BYTES
  if (!style.link) line.add('ARP, ')
  line.need(start + 28)
  if (style.verbose > 0) line.add('Ethernet (len 6), IPv4 (len 4), ')
  const operation = line.uint16(start + 6)
  const senderMac = style.mac(getUint48(line.bytes, start + 8))
  const targetMac = getUint48(line.bytes, start + 18)
  const sender = style.address(line.uint32(start + 14))
  const target = style.address(line.uint32(start + 24))
  if (operation === ARP_REQUEST) {
    const known = targetMac === 0 ? '' : ` (${style.mac(targetMac)})`
    line.add(`Request who-has ${target}${known} tell ${sender}`)
  } else if (operation === ARP_REPLY) {
    line.add(`Reply ${sender} is-at ${senderMac}`)
  } else {
    line.add(`Unknown (${operation})`)
  }
  line.add(`, length ${end - start}`)
}
