// The command line of tcpdump 4.99.

import { type ParsedOptions, parseDecimal, parseOptions } from '../options.js'

export const VERSION = 'tcpdump version 4.99.3\nlibpcap version 1.10.3\n'

export const USAGE = `Usage: tcpdump [-AbdDefhHIJKlLnNOpqStuUvxX#] [ -B size ] [ -c count ] [--count]
		[ -C file_size ] [ -E algo:secret ] [ -F file ] [ -G seconds ]
		[ -i interface ] [ --immediate-mode ] [ -j tstamptype ]
		[ -M secret ] [ --number ] [ --print ] [ -Q in|out|inout ]
		[ -r file ] [ -s snaplen ] [ -T type ] [ --version ]
		[ -V file ] [ -w file ] [ -W filecount ] [ -y datalinktype ]
		[ --time-stamp-precision precision ] [ --micro ] [ --nano ]
		[ -z postrotate-command ] [ -Z user ] [ expression ]
`

export const DEFAULT_SNAP_LENGTH = 262_144

export interface TcpdumpSettings {
  readonly action: 'capture' | 'list-interfaces' | 'list-link-types' | 'version' | 'help'
  readonly interfaceName: string | undefined
  readonly readFile: string | undefined
  readonly writeFile: string | undefined
  readonly filterFile: string | undefined
  readonly expression: string
  /** Packets after which it ends. */
  readonly count: number
  readonly snapLength: number
  readonly numeric: boolean
  readonly shortNames: boolean
  readonly verbose: number
  readonly quiet: boolean
  readonly absolute: boolean
  readonly link: boolean
  readonly trusting: boolean
  readonly timeForm: number
  readonly numbered: boolean
  /** -x, -X, -A and their doubles with the link's header. */
  readonly dump: { readonly form: 'hex' | 'hex and text' | 'text'; readonly link: boolean } | undefined
  readonly direction: 'in' | 'out' | undefined
  /** With -w: packets are printed too. */
  readonly print: boolean
}

/** What is asked for; a text for stderr when the command line is wrong. */
export function readTcpdumpOptions(args: readonly string[]): TcpdumpSettings | string {
  const flags = [...'ADefhHIJKlLnNOpqStuUvxXb'].map((letter) => [letter])
  const parsed = parseOptions(args, [
    ...flags,
    ['#', 'number'],
    ...['B=', 'C=', 'E=', 'F=', 'G=', 'j=', 'M=', 'T=', 'V=', 'W=', 'y=', 'z=', 'Z='].map((name) => [name]),
    ['c', 'c='],
    ['i', 'interface='],
    ['Q', 'P', 'direction='],
    ['r', 'r='],
    ['s', 'snapshot-length='],
    ['w', 'w='],
    ['immediate-mode'],
    ['print'],
    ['version'],
    ['help'],
    ['list-interfaces'],
    ['micro'],
  ])
  if ('mistake' in parsed) {
    const { mistake, option } = parsed
    const letter = option.startsWith('--') ? undefined : option.slice(1)
    const what = mistake === 'unknown' ? 'invalid option' : 'option requires an argument'
    const text = letter === undefined ? `unrecognized option '${option}'` : `${what} -- '${letter}'`
    return `tcpdump: ${text}\n${VERSION}${USAGE}`
  }
  return settingsOf(parsed)
}

function settingsOf(parsed: ParsedOptions): TcpdumpSettings | string {
  const count = parsed.value('c')
  if (count !== undefined && !(Number(count) > 0)) return `tcpdump: invalid packet count ${count}\n`
  const snap = parsed.value('s')
  const snapLength = snap === undefined ? 0 : parseDecimal(snap)
  if (snapLength === undefined || snapLength > DEFAULT_SNAP_LENGTH)
    return `tcpdump: invalid snaplen ${snap}\n`
  const direction = parsed.value('Q')
  if (direction !== undefined && !['in', 'out', 'inout'].includes(direction)) {
    return `tcpdump: unknown capture direction \`${direction}'\n`
  }
  const rotation = ['C', 'G', 'W', 'z', 'E', 'M', 'V'].find((name) => parsed.has(name))
  if (rotation !== undefined) return `tcpdump: option -${rotation} is not supported\n`
  const timeForm = parsed.values('t').length
  if (timeForm > 5) return 'tcpdump: only -t, -tt, -ttt, -tttt, and -ttttt are supported\n'
  return {
    action: actionOf(parsed),
    interfaceName: parsed.value('i'),
    readFile: parsed.value('r'),
    writeFile: parsed.value('w'),
    filterFile: parsed.value('F'),
    expression: parsed.operands.join(' '),
    count: count === undefined ? Number.POSITIVE_INFINITY : Number(count),
    snapLength: snapLength === 0 ? DEFAULT_SNAP_LENGTH : snapLength,
    numeric: parsed.has('n'),
    shortNames: parsed.has('N'),
    verbose: parsed.values('v').length,
    quiet: parsed.has('q'),
    absolute: parsed.has('S'),
    link: parsed.has('e'),
    trusting: parsed.has('K'),
    timeForm,
    numbered: parsed.has('#'),
    dump: dumpOf(parsed),
    direction: direction === 'in' || direction === 'out' ? direction : undefined,
    print: parsed.has('print'),
  }
}

function actionOf(parsed: ParsedOptions): TcpdumpSettings['action'] {
  if (parsed.has('h') || parsed.has('help')) return 'help'
  if (parsed.has('version')) return 'version'
  if (parsed.has('L')) return 'list-link-types'
  return parsed.has('D') || parsed.has('list-interfaces') ? 'list-interfaces' : 'capture'
}

function dumpOf(parsed: ParsedOptions): TcpdumpSettings['dump'] {
  for (const [letter, form] of [
    ['X', 'hex and text'],
    ['x', 'hex'],
    ['A', 'text'],
  ] as const) {
    const times = parsed.values(letter).length
    if (times > 0) return { form, link: times > 1 }
  }
  return undefined
}
