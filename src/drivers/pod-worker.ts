// A pod's thread: its sandbox, its end of the wire. Frames come and go in bursts, as in network-worker.ts.

import { parentPort, workerData } from 'node:worker_threads'
import { invariant } from '../base/errors.js'
import { Random } from '../base/random.js'
import type { SandboxSpec } from '../cluster/sandbox.js'
import type { PodCommand, PodEvent } from '../pod/protocol.js'
import { type DnsImageOptions, PodSandbox } from '../pod/sandbox.js'
import { DeadlineTimer } from './deadline-timer.js'
import { dnsCodec } from './dns-codec.js'
import type { WireEnd } from './network-protocol.js'
import { RealTime } from './real-time.js'
import { RingMachine } from './ring-machine.js'

/** What a pod's thread is started with. */
export interface PodWorkerData {
  readonly spec: SandboxSpec
  readonly seed: number
  readonly startUnixMillis: number
  readonly zero: number
  readonly dns: DnsImageOptions
  readonly wire: WireEnd
}

class PodThread {
  readonly sandbox: PodSandbox
  readonly #time: RealTime
  readonly #wire: RingMachine
  readonly #timer: DeadlineTimer
  #scheduled = false

  constructor(data: PodWorkerData, emit: (event: PodEvent) => void) {
    this.#time = new RealTime(data.startUnixMillis, data.zero)
    this.#timer = new DeadlineTimer(
      () => this.#time.now(),
      () => this.#burst(),
    )
    this.#wire = new RingMachine(data.wire, () => this.#burst())
    this.sandbox = new PodSandbox({
      spec: data.spec,
      clock: this.#time.clock(),
      random: new Random(`seed ${data.seed}`).fork(`pod ${data.spec.uid}`),
      codec: dnsCodec,
      dns: data.dns,
      emit,
      touched: () => this.#soon(),
    })
    this.#soon()
  }

  #burst(): void {
    this.#scheduled = false
    const { host } = this.sandbox
    const now = this.#time.now()
    for (let incoming = this.#wire.transmit(); incoming !== undefined; incoming = this.#wire.transmit()) {
      host.receive(0, incoming.frame, now)
    }
    if (host.deadline() <= now) host.advance(now)
    for (let outgoing = host.transmit(); outgoing !== undefined; outgoing = host.transmit()) {
      this.#wire.receive(0, outgoing.frame)
    }
    this.#wire.publish()
    if (!this.#wire.sleep()) this.#soon()
    this.#timer.set(host.deadline())
  }

  /** After the program that touched a socket has come to a wait: what it sends goes out in one burst. */
  #soon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.#burst())
  }
}

invariant(parentPort !== null, 'pod-worker runs as a worker')
const port = parentPort
const thread = new PodThread(workerData as PodWorkerData, (event) => port.postMessage(event))
port.on('message', (command: PodCommand) => thread.sandbox.handle(command))
thread.sandbox.ready()
