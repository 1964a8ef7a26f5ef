// Connection tracking: every flow through this host by the tuples of its two directions, with Linux' states and
// time-outs. It marks packets (NEW, ESTABLISHED, RELATED, INVALID) and remembers what nat.ts decided about a flow;
// it changes no packet.

import { LinkedList } from '../base/linked-list.js'
import type { Random } from '../base/random.js'
import { type Micros, NEVER, SECOND } from '../base/time.js'
import { TimerHeap } from '../base/timer-heap.js'
import { FlowTable } from '../stack/flow-table.js'
import type { HookVerdict, Packet } from '../stack/hooks.js'
import { parseQuotedPacket, quotedPacket } from '../stack/quoted-packet.js'
import { ICMP_HEADER_BYTES } from '../wire/icmp.js'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import { ACK, FIN, RST, SYN } from '../wire/tcp.js'
import { Flow, INVALID, type Tracking, trackingOf, UNTRACKED } from './flow.js'
import type { FlowCache } from './flow-cache.js'
import type { FlowRecorder } from './flow-recorder.js'
import { TCP_TRACK_TIMEOUTS, type TcpTrackState, tcpTransition } from './tcp-tracking.js'
import {
  copyTuple,
  invert,
  isIcmp,
  isIcmpErrorPacket,
  isLinkIcmpv6,
  isQuery,
  makeTuple,
  type Tuple,
  tupleOf,
  tupleOfQuoted,
} from './tuple.js'

/** A UDP flow that is answered for longer than this lasts as long as a stream. */
const UDP_STREAM_AGE: Micros = 2 * SECOND

/** What Linux has under /proc/sys/net/netfilter/nf_conntrack_*; a change holds from the next packet on. */
export interface ConntrackSettings {
  /** Flows that the table holds at most. */
  max: number
  /** Whether a connection is picked up in the middle, after the table was flushed. */
  tcpLoose: boolean
  tcpTimeouts: Readonly<Record<TcpTrackState, Micros>>
  udpTimeout: Micros
  udpTimeoutStream: Micros
  icmpTimeout: Micros
  genericTimeout: Micros
}

function defaultSettings(): ConntrackSettings {
  return {
    max: 262_144,
    tcpLoose: true,
    tcpTimeouts: TCP_TRACK_TIMEOUTS,
    udpTimeout: 30 * SECOND,
    udpTimeoutStream: 120 * SECOND,
    icmpTimeout: 30 * SECOND,
    genericTimeout: 600 * SECOND,
  }
}

export class Conntrack {
  readonly settings = defaultSettings()
  readonly #timers = new TimerHeap<Flow>()
  /** Confirmed flows by both their tuples. */
  readonly #table = new FlowTable<Flow>()
  /** The same, oldest first. */
  readonly #flows = new LinkedList<Flow>()
  readonly #tuple = makeTuple()
  readonly #quoted = quotedPacket()
  readonly #random: Random
  readonly #cache: FlowCache
  readonly #recorder: FlowRecorder
  /** Packets that were dropped because the table is full, or because another flow took the tuple meanwhile. */
  readonly counters = { full: 0, clash: 0, invalid: 0 }

  constructor(random: Random, cache: FlowCache, recorder: FlowRecorder) {
    this.#random = random
    this.#cache = cache
    this.#recorder = recorder
  }

  // ---- packets

  /** PREROUTING and OUTPUT, priority -200: finds or begins the packet's flow. Never drops. */
  track(packet: Packet, now: Micros): HookVerdict {
    this.expire(now)
    // Sent by this host through lo: it was seen in OUTPUT. An answer about a packet: it belongs to that one's flow.
    if (packet.tracking !== undefined) return 'ACCEPT'
    packet.tracking = this.#classify(packet, now)
    if (packet.tracking === INVALID) this.counters.invalid++
    return 'ACCEPT'
  }

  /** INPUT and POSTROUTING, last: the first packet of a flow made it, so the flow is remembered. */
  confirm(packet: Packet): HookVerdict {
    const tracking = trackingOf(packet)
    const flow = tracking?.flow
    // A refusal of the first packet does not make the flow.
    if (flow === undefined || flow.confirmed || tracking?.reply) return 'ACCEPT'
    if (this.#find(flow.original) !== undefined || this.#find(flow.reply) !== undefined) {
      this.counters.clash++
      return 'DROP'
    }
    if (this.#flows.size >= this.settings.max && !this.#earlyDrop()) {
      this.counters.full++
      return 'DROP'
    }
    flow.confirmed = true
    flow.place = this.#flows.add(flow)
    this.#add(flow.original, flow)
    this.#add(flow.reply, flow)
    this.#timers.set(flow, flow.expiresAt)
    return 'ACCEPT'
  }

