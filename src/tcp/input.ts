// SEGMENT ARRIVES, RFC 9293 section 3.10.7, for a connection that exists: which steps a segment goes through in
// which state. The steps are in input-syn-sent.ts, input-sequence.ts, input-ack.ts and input-text.ts; LISTEN and
// CLOSED, where there is no connection, in listen.ts. The segment's checksum was verified and is not looked at.

import type { Micros } from '../base/time.js'
import { ACK, RST, SYN, type TcpSegment } from '../wire/tcp.js'
import { acknowledge, completeHandshake } from './input-ack.js'
import { arrivesInTimeWait, checkReset, checkSequence, checkSyn, crossedSynAck } from './input-sequence.js'
import { arrivesInSynSent } from './input-syn-sent.js'
import { arrivesText } from './input-text.js'
import type { Tcb } from './tcb.js'

export function segmentArrives(tcb: Tcb, segment: TcpSegment, now: Micros): void {
  if (tcb.state === 'CLOSED') return
  tcb.lastReceivedAt = now
  tcb.keepAliveProbes = 0
  if (tcb.state === 'SYN-SENT') return arrivesInSynSent(tcb, segment, now)
  if (tcb.state === 'TIME-WAIT') return arrivesInTimeWait(tcb, segment, now)
  // Section 3.10.7.4, first to fourth. Each check answers whether processing goes on.
  if (!crossedSynAck(tcb, segment)) {
    if (!checkSequence(tcb, segment, now)) return
    if ((segment.flags & (RST | SYN)) !== 0) {
      if ((segment.flags & RST) !== 0) return checkReset(tcb, segment, now)
      return checkSyn(tcb, now)
    }
  }
  // Fifth: ACK. A segment without it is dropped.
  if ((segment.flags & ACK) === 0) return
  if (tcb.state === 'SYN-RECEIVED' && !completeHandshake(tcb, segment, now)) return
  if (!acknowledge(tcb, segment, now)) return
  // Sixth to eighth.
  arrivesText(tcb, segment, segment.seq, now)
}
