// Retransmission timeout, RFC 6298, with Karn's algorithm (MUST-18): one segment is timed at a time, a segment
// that was sent twice never is, and a backed-off RTO stays until data arrives that was sent only once.

import { MILLISECOND, type Micros, SECOND } from '../base/time.js'
import type { Seq } from '../wire/tcp.js'
import { seqBefore } from './seq.js'

const INITIAL_RTO: Micros = SECOND
/** As Linux (TCP_RTO_MIN); RFC 6298 (2.4) would have 1 s, for clocks coarser than ours. */
const MIN_RTO: Micros = 200 * MILLISECOND
const MAX_RTO: Micros = 120 * SECOND
/** RFC 6298 (5.7): RTO for data after the SYN had to be sent again. */
const RTO_AFTER_LOST_SYN: Micros = 3 * SECOND

export class RttEstimator {
  /** Current timeout, backed off or not. */
  rto: Micros = INITIAL_RTO
  /** Smoothed round-trip time; 0 before the first sample. */
  srtt: Micros = 0
  rttvar: Micros = 0
  #sampled = false
  #backedOff = false
  #timing = false
  /** The timed segment is acknowledged when SND.UNA reaches this. */
  #timedEnd: Seq = 0
  #timedAt: Micros = 0

  /** A segment that ends before `end` left for the first time. */
  sent(end: Seq, now: Micros): void {
    if (this.#timing) return
    this.#timing = true
    this.#timedEnd = end
    this.#timedAt = now
  }

  /** Something is sent again: the timed segment may be it, so its ACK would be ambiguous (Karn). */
  retransmitted(): void {
    this.#timing = false
  }

  /** Everything before `ack` is acknowledged. */
  acknowledged(ack: Seq, now: Micros): void {
    if (!this.#timing || seqBefore(ack, this.#timedEnd)) return
    this.#timing = false
    this.#sample(Math.max(1, now - this.#timedAt))
  }

  /** The timer expired: RFC 6298 (5.5). */
  backOff(): void {
    this.rto = Math.min(this.rto * 2, MAX_RTO)
    this.#backedOff = true
  }

  /**
   * Data that was sent only once arrived, so the path works: the back-off ends though there is no sample
   * (Karn and Partridge 1987; RFC 8961 section 4 (3) (a)).
   */
  endBackOff(): void {
    if (!this.#backedOff) return
    this.#backedOff = false
    if (this.#sampled) this.rto = this.#fresh()
  }

  /** The handshake is done and its SYN was sent more than once: RFC 6298 (5.7). */
  synWasLost(): void {
    if (!this.#sampled) this.rto = RTO_AFTER_LOST_SYN
  }

  #sample(rtt: Micros): void {
    if (this.#sampled) {
      // RFC 6298 (2.3): RTTVAR first, with the old SRTT.
      this.rttvar = 0.75 * this.rttvar + 0.25 * Math.abs(this.srtt - rtt)
      this.srtt = 0.875 * this.srtt + 0.125 * rtt
    } else {
      this.#sampled = true
      this.srtt = rtt
      this.rttvar = rtt / 2
    }
    this.rto = this.#fresh()
    this.#backedOff = false
  }

  /** RFC 6298 (2.3). As Linux, the lower bound applies to the 4 * RTTVAR part, so that RTO never comes close to SRTT. */
  #fresh(): Micros {
    return Math.min(Math.round(this.srtt + Math.max(MIN_RTO, 4 * this.rttvar)), MAX_RTO)
  }
}
