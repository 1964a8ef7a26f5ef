// The tables of /proc/net in the kernel's columns: sockets, interfaces, routes, neighbours, counters. Addresses are
// hexadecimal numbers in the byte order of a little-endian machine. Sockets have no inodes here: they show 0.

import { type Endpoint, formatAddress, isIpv6, netmask, parseCidr, parseIpv4 } from '../wire/address.js'
import type { KernelNode } from './kernel-files.js'
import type { Net, ProcessSocketRow, RouteRow } from './net.js'

/** include/net/tcp_states.h. */
const STATES: Readonly<Record<ProcessSocketRow['state'], number>> = {
  ESTABLISHED: 1,
  ESTAB: 1,
  'SYN-SENT': 2,
  'SYN-RECEIVED': 3,
  'FIN-WAIT-1': 4,
  'FIN-WAIT-2': 5,
  'TIME-WAIT': 6,
  CLOSED: 7,
  UNCONN: 7,
  'CLOSE-WAIT': 8,
  'LAST-ACK': 9,
  LISTEN: 10,
  CLOSING: 11,
}

const TCP_COLUMNS = 149
const UDP_COLUMNS = 127
const ROUTE_COLUMNS = 127
const RTF_UP = 1
const RTF_GATEWAY = 2
const RTF_HOST = 4

