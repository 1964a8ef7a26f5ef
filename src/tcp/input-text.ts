// Urgent pointer, text and FIN, RFC 9293 section 3.10.7.4 sixth to eighth: what goes to the receive buffer, when it
// is acknowledged, and what a FIN does. Urgent data is delivered in its place in the stream, as RFC 6093
// recommends; nobody is told of it.

import { type Micros, NEVER } from '../base/time.js'
import { FIN, type Seq, type TcpSegment } from '../wire/tcp.js'
import { abortConnection, enterTimeWait, setState } from './close.js'
import { seqAdd, seqAfter, seqDistance } from './seq.js'
import { finAcknowledged, type Tcb } from './tcb.js'

/** Every how many segments with data an ACK leaves at once (SHLD-19). */
const SEGMENTS_PER_ACK = 2

/** `seq` is that of the first octet of text: after a SYN, one more than the segment's. */
export function arrivesText(tcb: Tcb, segment: TcpSegment, seq: Seq, now: Micros): void {
  // After the peer's FIN nothing of this should come; it is ignored.
  if (tcb.finReceived) return
  const length = segment.payloadEnd - segment.payloadStart
  const whole = length === 0 || receiveText(tcb, segment, seq, length, now)
  if (whole && (segment.flags & FIN) !== 0) {
    tcb.finEarly = true
    tcb.finSeq = seqAdd(seq, length)
    tcb.ackNow = true
  }
  if (tcb.finEarly && tcb.finSeq === tcb.rcvNxt) receiveFin(tcb, now)
}

/** Seventh: text, cut to the window. Whether all of it was inside the window, so that a FIN behind it counts. */
function receiveText(tcb: Tcb, segment: TcpSegment, seq: Seq, length: number, now: Micros): boolean {
  if (tcb.state === 'CLOSED') return false
  const end = seqAdd(seq, length)
  if (tcb.readClosed && seqAfter(end, tcb.rcvNxt)) {
    // Nobody will read this: the peer must learn that it is lost (SHLD-3).
    abortConnection(tcb)
    return false
  }
  const known = Math.max(0, seqDistance(seq, tcb.rcvNxt))
  const room = Math.min(length, seqDistance(seq, tcb.rcvAdv))
  if (room <= known) {
    // All of it is known, or beyond the window: only an ACK.
    tcb.ackNow = true
    return length <= known
  }
  const buffer = tcb.receiveBuffer
  const gap = buffer.hasGap
  const offset = buffer.next + seqDistance(tcb.rcvNxt, seq) + known
  const moved = buffer.insert(
    offset,
    segment.bytes,
    segment.payloadStart + known,
    segment.payloadStart + room,
  )
  if (moved > 0) {
    tcb.rcvNxt = seqAdd(tcb.rcvNxt, moved)
    tcb.changes++
  }
  // At once for what is out of order, fills a gap or was sent twice (RFC 5681 section 4.2), and for every second.
  if (moved === 0 || gap || known > 0 || room < length || countSegments(tcb, length) >= SEGMENTS_PER_ACK) {
    tcb.ackNow = true
  } else if (tcb.delayedAck === 0) {
    tcb.ackNow = true
  } else if (tcb.delayedAckAt === NEVER) {
    tcb.delayedAckAt = now + tcb.delayedAck
  }
  return room === length
}

/** Where segments come uncut (`TcpOptions.burstBytes`), one counts as all that it stands for. */
function countSegments(tcb: Tcb, length: number): number {
  tcb.unackedSegments += tcb.burstBytes > 0 && length > tcb.rcvMss ? Math.ceil(length / tcb.rcvMss) : 1
  return tcb.unackedSegments
}

/** Eighth: FIN, with all data before it received. */
function receiveFin(tcb: Tcb, now: Micros): void {
  tcb.finEarly = false
  tcb.finReceived = true
  tcb.rcvNxt = seqAdd(tcb.rcvNxt, 1)
  if (seqAfter(tcb.rcvNxt, tcb.rcvAdv)) tcb.rcvAdv = tcb.rcvNxt
  tcb.ackNow = true
  tcb.changes++
  switch (tcb.state) {
    case 'ESTABLISHED':
      return setState(tcb, 'CLOSE-WAIT')
    case 'FIN-WAIT-1':
      return finAcknowledged(tcb) ? enterTimeWait(tcb, now) : setState(tcb, 'CLOSING')
    case 'FIN-WAIT-2':
      return enterTimeWait(tcb, now)
  }
}
