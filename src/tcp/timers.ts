// The timers of a connection: retransmission (RFC 6298), persist (RFC 9293 section 3.8.6.1), delayed ACK,
// keep-alive (section 3.8.4), 2MSL. Each is a time in the TCB; expiry only sets what output.ts is to send next,
// or ends the connection.

import { type Micros, NEVER, SECOND } from '../base/time.js'
import { enterClosed, fail } from './close.js'
import { flightSize, SYN_TIMEOUT, type Tcb } from './tcb.js'

const MAX_PERSIST_INTERVAL: Micros = 120 * SECOND

/** The earliest expiry, NEVER when no timer runs. */
export function nextExpiry(tcb: Tcb): Micros {
  let at = tcb.retransmitAt
  if (tcb.delayedAckAt < at) at = tcb.delayedAckAt
  if (tcb.persistAt < at) at = tcb.persistAt
  if (tcb.keepAliveAt < at) at = tcb.keepAliveAt
  if (tcb.lingerUntil < at) at = tcb.lingerUntil
  return at
}

export function expireTimers(tcb: Tcb, now: Micros): void {
  if (tcb.lingerUntil <= now) return enterClosed(tcb)
  if (tcb.delayedAckAt <= now) {
    tcb.delayedAckAt = NEVER
    tcb.ackNow = true
  }
  if (tcb.retransmitAt <= now) retransmissionTimeout(tcb, now)
  if (tcb.persistAt <= now) persistTimeout(tcb, now)
  if (tcb.keepAliveAt <= now) keepAliveTimeout(tcb, now)
}

/** Starts the retransmission timer anew; it never runs past the moment at which the connection is given up. */
export function restartRetransmission(tcb: Tcb, now: Micros): void {
  if (tcb.waitingSince === NEVER) tcb.waitingSince = now
  tcb.retransmitAt = Math.min(now + tcb.rtt.rto, tcb.waitingSince + giveUpAfter(tcb))
}

/** R2, RFC 9293 section 3.8.3: as time, not as a count of retransmissions. */
function giveUpAfter(tcb: Tcb): Micros {
  return inHandshake(tcb) ? Math.min(SYN_TIMEOUT, tcb.userTimeout) : tcb.userTimeout
}

function inHandshake(tcb: Tcb): boolean {
  return tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED'
}

/** RFC 6298 section 5.4 to 5.6: everything from SND.UNA on is sent again, slowly at first. */
function retransmissionTimeout(tcb: Tcb, now: Micros): void {
  if (now - tcb.waitingSince >= giveUpAfter(tcb)) return fail(tcb, 'ETIMEDOUT')
  // A lost SYN says nothing about the window for data (see `establish`).
  if (!inHandshake(tcb)) tcb.congestion.timeout(flightSize(tcb), tcb.timeouts > 0, now)
  tcb.timeouts++
  tcb.rtt.backOff()
  tcb.rtt.retransmitted()
  tcb.inRecovery = false
  tcb.recover = tcb.sndNxt
  tcb.duplicateAcks = 0
  tcb.retransmitFirst = true
  tcb.sndCursor = tcb.sndUna
  restartRetransmission(tcb, now)
}

/** The window has been too small for what waits: send what it takes, or ask how large it is now. */
function persistTimeout(tcb: Tcb, now: Micros): void {
  if (tcb.waitingSince === NEVER) tcb.waitingSince = now
  else if (now - tcb.waitingSince >= tcb.userTimeout) return fail(tcb, 'ETIMEDOUT')
  if (tcb.sndWnd > 0) tcb.overrideSws = true
  else tcb.probe = true
  tcb.persistBackoff++
  tcb.persistAt = now + persistInterval(tcb)
}

/** First after the RTO, then twice as long each time (SHLD-29, SHLD-30). */
export function persistInterval(tcb: Tcb): Micros {
  return Math.min(tcb.rtt.rto * 2 ** Math.min(tcb.persistBackoff, 16), MAX_PERSIST_INTERVAL)
}

function keepAliveTimeout(tcb: Tcb, now: Micros): void {
  const idle = now - tcb.lastReceivedAt
  if (idle < tcb.keepAliveIdle || flightSize(tcb) > 0) {
    // MUST-26: only on an idle connection. With data in flight the retransmission timer watches the peer.
    tcb.keepAliveAt = now + Math.max(tcb.keepAliveIdle - idle, tcb.keepAliveInterval)
    if (idle < tcb.keepAliveIdle) tcb.keepAliveAt = tcb.lastReceivedAt + tcb.keepAliveIdle
    return
  }
  if (tcb.keepAliveProbes >= tcb.keepAliveCount) {
    fail(tcb, 'ETIMEDOUT')
    tcb.abortReset = true
    return
  }
  tcb.keepAliveProbes++
  tcb.probe = true
  tcb.keepAliveAt = now + tcb.keepAliveInterval
}