  /** The tracking of an ICMP error or a reset about a packet (nf_conntrack_attach): related, the other way. */
  trackingOfAnswer(about: Packet): Tracking | undefined {
    const tracking = trackingOf(about)
    return tracking?.flow?.tracking('RELATED', !tracking.reply)
  }

  /** Whether answers with this tuple would belong to a flow other than `flow`. */
  isTaken(reply: Tuple, flow: Flow): boolean {
    const found = this.#find(reply)
    return found !== undefined && found !== flow
  }

  #classify(packet: Packet, now: Micros): Tracking {
    const { header, bytes } = packet
    if (isIcmpErrorPacket(packet)) return this.#related(packet)
    if (isLinkIcmpv6(packet)) return UNTRACKED
    const tuple = this.#tuple
    if (!tupleOf(packet, tuple)) return INVALID
    const flags = header.protocol === PROTOCOL_TCP ? bytes[header.payloadStart + 13] : 0
    // Too short for TCP.
    if (flags === undefined) return INVALID
    const flow = this.#find(tuple)
    if (flow === undefined) return this.#begin(tuple, flags, now)
    const reply = flow.isReply(tuple)
    if (tuple.protocol === PROTOCOL_TCP) {
      const verdict = this.#followTcp(flow, reply, flags, now)
      // The end of a connection was seen, and this is the first segment of the next one between the same ports.
      if (verdict === 'again') return this.#begin(tuple, flags, now)
      if (verdict === 'invalid') return INVALID
      if (reply) flow.seenReply = true
    } else {
      if (reply) flow.seenReply = true
      this.#refresh(flow, this.#timeout(flow, now), now)
      // Assured: its time-out stays the same from now on.
      if (tuple.protocol === PROTOCOL_UDP && flow.assured) this.#recorder.follow(flow, reply)
    }
    if (reply) return flow.tracking('ESTABLISHED', true)
    return flow.tracking(flow.seenReply ? 'ESTABLISHED' : 'NEW', false)
  }

  #begin(tuple: Tuple, flags: number, now: Micros): Tracking {
    const reply = invert(tuple)
    // An ICMP answer to nothing begins no flow.
    if (reply === undefined || (isIcmp(tuple.protocol) && !isQuery(tuple))) return INVALID
    const flow = new Flow(copyTuple(tuple), reply, now)
    if (tuple.protocol === PROTOCOL_TCP) {
      const next = tcpTransition('NONE', false, flags)
      if (next === 'invalid' || next === 'ignore') return INVALID
      if (next === 'ESTABLISHED' && !this.settings.tcpLoose) return INVALID
      flow.tcpState = next
    }
    flow.expiresAt = now + this.#timeout(flow, now)
    return flow.tracking('NEW', false)
  }

  #followTcp(flow: Flow, reply: boolean, flags: number, now: Micros): 'ok' | 'invalid' | 'again' {
    const before = flow.tcpState
    // Most segments, and the table would say the same.
    if (before === 'ESTABLISHED' && flow.assured && (flags & (SYN | FIN | RST | ACK)) === ACK) {
      this.#refresh(flow, this.settings.tcpTimeouts.ESTABLISHED, now)
      if (flow.seenReply) this.#recorder.follow(flow, reply)
      return 'ok'
    }
    const next = tcpTransition(before, reply, flags)
    if (next === 'invalid') return 'invalid'
    if (next === 'ignore') return 'ok'
    if (next === 'SYN_SENT' && (before === 'TIME_WAIT' || before === 'CLOSE')) {
      this.#remove(flow)
      return 'again'
    }
    // A refused connection, or one that was given up before any answer.
    if ((flags & RST) !== 0 && !flow.seenReply && !reply) {
      this.#remove(flow)
      return 'ok'
    }
    if (next !== before) this.#cache.evict(flow)
    flow.tcpState = next
    if (next === 'ESTABLISHED' && (before === 'SYN_RECV' || before === 'ESTABLISHED')) {
      if (flow.seenReply || reply) flow.assured = true
    }
    this.#refresh(flow, this.settings.tcpTimeouts[next], now)
    return 'ok'
  }

  /** An ICMP error belongs to the flow of the packet that it quotes, in the direction opposite to that packet. */
  #related(packet: Packet): Tracking {
    const { header, bytes } = packet
    const start = header.payloadStart + ICMP_HEADER_BYTES
    if (!parseQuotedPacket(bytes, start, header.payloadEnd, this.#quoted)) return INVALID
    if (!tupleOfQuoted(this.#quoted, this.#tuple)) return INVALID
    const inverse = invert(this.#tuple)
    const flow = inverse && this.#find(inverse)
    return flow === undefined ? INVALID : flow.tracking('RELATED', flow.isReply(inverse!))
  }

  #timeout(flow: Flow, now: Micros): Micros {
    const { settings } = this
    switch (flow.original.protocol) {
      case PROTOCOL_TCP:
        return settings.tcpTimeouts[flow.tcpState]
      case PROTOCOL_UDP:
        if (!flow.seenReply || now - flow.created < UDP_STREAM_AGE) return settings.udpTimeout
        flow.assured = true
        return settings.udpTimeoutStream
      case PROTOCOL_ICMP:
      case PROTOCOL_ICMPV6:
        return settings.icmpTimeout
      default:
        return settings.genericTimeout
    }
  }

  /** The heap is only touched when the flow ends earlier than thought; a later end is found when its time comes. */
  #refresh(flow: Flow, timeout: Micros, now: Micros): void {
    flow.expiresAt = now + timeout
    if (flow.confirmed && flow.expiresAt < flow.at) this.#timers.set(flow, flow.expiresAt)
  }

  // ---- the table

  /** Oldest first. */
  flows(now: Micros): IterableIterator<Flow> {
    this.expire(now)
    this.settle()
    return this.#flows[Symbol.iterator]()
  }

  /** Forgets one flow, if it is in the table. */
  forget(flow: Flow): void {
    this.#remove(flow)
  }

  /** Forgets the flows for which `matches` holds; how many. */
  flush(matches: (flow: Flow) => boolean): number {
    let flushed = 0
    this.settle()
    for (const flow of this.#flows) {
      if (!matches(flow)) continue
      this.#remove(flow)
      flushed++
    }
    return flushed
  }

  /** Whether `expire` may have something to do. */
  isExpiryDue(now: Micros): boolean {
    return this.#timers.isDue(now)
  }

  /**
   * Forgets what is over. Nobody has to call it in time, it needs no deadline: every packet and every read-out sees to
   * it first (as Linux, whose entries count as gone from the moment they expire). Whether there was any.
   */
  expire(now: Micros): boolean {
    if (!this.#timers.isDue(now)) return false
    const before = this.#flows.size
    for (let timer = this.#timers.due(now); timer !== undefined; timer = this.#timers.due(now)) {
      const flow = timer.owner
      this.#settle(flow)
      if (flow.expiresAt > now) this.#timers.set(flow, flow.expiresAt)
      else this.#remove(flow)
    }
    return this.#flows.size !== before
  }

  /** Brings the time-outs up to date of flows whose packets the cache has spared the way here. */
  settle(): void {
    for (const flow of this.#cache.flows()) this.#settle(flow)
  }

  #settle(flow: Flow): void {
    if (flow.originalEntry < 0 && flow.replyEntry < 0) return
    const seen = this.#cache.lastSeen(flow)
    flow.expiresAt = Math.max(flow.expiresAt, seen + this.#timeout(flow, seen))
  }

  #find(tuple: Tuple): Flow | undefined {
    const { source, destination, sourcePort, destinationPort, protocol } = tuple
    return this.#table.get(source, destination, sourcePort, destinationPort, protocol)
  }

  #add(tuple: Tuple, flow: Flow): void {
    const { source, destination, sourcePort, destinationPort, protocol } = tuple
    this.#table.add(source, destination, sourcePort, destinationPort, protocol, flow)
  }

  #remove(flow: Flow): void {
    if (flow.place === undefined) return
    this.#flows.remove(flow.place)
    flow.place = undefined
    this.#cache.evict(flow)
    this.#timers.set(flow, NEVER)
    this.#take(flow.original, flow)
    this.#take(flow.reply, flow)
  }

  #take(tuple: Tuple, flow: Flow): void {
    const { source, destination, sourcePort, destinationPort, protocol } = tuple
    this.#table.remove(source, destination, sourcePort, destinationPort, protocol, flow)
  }

  /** The table is full: one of the oldest flows that are not assured makes place. */
  #earlyDrop(): boolean {
    let looked = 0
    const from = this.#random.int(8)
    for (const flow of this.#flows) {
      if (looked++ < from) continue
      if (!flow.assured) {
        this.#remove(flow)
        return true
      }
      if (looked > 4096) return false
    }
    return false
  }
}
