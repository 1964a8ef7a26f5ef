// The first checks on a segment, RFC 9293 section 3.10.7.4 first to fourth with RFC 5961 sections 3 and 4 in them:
// is it in the window, is it a reset, is it a SYN. What is doubtful is answered by a challenge ACK.

import { MILLISECOND, type Micros } from '../base/time.js'
import { ACK, FIN, RST, SYN, type TcpSegment } from '../wire/tcp.js'
import { enterClosed, fail } from './close.js'
import { seqAfter, seqDistance } from './seq.js'
import { receiveWindow, type Tcb } from './tcb.js'

/** RFC 5961 section 7: least time between two challenge ACKs, as Linux (tcp_invalid_ratelimit). */
const CHALLENGE_INTERVAL: Micros = 500 * MILLISECOND

/** SEG.LEN: octets of sequence space, SYN and FIN included. */
export function segmentLength(segment: TcpSegment): number {
  const flags = segment.flags
  const controls = ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0)
  return segment.payloadEnd - segment.payloadStart + controls
}

/**
 * An ACK in answer to something that may be forged, or old. At most one in a while, so that a flood of such
 * segments, or a peer that does the same, causes no storm.
 */
export function challenge(tcb: Tcb, now: Micros): void {
  if (now - tcb.lastChallengeAt < CHALLENGE_INTERVAL) return
  tcb.lastChallengeAt = now
  tcb.ackNow = true
}

/** First: is any of the segment in the receive window? If not, all but a reset is answered by an ACK. */
export function checkSequence(tcb: Tcb, segment: TcpSegment, now: Micros): boolean {
  if (acceptable(tcb, segment)) return true
  if ((segment.flags & RST) !== 0) return false
  if (tcb.state === 'SYN-RECEIVED' && tcb.passive && isSynAgain(tcb, segment)) {
    // Our SYN-ACK was lost, or is slow: the answer to this SYN is that SYN-ACK, not an ACK.
    tcb.sndCursor = tcb.iss
    tcb.rtt.retransmitted()
    return false
  }
  // Text may be a retransmission after our ACK was lost, and its sender waits for us: never held back.
  if (segment.payloadEnd > segment.payloadStart || (segment.flags & FIN) !== 0) tcb.ackNow = true
  else challenge(tcb, now)
  return false
}

/** The table of RFC 9293 section 3.4, with MUST-66: at a closed window what begins at RCV.NXT is looked at. */
function acceptable(tcb: Tcb, segment: TcpSegment): boolean {
  const start = seqDistance(tcb.rcvNxt, segment.seq)
  if (start === 0) return true
  const window = receiveWindow(tcb)
  const length = segmentLength(segment)
  if (length === 0) return start > 0 && start < window
  return start < window && start + length > 0
}

/** The SYN that made this connection, once more. */
function isSynAgain(tcb: Tcb, segment: TcpSegment): boolean {
  return (segment.flags & (SYN | ACK | RST)) === SYN && segment.seq === tcb.irs
}

/**
 * Simultaneous open, RFC 9293 section 3.5 figure 8: the peer's SYN-ACK repeats the SYN we had, so it lies before
 * the window, but its ACK completes the handshake.
 */
export function crossedSynAck(tcb: Tcb, segment: TcpSegment): boolean {
  return (
    tcb.state === 'SYN-RECEIVED' &&
    !tcb.passive &&
    (segment.flags & (SYN | ACK | RST | FIN)) === (SYN | ACK) &&
    segment.seq === tcb.irs &&
    segment.ack === tcb.sndNxt &&
    segment.payloadEnd === segment.payloadStart
  )
}

/** Second: RST. Only the very next sequence number is believed, RFC 5961 section 3.2. */
export function checkReset(tcb: Tcb, segment: TcpSegment, now: Micros): void {
  if (segment.seq !== tcb.rcvNxt) return challenge(tcb, now)
  switch (tcb.state) {
    case 'SYN-RECEIVED':
      // A passive OPEN returns to LISTEN: this connection is no more and nobody is told (MUST-11).
      return tcb.passive ? enterClosed(tcb) : fail(tcb, 'ECONNREFUSED')
    case 'CLOSE-WAIT':
      // As Linux: the peer had finished, so the reset says that what we send is not wanted.
      return fail(tcb, 'EPIPE')
    case 'CLOSING':
    case 'LAST-ACK':
      return enterClosed(tcb)
    default:
      return fail(tcb, 'ECONNRESET')
  }
}

/** Fourth: SYN. On a live connection it is old, forged, or of a peer that restarted: RFC 5961 section 4.2. */
export function checkSyn(tcb: Tcb, now: Micros): void {
  if (tcb.state === 'SYN-RECEIVED' && tcb.passive) return enterClosed(tcb)
  challenge(tcb, now)
}

/**
 * TIME-WAIT. A retransmitted FIN is acknowledged and restarts 2MSL; whatever else is not just an ACK of what we
 * had gets an ACK. A SYN for a new connection does not come here (see `acceptsNewSyn`).
 */
export function arrivesInTimeWait(tcb: Tcb, segment: TcpSegment, now: Micros): void {
  const flags = segment.flags
  if ((flags & RST) !== 0) {
    if (segment.seq === tcb.rcvNxt) enterClosed(tcb)
    return
  }
  if (segment.seq === tcb.rcvNxt && segmentLength(segment) === 0) return
  if ((flags & (FIN | SYN)) === FIN) {
    tcb.lingerUntil = now + tcb.timeWait
    tcb.ackNow = true
    return
  }
  if (segment.payloadEnd > segment.payloadStart && (flags & SYN) === 0) tcb.ackNow = true
  else challenge(tcb, now)
}

/** MAY-2: a SYN beyond everything received may open a new incarnation of a connection in TIME-WAIT. */
export function acceptsNewSyn(tcb: Tcb, segment: TcpSegment): boolean {
  return (
    tcb.state === 'TIME-WAIT' &&
    (segment.flags & (SYN | ACK | RST | FIN)) === SYN &&
    seqAfter(segment.seq, tcb.rcvNxt)
  )
}
