// Hosts whose one wire leads to the network's thread, each by a port of its own: frames come and go in bursts, as in
// network-worker.ts. A thread of pods has one of these, and the main thread for the host outside the cluster.
//
// What programs send in one turn of the event loop goes out in one burst at its end; under load that is one bell for many
// frames. Where little is going on the first of it goes at once: a lone request is on its way while its program still
// prepares to wait for the answer.

import type { Machine } from '../base/machine.js'
import { Slab } from '../base/slab.js'
import { type Micros, NEVER } from '../base/time.js'
import { type Timer, TimerHeap } from '../base/timer-heap.js'
import type { Doorbell } from './doorbell.js'
import type { WireEnd } from './network-protocol.js'
import type { Polling } from './polling.js'
import type { Alarm, RealTime } from './real-time.js'
import { RingMachine } from './ring-machine.js'
import { Sleeper } from './sleeper.js'
import type { ThreadGauge } from './thread-gauge.js'

/** A thread whose last burst carried no more has little to do. */
const FEW_FRAMES = 2

interface Member {
  readonly host: Machine
  readonly port: number
  readonly timer: Timer<Member>
  /** Waits in the list of those to be asked for frames and for their deadline. */
  woken: boolean
}

export interface WiredHostsOptions {
  readonly wire: WireEnd
  /** Of this thread. */
  readonly bell: Doorbell
  readonly time: RealTime
  /** Undefined: the thread waits for other things as well, and never naps. */
  readonly gauge?: ThreadGauge
  readonly polling?: Polling
}

export class WiredHosts {
  readonly #time: RealTime
  /** For the hosts' large frames. */
  readonly frames = new Slab()
  readonly #wire: RingMachine
  readonly #alarm: Alarm
  readonly #sleeper: Sleeper
  readonly #members = new Map<number, Member>()
  readonly #deadlines = new TimerHeap<Member>()
  #woken: Member[] = []
  #scheduled = false
  /** Who is touched is asked before the burst ends. */
  #bursting = false
  /** What is sent next goes at once. */
  #hasty = false
  readonly #isHasty: boolean
  #closed = false

  constructor({ wire, bell, time, gauge, polling }: WiredHostsOptions) {
    this.#time = time
    // In a thread with other things to do, sockets of the host's among them, a bell for each frame is too much.
    this.#isHasty = gauge !== undefined
    this.#alarm = time.alarm(() => this.#turn())
    this.#wire = new RingMachine(wire, this.frames, () => this.#turn())
    this.#sleeper = new Sleeper({
      bell,
      time,
      gauge,
      ...(polling && { polling }),
      hasWork: () => this.#scheduled || this.#wire.pending(),
      work: () => {
        if (!this.#scheduled) this.#turn()
      },
    })
  }

  /** Plugs a host in; `port` names it at the other end of the wire. */
  add(port: number, host: Machine): void {
    const member = { host, port, woken: false } as { -readonly [Field in keyof Member]: Member[Field] }
    member.timer = this.#deadlines.timer(member)
    this.#members.set(port, member)
    this.touch(port)
  }

  /** Pulls a host's cable, after what it has to send by now: the FINs and RSTs of programs that have just ended. */
  remove(port: number): void {
    const member = this.#members.get(port)
    if (member === undefined) return
    if (member.woken) {
      this.#askWoken(this.#time.now())
      this.#wire.publish()
    }
    this.#members.delete(port)
    this.#deadlines.set(member.timer, NEVER)
  }

  /** A socket of the host was used. */
  touch(port: number): void {
    const member = this.#members.get(port)
    if (member === undefined) return
    this.#wake(member)
    if (this.#bursting) return
    if (!this.#hasty || this.#scheduled) return this.#soon()
    this.#hasty = false
    queueMicrotask(() => this.#burst())
  }

  close(): void {
    this.#closed = true
    this.#alarm.set(NEVER)
    this.#wire.close()
  }

  #soon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#scheduled = false
    const frames = this.#burst()
    this.#hasty = this.#isHasty && frames <= FEW_FRAMES
  }

  /** Everything that is to be done now; the number of frames that came or went. */
  #burst(): number {
    if (this.#closed) return 0
    const now = this.#time.now()
    this.#sleeper.awake()
    this.#bursting = true
    let frames = 0
    this.#wire.pending()
    for (let incoming = this.#wire.transmit(); incoming !== undefined; incoming = this.#wire.transmit()) {
      frames++
      const member = this.#members.get(incoming.port)
      // A frame for a pod that has just gone.
      if (member === undefined) continue
      member.host.receive(0, incoming.frame, now, incoming.offload)
      this.#wake(member)
    }
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now))
      this.#wake(due.owner)
    frames += this.#askWoken(now)
    this.#bursting = false
    this.#wire.release()
    this.#wire.publish()
    this.#alarm.set(this.#deadlines.next())
    // By way of the event loop: under a stream of frames timers and commands have their turn too.
    this.#sleeper.rest()
    return frames
  }

  #wake(member: Member): void {
    if (member.woken) return
    member.woken = true
    this.#woken.push(member)
  }

  /** Sends what those that were woken have to send, and those whom that wakes: the list grows while it is walked. */
  #askWoken(now: Micros): number {
    let frames = 0
    for (let index = 0; index < this.#woken.length; index++) {
      const member = this.#woken[index]!
      member.woken = false
      const { host, port } = member
      if (this.#members.get(port) !== member) continue
      if (host.deadline() <= now) host.advance(now)
      for (let outgoing = host.transmit(); outgoing !== undefined; outgoing = host.transmit()) {
        frames++
        this.#wire.receive(port, outgoing.frame, now, outgoing.offload)
      }
      this.#deadlines.set(member.timer, host.deadline())
    }
    this.#woken = []
    return frames
  }
}
