// How conntrack follows a TCP connection from outside: Linux' table of states (nf_conntrack_proto_tcp) and how long
// each lasts (net.netfilter.nf_conntrack_tcp_timeout_*). Simplified: sequence numbers and windows are not followed.

import { type Micros, SECOND } from '../base/time.js'
import { ACK, FIN, RST, SYN } from '../wire/tcp.js'

export type TcpTrackState =
  | 'NONE'
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'ESTABLISHED'
  | 'FIN_WAIT'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'TIME_WAIT'
  | 'CLOSE'
  | 'SYN_SENT2'

/** 'ignore': the packet passes and changes nothing, the other end will tell. 'invalid': it belongs to no connection. */
export type TcpTransition = TcpTrackState | 'ignore' | 'invalid'

export const TCP_TRACK_TIMEOUTS: Readonly<Record<TcpTrackState, Micros>> = {
  NONE: 120 * SECOND,
  SYN_SENT: 120 * SECOND,
  SYN_RECV: 60 * SECOND,
  ESTABLISHED: 432_000 * SECOND,
  FIN_WAIT: 120 * SECOND,
  CLOSE_WAIT: 60 * SECOND,
  LAST_ACK: 30 * SECOND,
  TIME_WAIT: 120 * SECOND,
  CLOSE: 10 * SECOND,
  SYN_SENT2: 120 * SECOND,
}

type SegmentKind = 'syn' | 'synack' | 'fin' | 'ack' | 'rst' | 'none'

/** Columns of the table below. */
const COLUMNS: readonly TcpTrackState[] = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
]

const SHORT: Readonly<Record<string, TcpTransition>> = {
  SS: 'SYN_SENT',
  SR: 'SYN_RECV',
  ES: 'ESTABLISHED',
  FW: 'FIN_WAIT',
  CW: 'CLOSE_WAIT',
  LA: 'LAST_ACK',
  TW: 'TIME_WAIT',
  CL: 'CLOSE',
  S2: 'SYN_SENT2',
  ig: 'ignore',
  iv: 'invalid',
}

/** From the state of the column (NONE SS SR ES FW CW LA TW CL S2) to the next, by segment and direction. */
const TABLE = {
  original: {
    // A connection that was seen to end may begin anew; a simultaneous open stays one.
    syn: 'SS SS ig ig ig ig ig SS SS S2',
    // Only a simultaneous open is answered from this side.
    synack: 'iv iv SR iv iv iv iv iv iv SR',
    fin: 'iv iv FW FW LA LA LA TW CL iv',
    // From NONE: a connection that was there before it was tracked is picked up (nf_conntrack_tcp_loose).
    ack: 'ES iv ES ES CW CW TW TW CL iv',
    rst: 'iv CL CL CL CL CL CL CL CL CL',
    none: 'iv iv iv iv iv iv iv iv iv iv',
  },
  reply: {
    syn: 'iv S2 iv iv iv iv iv SS iv S2',
    synack: 'iv SR ig ig ig ig ig ig ig SR',
    fin: 'iv iv FW FW LA LA LA TW CL iv',
    ack: 'iv ig SR ES CW CW TW TW CL ig',
    rst: 'iv CL CL CL CL CL CL CL CL CL',
    none: 'iv iv iv iv iv iv iv iv iv iv',
  },
} satisfies Record<'original' | 'reply', Record<SegmentKind, string>>

type Row = Readonly<Record<TcpTrackState, TcpTransition>>

function parseRows(rows: Readonly<Record<SegmentKind, string>>): Readonly<Record<SegmentKind, Row>> {
  const parsed = Object.entries(rows).map(([kind, row]) => [
    kind,
    Object.fromEntries(row.split(' ').map((short, column) => [COLUMNS[column]!, SHORT[short]!])),
  ])
  return Object.fromEntries(parsed) as Record<SegmentKind, Row>
}

const ORIGINAL = parseRows(TABLE.original)
const REPLY = parseRows(TABLE.reply)

/** RST before SYN before FIN before ACK. */
function kindOf(flags: number): SegmentKind {
  if (flags & RST) return 'rst'
  if (flags & SYN) return flags & ACK ? 'synack' : 'syn'
  if (flags & FIN) return 'fin'
  return flags & ACK ? 'ack' : 'none'
}

/** Where a segment with `flags` takes a connection that is in `state`. */
export function tcpTransition(state: TcpTrackState, reply: boolean, flags: number): TcpTransition {
  return (reply ? REPLY : ORIGINAL)[kindOf(flags)][state]
}
