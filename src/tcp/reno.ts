// Reno: slow start, congestion avoidance and fast recovery, RFC 5681, with NewReno's window for partial ACKs,
// RFC 6582, and the initial window of RFC 6928. Counts bytes, RFC 3465 with L = 2 segments as they are sent: whole bursts
// where those are cut later and acknowledged at once.

import type { CongestionControl } from './congestion.js'

export class Reno implements CongestionControl {
  cwnd: number
  ssthresh = Number.POSITIVE_INFINITY
  #mss: number
  readonly #burst: number
  /** Bytes acknowledged in congestion avoidance since cwnd last grew, RFC 5681 section 3.1. */
  #ackedInWindow = 0

  /** `burst`: text of a segment that is cut later, as in `TcpOptions.burstBytes`. */
  constructor(mss: number, burst = 0) {
    this.#mss = mss
    this.#burst = burst
    this.cwnd = initialWindow(mss)
  }

  setMss(mss: number): void {
    const untouched = this.cwnd === initialWindow(this.#mss)
    this.#mss = mss
    this.cwnd = untouched ? initialWindow(mss) : Math.max(this.cwnd, mss)
  }

  synWasLost(): void {
    this.cwnd = this.#mss
  }

  acknowledged(acked: number, flight: number): void {
    const mss = this.#mss
    if (this.cwnd < this.ssthresh) {
      // A window that was not used says nothing about the path (RFC 7661): grow only what the flight earned.
      if (flight * 2 >= this.cwnd) this.cwnd += Math.min(acked, 2 * Math.max(mss, this.#burst))
      return
    }
    if (flight + 2 * mss < this.cwnd) return
    this.#ackedInWindow += acked
    if (this.#ackedInWindow < this.cwnd) return
    this.#ackedInWindow -= this.cwnd
    this.cwnd += mss
  }

  enterRecovery(flight: number): void {
    this.#halve(flight)
    this.cwnd = this.ssthresh + 3 * this.#mss
  }

  duplicateAck(): void {
    this.cwnd += this.#mss
  }

  partialAck(acked: number): void {
    // RFC 6582 section 3.2 step 3: deflate by what was acknowledged, then one segment for the one that left.
    this.cwnd = Math.max(this.#mss, this.cwnd - acked)
    if (acked >= this.#mss) this.cwnd += this.#mss
  }

  exitRecovery(flight: number): void {
    // RFC 6582 section 3.2 step 3, full acknowledgment, option (1): no burst.
    this.cwnd = Math.min(this.ssthresh, Math.max(flight, this.#mss) + this.#mss)
    this.#ackedInWindow = 0
  }

  timeout(flight: number, again: boolean): void {
    // RFC 5681 section 3.1: a segment that times out again leaves ssthresh as it is.
    if (!again) this.#halve(flight)
    this.cwnd = this.#mss
    this.#ackedInWindow = 0
  }

  idle(): void {
    this.cwnd = Math.min(this.cwnd, initialWindow(this.#mss))
  }

  #halve(flight: number): void {
    this.ssthresh = Math.max(Math.floor(flight / 2), 2 * this.#mss)
  }
}

/** RFC 6928 section 2, as Linux: ten segments. */
function initialWindow(mss: number): number {
  return Math.min(10 * mss, Math.max(2 * mss, 14_600))
}
