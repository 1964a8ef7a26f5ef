// The neighbour cache of a stack: ARP's table with the states of RFC 4861 section 7.3.2, as Linux keeps it for IPv4
// too (`ip neigh`). Decides when to ask and what waits for the answer; building and reading ARP packets is arp.ts.

import { ChangeCount } from '../base/change-count.js'
import type { Offload } from '../base/offload.js'
import { type Micros, NEVER, SECOND } from '../base/time.js'
import type { Timer, TimerHeap } from '../base/timer-heap.js'
import type { IpAddress, Mac } from '../wire/address.js'
import type { Expiring } from './expiring.js'
import type { Interface } from './interface.js'

export type NeighborState = 'INCOMPLETE' | 'REACHABLE' | 'STALE' | 'DELAY' | 'PROBE' | 'FAILED' | 'PERMANENT'

/** What the cache needs of the layers around it. */
export interface NeighborPorts {
  /** Asks for `address`; to `mac` alone when it is given (a probe), or to everyone. */
  ask(output: Interface, address: IpAddress, mac: Mac | undefined): void
  /** Sends a frame that waited; its Ethernet header is still to be written. */
  send(output: Interface, frame: Uint8Array, mac: Mac, offload: Offload): void
  /** Nobody answered for this frame's next hop. */
  unreachable(output: Interface, frame: Uint8Array): void
}

/** ucast_solicit and mcast_solicit. */
const PROBES = 3
const RETRANSMIT: Micros = SECOND
/**
 * Simplified: a neighbour is confirmed by ARP alone, not by TCP's progress as in Linux, so a busy one is asked again
 * about every half minute; and it is the base value, not a random one between half and one and a half
 * times of it.
 */
const REACHABLE_TIME: Micros = 30 * SECOND
const DELAY_FIRST_PROBE: Micros = 5 * SECOND
/** Simplified: packets, where Linux counts bytes (unres_qlen_bytes). The oldest one gives way. */
const QUEUE_FRAMES = 64
/** gc_thresh3. */
const MAX_NEIGHBORS = 1024

interface Waiting {
  readonly frame: Uint8Array
  readonly offload: Offload
}

export class Neighbor implements Expiring {
  readonly address: IpAddress
  readonly output: Interface
  state: NeighborState = 'INCOMPLETE'
  /** Known in every state but INCOMPLETE and FAILED. */
  mac: Mac = 0
  /** Requests since the address was last confirmed. */
  probes = 0
  /** Frames that wait for the address to be resolved. */
  waiting: Waiting[] = []
  readonly timer: Timer<Expiring>
  readonly #table: NeighborTable

  constructor(table: NeighborTable, timers: TimerHeap<Expiring>, output: Interface, address: IpAddress) {
    this.#table = table
    this.output = output
    this.address = address
    this.timer = timers.timer(this)
  }

  expire(now: Micros): void {
    this.#table.expire(this, now)
  }
}

export class NeighborTable {
  readonly #ports: NeighborPorts
  readonly #timers: TimerHeap<Expiring>
  /** The one that was looked up last, while it is in the table. */
  #last: Neighbor | undefined
  /** Counts when a neighbour is forgotten, or has another MAC or none. */
  readonly #changes: ChangeCount
  /** By interface index, then by address. */
  readonly #byInterface = new Map<number, Map<IpAddress, Neighbor>>()

  constructor(ports: NeighborPorts, timers: TimerHeap<Expiring>, changes = new ChangeCount()) {
    this.#ports = ports
    this.#timers = timers
    this.#changes = changes
  }

  /** Sends `frame` to the neighbour `nextHop`, now or when its address is known. */
  output(output: Interface, nextHop: IpAddress, frame: Uint8Array, offload: Offload, now: Micros): void {
    const neighbor = this.#at(output, nextHop) ?? this.#create(output, nextHop)
    switch (neighbor.state) {
      case 'STALE':
        neighbor.state = 'DELAY'
        this.#timers.set(neighbor.timer, now + DELAY_FIRST_PROBE)
        break
      case 'FAILED':
      case 'INCOMPLETE':
        return this.#wait(neighbor, frame, offload, now)
    }
    this.#ports.send(output, frame, neighbor.mac, offload)
  }

  /**
   * Takes what an ARP packet says about its sender. A reply to us confirms; a request (or a gratuitous reply) only
   * tells: the entry becomes STALE. `create`: whether a neighbour that was unknown is remembered.
   */
  learn(
    input: Interface,
    address: IpAddress,
    mac: Mac,
    confirmed: boolean,
    create: boolean,
    now: Micros,
  ): void {
    let neighbor = this.#at(input, address)
    if (neighbor === undefined) {
      if (!create) return
      neighbor = this.#create(input, address)
      neighbor.mac = mac
      neighbor.state = 'STALE'
      return
    }
    // Entered by hand: nobody else changes it.
    if (neighbor.state === 'PERMANENT') return
    const changed = neighbor.mac !== mac
    if (changed && neighbor.mac !== 0) this.#changes.value++
    const resolved = neighbor.state !== 'INCOMPLETE' && neighbor.state !== 'FAILED'
    neighbor.mac = mac
    neighbor.probes = 0
    if (confirmed) {
      neighbor.state = 'REACHABLE'
      this.#timers.set(neighbor.timer, now + REACHABLE_TIME)
    } else if (changed || !resolved) {
      neighbor.state = 'STALE'
      this.#timers.set(neighbor.timer, NEVER)
    }
    this.#sendWaiting(neighbor)
  }