export function procNet(net: Net): Readonly<Record<string, KernelNode>> {
  const made = (text: () => string): KernelNode => ({ type: 'file', text })
  return {
    arp: made(() => neighborText(net)),
    dev: made(() => interfaceText(net)),
    if_inet6: made(() => addressText(net)),
    netstat: made(() => counterText(net, { TcpExt: { ListenOverflows: 'TcpListenOverflows' } })),
    route: made(() => routeText(net.routes())),
    snmp: made(() => counterText(net, SNMP)),
    sockstat: made(() => socketCountText(net)),
    tcp: made(() => socketText(net, 'tcp', false)),
    tcp6: made(() => socketText(net, 'tcp', true)),
    udp: made(() => socketText(net, 'udp', false)),
    udp6: made(() => socketText(net, 'udp', true)),
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0')
}

/** A word of 32 bits whose first byte is the lowest. */
function littleEndian(word: number): string {
  const bytes = [word, word >>> 8, word >>> 16, word >>> 24].map((byte) => hex(byte & 255, 2))
  return bytes.join('')
}

function addressHex({ address }: Pick<Endpoint, 'address'>): string {
  if (!isIpv6(address)) return littleEndian(address)
  const words = [96n, 64n, 32n, 0n].map((shift) => Number((address >> shift) & 0xffffffffn))
  return words.map(littleEndian).join('')
}

function socketText(net: Net, protocol: 'tcp' | 'udp', ipv6: boolean): string {
  const rows = net.sockets().filter((row) => row.protocol === protocol && isIpv6(row.local.address) === ipv6)
  const [tail, columns] =
    protocol === 'tcp' ? ['inode', TCP_COLUMNS] : ['inode ref pointer drops', UDP_COLUMNS]
  const gap = ipv6 ? ' '.repeat(24) : ''
  const title = protocol === 'tcp' ? '  sl  ' : '   sl  '
  const names = `${title}local_address ${gap}${ipv6 ? 'remote_address' : 'rem_address  '} ${gap}st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout ${tail}`
  const lines = rows.map((row, index) => socketLine(row, index, protocol))
  return [names, ...lines].map((line) => `${ipv6 ? line : line.padEnd(columns)}\n`).join('')
}

function socketLine(row: ProcessSocketRow, index: number, protocol: 'tcp' | 'udp'): string {
  const end = (endpoint: Endpoint) => `${addressHex(endpoint)}:${hex(endpoint.port, 4)}`
  // Of a listener it is the room for connections, which the kernel does not tell here.
  const sendQueue = row.state === 'LISTEN' ? 0 : row.sendQueue
  const queues = `${hex(sendQueue, 8)}:${hex(row.receiveQueue, 8)}`
  const tail = protocol === 'tcp' ? '0 1 0000000000000000' : '0 2 0000000000000000 0'
  const number = String(index).padStart(protocol === 'tcp' ? 4 : 5)
  return `${number}: ${end(row.local)} ${end(row.remote)} ${hex(STATES[row.state], 2)} ${queues} 00:00000000 00000000     0        0 ${tail}`
}

function interfaceText(net: Net): string {
  const heading = [
    'Inter-|   Receive                                                |  Transmit\n',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n',
  ]
  const cell = (value: number, width: number) => String(value).padStart(width)
  const lines = net.interfaces().map((row) => {
    const received = [row.receivedBytes, row.receivedFrames, 0, 0, 0, 0, 0, 0]
    const sent = [row.sentBytes, row.sentFrames, 0, 0, 0, 0, 0, 0]
    const left = [7, 7, 4, 4, 4, 5, 10, 9].map((width, at) => cell(received[at]!, width))
    const right = [8, 7, 4, 4, 4, 5, 7, 10].map((width, at) => cell(sent[at]!, width))
    return `${row.name.padStart(6)}: ${[...left, ...right].join(' ')}\n`
  })
  return [...heading, ...lines].join('')
}

function routeText(routes: readonly RouteRow[]): string {
  const names = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT'
  const lines = routes
    .filter(({ family }) => family === 'IPv4')
    .map(({ destination, gateway, device, metric = 0 }) => {
      const plain = destination === 'default' ? '0.0.0.0/0' : destination
      const prefix = parseCidr(plain.includes('/') ? plain : `${plain}/32`)!
      const flags =
        RTF_UP | (gateway === undefined ? 0 : RTF_GATEWAY) | (prefix.prefixLength === 32 ? RTF_HOST : 0)
      const to = addressHex({ address: prefix.network })
      const by = gateway === undefined ? '00000000' : addressHex({ address: parseIpv4(gateway)! })
      const mask = littleEndian(netmask(prefix.prefixLength))
      return `${device}\t${to}\t${by}\t${hex(flags, 4)}\t0\t0\t${metric}\t${mask}\t0\t0\t0`
    })
  return [names, ...lines].map((line) => `${line.padEnd(ROUTE_COLUMNS)}\n`).join('')
}

function neighborText(net: Net): string {
  const heading = 'IP address       HW type     Flags       HW address            Mask     Device\n'
  const lines = net
    .neighbors()
    .filter(({ address }) => !address.includes(':'))
    .map(({ address, mac, device }) => {
      const flags = mac === undefined ? '0x0' : '0x2'
      const hardware = mac ?? '00:00:00:00:00:00'
      return `${address.padEnd(16)} 0x1         ${flags}         ${hardware}     *        ${device}\n`
    })
  return `${heading}${lines.join('')}`
}

/** Addresses of IPv6: the number, the interface, the prefix, the scope (0x20 link, 0x10 host). */
function addressText(net: Net): string {
  const lines = net.interfaces().flatMap(({ addresses, index, name, loopback }) =>
    addresses
      .filter((text) => text.includes(':'))
      .map((text) => {
        const prefix = parseCidr(`${text.split('/')[0]}/128`)!
        const number = (prefix.network as bigint).toString(16).padStart(32, '0')
        const scope = loopback ? 0x10 : /^fe[89ab]/.test(text) ? 0x20 : 0
        const length = Number(text.split('/')[1])
        const numbers = [index, length, scope, 0x80].map((value) => value.toString(16).padStart(2, '0'))
        return `${number} ${numbers.join(' ')} ${name.padStart(8)}\n`
      }),
  )
  return lines.join('')
}

/** By protocol: the kernel's name of a counter, and the stack's. */
const SNMP: Readonly<Record<string, Readonly<Record<string, Parameters<typeof counted>[1]>>>> = {
  Ip: {
    InReceives: 'IpInReceives',
    InHdrErrors: 'IpInHdrErrors',
    InAddrErrors: 'IpInAddrErrors',
    ForwDatagrams: 'IpForwDatagrams',
    InUnknownProtos: 'IpInUnknownProtos',
    InDiscards: 'IpInDiscards',
    InDelivers: 'IpInDelivers',
    OutRequests: 'IpOutRequests',
    OutDiscards: 'IpOutDiscards',
    OutNoRoutes: 'IpOutNoRoutes',
    ReasmTimeout: 'IpReasmTimeout',
    ReasmReqds: 'IpReasmReqds',
    ReasmOKs: 'IpReasmOKs',
    ReasmFails: 'IpReasmFails',
    FragOKs: 'IpFragOKs',
    FragFails: 'IpFragFails',
    FragCreates: 'IpFragCreates',
  },
  Icmp: {
    InMsgs: 'IcmpInMsgs',
    InErrors: 'IcmpInErrors',
    InCsumErrors: 'IcmpInCsumErrors',
    InEchos: 'IcmpInEchos',
    OutMsgs: 'IcmpOutMsgs',
  },
  Tcp: {
    ActiveOpens: 'TcpActiveOpens',
    PassiveOpens: 'TcpPassiveOpens',
    InSegs: 'TcpInSegs',
    OutSegs: 'TcpOutSegs',
    InErrs: 'TcpInErrs',
    OutRsts: 'TcpOutRsts',
    InCsumErrors: 'TcpInCsumErrors',
  },
  Udp: {
    InDatagrams: 'UdpInDatagrams',
    NoPorts: 'UdpNoPorts',
    InErrors: 'UdpInErrors',
    OutDatagrams: 'UdpOutDatagrams',
    RcvbufErrors: 'UdpRcvbufErrors',
    InCsumErrors: 'UdpInCsumErrors',
  },
}

function counted(net: Net, name: keyof ReturnType<Net['counters']>): number {
  return net.counters()[name]
}

/** Two lines for each protocol: the names, and the numbers. */
function counterText(net: Net, groups: typeof SNMP): string {
  return Object.entries(groups)
    .map(([group, names]) => {
      const values = Object.values(names).map((name) => counted(net, name))
      return `${group}: ${Object.keys(names).join(' ')}\n${group}: ${values.join(' ')}\n`
    })
    .join('')
}

function socketCountText(net: Net): string {
  const rows = net.sockets().filter(({ local }) => !formatAddress(local.address).includes(':'))
  const tcp = rows.filter(({ protocol }) => protocol === 'tcp')
  const waiting = tcp.filter(({ state }) => state === 'TIME-WAIT').length
  const udp = rows.length - tcp.length
  return [
    `sockets: used ${rows.length - waiting}`,
    `TCP: inuse ${tcp.length - waiting} orphan 0 tw ${waiting} alloc ${tcp.length - waiting} mem 0`,
    `UDP: inuse ${udp} mem 0`,
    'RAW: inuse 0',
    'FRAG: inuse 0 memory 0\n',
  ].join('\n')
}
