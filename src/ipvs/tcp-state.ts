// How IPVS follows a TCP connection that it carries: the table of states of ip_vs_proto_tcp.c of Linux, how long each
// lasts, and which count as ActiveConn.

import { type Micros, SECOND } from '../base/time.js'
import { ACK, FIN, RST, SYN } from '../wire/tcp.js'

export type IpvsTcpState =
  | 'NONE'
  | 'ESTABLISHED'
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'FIN_WAIT'
  | 'TIME_WAIT'
  | 'CLOSE'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'LISTEN'
  | 'SYNACK'

export const TCP_TIMEOUTS: Readonly<Record<IpvsTcpState, Micros>> = {
  NONE: 2 * SECOND,
  ESTABLISHED: 15 * 60 * SECOND,
  SYN_SENT: 2 * 60 * SECOND,
  SYN_RECV: 60 * SECOND,
  FIN_WAIT: 2 * 60 * SECOND,
  TIME_WAIT: 2 * 60 * SECOND,
  CLOSE: 10 * SECOND,
  CLOSE_WAIT: 60 * SECOND,
  LAST_ACK: 30 * SECOND,
  LISTEN: 2 * 60 * SECOND,
  SYNACK: 120 * SECOND,
}

const ACTIVE: ReadonlySet<IpvsTcpState> = new Set(['ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'SYNACK'])

const COLUMNS: readonly IpvsTcpState[] = [
  'NONE',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'SYNACK',
]

/** Two letters for each state, in the order of the columns. */
const SHORT = ['NO', 'ES', 'SS', 'SR', 'FW', 'TW', 'CL', 'CW', 'LA', 'LI', 'SA']

type SegmentKind = 'syn' | 'fin' | 'ack' | 'rst'

/** From the state of the column (NO ES SS SR FW TW CL CW LA LI SA) to the next. */
const TABLE = {
  /** From the client. */
  input: {
    syn: 'SR ES ES SR SR SR SR SR SR SR SR',
    fin: 'CL CW SS TW TW TW CL CW LA LI TW',
    ack: 'CL ES SS ES FW TW CL CW CL LI ES',
    rst: 'CL CL CL SR CL CL CL CL LA LI SR',
  },
  /** From the server. */
  output: {
    syn: 'SS ES SS SR SS SS SS SS SS LI SR',
    fin: 'TW FW SS TW FW TW CL TW LA LI TW',
    ack: 'ES ES SS ES FW TW CL CW LA ES ES',
    rst: 'CL CL SS CL CL TW CL CL CL CL CL',
  },
} satisfies Record<'input' | 'output', Record<SegmentKind, string>>

type Row = Readonly<Record<IpvsTcpState, IpvsTcpState>>

function parseRows(rows: Readonly<Record<SegmentKind, string>>): Readonly<Record<SegmentKind, Row>> {
  const parsed = Object.entries(rows).map(([kind, row]) => [
    kind,
    Object.fromEntries(
      row.split(' ').map((short, column) => [COLUMNS[column]!, COLUMNS[SHORT.indexOf(short)]!]),
    ),
  ])
  return Object.fromEntries(parsed) as Record<SegmentKind, Row>
}

const INPUT = parseRows(TABLE.input)
const OUTPUT = parseRows(TABLE.output)

/** RST before SYN before FIN before ACK; undefined for a segment without any of them. */
function kindOf(flags: number): SegmentKind | undefined {
  if (flags & RST) return 'rst'
  if (flags & SYN) return 'syn'
  if (flags & FIN) return 'fin'
  return flags & ACK ? 'ack' : undefined
}

/** Where a segment with `flags` takes a connection that is in `state`. */
export function nextTcpState(state: IpvsTcpState, fromServer: boolean, flags: number): IpvsTcpState {
  const kind = kindOf(flags)
  return kind === undefined ? state : (fromServer ? OUTPUT : INPUT)[kind][state]
}

/** Whether a connection in `state` counts as ActiveConn. */
export function isActive(state: IpvsTcpState): boolean {
  return ACTIVE.has(state)
}
