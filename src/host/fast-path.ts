// A node's way round its own bridge, stack and rules for packets of flows that are established: what the first packets
// of a flow went through is kept - the entry in netfilter's flow cache, and here the way of its frames - and done at
// once to those that follow, as Linux' flowtable does it. Nothing may differ by it: frames, counters, conntrack, the
// bridge's and the neighbours' tables are what they would be. Whatever is not sure takes the long way.

import { getUint48 } from '../base/bytes.js'
import { GIVEN_AWAY, hasWorkLeft, type Offload, segmentBytes } from '../base/offload.js'
import type { Micros } from '../base/time.js'
import { type Bridge, MAC_AGEING, type MacEntry } from '../fabric/bridge.js'
import type { EgressQueue } from '../fabric/egress-queue.js'
import { MISSING } from '../netfilter/flow-cache.js'
import type { Tally } from '../netfilter/flow-recorder.js'
import type { Netfilter } from '../netfilter/netfilter.js'
import type { Interface } from '../stack/interface.js'
import type { Neighbor } from '../stack/neighbors.js'
import type { Stack } from '../stack/stack.js'
import type { Mac } from '../wire/address.js'
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js'
import { longestPacket } from '../wire/segmentation.js'

/** What frames of some flows have in common: where they come from and go to, and all that is asked and told meanwhile. */
interface Way {
  /** Ethernet addresses of the frame, destination first, in three words; as it comes and as it leaves. */
  readonly before: readonly [number, number, number]
  readonly after: readonly [number, number, number]
  /** The bridge's entries: of the sender and of where the frame goes, as it comes; the same as it leaves. */
  readonly learnt: MacEntry | undefined
  readonly known: MacEntry | undefined
  readonly knownPort: number
  readonly learntAfter: MacEntry | undefined
  readonly knownAfter: MacEntry | undefined
  readonly ingress: number
  readonly egress: number
  /** Undefined from pod to pod on the bridge; else the frame is routed from one interface to the other. */
  readonly input: Interface | undefined
  readonly output: Interface | undefined
  readonly neighbor: Neighbor | undefined
  readonly neighborMac: Mac
  readonly mtuBytes: number
  readonly tally: Tally
}

/** Ways are given up, all of them, when there are more. */
const MAX_WAYS = 16_384

/** Where a node keeps what a frame may pass. */
export interface FastPathNode {
  readonly stack: Stack
  readonly netfilter: Netfilter
  readonly bridge: Bridge
  /** The bridge's port to the stack. */
  readonly uplink: number
  /** The machine's port of eth0. */
  readonly lanPort: number
  readonly eth0: Interface
  readonly cni0: Interface
  /** Frames that leave past the stack, before those that wait in it. */
  readonly outgoing: EgressQueue
}

export class FastPath {
  readonly #node: FastPathNode
  /** Frames that were sent on. */
  frames = 0
  #generation = -1
  #ways: Way[] = []
  readonly #wayNumbers = new Map<string, number>()
  /** Whether the frame that is on the long way may be a pattern, and what it was like. */
  #recording = false
  #before: [number, number, number] = [0, 0, 0]
  #identification = 0
  #ttl = 0
  #length = 0
  #queued = 0
  #bridged = 0

  constructor(node: FastPathNode) {
    this.#node = node
  }

