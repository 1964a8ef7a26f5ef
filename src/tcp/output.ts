// What to send next, RFC 9293 section 3.8 and 3.10: one segment a call, most urgent first - resets, the SYN, what
// was lost, new data and FIN (with Nagle and the sender's silly window avoidance, section 3.8.6.2.1), a probe, a
// bare ACK. Fills the caller's record; the payload is copied separately (`copyText`).

import { type Micros, NEVER } from '../base/time.js'
import { ACK, FIN, PSH, RST, type Seq, SYN, type TcpSegment } from '../wire/tcp.js'
import { advertiseFirstWindow, advertiseWindow } from './receive-window.js'
import { seqAdd, seqAfter, seqDistance } from './seq.js'
import { flightSize, sendBufferEnd, type Tcb } from './tcb.js'
import { persistInterval, restartRetransmission } from './timers.js'

/** Fills `segment` with the next one to send; false when there is none now. */
export function nextSegment(tcb: Tcb, segment: TcpSegment, now: Micros): boolean {
  if (tcb.resetReply) {
    tcb.resetReply = false
    return fill(tcb, segment, tcb.resetReplySeq, RST)
  }
  if (tcb.abortReset) {
    tcb.abortReset = false
    // As Linux, with an ACK, which changes nothing for the receiver.
    return fill(tcb, segment, tcb.sndNxt, RST | ACK)
  }
  switch (tcb.state) {
    case 'CLOSED':
      return false
    case 'SYN-SENT':
    case 'SYN-RECEIVED':
      if (tcb.sndCursor === tcb.iss) return fillSyn(tcb, segment, now)
      break
    case 'TIME-WAIT':
      break
    default:
      if (tcb.retransmitFirst && fillFirstAgain(tcb, segment, now)) return true
      if (fillText(tcb, segment, now)) return true
      if (tcb.probe) {
        tcb.probe = false
        // As Linux: an octet the peer has acknowledged, without text (SHLD-12). It must answer with an ACK.
        return fill(tcb, segment, seqAdd(tcb.sndUna, -1), ACK)
      }
  }
  return tcb.ackNow && fill(tcb, segment, tcb.sndNxt, ACK)
}

/** Copies the text of `segment`, which `nextSegment` has just filled, to `into` at `at`. */
export function copyText(tcb: Tcb, segment: TcpSegment, into: Uint8Array, at: number): void {
  const offset = tcb.sendBuffer.start + seqDistance(tcb.sendBufferSeq, segment.seq)
  tcb.sendBuffer.copyTo(offset, segment.payloadEnd, into, at)
}

/** The header all segments share. Always true, for the callers' tails. */
function fill(tcb: Tcb, segment: TcpSegment, seq: Seq, flags: number): true {
  segment.sourcePort = tcb.local.port
  segment.destinationPort = tcb.remote.port
  segment.seq = seq
  segment.flags = flags
  segment.urgentPointer = 0
  segment.mss = 0
  segment.windowScale = -1
  segment.sackPermitted = false
  segment.payloadStart = 0
  segment.payloadEnd = 0
  segment.ack = 0
  segment.window = 0
  if ((flags & ACK) === 0) return true
  segment.ack = tcb.rcvNxt
  if ((flags & RST) !== 0) return true
  if ((flags & SYN) === 0) segment.window = advertiseWindow(tcb)
  tcb.ackNow = false
  tcb.unackedSegments = 0
  tcb.delayedAckAt = NEVER
  return true
}

/** SYN, or SYN-ACK once the peer's SYN is known; MSS always (MAY-3), window scale if the peer knows it. */
function fillSyn(tcb: Tcb, segment: TcpSegment, now: Micros): true {
  fill(tcb, segment, tcb.iss, tcb.state === 'SYN-SENT' ? SYN : SYN | ACK)
  segment.window = advertiseFirstWindow(tcb)
  segment.mss = tcb.rcvMss
  if (tcb.offerWindowScale) segment.windowScale = tcb.rcvWndShift
  return sent(tcb, tcb.iss, seqAdd(tcb.iss, 1), now)
}

/** After a loss or a timeout: the segment at SND.UNA, once, whatever the windows say (MAY-7; it is also a probe). */
function fillFirstAgain(tcb: Tcb, segment: TcpSegment, now: Micros): boolean {
  tcb.retransmitFirst = false
  const unacked = seqDistance(tcb.sndUna, sendBufferEnd(tcb))
  const length = Math.min(unacked, tcb.sndMss, flightSize(tcb))
  if (length < 0 || flightSize(tcb) === 0) return false
  tcb.rtt.retransmitted()
  return fillData(tcb, segment, tcb.sndUna, length, now)
}

