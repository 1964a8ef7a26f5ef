// Wires machines of one thread together: carries frames from port to port over links, and keeps the one heap of
// deadlines. It owns no time: a driver calls `run(now)`, and again at `deadline()`. Everything happens in order of
// (time, insertion), so the same machines, seed and calls give the same run.

import { invariant } from '../base/errors.js'
import type { Machine } from '../base/machine.js'
import { hasWorkLeft, type Offload } from '../base/offload.js'
import type { Random } from '../base/random.js'
import { type Micros, NEVER } from '../base/time.js'
import { type Timer, TimerHeap } from '../base/timer-heap.js'
import { forEachPacket, packetBytes, packetCount } from '../wire/segmentation.js'
import { type LinkCounters, LinkDirection, type LinkOptions } from './link.js'

export type MachineId = number
export type LinkId = number

/** A port of a machine. */
export interface Attachment {
  readonly machine: MachineId
  readonly port: number
}

/** The same in both directions, or each by itself: `ab` is what `a` sends. */
export type LinkSettings = LinkOptions | { readonly ab: LinkOptions; readonly ba: LinkOptions }

/** Hears of every frame of a port: 'out' leaves the machine, 'in' comes to it. The frame is valid during the call. */
export type TapListener = (direction: 'in' | 'out', frame: Uint8Array, now: Micros) => void

/** What the heap waits for: a machine's deadline, or a frame's arrival. */
type Event = Member | Flight

interface Flight {
  readonly link: Link
  readonly to: Port
  readonly frame: Uint8Array
}

class Member {
  readonly name: string
  readonly machine: Machine
  readonly ports = new Map<number, Port>()
  readonly timer: Timer<Event>
  /** Waits in the list of those to be asked for frames. */
  woken = false
  removed = false

  constructor(name: string, machine: Machine, heap: TimerHeap<Event>) {
    this.name = name
    this.machine = machine
    this.timer = heap.timer(this)
  }
}

interface Port {
  readonly member: Member
  readonly number: number
  taps: readonly TapListener[]
  /** The way out; undefined while nothing is plugged in. */
  cable: Cable | undefined
}

interface Cable {
  readonly link: Link
  readonly direction: LinkDirection
  readonly to: Port
}

interface Link {
  readonly id: LinkId
  readonly a: Port
  readonly b: Port
  readonly ab: LinkDirection
  readonly ba: LinkDirection
  readonly inFlight: Set<Timer<Event>>
}

/**
 * So many steps at one point of time are no burst but a loop: two bridges joined twice, or a machine whose deadline
 * never moves on.
 */
const DEFAULT_INSTANT_LIMIT = 1_000_000

/** So many steps before the limit, the network begins to note who takes part. */
const SUSPECT_STEPS = 256

export class Network {
  readonly #random: Random
  readonly #instantLimit: number
  readonly #members = new Map<MachineId, Member>()
  readonly #links = new Map<LinkId, Link>()
  readonly #heap = new TimerHeap<Event>()
  /** Machines to be asked for frames and for their deadline: first come, first served. */
  #woken: Member[] = []
  #now: Micros = 0
  #nextId = 1
  #running = false
  #steps = 0
  readonly #suspects = new Set<string>()

  /** `instantLimit`: steps (frames, deadlines) in one `run` after which it is taken for an endless loop. */
  constructor(random: Random, options: { readonly instantLimit?: number } = {}) {
    this.#random = random
    this.#instantLimit = options.instantLimit ?? DEFAULT_INSTANT_LIMIT
  }

  /** Takes a machine in. `name` tells it in messages, and names the random streams of its links. */
  add(name: string, machine: Machine): MachineId {
    const id = this.#nextId++
    this.#members.set(id, new Member(name, machine, this.#heap))
    this.touch(id)
    return id
  }

  /** Takes a machine out, with its links and what is on them. */
  remove(id: MachineId): void {
    const member = this.#member(id)
    for (const port of [...member.ports.values()])
      if (port.cable !== undefined) this.disconnect(port.cable.link.id)
    this.#heap.set(member.timer, NEVER)
    member.removed = true
    this.#members.delete(id)
  }

