// A flow as conntrack remembers it, and what is hung on its packets. Flows come and go by the thousand a second: one is as
// few objects as can be, and its own timer. What happens to flows is conntrack.ts.

import type { Place } from '../base/linked-list.js'
import { type Micros, NEVER } from '../base/time.js'
import type { Timer } from '../base/timer-heap.js'
import type { Packet } from '../stack/hooks.js'
import type { ConntrackState } from './rule.js'
import type { TcpTrackState } from './tcp-tracking.js'
import { invert, type Tuple } from './tuple.js'

export class Flow implements Timer<Flow> {
  /** Of the first packet, as it came. */
  readonly original: Tuple
  /** How packets of the original direction look after translation, and answers after theirs; never changed in place. */
  originalTarget: Tuple
  readonly replyTarget: Tuple
  /** CONNMARK's. */
  mark = 0
  /** Its first packet left or arrived: it is in the table. */
  confirmed = false
  seenReply = false
  /** Not to be given up when the table is full: it is really in use. */
  assured = false
  tcpState: TcpTrackState = 'NONE'
  /** Whether nat.ts has decided about source and destination, and whether it changes them. */
  sourceDecided = false
  destinationDecided = false
  sourceTranslated = false
  destinationTranslated = false
  /** In conntrack's table, while it is there. */
  place: Place<Flow> | undefined
  readonly created: Micros
  expiresAt: Micros = 0
  /** Packets that changed nothing but the time-out; below 0 while it is no use to record one (flow-recorder.ts). */
  settled = 0
  /** Its entries in the flow cache, negative when there is none: then `expiresAt` may be later than it says. */
  originalEntry = -1
  replyEntry = -1
  // As a timer: when it is to be looked at whether it has expired.
  at: Micros = NEVER
  position = -1
  /** What is hung on most packets of this flow, made once. */
  #established: Tracking | undefined
  #establishedReply: Tracking | undefined
  #reply: Tuple

  constructor(original: Tuple, reply: Tuple, now: Micros) {
    this.original = original
    this.#reply = reply
    this.originalTarget = original
    this.replyTarget = reply
    this.created = now
  }

  get owner(): Flow {
    return this
  }

  /** Of the answers, as they come: the inverse of `original` after NAT. */
  get reply(): Tuple {
    return this.#reply
  }

  /** Only before the flow is confirmed. */
  set reply(reply: Tuple) {
    this.#reply = reply
    this.originalTarget = invert(reply)!
  }

  /** Whether a tuple by which this flow was found is that of its answers. */
  isReply(tuple: Tuple): boolean {
    const { source, destination, sourcePort, destinationPort } = this.original
    return (
      sourcePort !== tuple.sourcePort ||
      destinationPort !== tuple.destinationPort ||
      source !== tuple.source ||
      destination !== tuple.destination
    )
  }

  /** Nothing is kept for a flow that few packets more are expected of. */
  tracking(state: ConntrackState, reply: boolean): Tracking {
    if (state !== 'ESTABLISHED' || this.tcpState === 'TIME_WAIT' || this.tcpState === 'CLOSE') {
      this.#established = undefined
      this.#establishedReply = undefined
      return { flow: this, state, reply }
    }
    if (reply) {
      this.#establishedReply ??= { flow: this, state, reply }
      return this.#establishedReply
    }
    this.#established ??= { flow: this, state, reply }
    return this.#established
  }
}

/** What a packet's `tracking` is while it passes. */
export interface Tracking {
  /** Undefined for INVALID. */
  readonly flow: Flow | undefined
  readonly state: ConntrackState
  /** Of the direction opposite to the first packet. */
  readonly reply: boolean
}

export const INVALID: Tracking = { flow: undefined, state: 'INVALID', reply: false }
/** Of a packet that conntrack shall not see (NOTRACK). */
export const UNTRACKED: Tracking = { flow: undefined, state: 'UNTRACKED', reply: false }

/** The tracking of a packet; undefined before conntrack has seen it. */
export function trackingOf(packet: Packet): Tracking | undefined {
  return packet.tracking as Tracking | undefined
}
