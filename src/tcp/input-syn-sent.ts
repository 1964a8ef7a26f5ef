// SEGMENT ARRIVES in SYN-SENT, RFC 9293 section 3.10.7.3, and what a SYN says about the connection, which
// LISTEN needs as well (listen.ts).

import type { Micros } from '../base/time.js'
import { ACK, RST, SYN, type TcpSegment } from '../wire/tcp.js'
import { establish, fail, setState } from './close.js'
import { acknowledge } from './input-ack.js'
import { arrivesText } from './input-text.js'
import { seqAdd } from './seq.js'
import { DEFAULT_MSS, MIN_MSS, type Tcb } from './tcb.js'

const MAX_WINDOW_SHIFT = 14

export function arrivesInSynSent(tcb: Tcb, segment: TcpSegment, now: Micros): void {
  const flags = segment.flags
  // First: an ACK of anything but our SYN is of another connection.
  if ((flags & ACK) !== 0 && segment.ack !== tcb.sndNxt) {
    if ((flags & RST) !== 0) return
    tcb.resetReply = true
    tcb.resetReplySeq = segment.ack
    return
  }
  // Second: only a reset that acknowledges our SYN is believed.
  if ((flags & RST) !== 0) {
    if ((flags & ACK) !== 0) fail(tcb, 'ECONNREFUSED')
    return
  }
  // Fourth and fifth: nothing happens without a SYN.
  if ((flags & SYN) === 0) return
  takeSyn(tcb, segment)
  if ((flags & ACK) === 0) {
    // Simultaneous open (MUST-10): our SYN goes out again, with an ACK of theirs.
    setState(tcb, 'SYN-RECEIVED')
    tcb.sndCursor = tcb.iss
    return
  }
  establish(tcb, now)
  acknowledge(tcb, segment, now)
  tcb.ackNow = true
  arrivesText(tcb, segment, seqAdd(segment.seq, 1), now)
}

/** Learns from the peer's SYN: its sequence number, MSS, window and its scale. */
export function takeSyn(tcb: Tcb, segment: TcpSegment): void {
  tcb.irs = segment.seq
  tcb.rcvNxt = seqAdd(segment.seq, 1)
  tcb.rcvAdv = tcb.rcvNxt
  tcb.sndMss = Math.min(segment.mss === 0 ? DEFAULT_MSS : Math.max(segment.mss, MIN_MSS), tcb.pathMss)
  tcb.congestion.setMss(tcb.sndMss)
  // RFC 7323 section 1.3: scaling is on only when both SYNs carry the option.
  if (segment.windowScale >= 0) {
    tcb.sndWndShift = Math.min(segment.windowScale, MAX_WINDOW_SHIFT)
  } else {
    tcb.offerWindowScale = false
    tcb.rcvWndShift = 0
  }
  // The window of a SYN is never scaled, RFC 7323 section 2.2.
  tcb.sndWnd = segment.window
  tcb.maxSndWnd = segment.window
  tcb.sndWl1 = segment.seq
  tcb.sndWl2 = segment.ack
}
