// netstat as busybox has it: sockets (-t -u -l -a, -p) and the routing table (-r). Always numeric. That of nodes, which
// counts as well, is netstat-net-tools.ts.

import type { ProcessSocketRow } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import type { SocketRow } from '../../../stack/socket.js'
import { type Endpoint, formatAddress, isIpv6, netmask, parseCidr } from '../../../wire/address.js'
import { busyboxMistake, type ParsedOptions, parseOptions } from './options.js'

const USAGE = `Usage: netstat [-ral] [-tu] [-nWp]

Display networking information

	-r	Routing table
	-a	All sockets
	-l	Listening sockets
		Else: connected sockets
	-t	TCP sockets
	-u	UDP sockets
	-n	Don't resolve names
	-W	Wide display
	-p	Show PID/program name for sockets
`

export async function netstat(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [
    ['t', 'tcp'],
    ['u', 'udp'],
    ['a', 'all'],
    ['l', 'listening'],
    ['n', 'numeric'],
    ['r', 'route'],
    ['e'],
    ['p'],
    ['W'],
    ['4'],
    ['6'],
  ])
  if ('mistake' in parsed) {
    await process.stderr.write(`${busyboxMistake('netstat', parsed)}${USAGE}`)
    return 1
  }
  if (parsed.has('r')) {
    await process.stdout.write(routingTable(process))
    return 0
  }
  const which = parsed.has('a') ? 'servers and established' : parsed.has('l') ? 'only servers' : 'w/o servers'
  const programs = parsed.has('p') ? 'PID/Program name    ' : ''
  const width = parsed.has('W') ? 51 : 23
  const pad = (text: string) => text.padEnd(width)
  const lines = [
    `Active Internet connections (${which})`,
    `Proto Recv-Q Send-Q ${pad('Local Address')} ${pad('Foreign Address')} State       ${programs}`,
    ...wantedRows(process, parsed).map((row) => {
      const queues = `${String(row.receiveQueue).padStart(6)} ${String(row.sendQueue).padStart(6)}`
      const ends = `${pad(endpointText(row.local))} ${pad(endpointText(row.remote))}`
      const program = parsed.has('p') ? programText(process, row) : ''
      return `${row.protocol}   ${queues} ${ends} ${stateText(row).padEnd(11)} ${program}`
    }),
  ]
  await process.stdout.write(`${lines.join('\n')}\n`)
  return 0
}

/** TCP's, then UDP's: connections, with -l what listens, with -a both. */
export function wantedRows({ system }: Process, parsed: ParsedOptions): ProcessSocketRow[] {
  const both = parsed.has('t') === parsed.has('u')
  const bothFamilies = parsed.has('4') === parsed.has('6')
  const isListening = (row: SocketRow) => row.state === 'LISTEN' || row.state === 'UNCONN'
  const rows = system.net.sockets().filter((row) => {
    if (!both && !parsed.has(row.protocol === 'tcp' ? 't' : 'u')) return false
    if (!bothFamilies && !parsed.has(isIpv6(row.local.address) ? '6' : '4')) return false
    return parsed.has('a') || isListening(row) === parsed.has('l')
  })
  const order = (row: SocketRow) => Number(row.protocol === 'udp') * 2 + Number(isIpv6(row.local.address))
  return rows.sort((a, b) => order(a) - order(b))
}

/** `12/nginx`, `-` of a socket that no process of this container has. */
export function programText({ system }: Process, { process: own }: ProcessSocketRow): string {
  const row = own && system.processes().find(({ pid }) => pid === own.pid)
  return row === undefined ? '-' : `${row.pid}/${row.argv.join(' ')}`.slice(0, 20)
}

export function endpointText({ address, port }: Endpoint): string {
  return `${formatAddress(address)}:${port === 0 ? '*' : port}`
}

export function stateText({ state, protocol }: SocketRow): string {
  if (state === 'ESTAB' || state === 'ESTABLISHED') return 'ESTABLISHED'
  if (protocol === 'udp' || state === 'UNCONN') return ''
  if (state === 'SYN-RECEIVED') return 'SYN_RECV'
  return state.replace(/-(\d)$/, '$1').replaceAll('-', '_')
}

export function routingTable({ system }: Process): string {
  const lines = [
    'Kernel IP routing table',
    'Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface',
  ]
  for (const { family, destination, gateway, device } of system.net.routes()) {
    // Without -6 only IPv4's.
    if (family !== 'IPv4') continue
    const text = destination === 'default' ? '0.0.0.0/0' : destination
    const prefix = parseCidr(text.includes('/') ? text : `${text}/32`)
    if (prefix === undefined) continue
    const flags = `U${gateway === undefined ? '' : 'G'}${prefix.prefixLength === 32 ? 'H' : ''}`
    const columns = [
      formatAddress(prefix.network),
      gateway ?? '0.0.0.0',
      formatAddress(netmask(prefix.prefixLength)),
    ]
    lines.push(
      `${columns.map((column) => column.padEnd(15)).join(' ')} ${flags.padEnd(5)}     0 0          0 ${device}`,
    )
  }
  return `${lines.join('\n')}\n`
}
