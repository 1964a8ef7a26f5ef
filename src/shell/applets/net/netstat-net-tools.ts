// netstat of net-tools, as nodes have it: what busybox' shows (netstat.ts), interfaces with -i and what the stack has
// counted with -s. Counters that this stack does not keep are left out. Always numeric.

import type { Process } from '../../../posix/process.js'
import type { CounterName, Counters } from '../../../stack/counters.js'
import { isIpv6 } from '../../../wire/address.js'
import { endpointText, programText, routingTable, stateText, wantedRows } from './netstat.js'
import { type ParsedOptions, parseOptions } from './options.js'

const USAGE = `usage: netstat [-46W] {-t -u -a -l -n -p} | -r | -i [-a] | -s
        -r, --route              display routing table
        -i, --interfaces         display interface table
        -s, --statistics         display networking statistics (like SNMP)
        -W, --wide               don't truncate IP addresses
        -n, --numeric            don't resolve names
        -p, --programs           display PID/Program name for sockets
        -l, --listening          display listening server sockets
        -a, --all                display all sockets (default: connected)
        -t, --tcp  -u, --udp
`

export async function netToolsNetstat(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), [
    ['t', 'tcp'],
    ['u', 'udp'],
    ['a', 'all'],
    ['l', 'listening'],
    ['n', 'numeric'],
    ['r', 'route'],
    ['i', 'interfaces'],
    ['s', 'statistics'],
    ['p', 'programs'],
    ['W', 'wide'],
    ['4'],
    ['6'],
  ])
  if ('mistake' in parsed) {
    const isLetter = !parsed.option.startsWith('--')
    const what = isLetter
      ? `invalid option -- '${parsed.option.slice(1)}'`
      : `unrecognized option '${parsed.option}'`
    await process.stderr.write(`netstat: ${what}\n${USAGE}`)
    return 4
  }
  const { net } = process.system
  const text = parsed.has('r')
    ? routingTable(process)
    : parsed.has('i')
      ? interfaceTable(process)
      : parsed.has('s')
        ? statistics(net.counters())
        : socketTable(process, parsed)
  await process.stdout.write(text)
  return 0
}

function socketTable(process: Process, parsed: ParsedOptions): string {
  const which = parsed.has('a') ? 'servers and established' : parsed.has('l') ? 'only servers' : 'w/o servers'
  const hasPrograms = parsed.has('p')
  const width = parsed.has('W') ? 0 : 23
  const end = (text: string) => (width === 0 ? text.padEnd(23) : text.slice(0, 23).padEnd(23))
  const lines = wantedRows(process, parsed).map((row) => {
    const protocol = `${row.protocol}${isIpv6(row.local.address) ? '6' : ''}`.padEnd(5)
    const queues = `${String(row.receiveQueue).padStart(6)} ${String(row.sendQueue).padStart(6)}`
    const program = hasPrograms ? ` ${netToolsProgram(process, row).padEnd(20)}` : ''
    return `${protocol} ${queues} ${end(endpointText(row.local))} ${end(endpointText(row.remote))} ${stateText(row).padEnd(11)}${program}\n`
  })
  const programs = hasPrograms ? ' PID/Program name    ' : ''
  const ends = `${'Local Address'.padEnd(23)} ${'Foreign Address'.padEnd(23)}`
  return `Active Internet connections (${which})\nProto Recv-Q Send-Q ${ends} State      ${programs}\n${lines.join('')}`
}

/** `12/nginx`: without arguments and directories. */
function netToolsProgram(process: Process, row: Parameters<typeof programText>[1]): string {
  const [pid, command] = programText(process, row).split('/', 2)
  return command === undefined ? '-' : `${pid}/${command.split(' ')[0]}`
}

function interfaceTable({ system }: Process): string {
  const columns = ['MTU', 'RX-OK', 'RX-ERR', 'RX-DRP', 'RX-OVR', 'TX-OK', 'TX-ERR', 'TX-DRP', 'TX-OVR']
  const widths = [8, 8, 6, 6, 6, 8, 6, 6, 6]
  const cells = (texts: readonly (string | number)[]) =>
    texts.map((text, at) => String(text).padStart(widths[at]!)).join(' ')
  const rows = system.net
    .interfaces()
    .filter(({ up }) => up)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, mtuBytes, receivedFrames, sentFrames, loopback }) => {
      const counts = cells([mtuBytes, receivedFrames, 0, 0, 0, sentFrames, 0, 0, 0])
      return `${name.padEnd(12)} ${counts} ${loopback ? 'LRU' : 'BMRU'}\n`
    })
  return `Kernel Interface table\n${'Iface'.padEnd(12)} ${cells(columns)} Flg\n${rows.join('')}`
}

/** A line of a section; `always`: also when nothing was counted. */
type Line = readonly [counter: CounterName, text: string, always?: 'always']

const SECTIONS: readonly (readonly [name: string, lines: readonly Line[]])[] = [
  [
    'Ip',
    [
      ['IpInReceives', 'total packets received', 'always'],
      ['IpInHdrErrors', 'with invalid headers'],
      ['IpInAddrErrors', 'with invalid addresses'],
      ['IpForwDatagrams', 'forwarded', 'always'],
      ['IpInUnknownProtos', 'with unknown protocol'],
      ['IpInDiscards', 'incoming packets discarded', 'always'],
      ['IpInDelivers', 'incoming packets delivered', 'always'],
      ['IpOutRequests', 'requests sent out', 'always'],
      ['IpOutDiscards', 'outgoing packets dropped'],
      ['IpOutNoRoutes', 'dropped because of missing route'],
      ['IpReasmTimeout', 'fragments dropped after timeout'],
      ['IpReasmReqds', 'reassemblies required'],
      ['IpReasmOKs', 'packets reassembled ok'],
      ['IpReasmFails', 'packet reassembles failed'],
      ['IpFragOKs', 'fragments received ok'],
      ['IpFragFails', 'fragments failed'],
      ['IpFragCreates', 'fragments created'],
    ],
  ],
  [
    'Icmp',
    [
      ['IcmpInMsgs', 'ICMP messages received', 'always'],
      ['IcmpInErrors', 'input ICMP message failed', 'always'],
      ['IcmpOutMsgs', 'ICMP messages sent', 'always'],
    ],
  ],
  [
    'Tcp',
    [
      ['TcpActiveOpens', 'active connection openings', 'always'],
      ['TcpPassiveOpens', 'passive connection openings', 'always'],
      ['TcpInSegs', 'segments received', 'always'],
      ['TcpOutSegs', 'segments sent out', 'always'],
      ['TcpInErrs', 'bad segments received', 'always'],
      ['TcpOutRsts', 'resets sent', 'always'],
    ],
  ],
  [
    'Udp',
    [
      ['UdpInDatagrams', 'packets received', 'always'],
      ['UdpNoPorts', 'packets to unknown port received', 'always'],
      ['UdpInErrors', 'packet receive errors', 'always'],
      ['UdpOutDatagrams', 'packets sent', 'always'],
      ['UdpRcvbufErrors', 'receive buffer errors', 'always'],
    ],
  ],
]

function statistics(counters: Readonly<Counters>): string {
  return SECTIONS.map(([name, lines]) => {
    const shown = lines.filter(([counter, , always]) => always !== undefined || counters[counter] > 0)
    return `${name}:\n${shown.map(([counter, text]) => `    ${counters[counter]} ${text}\n`).join('')}`
  }).join('')
}
