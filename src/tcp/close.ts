// Changes of state that several events lead to: the handshake done, the connection lost, TIME-WAIT, CLOSED. Every
// state change goes through `setState`.

import { type ErrnoCode, SystemError } from '../base/errors.js'
import { type Micros, NEVER, SECOND } from '../base/time.js'
import type { TcpState } from './state.js'
import type { Tcb } from './tcb.js'

/** How long FIN-WAIT-2 lasts once the user has closed, as Linux (tcp_fin_timeout). */
const FIN_WAIT_2_TIMEOUT: Micros = 60 * SECOND

export function setState(tcb: Tcb, state: TcpState): void {
  tcb.state = state
  tcb.changes++
}

/** Our SYN is acknowledged and the peer's received. */
export function establish(tcb: Tcb, now: Micros): void {
  if (tcb.timeouts > 0) {
    tcb.rtt.synWasLost()
    tcb.congestion.synWasLost()
  }
  tcb.timeouts = 0
  tcb.lastSentAt = now
  if (tcb.keepAliveIdle !== NEVER) tcb.keepAliveAt = now + tcb.keepAliveIdle
  // A CLOSE given in SYN-RECEIVED was queued until now, RFC 9293 section 3.10.4.
  setState(tcb, tcb.finQueued ? 'FIN-WAIT-1' : 'ESTABLISHED')
}

/** All of ours is acknowledged, FIN included. */
export function enterFinWait2(tcb: Tcb, now: Micros): void {
  setState(tcb, 'FIN-WAIT-2')
  if (tcb.readClosed) tcb.lingerUntil = now + FIN_WAIT_2_TIMEOUT
}

/** Both FINs were sent and acknowledged: wait 2MSL for stray segments (MUST-13). */
export function enterTimeWait(tcb: Tcb, now: Micros): void {
  stopTimers(tcb)
  tcb.sendBuffer.clear()
  tcb.receiveBuffer.finish()
  tcb.lingerUntil = now + tcb.timeWait
  setState(tcb, 'TIME-WAIT')
}

/** Deletes the connection; data in order stays readable. */
export function enterClosed(tcb: Tcb): void {
  stopTimers(tcb)
  tcb.sendBuffer.clear()
  tcb.receiveBuffer.finish()
  tcb.ackNow = false
  tcb.probe = false
  tcb.retransmitFirst = false
  setState(tcb, 'CLOSED')
}

/** The connection failed: the user learns `code` (MUST-12), unless a soft error explains it better. */
export function fail(tcb: Tcb, code: ErrnoCode): void {
  const syscall = tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED' ? 'connect' : 'read'
  tcb.error ??= (code === 'ETIMEDOUT' && tcb.softError) || new SystemError(code, syscall)
  enterClosed(tcb)
}

/** The user, or data for a user who is gone, ends the connection at once: RFC 9293 section 3.10.5. */
export function abortConnection(tcb: Tcb): void {
  switch (tcb.state) {
    case 'SYN-RECEIVED':
    case 'ESTABLISHED':
    case 'FIN-WAIT-1':
    case 'FIN-WAIT-2':
    case 'CLOSE-WAIT':
    case 'CLOSING':
    case 'LAST-ACK':
      // Section 3.10.5 leaves CLOSING and LAST-ACK silent; Linux resets there as well, so that the peer knows.
      tcb.abortReset = true
  }
  if (tcb.state !== 'CLOSED') enterClosed(tcb)
}

/** No more data from the user: RFC 9293 section 3.10.4. */
export function closeSending(tcb: Tcb): void {
  if (tcb.finQueued) return
  switch (tcb.state) {
    case 'SYN-SENT':
      return enterClosed(tcb)
    case 'SYN-RECEIVED':
      tcb.finQueued = true
      break
    case 'ESTABLISHED':
      tcb.finQueued = true
      setState(tcb, 'FIN-WAIT-1')
      break
    case 'CLOSE-WAIT':
      tcb.finQueued = true
      setState(tcb, 'LAST-ACK')
  }
}

/** The user gives the connection up, reading side too: a reset when data would be lost unread (SHLD-3). */
export function closeCompletely(tcb: Tcb, now: Micros): void {
  if (tcb.readClosed) return
  tcb.readClosed = true
  if (tcb.receiveBuffer.readable > 0 && tcb.state !== 'TIME-WAIT') return abortConnection(tcb)
  closeSending(tcb)
  if (tcb.state === 'FIN-WAIT-2') tcb.lingerUntil = now + FIN_WAIT_2_TIMEOUT
}

function stopTimers(tcb: Tcb): void {
  tcb.retransmitAt = NEVER
  tcb.persistAt = NEVER
  tcb.delayedAckAt = NEVER
  tcb.keepAliveAt = NEVER
  tcb.lingerUntil = NEVER
  tcb.waitingSince = NEVER
}
