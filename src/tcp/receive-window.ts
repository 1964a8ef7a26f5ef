// The window we advertise: RFC 9293 section 3.8.6.2.2 (receiver's silly window avoidance, MUST-39), never moving
// its right edge to the left (SHLD-14), scaled by RFC 7323 section 2.3.

import { seqAdd } from './seq.js'
import { receiveWindow, type Tcb } from './tcb.js'

/** Window field of the next segment with an ACK; what it promises is remembered in RCV.ADV. */
export function advertiseWindow(tcb: Tcb): number {
  const shift = tcb.rcvWndShift
  const current = receiveWindow(tcb)
  const offer = largestWindow(tcb)
  const units = 1 << shift
  // Rounded up, the present right edge stays covered.
  let field = (current + units - 1) >> shift
  if (offer - current >= smallestStep(tcb)) field = Math.max(field, offer >> shift)
  if (field > 0xffff) field = 0xffff
  tcb.rcvAdv = seqAdd(tcb.rcvNxt, Math.max(current, field << shift))
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
 * when two segments and a quarter of the buffer came free, and from a window that was as good as closed.
 */
export function worthAnnouncing(tcb: Tcb): boolean {
  const gain = largestWindow(tcb) - receiveWindow(tcb)
  if (receiveWindow(tcb) < tcb.rcvMss) return gain >= smallestStep(tcb)
  return gain >= 2 * tcb.rcvMss && gain >= Math.min(tcb.receiveBuffer.limit, 0xffff << tcb.rcvWndShift) >> 2
}

function largestWindow(tcb: Tcb): number {
  const free = tcb.receiveBuffer.limit - tcb.receiveBuffer.readable
  return Math.max(0, Math.min(free, 0xffff << tcb.rcvWndShift))
}

function smallestStep(tcb: Tcb): number {
  return Math.min(tcb.receiveBuffer.limit >> 1, tcb.rcvMss)
}
