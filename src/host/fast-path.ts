// A node's way round its own bridge, stack and rules for packets of flows that are established: what the first packets
// of a flow went through is kept - the entry in netfilter's flow cache, and here the way of its frames - and done at
// once to those that follow, as Linux' flowtable does it. Nothing may differ by it: frames, counters, conntrack, the
// bridge's and the neighbours' tables are what they would be. Whatever is not sure takes the long way.

import { getUint48 } from '../base/bytes.js'
import type { ChangeCount } from '../base/change-count.js'
import { GIVEN_AWAY, type Offload } from '../base/offload.js'
import type { Micros } from '../base/time.js'
import { type Bridge, MAC_AGEING, type MacEntry } from '../fabric/bridge.js'
import type { EgressQueue } from '../fabric/egress-queue.js'
import { type FlowCache, MISSING, type WayChanges } from '../netfilter/flow-cache.js'
import type { Netfilter } from '../netfilter/netfilter.js'
import type { FrameQueue } from '../stack/frame-queue.js'
import type { Interface } from '../stack/interface.js'
import type { Stack } from '../stack/stack.js'
import type { Mac } from '../wire/address.js'
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet.js'
import { type AddressWords, Way, type WayOptions, wordAt } from './way.js'

type AddressChanges = Pick<WayChanges, 'newSource' | 'newDestination'>

