// Hosts whose one wire leads to the network's thread, each by a port of its own: frames come and go in bursts, as in
// network-worker.ts. A thread of pods has one of these, and the main thread for the host outside the cluster.

import { Slab } from '../base/slab.js'
import { type Micros, NEVER } from '../base/time.js'
import { type Timer, TimerHeap } from '../base/timer-heap.js'
import type { Host } from '../host/host.js'
import type { Doorbell } from './doorbell.js'
import type { WireEnd } from './network-protocol.js'
import type { Polling } from './polling.js'
import type { Alarm, RealTime } from './real-time.js'
import { RingMachine } from './ring-machine.js'
import { Sleeper } from './sleeper.js'
import type { ThreadGauge } from './thread-gauge.js'

interface Member {
  readonly host: Host
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
  #closed = false

  constructor({ wire, bell, time, gauge, polling }: WiredHostsOptions) {
    this.#time = time
    this.#alarm = time.alarm(() => this.#burst())
    this.#wire = new RingMachine(wire, this.frames, () => this.#burst())
    this.#sleeper = new Sleeper({
      bell,
      time,
      gauge,
      ...(polling && { polling }),
      hasWork: () => this.#scheduled || this.#wire.pending(),
      work: () => {
        if (!this.#scheduled) this.#burst()
      },
    })
  }

  /** Plugs a host in; `port` names it at the other end of the wire. */
  add(port: number, host: Host): void {
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

  /** A socket of the host was used. What programs send in this turn of the event loop goes out in one burst. */
  touch(port: number): void {
    const member = this.#members.get(port)
    if (member === undefined) return
    this.#wake(member)
    this.#soon()
  }

  close(): void {
    this.#closed = true
    this.#alarm.set(NEVER)
    this.#wire.close()
  }

  #soon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#burst())
  }

  #burst(): void {
    this.#scheduled = false
    if (this.#closed) return
    const now = this.#time.now()
    this.#sleeper.awake()
    this.#wire.pending()
    for (let incoming = this.#wire.transmit(); incoming !== undefined; incoming = this.#wire.transmit()) {
      const member = this.#members.get(incoming.port)
      // A frame for a pod that has just gone.
      if (member === undefined) continue
      member.host.receive(0, incoming.frame, now, incoming.offload)
      this.#wake(member)
    }
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now))
      this.#wake(due.owner)
    this.#askWoken(now)
    this.#wire.release()
    this.#wire.publish()
    this.#alarm.set(this.#deadlines.next())
    // By way of the event loop: under a stream of frames timers and commands have their turn too.
    this.#sleeper.rest()
  }

  #wake(member: Member): void {
    if (member.woken) return
    member.woken = true
    this.#woken.push(member)
  }

  #askWoken(now: Micros): void {
    const woken = this.#woken
    if (woken.length === 0) return
    this.#woken = []
    for (const member of woken) {
      member.woken = false
      const { host, port } = member
      if (this.#members.get(port) !== member) continue
      if (host.deadline() <= now) host.advance(now)
      for (let outgoing = host.transmit(); outgoing !== undefined; outgoing = host.transmit())
        this.#wire.receive(port, outgoing.frame, now, outgoing.offload)
      this.#deadlines.set(member.timer, host.deadline())
    }
  }
}
