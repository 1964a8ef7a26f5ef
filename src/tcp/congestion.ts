// What a congestion control algorithm is to the rest of TCP: it owns the congestion window and is told what
// happened. It does not decide what is retransmitted (input-ack.ts and output.ts do), so that
// another algorithm can stand beside reno.ts.

import type { Micros } from '../base/time.js'

export interface CongestionControl {
  /** Congestion window in bytes: how much may be unacknowledged. */
  readonly cwnd: number
  /** Slow start threshold in bytes. */
  readonly ssthresh: number
  /** `acked` new bytes were acknowledged outside loss recovery; `flight` were outstanding before. */
  acknowledged(acked: number, flight: number, now: Micros): void
  /** Loss was seen by duplicate ACKs with `flight` bytes outstanding: fast recovery begins. */
  enterRecovery(flight: number, now: Micros): void
  /** One more duplicate ACK within recovery: a segment has left the network. */
  duplicateAck(): void
  /** An ACK within recovery covered `acked` bytes but not all that was outstanding when it began. */
  partialAck(acked: number): void
  /** All that was outstanding when recovery began is acknowledged; `flight` is outstanding now. */
  exitRecovery(flight: number): void
  /** The retransmission timer expired with `flight` outstanding; `again`: not for the first time for this segment. */
  timeout(flight: number, again: boolean, now: Micros): void
  /** Nothing was sent for longer than the RTO: RFC 5681 section 4.1. */
  idle(): void
  /** The handshake's SYN or SYN-ACK was lost: RFC 5681 section 3.1 allows one segment to begin with. */
  synWasLost(): void
  /** The sender's maximum segment size is known or changed. */
  setMss(mss: number): void
}
