// ss of iproute2: the sockets of this pod, TCP and UDP. Ports are always numbers, as in an image without
// /etc/services. Filters: `state NAME`, then an expression (ss-filter.ts).

import type { Process } from '../../../posix/process.js'
import type { SocketRow } from '../../../stack/socket.js'
import { formatAddress, type IpAddress, isIpv6 } from '../../../wire/address.js'
import { parseOptions } from './options.js'
import { FilterError, parseFilter, type SocketFilter } from './ss-filter.js'

const USAGE = `Usage: ss [ OPTIONS ]
       ss [ OPTIONS ] [ state STATE ] [ EXPRESSION ]
   -h, --help          this message
   -n, --numeric       don't resolve service names
   -a, --all           display all sockets
   -l, --listening     display listening sockets
   -t, --tcp           display only TCP sockets
   -u, --udp           display only UDP sockets
   -4, --ipv4          display only IP version 4 sockets
   -6, --ipv6          display only IP version 6 sockets
   -H, --no-header     Suppress header line
`

/** Names that `state` takes, besides those that ss shows. */
const STATE_NAMES: Readonly<Record<string, readonly string[]>> = {
  established: ['ESTAB'],
  'syn-sent': ['SYN-SENT'],
  'syn-recv': ['SYN-RECV'],
  'fin-wait-1': ['FIN-WAIT-1'],
  'fin-wait-2': ['FIN-WAIT-2'],
  'time-wait': ['TIME-WAIT'],
  'close-wait': ['CLOSE-WAIT'],
  'last-ack': ['LAST-ACK'],
  closing: ['CLOSING'],
  closed: ['UNCONN'],
  listening: ['LISTEN', 'UNCONN'],
  connected: [
    'ESTAB',
    'SYN-SENT',
    'FIN-WAIT-1',
    'FIN-WAIT-2',
    'TIME-WAIT',
    'CLOSE-WAIT',
    'LAST-ACK',
    'CLOSING',
  ],
}

export async function ss(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [
    ['t', 'tcp'],
    ['u', 'udp'],
    ['a', 'all'],
    ['l', 'listening'],
    ['n', 'numeric'],
    ['H', 'no-header'],
    ['h', 'help'],
    ['4', 'ipv4'],
    ['6', 'ipv6'],
    ['p', 'processes'],
    ['e', 'extended'],
    ['o', 'options'],
    ['i', 'info'],
  ])
  if ('mistake' in parsed) {
    await process.stderr.write(`ss: unrecognized option '${parsed.option}'\n${USAGE}`)
    return 255
  }
  if (parsed.has('h')) {
    await process.stdout.write(USAGE)
    return 0
  }
  const { operands } = parsed
  const byState = operands[0] === 'state'
  const named = byState ? STATE_NAMES[operands[1]?.toLowerCase() ?? ''] : undefined
  if (byState && named === undefined) {
    await process.stderr.write(`ss: wrong state name: ${operands[1] ?? ''}\n`)
    return 255
  }
  let filter: SocketFilter
  try {
    filter = parseFilter(operands.slice(byState ? 2 : 0))
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    const syntax = error.kind === 'syntax'
    await process.stderr.write(
      syntax ? `ss: ${error.message}\n${USAGE}` : `Error: ${error.message}\nCannot parse dst/src address.\n`,
    )
    return syntax ? 255 : 1
  }
  const both = parsed.has('t') === parsed.has('u')
  const bothFamilies = parsed.has('4') === parsed.has('6')
  const wanted = (row: SocketRow) => {
    if (!both && !parsed.has(row.protocol === 'tcp' ? 't' : 'u')) return false
    if (!bothFamilies && !parsed.has(isIpv6(row.local.address) ? '6' : '4')) return false
    const state = stateText(row)
    if (named !== undefined) return named.includes(state)
    const listening = state === 'LISTEN' || state === 'UNCONN'
    if (parsed.has('a')) return true
    return parsed.has('l') ? listening : !listening && state !== 'TIME-WAIT' && state !== 'SYN-RECV'
  }
  const rows = process.system.net.sockets().filter((row) => wanted(row) && filter(row))
  await process.stdout.write(table(rows, both, !parsed.has('H')))
  return 0
}

/** As ss names a state. */
function stateText({ state }: SocketRow): string {
  if (state === 'ESTABLISHED') return 'ESTAB'
  if (state === 'SYN-RECEIVED') return 'SYN-RECV'
  return state === 'CLOSED' ? 'UNCONN' : state
}

/** One of IPv6 in brackets, or its port could not be told from it. */
function addressText(address: IpAddress): string {
  return isIpv6(address) ? `[${formatAddress(address)}]` : formatAddress(address)
}

/** Columns as wide as their longest cell; an address ends, and its port begins, at one colon. */
function table(rows: readonly SocketRow[], withProtocol: boolean, withHeader: boolean): string {
  const port = (number: number) => (number === 0 ? '*' : String(number))
  const cells = rows.map((row) => [
    row.protocol,
    stateText(row),
    String(row.receiveQueue),
    String(row.sendQueue),
    addressText(row.local.address),
    port(row.local.port),
    addressText(row.remote.address),
    port(row.remote.port),
  ])
  const header = ['Netid', 'State', 'Recv-Q', 'Send-Q', 'Local Address', 'Port', 'Peer Address', 'Port']
  const all = withHeader ? [header, ...cells] : cells
  const widths = header.map((_, column) => Math.max(0, ...all.map((line) => line[column]!.length)))
  const left = (line: readonly string[], column: number) => line[column]!.padEnd(widths[column]!)
  const right = (line: readonly string[], column: number) => line[column]!.padStart(widths[column]!)
  const text = (line: readonly string[]) =>
    [
      ...(withProtocol ? [left(line, 0)] : []),
      left(line, 1),
      left(line, 2),
      left(line, 3),
      `${right(line, 4)}:${left(line, 5)}`,
      `${right(line, 6)}:${left(line, 7)}`,
    ].join(' ')
  return all
    .map((line) => (line === header ? `${text(line)} Process\n` : `${text(line).trimEnd()}\n`))
    .join('')
}