  /** Joins two free ports by a cable. */
  connect(a: Attachment, b: Attachment, settings: LinkSettings = {}): LinkId {
    const portA = this.#port(a)
    const portB = this.#port(b)
    invariant(portA !== portB, `${describe(portA)} cannot be connected to itself`)
    for (const port of [portA, portB]) invariant(port.cable === undefined, `${describe(port)} is in use`)
    const { ab, ba } = bothWays(settings)
    const direction = (options: LinkOptions, from: Port, to: Port) =>
      new LinkDirection(options, this.#random.fork(`${describe(from)} > ${describe(to)}`))
    const id = this.#nextId++
    const link: Link = {
      id,
      a: portA,
      b: portB,
      ab: direction(ab, portA, portB),
      ba: direction(ba, portB, portA),
      inFlight: new Set(),
    }
    portA.cable = { link, direction: link.ab, to: portB }
    portB.cable = { link, direction: link.ba, to: portA }
    this.#links.set(id, link)
    return id
  }

  /** Pulls the cable: frames on it are lost, later ones find no way out. */
  disconnect(id: LinkId): void {
    const link = this.#link(id)
    for (const timer of link.inFlight) this.#heap.set(timer, NEVER)
    for (const port of [link.a, link.b]) {
      port.cable = undefined
      if (port.taps.length === 0) port.member.ports.delete(port.number)
    }
    this.#links.delete(id)
  }

  /** Changes a link from now on; frames on their way arrive as they were sent. */
  setLink(id: LinkId, settings: LinkSettings): void {
    const link = this.#link(id)
    const { ab, ba } = bothWays(settings)
    link.ab.configure(ab)
    link.ba.configure(ba)
  }

  linkCounters(id: LinkId): { readonly ab: LinkCounters; readonly ba: LinkCounters } {
    const link = this.#link(id)
    return { ab: { ...link.ab.counters }, ba: { ...link.ba.counters } }
  }

  /** Listens at a port; changes nothing. The returned function ends it. */
  tap(at: Attachment, listener: TapListener): () => void {
    const port = this.#port(at)
    // A wrapper of its own: one function may listen twice.
    const own: TapListener = (direction, frame, now) => listener(direction, frame, now)
    port.taps = [...port.taps, own]
    return () => {
      port.taps = port.taps.filter((tap) => tap !== own)
    }
  }

  /** Something outside, a program, used the machine: the next `run` looks for its frames and its deadline. */
  touch(id: MachineId): void {
    this.#wake(this.#member(id))
  }

  /** When `run` wants to be called: at once after `touch`, NEVER when nothing is pending. */
  deadline(): Micros {
    return this.#woken.length > 0 ? this.#now : this.#heap.next()
  }

  /** Lets happen all that is due at `now`, and what follows from it at once. */
  run(now: Micros): void {
    invariant(!this.#running, 'network runs within its own run')
    invariant(now >= this.#now, `network time goes back from ${this.#now} to ${now}`)
    this.#running = true
    this.#now = now
    this.#steps = 0
    this.#suspects.clear()
    try {
      this.#askWoken(now)
      for (let due = this.#heap.due(now); due !== undefined; due = this.#heap.due(now)) {
        this.#happen(due, now)
        this.#askWoken(now)
      }
    } finally {
      this.#running = false
    }
  }

  #happen(timer: Timer<Event>, now: Micros): void {
    const event = timer.owner
    if (event instanceof Member) {
      this.#step(event)
      event.machine.advance(now)
      this.#wake(event)
      return
    }
    event.link.inFlight.delete(timer)
    this.#arrive(event.to, event.frame, 0, now)
  }

  #wake(member: Member): void {
    if (member.woken || member.removed) return
    member.woken = true
    this.#woken.push(member)
  }

  /** Drains every woken machine, and those that its frames wake. The list grows while it is walked. */
  #askWoken(now: Micros): void {
    for (let index = 0; index < this.#woken.length; index++) {
      const member = this.#woken[index]!
      member.woken = false
      if (member.removed) continue
      for (let out = member.machine.transmit(); out !== undefined; out = member.machine.transmit()) {
        const port = member.ports.get(out.port)
        if (port !== undefined) this.#leave(port, out.frame, out.offload ?? 0, now)
        else this.#step(member)
      }
      this.#heap.set(member.timer, member.machine.deadline())
    }
    this.#woken = []
  }

