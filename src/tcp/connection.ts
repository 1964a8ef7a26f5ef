// One TCP connection, RFC 9293: segments, user calls and time go in, segments and a deadline come out. The facade
// of this folder: it owns the TCB and forwards to the functions on it. It knows no IP, no sockets and no clock;
// checksums are the codec's (wire/tcp.ts), demultiplexing and listening the stack's.

import { SystemError } from '../base/errors.js'
import { type Micros, NEVER, SECOND } from '../base/time.js'
import type { Endpoint } from '../wire/address.js'
import type { Seq, TcpSegment } from '../wire/tcp.js'
import { abortConnection, closeCompletely, closeSending, enterClosed, setState } from './close.js'
import { segmentArrives } from './input.js'
import { acceptsNewSyn } from './input-sequence.js'
import { sequenceAfter } from './isn.js'
import { copyText, nextSegment } from './output.js'
import { worthAnnouncing } from './receive-window.js'
import type { TcpState } from './state.js'
import { DEFAULT_USER_TIMEOUT, flightSize, MIN_MSS, Tcb, type TcpOptions } from './tcb.js'
import { type Remains, remainsOf, revivedTcb } from './time-wait.js'
import { expireTimers, nextExpiry } from './timers.js'

/** What `ss -i` would show, and what tests and measurements look at. Bytes and microseconds. */
export interface TcpInfo {
  readonly rto: Micros
  readonly srtt: Micros
  readonly rttvar: Micros
  readonly cwnd: number
  readonly ssthresh: number
  readonly sendMss: number
  readonly sendWindow: number
  readonly receiveWindow: number
  /** Shifts of window scaling, the peer's and the own one. */
  readonly windowShifts: readonly [send: number, receive: number]
  /** Bytes sent and not acknowledged. */
  readonly inFlight: number
  /** Timeouts in a row: 3 or more is R1 of RFC 9293 section 3.8.3, negative advice to the IP layer (MUST-20). */
  readonly timeouts: number
  /** Memory held for received data. */
  readonly receiveMemory: number
}

/** The timer that `ss -o` shows: for acknowledgment ('on'), a window ('persist'), keep-alive or 2MSL. */
export interface TcpTimer {
  readonly kind: 'on' | 'keepalive' | 'timewait' | 'persist'
  readonly left: Micros
  /** Expiries in a row. */
  readonly times: number
}

export class TcpConnection {
  readonly #tcb: Tcb

  /** For `connect` and `acceptSyn` (listen.ts). */
  constructor(tcb: Tcb) {
    this.#tcb = tcb
  }

  /** Active OPEN: SYN-SENT. The SYN comes from `output`. */
  static connect(options: TcpOptions, now: Micros): TcpConnection {
    const tcb = new Tcb(options, now)
    setState(tcb, 'SYN-SENT')
    return new TcpConnection(tcb)
  }

  /** A connection in TIME-WAIT as it was when `remains` were taken; `options` as it was made with. */
  static revive(options: TcpOptions, remains: Remains, now: Micros): TcpConnection {
    return new TcpConnection(revivedTcb(options, remains, now))
  }

  get local(): Endpoint {
    return this.#tcb.local
  }

  get remote(): Endpoint {
    return this.#tcb.remote
  }

  get state(): TcpState {
    return this.#tcb.state
  }

  /** Counts up whenever something a socket's owner could care about changed: state, readable, writable, ended, error. */
  get changes(): number {
    return this.#tcb.changes
  }

