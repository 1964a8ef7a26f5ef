// What is kept of a connection in TIME-WAIT that its user has given up, and the connection made of it again when a segment
// comes (Linux: tcp_timewait_sock). A busy server has tens of thousands of them for a minute each, and next to nothing
// ever comes; of a whole TCB they would need thirty times the memory.

import type { Micros } from '../base/time.js'
import { ACK, FIN, RST, type Seq, SYN, type TcpSegment } from '../wire/tcp.js'
import { sequenceAfter } from './isn.js'
import { seqAfter } from './seq.js'
import { Tcb, type TcpOptions } from './tcb.js'

/** Sequence numbers as signed 32 bits: numbers that need no memory of their own. */
export interface Remains {
  readonly sndNxt: number
  readonly rcvNxt: number
  readonly rcvAdv: number
  readonly rcvWndShift: number
  readonly lastChallengeAt: Micros
  /** When TIME-WAIT is over. */
  readonly until: Micros
}

/** Undefined unless `tcb` is in TIME-WAIT, has nothing to send, and its user has closed it. */
export function remainsOf(tcb: Tcb): Remains | undefined {
  if (tcb.state !== 'TIME-WAIT' || !tcb.readClosed || tcb.ackNow || tcb.resetReply) return undefined
  return {
    sndNxt: tcb.sndNxt | 0,
    rcvNxt: tcb.rcvNxt | 0,
    rcvAdv: tcb.rcvAdv | 0,
    rcvWndShift: tcb.rcvWndShift,
    lastChallengeAt: tcb.lastChallengeAt,
    until: tcb.lingerUntil,
  }
}

/** MAY-2: whether `segment`, which LISTEN would accept, opens a new incarnation (see `acceptsNewSyn`). */
export function remainsAcceptSyn(remains: Remains, segment: TcpSegment): boolean {
  return (segment.flags & (SYN | ACK | RST | FIN)) === SYN && seqAfter(segment.seq, remains.rcvNxt >>> 0)
}

/** The initial sequence number for that new incarnation: beyond all that this one used. */
export function sequenceAfterRemains(remains: Remains): Seq {
  return sequenceAfter(remains.sndNxt >>> 0)
}

/** `options` as the connection was made with. */
export function revivedTcb(options: TcpOptions, remains: Remains, now: Micros): Tcb {
  const tcb = new Tcb(options, now)
  const sndNxt: Seq = remains.sndNxt >>> 0
  tcb.state = 'TIME-WAIT'
  tcb.sndUna = sndNxt
  tcb.sndNxt = sndNxt
  tcb.sndCursor = sndNxt
  tcb.rcvNxt = remains.rcvNxt >>> 0
  tcb.rcvAdv = remains.rcvAdv >>> 0
  tcb.rcvWndShift = remains.rcvWndShift
  tcb.lastChallengeAt = remains.lastChallengeAt
  tcb.lingerUntil = remains.until
  tcb.finQueued = true
  tcb.finReceived = true
  tcb.readClosed = true
  return tcb
}