  /** Sends `frame` on if its flow is known; false when it has to go the long way, between `begin` and `end`. */
  forward(ingress: number, frame: Uint8Array, now: Micros, offload: Offload): boolean {
    const { stack, netfilter, bridge, outgoing, eth0, cni0 } = this.#node
    if (stack.generation + netfilter.generation + bridge.generation !== this.#generation) this.#restart()
    const { cache } = netfilter
    let entry = cache.find(frame, ingress)
    this.#recording = entry === MISSING && stack.hooks.cacheable && netfilter.isCacheable
    if (entry < 0) return false
    // Who captures on an interface is shown frames by the stack.
    if (eth0.taps !== undefined || cni0.taps !== undefined) return false
    stack.setNow(now)
    if (netfilter.expireFlows(stack.now)) entry = cache.find(frame, ingress)
    if (entry < 0) return false
    const way = this.#ways[cache.wayOf(entry)]!
    if (!isOpen(way, frame, now, offload)) return false
    this.frames++
    const own = (offload & GIVEN_AWAY) === 0 ? frame.slice() : frame
    cache.translate(entry, own, way.input !== undefined, stack.now)
    const { tally } = way
    tally.packets++
    tally.bytes += own.length - ETHERNET_HEADER_BYTES
    if (way.learnt !== undefined) {
      way.learnt.seen = now
      bridge.counters.received++
      bridge.counters.forwarded++
    }
    if (way.input === undefined) {
      outgoing.push(way.egress, own, offload | GIVEN_AWAY)
      return true
    }
    if (way.learntAfter !== undefined) {
      way.learntAfter.seen = now
      bridge.counters.received++
      bridge.counters.forwarded++
    }
    writeMacs(own, way.after)
    if (stack.queued > 0) stack.forward(way.input, way.output!, own, way.egress, offload)
    else {
      stack.countForwarded(way.input, way.output!, own, offload)
      outgoing.push(way.egress, own, offload | GIVEN_AWAY)
    }
    return true
  }

  /** `frame` begins the long way. */
  begin(frame: Uint8Array): void {
    if (!this.#recording) return
    const { netfilter, stack, outgoing } = this.#node
    const before = this.#before
    for (let word = 0; word < 3; word++) before[word] = wordAt(frame, word * 4)
    this.#identification = wordAt(frame, 18)
    this.#ttl = frame[22]!
    this.#length = frame.length
    this.#queued = stack.queued
    this.#bridged = outgoing.length
    netfilter.recorder.begin()
  }

  /** The frame has come to the end of it. */
  end(now: Micros): void {
    if (!this.#recording) return
    this.#recording = false
    const { recorder } = this.#node.netfilter
    if (recorder.end() && !this.#learn(now)) recorder.pause()
  }

  /** Makes an entry of what was seen to happen to the frame; false when that is not what entries can say. */
  #learn(now: Micros): boolean {
    const { stack, outgoing, netfilter, lanPort, cni0 } = this.#node
    const { cache, recorder } = netfilter
    const { missing } = cache
    const queued = stack.queued - this.#queued
    const wasBridged = outgoing.length - this.#bridged
    if (queued + wasBridged !== 1 || cache.isFull || this.#ways.length >= MAX_WAYS) return false
    const frame = wasBridged === 1 ? outgoing.lastFrame : stack.lastQueued?.frame
    const routed = queued === 1
    if (frame === undefined || frame.length !== this.#length) return false
    if (wordAt(frame, 18) !== this.#identification || frame[23] !== missing.protocol) return false
    if (frame[22] !== this.#ttl - (routed ? 1 : 0)) return false
    const after = { source: wordAt(frame, 26), destination: wordAt(frame, 30), ports: wordAt(frame, 34) }
    const way = routed
      ? this.#routedWay(missing.ingress, stack.lastQueued!.interfaceIndex, frame, now)
      : this.#bridgedWay(missing.ingress, outgoing.lastPort, frame, now)
    if (way === undefined || (missing.ingress === lanPort && way.input === cni0)) return false
    const options = { routed, way: this.#numberOf(way), now: stack.now }
    cache.add(missing, after, recorder.flow!, recorder.reply, options)
    return true
  }

  #routedWay(ingress: number, index: number, frame: Uint8Array, now: Micros): Way | undefined {
    const { stack, eth0, cni0, lanPort, uplink } = this.#node
    const hop = stack.nextHop(wordAt(frame, 30) >>> 0)
    const to = getUint48(frame, 0)
    if (hop === undefined || hop.output.index !== index || hop.neighbor.mac !== to) return undefined
    const fromLan = ingress === lanPort
    const toLan = hop.output === eth0
    if (!toLan && hop.output !== cni0) return undefined
    const learnt = fromLan ? undefined : this.#entry(macAt(this.#before, 1), now)
    const known = fromLan ? undefined : this.#entry(macAt(this.#before, 0), now)
    const learntAfter = toLan ? undefined : this.#entry(cni0.mac, now)
    const knownAfter = toLan ? undefined : this.#entry(to, now)
    // The frame did not come to the stack alone, or goes to more than one port.
    if (!fromLan && (learnt === undefined || known?.port !== uplink)) return undefined
    if (!toLan && (learntAfter?.port !== uplink || knownAfter === undefined || knownAfter.port === uplink))
      return undefined
    return {
      ...this.#ends(frame, ingress, toLan ? lanPort : knownAfter!.port),
      learnt,
      known,
      knownPort: uplink,
      learntAfter,
      knownAfter,
      input: fromLan ? eth0 : cni0,
      output: hop.output,
      neighbor: hop.neighbor,
      neighborMac: to,
      mtuBytes: hop.output.mtuBytes,
    }
  }

  #bridgedWay(ingress: number, egress: number, frame: Uint8Array, now: Micros): Way | undefined {
    const learnt = this.#entry(macAt(this.#before, 1), now)
    const known = this.#entry(macAt(this.#before, 0), now)
    if (learnt === undefined || known?.port !== egress) return undefined
    return {
      ...this.#ends(frame, ingress, egress),
      learnt,
      known,
      knownPort: egress,
      learntAfter: undefined,
      knownAfter: undefined,
      input: undefined,
      output: undefined,
      neighbor: undefined,
      neighborMac: 0,
      mtuBytes: this.#node.cni0.mtuBytes,
    }
  }

  #ends(frame: Uint8Array, ingress: number, egress: number) {
    const [a, b, c] = this.#before
    const after = [wordAt(frame, 0), wordAt(frame, 4), wordAt(frame, 8)] as const
    const tally = this.#node.netfilter.recorder.tally()
    return { before: [a, b, c] as const, after, ingress, egress, tally }
  }

  #entry(mac: Mac, now: Micros): MacEntry | undefined {
    const entry = this.#node.bridge.entry(mac)
    return entry !== undefined && now - entry.seen < MAC_AGEING ? entry : undefined
  }

  /** Flows that go the same way share it. */
  #numberOf(way: Way): number {
    const key = `${way.ingress} ${way.egress} ${way.before} ${way.after} ${way.tally.number}`
    const known = this.#wayNumbers.get(key)
    // A neighbour or an entry of the bridge may have been made anew.
    if (known !== undefined && isSame(this.#ways[known]!, way)) return known
    const number = this.#ways.push(way) - 1
    this.#wayNumbers.set(key, number)
    return number
  }

  /** Something changed that decides about ways: all are learnt again. */
  #restart(): void {
    const { stack, netfilter, bridge } = this.#node
    netfilter.emptyCache()
    this.#ways = []
    this.#wayNumbers.clear()
    this.#generation = stack.generation + netfilter.generation + bridge.generation
  }
}

/** Whether a frame may go a way now: what the bridge, the neighbours and the link would say. */
function isOpen(way: Way, frame: Uint8Array, now: Micros, offload: Offload): boolean {
  const { before, learnt, known, knownAfter, learntAfter, neighbor } = way
  if (wordAt(frame, 4) !== before[1] || wordAt(frame, 8) !== before[2] || wordAt(frame, 0) !== before[0])
    return false
  if (learnt !== undefined && learnt.port !== way.ingress) return false
  if (known !== undefined && (known.port !== way.knownPort || now - known.seen >= MAC_AGEING)) return false
  if (segmentBytes(offload) === 0) {
    if (frame.length - ETHERNET_HEADER_BYTES > way.mtuBytes) return false
  } else if (longestPacket(frame, offload) > way.mtuBytes) return false
  if (neighbor === undefined) return true
  // Routed: the last hop is told to the sender, and work that the interface does not take is done by the link.
  if (frame[22]! <= 1 || (hasWorkLeft(offload) && !way.output!.offload)) return false
  if (knownAfter !== undefined) {
    if (knownAfter.port !== way.egress || now - knownAfter.seen >= MAC_AGEING) return false
    if (learntAfter!.port !== way.knownPort) return false
  }
  const { state } = neighbor
  return (state === 'REACHABLE' || state === 'DELAY' || state === 'PROBE') && neighbor.mac === way.neighborMac
}

function isSame(a: Way, b: Way): boolean {
  return (
    a.neighbor === b.neighbor &&
    a.neighborMac === b.neighborMac &&
    a.learnt === b.learnt &&
    a.known === b.known &&
    a.learntAfter === b.learntAfter &&
    a.knownAfter === b.knownAfter &&
    a.input === b.input &&
    a.tally === b.tally
  )
}

/** 32 bits, signed: no number that needs memory. */
function wordAt(frame: Uint8Array, at: number): number {
  return (frame[at]! << 24) | (frame[at + 1]! << 16) | (frame[at + 2]! << 8) | frame[at + 3]!
}

function writeMacs(frame: Uint8Array, words: readonly [number, number, number]): void {
  for (let word = 0; word < 3; word++) {
    const value = words[word]!
    const at = word * 4
    frame[at] = value >>> 24
    frame[at + 1] = value >>> 16
    frame[at + 2] = value >>> 8
    frame[at + 3] = value
  }
}

/** Destination (0) or source (1) of three words of Ethernet addresses. */
function macAt(words: readonly [number, number, number], which: 0 | 1): Mac {
  const [a, b, c] = words
  if (which === 0) return (a >>> 0) * 0x1_0000 + (b >>> 16)
  return (b & 0xffff) * 0x1_0000_0000 + (c >>> 0)
}
