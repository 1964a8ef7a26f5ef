// How long connections stay without a packet: the three numbers of `ipvsadm --set`, and what the kernel makes of them.

import { type Micros, SECOND } from '../base/time.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import type { Connection } from './connection.js'
import { TCP_TIMEOUTS } from './tcp-state.js'

export interface IpvsTimeouts {
  /** Of established TCP connections. */
  readonly tcp: Micros
  /** Of TCP connections after a FIN. */
  readonly tcpFin: Micros
  readonly udp: Micros
}

export const DEFAULT_TIMEOUTS: IpvsTimeouts = { tcp: 900 * SECOND, tcpFin: 120 * SECOND, udp: 300 * SECOND }

/** SCTP associations are not followed: Simplified to the time of an established one. */
const SCTP_TIMEOUT: Micros = 900 * SECOND

export function timeoutOf(timeouts: IpvsTimeouts, { protocol, state }: Connection): Micros {
  if (protocol === PROTOCOL_UDP) return timeouts.udp
  if (protocol !== PROTOCOL_TCP) return SCTP_TIMEOUT
  if (state === 'ESTABLISHED') return timeouts.tcp
  if (state === 'FIN_WAIT') return timeouts.tcpFin
  return TCP_TIMEOUTS[state]
}
