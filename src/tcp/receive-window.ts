// The window we advertise: RFC 9293 section 3.8.6.2.2 (receiver's silly window avoidance, MUST-39), never moving
// its right edge to the left (SHLD-14), scaled by RFC 7323 section 2.3.

import { seqAdd } from './seq.js'
import { receiveWindow, type Tcb } from './tcb.js'

/** Window field of the next segment with an ACK; what it promises is remembered in RCV.ADV. */
export function advertiseWindow(tcb: Tcb): number {
  const shift = tcb.rcvWndShift
  const current = receiveWindow(tcb)
  const offer = largestWindow(tcb)
  if (offer - current >= smallestStep(tcb)) return promise(tcb, offer >> shift, current)
  // Rounded up, the present right edge stays covered, and creeps on by less than one unit.
  const up = (current + (1 << shift) - 1) >> shift
  // When it has crept through the reserve, the field is rounded down; what was promised is still taken
  // (RFC 7323 section 2.4 knows of retractions by less than a unit).
  return promise(tcb, up << shift <= freeBytes(tcb) ? up : current >> shift, current)
}

function promise(tcb: Tcb, units: number, current: number): number {
  const field = Math.min(units, 0xffff)
  tcb.rcvAdv = seqAdd(tcb.rcvNxt, Math.max(current, field << tcb.rcvWndShift))
  return field
}

/** Window field of a SYN, which is never scaled. */
export function advertiseFirstWindow(tcb: Tcb): number {
  const field = Math.min(largestWindow(tcb), 0xffff)
  tcb.rcvAdv = seqAdd(tcb.rcvNxt, field)
  return field
}

/**
 * The user has read: is the window so much larger than the peer knows that it should be told at once? As BSD,
 * when half of the buffer, or two segments and a quarter of it, came free; and from a window as good as closed.
 */
export function worthAnnouncing(tcb: Tcb): boolean {
  const gain = largestWindow(tcb) - receiveWindow(tcb)
  if (receiveWindow(tcb) < tcb.rcvMss) return gain >= smallestStep(tcb)
  const full = Math.min(tcb.receiveBuffer.limit, 0xffff << tcb.rcvWndShift)
  return gain >= full >> 1 || (gain >= 2 * tcb.rcvMss && gain >= full >> 2)
}

function freeBytes(tcb: Tcb): number {
  return tcb.receiveBuffer.limit - tcb.receiveBuffer.readable
}

/** What we may offer. A scaled window leaves a segment's worth in reserve for rounding (see `advertiseWindow`). */
function largestWindow(tcb: Tcb): number {
  const reserve = tcb.rcvWndShift > 0 ? tcb.rcvMss : 0
  return Math.max(0, Math.min(freeBytes(tcb) - reserve, 0xffff << tcb.rcvWndShift))
}

function smallestStep(tcb: Tcb): number {
  return Math.min(tcb.receiveBuffer.limit >> 1, tcb.rcvMss)
}