  /** The timer of a neighbour ran out. */
  expire(neighbor: Neighbor, now: Micros): void {
    switch (neighbor.state) {
      case 'REACHABLE':
        neighbor.state = 'STALE'
        return
      case 'DELAY':
        neighbor.state = 'PROBE'
        neighbor.probes = 0
        return this.#ask(neighbor, now)
      case 'INCOMPLETE':
      case 'PROBE':
        if (neighbor.probes < PROBES) return this.#ask(neighbor, now)
        return this.#fail(neighbor)
    }
  }

  get(output: Interface, address: IpAddress): Neighbor | undefined {
    return this.#byInterface.get(output.index)?.get(address)
  }

  list(): Neighbor[] {
    return [...this.#byInterface.values()].flatMap((neighbors) => [...neighbors.values()])
  }

  removeInterface(index: number): void {
    for (const neighbor of this.#byInterface.get(index)?.values() ?? [])
      this.#timers.set(neighbor.timer, NEVER)
    this.#byInterface.delete(index)
    this.#changes.value++
    this.#last = undefined
  }

  /** Forgets one; what waits for its address is lost. */
  remove(neighbor: Neighbor): void {
    this.#timers.set(neighbor.timer, NEVER)
    this.#byInterface.get(neighbor.output.index)?.delete(neighbor.address)
    this.#changes.value++
    this.#last = undefined
  }

  /** Enters a neighbour by hand, in place of what is known of it. */
  put(output: Interface, address: IpAddress, mac: Mac, state: NeighborState, now: Micros): void {
    const neighbor = this.#at(output, address) ?? this.#create(output, address)
    neighbor.mac = mac
    neighbor.probes = 0
    neighbor.state = state
    this.#timers.set(neighbor.timer, state === 'REACHABLE' ? now + REACHABLE_TIME : NEVER)
    this.#changes.value++
    this.#sendWaiting(neighbor)
  }

  #sendWaiting(neighbor: Neighbor): void {
    const { waiting, output, mac } = neighbor
    neighbor.waiting = []
    for (const { frame, offload } of waiting) this.#ports.send(output, frame, mac, offload)
  }

  #at(output: Interface, address: IpAddress): Neighbor | undefined {
    const last = this.#last
    if (last !== undefined && last.output === output && last.address === address) return last
    this.#last = this.#byInterface.get(output.index)?.get(address)
    return this.#last
  }

  #create(output: Interface, address: IpAddress): Neighbor {
    let neighbors = this.#byInterface.get(output.index)
    if (neighbors === undefined) {
      neighbors = new Map()
      this.#byInterface.set(output.index, neighbors)
    }
    if (neighbors.size >= MAX_NEIGHBORS) this.#evict(neighbors)
    const neighbor = new Neighbor(this, this.#timers, output, address)
    neighbors.set(address, neighbor)
    return neighbor
  }

  /** Makes place: the oldest entry that failed or was not confirmed lately, else the oldest. */
  #evict(neighbors: Map<IpAddress, Neighbor>): void {
    let victim: Neighbor | undefined
    for (const neighbor of neighbors.values()) {
      if (neighbor.state === 'PERMANENT') continue
      victim ??= neighbor
      if (neighbor.state !== 'FAILED' && neighbor.state !== 'STALE') continue
      victim = neighbor
      break
    }
    if (victim !== undefined) this.remove(victim)
  }

  #wait(neighbor: Neighbor, frame: Uint8Array, offload: Offload, now: Micros): void {
    // It may be a frame that is good for this burst only.
    neighbor.waiting.push({ frame: frame.slice(), offload })
    if (neighbor.waiting.length > QUEUE_FRAMES) neighbor.waiting.shift()
    if (neighbor.state === 'INCOMPLETE' && neighbor.probes > 0) return
    neighbor.state = 'INCOMPLETE'
    neighbor.probes = 0
    this.#ask(neighbor, now)
  }

  #ask(neighbor: Neighbor, now: Micros): void {
    neighbor.probes++
    this.#timers.set(neighbor.timer, now + RETRANSMIT)
    this.#ports.ask(neighbor.output, neighbor.address, neighbor.state === 'PROBE' ? neighbor.mac : undefined)
  }

  #fail(neighbor: Neighbor): void {
    neighbor.state = 'FAILED'
    if (neighbor.mac !== 0) this.#changes.value++
    neighbor.mac = 0
    const waiting = neighbor.waiting
    neighbor.waiting = []
    for (const { frame } of waiting) this.#ports.unreachable(neighbor.output, frame)
  }
}