/** What comes at the cursor: text that is sent again, new text, FIN. */
function fillText(tcb: Tcb, segment: TcpSegment, now: Micros): boolean {
  const cursor = tcb.sndCursor
  const waiting = seqDistance(cursor, sendBufferEnd(tcb))
  if (waiting < 0 || (waiting === 0 && !tcb.finQueued)) return false
  const again = seqDistance(cursor, tcb.sndNxt)
  const length = again > 0 ? lengthAgain(tcb, waiting, again) : lengthNew(tcb, waiting, now)
  return length >= 0 && fillData(tcb, segment, cursor, length, now)
}

/** How much to send again at the cursor within the windows (SHLD-16); -1 when it must wait. */
function lengthAgain(tcb: Tcb, waiting: number, again: number): number {
  const length = Math.min(waiting, again, tcb.sndMss)
  const outstanding = seqDistance(tcb.sndUna, tcb.sndCursor)
  const usable = Math.min(tcb.sndWnd, tcb.congestion.cwnd) - outstanding
  if (length <= usable) return length
  // With nothing else under way a window of less than a segment is filled.
  return outstanding === 0 && usable > 0 ? usable : -1
}

/** How much new text to send; 0 for a FIN alone, -1 when it must wait. */
function lengthNew(tcb: Tcb, waiting: number, now: Micros): number {
  const flight = flightSize(tcb)
  if (flight === 0 && now - tcb.lastSentAt > tcb.rtt.rto) tcb.congestion.idle()
  if (waiting === 0) return 0
  // RFC 3042: the first two duplicate ACKs each let a new segment out.
  const bonus = tcb.inRecovery || tcb.duplicateAcks > 2 ? 0 : tcb.duplicateAcks * tcb.sndMss
  const usable = Math.min(tcb.sndWnd, tcb.congestion.cwnd + bonus) - flight
  const length = Math.min(waiting, usable, tcb.sndMss)
  if (length === tcb.sndMss && tcb.burstBytes >= 2 * length) return burst(tcb, waiting, usable)
  if (length > 0 && worthSending(tcb, length, waiting, flight)) return length
  // Nothing in flight, so no ACK will come by itself: ask again later.
  if (flight === 0 && tcb.persistAt === NEVER) tcb.persistAt = now + persistInterval(tcb)
  return -1
}

/** Several segments in one, cut later: whole ones, and the last of them with all that waits if it may leave by itself. */
function burst(tcb: Tcb, waiting: number, usable: number): number {
  const mss = tcb.sndMss
  const most = Math.min(waiting, usable, tcb.burstBytes - (tcb.burstBytes % mss))
  const rest = most % mss
  return most === waiting && worthSending(tcb, rest, rest, flightSize(tcb) + most - rest) ? most : most - rest
}

/** The sender's silly window avoidance, RFC 9293 section 3.8.6.2.1, in its order, with Nagle in (2). */
function worthSending(tcb: Tcb, length: number, waiting: number, flight: number): boolean {
  if (length === tcb.sndMss) return true
  if (length === waiting && (tcb.noDelay || tcb.finQueued || !smallSegmentInFlight(tcb))) return true
  return flight === 0 && (tcb.overrideSws || length >= tcb.maxSndWnd / 2)
}

/** Nagle's condition as Linux has it (Minshall): only a small segment in flight holds back another small one. */
function smallSegmentInFlight(tcb: Tcb): boolean {
  return seqAfter(tcb.smallSegmentEnd, tcb.sndUna)
}

/** A segment of `length` octets of text at `seq`, with FIN when it ends all there is. */
function fillData(tcb: Tcb, segment: TcpSegment, seq: Seq, length: number, now: Micros): true {
  const end = seqAdd(seq, length)
  const last = end === sendBufferEnd(tcb)
  const fin = last && tcb.finQueued
  // MUST-61: PSH on the last segment of what the user wrote.
  fill(tcb, segment, seq, ACK | (last && length > 0 ? PSH : 0) | (fin ? FIN : 0))
  segment.payloadEnd = length
  if ((length === 0 || length % tcb.sndMss !== 0) && seqAfter(end, tcb.smallSegmentEnd))
    tcb.smallSegmentEnd = end
  return sent(tcb, seq, fin ? seqAdd(end, 1) : end, now)
}

/** Bookkeeping for a segment that takes the sequence space [start, end). */
function sent(tcb: Tcb, start: Seq, end: Seq, now: Micros): true {
  if (start === tcb.sndNxt) tcb.rtt.sent(end, now)
  else if (seqAfter(end, tcb.sentTwiceEnd)) tcb.sentTwiceEnd = end
  // The cursor moves on, and with SND.NXT too when a retransmission takes the FIN along for the first time.
  const isNew = seqAfter(end, tcb.sndNxt)
  if (start === tcb.sndCursor || (isNew && tcb.sndCursor === tcb.sndNxt)) tcb.sndCursor = end
  if (isNew) tcb.sndNxt = end
  if (tcb.retransmitAt === NEVER) restartRetransmission(tcb, now)
  tcb.lastSentAt = now
  tcb.overrideSws = false
  tcb.persistAt = NEVER
  tcb.probe = false
  return true
}