/** Ways are given up, all of them, when there are more: nobody knows which of them still have flows. */
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
  readonly #changes: ChangeCount
  readonly #cache: FlowCache
  /** Frames that wait in the stack. */
  readonly #waiting: FrameQueue
  #changesSeen = -1
  #ways: Way[] = []
  readonly #wayNumbers = new Map<string, number>()
  /** Whether the frame that is on the long way may be a pattern, and what it was like. */
  #recording = false
  #ingress = 0
  #before: [number, number, number] = [0, 0, 0]
  #identification = 0
  #ttl = 0
  #length = 0
  #queued = 0
  #bridged = 0

  constructor(node: FastPathNode) {
    this.#node = node
    this.#changes = node.stack.changes
    this.#cache = node.netfilter.cache
    this.#waiting = node.stack.waiting
  }

  /** Sends `frame` on if its flow is known; false when it has to go the long way, between `begin` and `end`. */
  forward(ingress: number, frame: Uint8Array, now: Micros, offload: Offload): boolean {
    if (this.#changes.value !== this.#changesSeen) this.#restart()
    const cache = this.#cache
    const entry = cache.find(frame)
    if (entry < 0) {
      this.#recording = entry === MISSING && this.#mayRecord()
      this.#ingress = ingress
      return false
    }
    const { stack, netfilter, eth0, cni0 } = this.#node
    // Who captures on an interface is shown frames by the stack.
    if (eth0.taps !== undefined || cni0.taps !== undefined) return false
    // No time is asked for and kept alone: such a number would need memory.
    if (!stack.setNow(now)) return false
    if (netfilter.isExpiryDue(now) && netfilter.expireFlows(now) && cache.find(frame) !== entry) return false
    const way = this.#ways[cache.wayOf(entry)]!
    if (!way.isOpen(ingress, frame, now, offload)) return false
    this.frames++
    const own = (offload & GIVEN_AWAY) === 0 ? frame.slice() : frame
    cache.translate(entry, own, way, now)
    this.#send(way, own, now, offload)
    return true
  }

  #mayRecord(): boolean {
    const { stack, netfilter } = this.#node
    return stack.hooks.cacheable && netfilter.isCacheable
  }

  /** Sends a translated frame its way, and counts it everywhere it would have passed. */
  #send(way: Way, frame: Uint8Array, now: Micros, offload: Offload): void {
    const { learnt, learntAfter, tally, input, output } = way
    const { counters } = this.#node.bridge
    tally.packets++
    tally.bytes += frame.length - ETHERNET_HEADER_BYTES
    if (learnt !== undefined) {
      learnt.seen = now
      counters.received++
      counters.forwarded++
    }
    if (input !== undefined) {
      if (learntAfter !== undefined) {
        learntAfter.seen = now
        counters.received++
        counters.forwarded++
      }
      const { stack } = this.#node
      stack.countForwarded(input, output!, frame, offload)
      // Behind those that wait in the stack.
      if (this.#waiting.length > 0) {
        this.#waiting.push(output!.index, frame, undefined, 0, offload | GIVEN_AWAY, way.egress)
        return
      }
    }
    this.#node.outgoing.push(way.egress, frame, offload | GIVEN_AWAY)
  }

  /** `frame` begins the long way. */
  begin(frame: Uint8Array): void {
    if (!this.#recording) return
    const { netfilter, outgoing } = this.#node
    const before = this.#before
    for (let word = 0; word < 3; word++) before[word] = wordAt(frame, word * 4)
    this.#identification = wordAt(frame, 18)
    this.#ttl = frame[22]!
    this.#length = frame.length
    this.#queued = this.#waiting.length
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
    const { stack, outgoing, netfilter } = this.#node
    const { cache, recorder } = netfilter
    const { missing } = cache
    const queued = this.#waiting.length - this.#queued
    const wasBridged = outgoing.length - this.#bridged
    if (queued + wasBridged !== 1 || cache.isFull) return false
    const frame = wasBridged === 1 ? outgoing.lastFrame : this.#waiting.last()?.frame
    const routed = queued === 1
    if (frame === undefined || frame.length !== this.#length) return false
    if (wordAt(frame, 18) !== this.#identification || frame[23] !== missing.protocol) return false
    if (frame[22] !== this.#ttl - (routed ? 1 : 0)) return false
    const after = { source: wordAt(frame, 26), destination: wordAt(frame, 30), ports: wordAt(frame, 34) }
    const changes = {
      newSource: missing.source === after.source ? undefined : after.source,
      newDestination: missing.destination === after.destination ? undefined : after.destination,
    }
    const way = routed
      ? this.#routedWay(changes, this.#waiting.last()!.interfaceIndex, frame, now)
      : this.#bridgedWay(changes, outgoing.lastPort, frame, now)
    if (way === undefined) return false
    if (this.#ways.length >= MAX_WAYS) this.#restart()
    const owner = { flow: recorder.flow!, reply: recorder.reply }
    cache.add(missing, after, owner, { way: this.#numberOf(way), routed, now: stack.now })
    return true
  }

  #routedWay(changes: AddressChanges, index: number, frame: Uint8Array, now: Micros): Way | undefined {
    const { stack, eth0, cni0, lanPort, uplink } = this.#node
    const hop = stack.nextHop(wordAt(frame, 30) >>> 0)
    const to = getUint48(frame, 0)
    if (hop === undefined || hop.output.index !== index || hop.neighbor.mac !== to) return undefined
    const fromLan = this.#ingress === lanPort
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
    return this.#way(changes, frame, {
      egress: toLan ? lanPort : knownAfter!.port,
      learnt,
      known,
      learntAfter,
      knownAfter,
      input: fromLan ? eth0 : cni0,
      output: hop.output,
      neighbor: hop.neighbor,
      mtuBytes: hop.output.mtuBytes,
    })
  }

  #bridgedWay(changes: AddressChanges, egress: number, frame: Uint8Array, now: Micros): Way | undefined {
    const learnt = this.#entry(macAt(this.#before, 1), now)
    const known = this.#entry(macAt(this.#before, 0), now)
    if (learnt === undefined || known?.port !== egress) return undefined
    return this.#way(changes, frame, { egress, learnt, known, mtuBytes: this.#node.cni0.mtuBytes })
  }

  #way(
    changes: AddressChanges,
    frame: Uint8Array,
    options: Omit<WayOptions, keyof AddressChanges | 'ingress' | 'before' | 'after' | 'tally'>,
  ): Way {
    const after = [wordAt(frame, 0), wordAt(frame, 4), wordAt(frame, 8)] as const
    const tally = this.#node.netfilter.recorder.tally()
    return new Way({ ...options, ...changes, ingress: this.#ingress, before: this.#before, after, tally })
  }

  #entry(mac: Mac, now: Micros): MacEntry | undefined {
    const entry = this.#node.bridge.entry(mac)
    return entry !== undefined && now - entry.seen < MAC_AGEING ? entry : undefined
  }

  /** Flows that go the same way share it. */
  #numberOf(way: Way): number {
    const { key } = way
    const known = this.#wayNumbers.get(key)
    // A neighbour or an entry of the bridge may have been made anew.
    if (known !== undefined && this.#ways[known]!.isSame(way)) return known
    const number = this.#ways.push(way) - 1
    this.#wayNumbers.set(key, number)
    return number
  }

  /** All ways are learnt again: something changed that decides about them, or there are too many. */
  #restart(): void {
    this.#node.netfilter.emptyCache()
    this.#ways = []
    this.#wayNumbers.clear()
    this.#changesSeen = this.#changes.value
  }
}

/** Destination (0) or source (1) of three words of Ethernet addresses. */
function macAt(words: AddressWords, which: 0 | 1): Mac {
  const [a, b, c] = words
  if (which === 0) return (a >>> 0) * 0x1_0000 + (b >>> 16)
  return (b & 0xffff) * 0x1_0000_0000 + (c >>> 0)
}
