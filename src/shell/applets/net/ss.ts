// ss of iproute2: the sockets of this pod, TCP and UDP. Ports are always numbers, as in an image without
// /etc/services. Filters: `state` and `exclude`, then an expression (ss-filter.ts); the table is ss-table.ts.
// Not here: -e's inodes, -m, and other families' sockets, of which there are none.

import type { ProcessSocketRow } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { isIpv6 } from '../../../wire/address.js'
import { type ParsedOptions, parseOptions } from './options.js'
import { FilterError, parseFilter } from './ss-filter.js'
import { stateText, table } from './ss-table.js'

const USAGE = `Usage: ss [ OPTIONS ]
       ss [ OPTIONS ] [ FILTER ]
   -h, --help          this message
   -V, --version       output version information
   -n, --numeric       don't resolve service names
   -a, --all           display all sockets
   -l, --listening     display listening sockets
   -o, --options       show timer information
   -p, --processes     show process using socket
   -i, --info          show internal TCP information
   -s, --summary       show socket usage summary
   -4, --ipv4          display only IP version 4 sockets
   -6, --ipv6          display only IP version 6 sockets
   -t, --tcp           display only TCP sockets
   -u, --udp           display only UDP sockets
   -H, --no-header     Suppress header line
   -O, --oneline       socket's data printed on a single line
`
const VERSION = 'ss utility, iproute2-6.1.0\n'

const STATES = [
  'ESTAB',
  'SYN-SENT',
  'SYN-RECV',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'UNCONN',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
] as const
type State = (typeof STATES)[number]

const without = (...states: State[]): readonly State[] => STATES.filter((state) => !states.includes(state))
/** What is shown without -a and -l. */
const CONNECTED = without('LISTEN', 'UNCONN', 'TIME-WAIT', 'SYN-RECV')

/** Names that `state` and `exclude` take. */
const STATE_NAMES: Readonly<Record<string, readonly State[]>> = {
  all: STATES,
  connected: CONNECTED,
  synchronized: CONNECTED.filter((state) => state !== 'SYN-SENT'),
  bucket: ['SYN-RECV', 'TIME-WAIT'],
  big: without('SYN-RECV', 'TIME-WAIT'),
  established: ['ESTAB'],
  estab: ['ESTAB'],
  'syn-sent': ['SYN-SENT'],
  'syn-recv': ['SYN-RECV'],
  'syn-rcv': ['SYN-RECV'],
  'fin-wait-1': ['FIN-WAIT-1'],
  'fin-wait-2': ['FIN-WAIT-2'],
  'time-wait': ['TIME-WAIT'],
  unconn: ['UNCONN'],
  closed: ['UNCONN'],
  close: ['UNCONN'],
  'close-wait': ['CLOSE-WAIT'],
  'last-ack': ['LAST-ACK'],
  listening: ['LISTEN'],
  listen: ['LISTEN'],
  closing: ['CLOSING'],
}