  /** SEGMENT ARRIVES, section 3.10.7. The checksum was verified; nothing of `segment` is kept. */
  input(segment: TcpSegment, now: Micros): void {
    segmentArrives(this.#tcb, segment, now)
  }

  /**
   * Fills `segment` with the next one to send: ports, numbers, flags, window and options, the payload as
   * `payloadStart` 0 and `payloadEnd` its length. False when there is none now. To be called until false after
   * every other call, also when `state` is CLOSED: a reset may still have to leave.
   */
  output(segment: TcpSegment, now: Micros): boolean {
    return nextSegment(this.#tcb, segment, now)
  }

  /** Copies the payload of the segment that `output` has just filled to `into` at `offset`. */
  copyPayload(segment: TcpSegment, into: Uint8Array, offset: number): void {
    if (segment.payloadEnd > 0) copyText(this.#tcb, segment, into, offset)
  }

  /** Lets timers expire that are due. */
  advance(now: Micros): void {
    expireTimers(this.#tcb, now)
  }

  /** When `advance` is to be called next; NEVER when no timer runs. */
  deadline(): Micros {
    return nextExpiry(this.#tcb)
  }

  /** Eff.snd.MSS: segments with more text are to be cut to this. */
  get sendMss(): number {
    return this.#tcb.sndMss
  }

  /** Bytes that `read` would give now. */
  get readable(): number {
    return this.#tcb.receiveBuffer.readable
  }

  /** Bytes that `write` would take now. */
  get writable(): number {
    const tcb = this.#tcb
    const open = tcb.state === 'ESTABLISHED' || tcb.state === 'CLOSE-WAIT'
    return open && !tcb.finQueued ? tcb.sendBuffer.space : 0
  }

  /** The peer's FIN came and all data before it was read. */
  get ended(): boolean {
    return this.#tcb.finReceived && this.#tcb.receiveBuffer.readable === 0
  }

  /** Bytes written and not yet acknowledged. */
  get unacknowledged(): number {
    return this.#tcb.sendBuffer.length
  }

  /** Why the connection failed: ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT, or what ICMP said. */
  get error(): SystemError | undefined {
    return this.#tcb.error
  }

  get softError(): SystemError | undefined {
    return this.#tcb.softError
  }

  /** Copies up to `max` received bytes out; undefined when there are none now. */
  read(max = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const count = Math.min(max, this.readable)
    if (count <= 0) return undefined
    const bytes = new Uint8Array(count)
    this.readInto(bytes)
    return bytes
  }

  /** Copies received bytes to `into`; how many. */
  readInto(into: Uint8Array): number {
    const count = this.#tcb.receiveBuffer.readInto(into)
    if (count > 0) this.#hasRead()
    return count
  }

  /** Received bytes where they lie, the first ones at least; undefined when there are none now. Valid until the next call. */
  peek(): Uint8Array | undefined {
    return this.#tcb.receiveBuffer.peek()
  }

  /** Takes `count` of the bytes that `peek` has shown. */
  skip(count: number): void {
    this.#tcb.receiveBuffer.skip(count)
    this.#hasRead()
  }

  #hasRead(): void {
    const tcb = this.#tcb
    if (!tcb.finReceived && isReceiving(tcb) && worthAnnouncing(tcb)) tcb.ackNow = true
  }

  /** Queues as much of `bytes` as fits; how much. Throws EPIPE after `shutdown` and `close`, `error` when it failed. */
  write(bytes: Uint8Array, _now: Micros): number {
    const tcb = this.#tcb
    if (tcb.error !== undefined) throw tcb.error
    if (tcb.finQueued || tcb.state === 'CLOSED') throw new SystemError('EPIPE', 'write')
    return this.writable === 0 ? 0 : tcb.sendBuffer.write(bytes)
  }

  /** No more data from here: FIN follows what was written. */
  shutdown(_now: Micros): void {
    closeSending(this.#tcb)
  }

  /** Gives the connection up: as `shutdown`; a reset when received data was left unread, or more comes (SHLD-3). */
  close(now: Micros): void {
    closeCompletely(this.#tcb, now)
  }

  /** Ends the connection at once, with a reset where the peer has one (section 3.10.5). */
  abort(_now: Micros): void {
    abortConnection(this.#tcb)
  }

  /** Turns Nagle's algorithm off or on (MUST-17). */
  setNoDelay(on: boolean): void {
    this.#tcb.noDelay = on
  }

  /** Probes after `idle` without a segment, each `interval`, `count` times; NEVER turns them off (MUST-24, MUST-25). */
  setKeepAlive(idle: Micros, interval: Micros = 75 * SECOND, count = 9): void {
    const tcb = this.#tcb
    tcb.keepAliveIdle = idle
    tcb.keepAliveInterval = interval
    tcb.keepAliveCount = count
    tcb.keepAliveProbes = 0
    const live = tcb.state !== 'SYN-SENT' && tcb.state !== 'SYN-RECEIVED' && tcb.state !== 'CLOSED'
    tcb.keepAliveAt = live && tcb.state !== 'TIME-WAIT' ? tcb.lastReceivedAt + idle : NEVER
  }

  /** R2 as time (MUST-21); NEVER sets the default. */
  setUserTimeout(timeout: Micros): void {
    this.#tcb.userTimeout = timeout === NEVER ? DEFAULT_USER_TIMEOUT : timeout
  }

  /**
   * ICMP about this connection, section 3.9.2.2. 'hard' (destination unreachable 2 to 4) ends a connection that is
   * being opened; on a live one, as Linux and RFC 5461, it is remembered like a 'soft' one (0, 1, 5, time
   * exceeded), because anybody could send it.
   */
  icmpError(kind: 'hard' | 'soft', error: SystemError, _now: Micros): void {
    const tcb = this.#tcb
    if (tcb.state === 'CLOSED' || tcb.state === 'TIME-WAIT') return
    if (kind === 'hard' && (tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED')) {
      tcb.error = error
      return enterClosed(tcb)
    }
    tcb.softError = error
    tcb.changes++
  }

  /** The path carries no segment with more than `mss` bytes of text (RFC 1191): what is in flight is sent again. */
  setMss(mss: number): void {
    const tcb = this.#tcb
    tcb.pathMss = Math.max(Math.min(mss, tcb.rcvMss), MIN_MSS)
    if (tcb.pathMss >= tcb.sndMss) return
    tcb.sndMss = tcb.pathMss
    tcb.congestion.setMss(tcb.sndMss)
    tcb.rtt.retransmitted()
    if (tcb.state !== 'SYN-SENT' && tcb.state !== 'SYN-RECEIVED') tcb.sndCursor = tcb.sndUna
  }

  /** In TIME-WAIT: may `segment`, a SYN, open a new connection in place of this one (MAY-2)? */
  acceptsNewSyn(segment: TcpSegment): boolean {
    return acceptsNewSyn(this.#tcb, segment)
  }

  /** The initial sequence number for that new connection: beyond all that this one used. */
  nextInitialSequence(): Seq {
    return sequenceAfter(this.#tcb.sndNxt)
  }

  /** All that is needed of it from now on, once it is in TIME-WAIT and closed; undefined before. */
  remains(): Remains | undefined {
    return remainsOf(this.#tcb)
  }

  timer(now: Micros): TcpTimer | undefined {
    const { retransmitAt, persistAt, keepAliveAt, lingerUntil, timeouts, persistBackoff } = this.#tcb
    if (retransmitAt < NEVER) return { kind: 'on', left: retransmitAt - now, times: timeouts }
    if (persistAt < NEVER) return { kind: 'persist', left: persistAt - now, times: persistBackoff }
    if (lingerUntil < NEVER) return { kind: 'timewait', left: lingerUntil - now, times: 0 }
    return keepAliveAt < NEVER ? { kind: 'keepalive', left: keepAliveAt - now, times: 0 } : undefined
  }

  info(): TcpInfo {
    const tcb = this.#tcb
    return {
      rto: tcb.rtt.rto,
      srtt: tcb.rtt.srtt,
      rttvar: tcb.rtt.rttvar,
      cwnd: tcb.congestion.cwnd,
      ssthresh: tcb.congestion.ssthresh,
      sendMss: tcb.sndMss,
      sendWindow: tcb.sndWnd,
      receiveWindow: (tcb.rcvAdv - tcb.rcvNxt) >>> 0,
      windowShifts: [tcb.sndWndShift, tcb.rcvWndShift],
      inFlight: flightSize(tcb),
      timeouts: tcb.timeouts,
      receiveMemory: tcb.receiveBuffer.capacity,
    }
  }
}

function isReceiving(tcb: Tcb): boolean {
  return tcb.state === 'ESTABLISHED' || tcb.state === 'FIN-WAIT-1' || tcb.state === 'FIN-WAIT-2'
}