  #leave(port: Port, frame: Uint8Array, offload: Offload, now: Micros): void {
    this.#step(port.member)
    if (port.taps.length > 0) tell(port, 'out', frame, offload, now)
    const cable = port.cable
    if (cable === undefined) return
    const { direction } = cable
    if (!hasWorkLeft(offload)) {
      if (direction.pass(frame.length, now, 1)) return this.#arrive(cable.to, frame, offload, now)
      return this.#travel(cable, frame, now)
    }
    if (direction.pass(packetBytes(frame, offload), now, packetCount(frame, offload)))
      return this.#arrive(cable.to, frame, offload, now)
    this.#travelCut(cable, frame, offload, now)
  }

  /** A wire that loses, delays or damages does so to packets. */
  #travelCut(cable: Cable, frame: Uint8Array, offload: Offload, now: Micros): void {
    forEachPacket(frame, offload, (packet) => this.#travel(cable, packet, now))
  }

  #travel(cable: Cable, frame: Uint8Array, now: Micros): void {
    cable.direction.send(frame, now, (at, sent) => {
      if (at <= now) this.#arrive(cable.to, sent, 0, now)
      // The sender's buffer is only lent; what has to wait is copied, unless the link made a copy already.
      else this.#fly(cable, sent === frame ? frame.slice() : sent, at)
    })
  }

  #fly(cable: Cable, frame: Uint8Array, at: Micros): void {
    const timer = this.#heap.timer({ link: cable.link, to: cable.to, frame })
    cable.link.inFlight.add(timer)
    this.#heap.set(timer, at)
  }

  #arrive(port: Port, frame: Uint8Array, offload: Offload, now: Micros): void {
    this.#step(port.member)
    if (port.taps.length > 0) tell(port, 'in', frame, offload, now)
    port.member.machine.receive(port.number, frame, now, offload)
    this.#wake(port.member)
  }

  #step(member: Member): void {
    this.#steps++
    if (this.#steps <= this.#instantLimit - SUSPECT_STEPS) return
    this.#suspects.add(member.name)
    invariant(
      this.#steps <= this.#instantLimit,
      `endless loop at ${this.#now} us between ${[...this.#suspects].sort().join(', ')}`,
    )
  }

  #member(id: MachineId): Member {
    const member = this.#members.get(id)
    invariant(member !== undefined, `network has no machine ${id}`)
    return member
  }

  #link(id: LinkId): Link {
    const link = this.#links.get(id)
    invariant(link !== undefined, `network has no link ${id}`)
    return link
  }

  #port(at: Attachment): Port {
    const member = this.#member(at.machine)
    let port = member.ports.get(at.port)
    if (port === undefined) {
      port = { member, number: at.port, taps: [], cable: undefined }
      member.ports.set(at.port, port)
    }
    return port
  }
}

/** Listeners hear of packets, as they would be on a real wire. */
function tell(port: Port, direction: 'in' | 'out', frame: Uint8Array, offload: Offload, now: Micros): void {
  forEachPacket(frame, offload, (packet) => {
    for (const tap of port.taps) tap(direction, packet, now)
  })
}

function bothWays(settings: LinkSettings): { readonly ab: LinkOptions; readonly ba: LinkOptions } {
  return 'ab' in settings ? settings : { ab: settings, ba: settings }
}

function describe(port: Port): string {
  return `${port.member.name}:${port.number}`
}