/** Ends the program. */
class SsError extends Error {
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

const OPTIONS = [
  ['t', 'tcp'],
  ['u', 'udp'],
  ['w', 'raw'],
  ['x', 'unix'],
  ['a', 'all'],
  ['l', 'listening'],
  ['n', 'numeric'],
  ['r', 'resolve'],
  ['H', 'no-header'],
  ['O', 'oneline'],
  ['h', 'help'],
  ['V', 'version'],
  ['4', 'ipv4'],
  ['6', 'ipv6'],
  ['p', 'processes'],
  ['e', 'extended'],
  ['o', 'options'],
  ['i', 'info'],
  ['s', 'summary'],
]

export async function ss(process: Process): Promise<number> {
  const parsed = parseOptions(process.argv.slice(1), OPTIONS)
  const { stdout, stderr } = process
  if ('mistake' in parsed) {
    const isLetter = !parsed.option.startsWith('--')
    const problem = isLetter
      ? `invalid option -- '${parsed.option.slice(1)}'`
      : `unrecognized option '${parsed.option}'`
    await stderr.write(`ss: ${problem}\n${USAGE}`)
    return 255
  }
  if (parsed.has('h') || parsed.has('V')) {
    await stdout.write(parsed.has('h') ? USAGE : VERSION)
    return 0
  }
  try {
    await stdout.write(parsed.has('s') ? summary(process.system.net.sockets()) : shown(process, parsed))
    return 0
  } catch (error) {
    if (!(error instanceof SsError)) throw error
    await stderr.write(error.message)
    return error.status
  }
}

function shown(process: Process, parsed: ParsedOptions): string {
  const { system } = process
  const { states, expression } = readStates(parsed)
  const matches = readExpression(expression)
  const kinds = ['t', 'u', 'w', 'x'].filter((letter) => parsed.has(letter))
  const bothFamilies = parsed.has('4') === parsed.has('6')
  const rows = system.net.sockets().filter((row) => {
    if (kinds.length > 0 && !parsed.has(row.protocol === 'tcp' ? 't' : 'u')) return false
    if (!bothFamilies && !parsed.has(isIpv6(row.local.address) ? '6' : '4')) return false
    return states.has(stateText(row)) && matches(row)
  })
  return table(rows, {
    header: !parsed.has('H'),
    netid: kinds.length !== 1 || kinds[0] === 'x',
    state: states.size > 1,
    processes: parsed.has('p') ? system.processes() : undefined,
    timers: parsed.has('o'),
    info: parsed.has('i'),
    oneLine: parsed.has('O'),
    numeric: parsed.has('n'),
  })
}

/** `state A state B exclude C`, and what is left of the words. */
function readStates(parsed: ParsedOptions): { states: Set<string>; expression: readonly string[] } {
  const words = [...parsed.operands]
  let states: Set<string> | undefined
  while (words[0] === 'state' || words[0] === 'exclude' || words[0] === 'excl') {
    const isState = words.shift() === 'state'
    const name = words.shift()
    const named = STATE_NAMES[name?.toLowerCase() ?? '']
    if (named === undefined) throw new SsError(`ss: wrong state name: ${name ?? ''}\n`, 255)
    states ??= new Set<string>(isState ? [] : STATES)
    for (const state of named) isState ? states.add(state) : states.delete(state)
  }
  const listening = ['LISTEN', 'UNCONN'] as const
  const usual = parsed.has('a') ? STATES : parsed.has('l') ? listening : CONNECTED
  return { states: states ?? new Set<string>(usual), expression: words }
}

function readExpression(words: readonly string[]) {
  try {
    return parseFilter(words)
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    if (error.kind === 'syntax') throw new SsError(`ss: ${error.message}\n${USAGE}`, 255)
    throw new SsError(`Error: ${error.message}\nCannot parse dst/src address.\n`, 1)
  }
}

/** Of connections that their programs may have closed already. */
const CLOSING_STATES: ReadonlySet<string> = new Set(['FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSING', 'LAST-ACK'])

/** Of -s. Sockets in TIME-WAIT are none any more, but counted with TCP's. */
function summary(rows: readonly ProcessSocketRow[]): string {
  const tcp = rows.filter(({ protocol }) => protocol === 'tcp')
  const isWaiting = ({ state }: ProcessSocketRow) => state === 'TIME-WAIT'
  const waiting = tcp.filter(isWaiting).length
  const established = tcp.filter((row) => stateText(row) === 'ESTAB').length
  const orphaned = tcp.filter((row) => CLOSING_STATES.has(row.state) && row.owner === undefined).length
  const counts = (name: string, kind: readonly ProcessSocketRow[]) => {
    const v6 = kind.filter(({ local }) => isIpv6(local.address)).length
    return `${name}\t  ${[kind.length, kind.length - v6, v6].map((count) => String(count).padEnd(9)).join(' ')}`
  }
  const live = rows.filter((row) => !isWaiting(row))
  const isTcp = ({ protocol }: ProcessSocketRow) => protocol === 'tcp'
  return `${[
    `Total: ${live.length}`,
    `TCP:   ${tcp.length} (estab ${established}, closed ${waiting}, orphaned ${orphaned}, timewait ${waiting})`,
    '',
    'Transport Total     IP        IPv6',
    counts('RAW', []),
    counts(
      'UDP',
      live.filter((row) => !isTcp(row)),
    ),
    counts('TCP', live.filter(isTcp)),
    counts('INET', live),
    counts('FRAG', []),
    '',
  ].join('\n')}\n`
}
