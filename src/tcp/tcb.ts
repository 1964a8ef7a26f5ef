// The transmission control block, RFC 9293 section 3.3.1: every variable of one connection in one record. The
// functions of input*.ts, output.ts, timers.ts and close.ts work on it; connection.ts owns it. No behaviour here
// but translations between sequence numbers and stream offsets.

import type { SystemError } from '../base/errors.js'
import { MILLISECOND, type Micros, NEVER, SECOND } from '../base/time.js'
import type { Endpoint } from '../wire/address.js'
import type { Seq } from '../wire/tcp.js'
import type { RingMemory } from './byte-ring.js'
import type { CongestionControl } from './congestion.js'
import { ReceiveBuffer } from './receive-buffer.js'
import { Reno } from './reno.js'
import { RttEstimator } from './rtt.js'
import { SendBuffer } from './send-buffer.js'
import { seqAdd, seqDistance } from './seq.js'
import type { TcpState } from './state.js'

/** MSS of a peer that sends no MSS option, RFC 9293 section 3.7.1 (MUST-15). */
export const DEFAULT_MSS = 536
/** A peer or a router cannot make us send segments of almost nothing, as Linux (TCP_MIN_SND_MSS). */
export const MIN_MSS = 48
const DEFAULT_BUFFER_BYTES = 256 * 1024
/** 2MSL, as Linux (TCP_TIMEWAIT_LEN). */
const DEFAULT_TIME_WAIT: Micros = 60 * SECOND
/** As Linux' shortest delay (TCP_DELACK_MIN); MUST-40 allows up to 0.5 s. */
const DEFAULT_DELAYED_ACK: Micros = 40 * MILLISECOND
/** R2 for data: what Linux' 15 retransmissions of a 200 ms RTO come to (SHLD-11: at least 100 s). */
export const DEFAULT_USER_TIMEOUT: Micros = 924_600 * MILLISECOND
/** R2 for a SYN, MUST-23. Unlike Linux (127 s and 63 s), which stays below what the RFC asks for. */
export const SYN_TIMEOUT: Micros = 180 * SECOND

export interface TcpOptions {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly initialSequence: Seq
  /** MSS we announce and never exceed: MTU - 40. */
  readonly mss: number
  readonly receiveBufferBytes?: number | undefined
  readonly sendBufferBytes?: number | undefined
  /** Text of one segment for whoever cuts it to the MSS later (base/offload.ts); default: the MSS, nothing to cut. */
  readonly burstBytes?: number | undefined
  /** 2MSL. */
  readonly timeWait?: Micros
  /** Longest delay of an ACK, below 0.5 s; 0 acknowledges at once. */
  readonly delayedAck?: Micros
  /** Where buffers take their memory from; default: each connection has its own. */
  readonly memory?: RingMemory | undefined
  /** Algorithm of its own for this connection; Reno when absent. */
  readonly congestion?: CongestionControl
}

export class Tcb {
  readonly local: Endpoint
  readonly remote: Endpoint
  state: TcpState = 'CLOSED'
  /** Opened by a listener: a reset in SYN-RECEIVED then concerns no user (MUST-11). */
  passive = false
  error: SystemError | undefined
  softError: SystemError | undefined
  /** Counts up whenever an owner could care, see connection.ts. */
  changes = 0

  // Send sequence variables.
  readonly iss: Seq
  /** SND.UNA: oldest octet not acknowledged. */
  sndUna: Seq
  /** SND.NXT: one past the highest octet ever sent. */
  sndNxt: Seq
  /** Next octet to send: SND.NXT, or behind it while everything from here on is sent again after a timeout. */
  sndCursor: Seq
  /** SND.WND: the peer's window as of SND.UNA, scaled. */
  sndWnd = 0
  /** SND.WL1, SND.WL2: segment of the last window update. */
  sndWl1: Seq = 0
  sndWl2: Seq = 0
  /** MAX.SND.WND: largest window the peer ever offered. */
  maxSndWnd = 0
  /** Shift count of windows the peer sends, RFC 7323. */
  sndWndShift = 0
  /** Eff.snd.MSS without options: no segment carries more text. */
  sndMss: number
  /** What the path takes, as far as is known. */
  pathMss: number
  /** Most text of a segment that is still to be cut to `sndMss`; 0: segments leave as they are. */
  readonly burstBytes: number
  readonly sendBuffer: SendBuffer
  /** Sequence number of the send buffer's first octet. */
  sendBufferSeq: Seq
  /** The user closed: FIN follows the last octet of the send buffer. */
  finQueued = false
  /** End of the last segment sent that was not full, for Nagle's algorithm. */
  smallSegmentEnd: Seq
  noDelay = false

  // Receive sequence variables.
  irs: Seq = 0
  rcvNxt: Seq = 0
  /** Right edge of the window we advertised: it never moves left (SHLD-14). RCV.WND is its distance from RCV.NXT. */
  rcvAdv: Seq = 0
  /** Shift count of windows we send; as offered until the handshake decides. */
  rcvWndShift: number
  /** Our SYN carries a window scale option: we offer, or the peer did. */
  offerWindowScale = true
  readonly receiveBuffer: ReceiveBuffer
  /** MSS we announced. */
  readonly rcvMss: number
  /** Sequence number of a FIN that came before the data in front of it; meaningful while `finEarly`. */
  finSeq: Seq = 0
  finEarly = false
  /** The peer's FIN was received in order. */
  finReceived = false
  /** The user takes no more data: new data is answered by a reset, RFC 9293 section 3.6.1. */
  readClosed = false

