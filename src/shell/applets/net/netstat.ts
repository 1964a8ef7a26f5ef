// netstat as busybox has it: sockets (-t -u -l -a) and the routing table (-r). Always numeric.

import type { Process } from '../../../posix/process.js'
import type { SocketRow } from '../../../stack/socket.js'
import { type Endpoint, formatAddress, isIpv6, netmask, parseCidr } from '../../../wire/address.js'
import { busyboxMistake, parseOptions } from './options.js'

const USAGE = `Usage: netstat [-ral] [-tu] [-n]

Display networking information

	-r	Routing table
	-a	All sockets
	-l	Listening sockets
		Else: connected sockets
	-t	TCP sockets
	-u	UDP sockets
	-n	Don't resolve names
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
  ])
  if ('mistake' in parsed) {
    await process.stderr.write(`${busyboxMistake('netstat', parsed)}${USAGE}`)
    return 1
  }
  if (parsed.has('r')) {
    await process.stdout.write(routingTable(process))
    return 0
  }
  const both = parsed.has('t') === parsed.has('u')
  const listening = (row: SocketRow) => row.state === 'LISTEN' || row.state === 'UNCONN'
  const rows = process.system.net
    .sockets()
    .filter((row) => both || parsed.has(row.protocol === 'tcp' ? 't' : 'u'))
    .filter((row) => parsed.has('a') || listening(row) === parsed.has('l'))
  const which = parsed.has('a') ? 'servers and established' : parsed.has('l') ? 'only servers' : 'w/o servers'
  const pad = (text: string) => text.padEnd(23)
  const lines = [
    `Active Internet connections (${which})`,
    `Proto Recv-Q Send-Q ${pad('Local Address')} ${pad('Foreign Address')} State       `,
    ...rows.map((row) => {
      const queues = `${String(row.receiveQueue).padStart(6)} ${String(row.sendQueue).padStart(6)}`
      const ends = `${pad(endpointText(row.local))} ${pad(endpointText(row.remote))}`
      const protocol = `${row.protocol}${isIpv6(row.local.address) ? '6' : ''}`.padEnd(5)
      return `${protocol} ${queues} ${ends} ${stateText(row).padEnd(11)} `
    }),
  ]
  await process.stdout.write(`${lines.join('\n')}\n`)
  return 0
}

function endpointText({ address, port }: Endpoint): string {
  return `${formatAddress(address)}:${port === 0 ? '*' : port}`
}

function stateText({ state, protocol }: SocketRow): string {
  if (state === 'ESTAB' || state === 'ESTABLISHED') return 'ESTABLISHED'
  if (protocol === 'udp' || state === 'UNCONN') return ''
  if (state === 'SYN-RECEIVED') return 'SYN_RECV'
  return state.replace(/-(\d)$/, '$1').replaceAll('-', '_')
}

function routingTable({ system }: Process): string {
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
