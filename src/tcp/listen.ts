// Segments without a connection: RFC 9293 section 3.10.7.1 (CLOSED) and 3.10.7.2 (LISTEN). The listener itself,
// its queue and its backlog belong to the stack.

import type { Micros } from '../base/time.js'
import { ACK, FIN, RST, SYN, type TcpSegment } from '../wire/tcp.js'
import { setState } from './close.js'
import { TcpConnection } from './connection.js'
import { segmentLength } from './input-sequence.js'
import { takeSyn } from './input-syn-sent.js'
import { seqAdd } from './seq.js'
import { Tcb, type TcpOptions } from './tcb.js'

/** What LISTEN does with a segment: begin a connection, answer by `resetFor`, or nothing. */
export type ListenAnswer = 'accept' | 'reset' | 'drop'

export function listenAnswer(segment: TcpSegment): ListenAnswer {
  const flags = segment.flags
  // First RST, second ACK, third SYN.
  if ((flags & RST) !== 0) return 'drop'
  if ((flags & ACK) !== 0) return 'reset'
  // As Linux and the BSDs: SYN with FIN opens nothing.
  return (flags & (SYN | FIN)) === SYN ? 'accept' : 'drop'
}

/**
 * A connection in SYN-RECEIVED for a SYN that arrived in LISTEN; undefined when the segment opens none, and then
 * `listenAnswer` says what it gets. Simplified: text in the SYN is not kept, so the peer sends it again, as with
 * Linux without fast open.
 */
export function acceptSyn(segment: TcpSegment, options: TcpOptions, now: Micros): TcpConnection | undefined {
  if (listenAnswer(segment) !== 'accept') return undefined
  const tcb = new Tcb(options, now)
  tcb.passive = true
  takeSyn(tcb, segment)
  setState(tcb, 'SYN-RECEIVED')
  return new TcpConnection(tcb)
}

/**
 * Fills `out` with the reset for a segment that belongs to no connection, section 3.10.7.1 and 3.5.2; false when
 * the segment is itself a reset.
 */
export function resetFor(segment: TcpSegment, out: TcpSegment): boolean {
  if ((segment.flags & RST) !== 0) return false
  const answersAck = (segment.flags & ACK) !== 0
  const seq = answersAck ? segment.ack : 0
  const ack = answersAck ? 0 : seqAdd(segment.seq, segmentLength(segment))
  const sourcePort = segment.destinationPort
  out.destinationPort = segment.sourcePort
  out.sourcePort = sourcePort
  out.seq = seq
  out.ack = ack
  out.flags = answersAck ? RST : RST | ACK
  out.window = 0
  out.urgentPointer = 0
  out.mss = 0
  out.windowScale = -1
  out.sackPermitted = false
  out.payloadStart = 0
  out.payloadEnd = 0
  return true
}
