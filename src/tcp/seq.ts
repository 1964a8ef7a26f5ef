// Sequence number arithmetic, RFC 9293 section 3.4: the space is a circle of 2^32 numbers. There is no order on it,
// only signed distances (right while two numbers are less than 2^31 apart) and membership in a range.

import type { Seq } from '../wire/tcp.js'

/** `seq + count` on the circle; `count` may be negative. */
export function seqAdd(seq: Seq, count: number): Seq {
  return (seq + count) >>> 0
}

/** Signed distance from `from` to `to`: how many octets `to` lies after `from`. */
export function seqDistance(from: Seq, to: Seq): number {
  return (to - from) | 0
}

/** `a` comes before `b`. */
export function seqBefore(a: Seq, b: Seq): boolean {
  return ((a - b) | 0) < 0
}

/** `a` comes after `b`. */
export function seqAfter(a: Seq, b: Seq): boolean {
  return ((a - b) | 0) > 0
}

/** `seq` lies in [start, start + length). */
export function seqInRange(seq: Seq, start: Seq, length: number): boolean {
  return (seq - start) >>> 0 < length
}