  // Acknowledgments due.
  ackNow = false
  /** Segments with data since our last ACK (SHLD-19). */
  unackedSegments = 0
  /** When the last challenge ACK or ACK of a useless segment left, RFC 5961 section 7. */
  lastChallengeAt: Micros = Number.NEGATIVE_INFINITY

  // Loss recovery and congestion.
  readonly rtt = new RttEstimator()
  readonly congestion: CongestionControl
  duplicateAcks = 0
  inRecovery = false
  /** RFC 6582 `recover`: SND.NXT when the last loss was detected. */
  recover: Seq
  /** Nothing from here on was sent more than once: an ACK beyond it is not ambiguous (Karn). */
  sentTwiceEnd: Seq
  /** Send the segment at SND.UNA once more, whatever the window says. */
  retransmitFirst = false
  /** Timeouts in a row without progress. */
  timeouts = 0
  /** Since when the peer owes us an acknowledgment; NEVER while it does not. */
  waitingSince: Micros = NEVER
  lastSentAt: Micros = 0

  // Timers: when each expires, NEVER while it does not run.
  retransmitAt: Micros = NEVER
  persistAt: Micros = NEVER
  delayedAckAt: Micros = NEVER
  keepAliveAt: Micros = NEVER
  /** End of TIME-WAIT, or of FIN-WAIT-2 of a connection nobody holds. */
  lingerUntil: Micros = NEVER
  readonly timeWait: Micros
  readonly delayedAck: Micros
  /** R2: time without acknowledgment after which the connection fails. */
  userTimeout: Micros = DEFAULT_USER_TIMEOUT
  persistBackoff = 0
  /** The persist timer expired: send what the window takes, however little. */
  overrideSws = false
  /** Send a window or keep-alive probe. */
  probe = false
  keepAliveIdle: Micros = NEVER
  keepAliveInterval: Micros = NEVER
  keepAliveCount = 0
  keepAliveProbes = 0
  lastReceivedAt: Micros

  // Resets due.
  /** Send <SEQ=resetSeq><CTL=RST>, in answer to an ACK of nothing we sent. */
  resetReply = false
  resetReplySeq: Seq = 0
  /** Send <SEQ=SND.NXT><ACK=RCV.NXT><CTL=RST,ACK>: the connection was aborted. */
  abortReset = false

  constructor(options: TcpOptions, now: Micros) {
    this.local = options.local
    this.remote = options.remote
    const iss = options.initialSequence >>> 0
    this.iss = iss
    this.sndUna = iss
    this.sndNxt = iss
    this.sndCursor = iss
    this.recover = iss
    this.sentTwiceEnd = iss
    this.smallSegmentEnd = iss
    this.sendBufferSeq = seqAdd(iss, 1)
    this.sendBuffer = new SendBuffer(options.sendBufferBytes ?? DEFAULT_BUFFER_BYTES, options.memory)
    this.receiveBuffer = new ReceiveBuffer(options.receiveBufferBytes ?? DEFAULT_BUFFER_BYTES, options.memory)
    this.burstBytes = options.burstBytes ?? 0
    this.rcvMss = options.mss
    this.pathMss = options.mss
    this.sndMss = Math.min(options.mss, DEFAULT_MSS)
    this.rcvWndShift = shiftFor(this.receiveBuffer.limit)
    this.timeWait = options.timeWait ?? DEFAULT_TIME_WAIT
    this.delayedAck = options.delayedAck ?? DEFAULT_DELAYED_ACK
    this.congestion = options.congestion ?? new Reno(this.sndMss, this.burstBytes)
    this.lastReceivedAt = now
  }
}

/** Smallest shift with which a window of `bytes` fits the 16-bit field, RFC 7323 section 2.3. */
function shiftFor(bytes: number): number {
  let shift = 0
  for (let rest = bytes; shift < 14 && rest > 0xffff; rest = Math.floor(rest / 2)) shift++
  return shift
}

/** RCV.WND: how much the peer may send from RCV.NXT on. */
export function receiveWindow(tcb: Tcb): number {
  return Math.max(0, seqDistance(tcb.rcvNxt, tcb.rcvAdv))
}

/** Sequence number after the last octet of the send buffer: where FIN goes. */
export function sendBufferEnd(tcb: Tcb): Seq {
  return seqAdd(tcb.sendBufferSeq, tcb.sendBuffer.length)
}

/** Octets sent and not acknowledged, RFC 5681's FlightSize. */
export function flightSize(tcb: Tcb): number {
  return seqDistance(tcb.sndUna, tcb.sndNxt)
}

/** FIN was sent at least once. */
export function finSent(tcb: Tcb): boolean {
  return tcb.finQueued && seqDistance(sendBufferEnd(tcb), tcb.sndNxt) > 0
}

/** Our FIN is acknowledged. */
export function finAcknowledged(tcb: Tcb): boolean {
  return finSent(tcb) && tcb.sndUna === tcb.sndNxt
}
