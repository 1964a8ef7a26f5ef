// The ACK field, RFC 9293 section 3.10.7.4 fifth, with RFC 5961 section 5: what it acknowledges, what that means
// for the timers, the window and the state. Loss recovery follows RFC 5681 section 3.2 and RFC 6582 (NewReno).

import { type Micros, NEVER } from '../base/time.js'
import { FIN, SYN, type TcpSegment } from '../wire/tcp.js'
import { enterClosed, enterFinWait2, enterTimeWait, establish } from './close.js'
import { challenge } from './input-sequence.js'
import { seqAdd, seqAfter, seqBefore, seqDistance } from './seq.js'
import { finAcknowledged, flightSize, type Tcb } from './tcb.js'
import { restartRetransmission } from './timers.js'

const DUPLICATE_ACK_THRESHOLD = 3

/** SYN-RECEIVED: the ACK of our SYN completes the handshake; any other is reset. */
export function completeHandshake(tcb: Tcb, segment: TcpSegment, now: Micros): boolean {
  if (!seqAfter(segment.ack, tcb.sndUna) || seqAfter(segment.ack, tcb.sndNxt)) {
    tcb.resetReply = true
    tcb.resetReplySeq = segment.ack
    return false
  }
  establish(tcb, now)
  return true
}

/** Processes the ACK field; whether the rest of the segment is to be processed. */
export function acknowledge(tcb: Tcb, segment: TcpSegment, now: Micros): boolean {
  const acked = seqDistance(tcb.sndUna, segment.ack)
  if (acked > flightSize(tcb) || acked < -tcb.maxSndWnd) {
    // Something not yet sent, or too old to be of this connection: RFC 5961 section 5.2.
    challenge(tcb, now)
    return false
  }
  if (acked > 0) newlyAcknowledged(tcb, segment.ack, acked, now)
  else if (acked === 0 && isDuplicate(tcb, segment)) duplicateAck(tcb, now)
  if (acked >= 0) updateWindow(tcb, segment, acked, now)
  if (!finAcknowledged(tcb)) return true
  switch (tcb.state) {
    case 'FIN-WAIT-1':
      enterFinWait2(tcb, now)
      return true
    case 'CLOSING':
      enterTimeWait(tcb, now)
      return false
    case 'LAST-ACK':
      enterClosed(tcb)
      return false
    default:
      return true
  }
}

function newlyAcknowledged(tcb: Tcb, ack: number, acked: number, now: Micros): void {
  const flight = flightSize(tcb)
  tcb.sndUna = ack
  if (seqBefore(tcb.sndCursor, ack)) tcb.sndCursor = ack
  const text = Math.min(seqDistance(tcb.sendBufferSeq, ack), tcb.sendBuffer.length)
  if (text > 0) {
    tcb.sendBuffer.acknowledge(text)
    tcb.sendBufferSeq = seqAdd(tcb.sendBufferSeq, text)
    tcb.changes++
  }
  tcb.rtt.acknowledged(ack, now)
  if (seqAfter(ack, tcb.sentTwiceEnd)) {
    tcb.sentTwiceEnd = ack
    tcb.rtt.endBackOff()
  }
  // These marks only matter while they are close; kept close, they never come round from behind.
  if (seqBefore(tcb.smallSegmentEnd, ack)) tcb.smallSegmentEnd = ack
  if (!tcb.inRecovery && seqBefore(tcb.recover, ack)) tcb.recover = seqAdd(ack, -1)
  tcb.timeouts = 0
  tcb.duplicateAcks = 0
  tcb.retransmitFirst = false
  if (tcb.inRecovery) {
    if (seqBefore(ack, tcb.recover)) {
      // Partial ACK: the next hole begins at SND.UNA.
      tcb.congestion.partialAck(acked)
      tcb.retransmitFirst = true
    } else {
      tcb.inRecovery = false
      tcb.congestion.exitRecovery(flightSize(tcb))
    }
  } else if (text > 0) {
    tcb.congestion.acknowledged(acked, flight, now)
  }
  // RFC 6298 (5.2), (5.3). On every partial ACK too: RFC 6582's slow-but-steady variant, as Linux.
  if (tcb.sndUna === tcb.sndNxt) {
    tcb.retransmitAt = NEVER
    tcb.waitingSince = NEVER
  } else {
    tcb.waitingSince = now
    restartRetransmission(tcb, now)
  }
}

/** RFC 5681 section 2, definition of a duplicate ACK. */
function isDuplicate(tcb: Tcb, segment: TcpSegment): boolean {
  return (
    tcb.sndUna !== tcb.sndNxt &&
    segment.payloadEnd === segment.payloadStart &&
    (segment.flags & (SYN | FIN)) === 0 &&
    segment.window << tcb.sndWndShift === tcb.sndWnd
  )
}

function duplicateAck(tcb: Tcb, now: Micros): void {
  tcb.duplicateAcks++
  if (tcb.inRecovery) {
    tcb.congestion.duplicateAck()
    return
  }
  // RFC 6582 section 3.2 step 2: after an earlier loss, only for data sent since.
  if (tcb.duplicateAcks !== DUPLICATE_ACK_THRESHOLD || !seqAfter(tcb.sndUna, tcb.recover)) return
  tcb.inRecovery = true
  tcb.recover = tcb.sndNxt
  tcb.congestion.enterRecovery(flightSize(tcb), now)
  tcb.retransmitFirst = true
  tcb.rtt.retransmitted()
  restartRetransmission(tcb, now)
}

/** SND.WND from any segment that is not older than the last that set it. */
function updateWindow(tcb: Tcb, segment: TcpSegment, acked: number, now: Micros): void {
  const newer =
    acked > 0 ||
    seqBefore(tcb.sndWl1, segment.seq) ||
    (tcb.sndWl1 === segment.seq && !seqAfter(tcb.sndWl2, segment.ack))
  if (newer) {
    const syn = (segment.flags & SYN) !== 0
    tcb.sndWnd = syn ? segment.window : segment.window << tcb.sndWndShift
    if (tcb.sndWnd > tcb.maxSndWnd) tcb.maxSndWnd = tcb.sndWnd
    tcb.sndWl1 = segment.seq
    tcb.sndWl2 = segment.ack
    if (tcb.sndWnd > 0 && tcb.persistBackoff > 0) {
      tcb.persistAt = NEVER
      tcb.persistBackoff = 0
    }
  }
  // A peer that keeps its window closed but answers is alive, for as long as it likes (MUST-37, SHLD-17).
  const flight = flightSize(tcb)
  if (flight === 0) tcb.waitingSince = NEVER
  else if (tcb.sndWnd < flight) tcb.waitingSince = now
}
