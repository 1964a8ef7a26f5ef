// A thread of pods: their sandboxes, and their ends of the wire (wired-hosts.ts).

import { parentPort } from 'node:worker_threads'
import { invariant } from '../base/errors.js'
import { Random } from '../base/random.js'
import { MILLISECOND, type Micros } from '../base/time.js'
import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import { sharedImages } from '../pod/images/index.js'
import { programsOnDemand } from '../pod/images/programs.js'
import { PodSandbox, sandboxHost } from '../pod/sandbox.js'
import { dnsCodec } from './dns-codec.js'
import { afterFirstMessage } from './first-message.js'
import { MessageBatch } from './message-batch.js'
import { nodeTls } from './node-tls.js'
import type { PodThreadCommand, PodThreadEvent, PodWorkerData } from './pod-thread-protocol.js'
import { type Alarm, RealTime } from './real-time.js'
import { ThreadGauge } from './thread-gauge.js'
import { WiredHosts } from './wired-hosts.js'

/** Lines of logs that follow others so soon wait for each other: to wake the control plane for each costs more. */
const GATHERING: Micros = 5 * MILLISECOND

class PodThread {
  readonly #data: PodWorkerData
  readonly #outbox: MessageBatch<PodThreadEvent>
  readonly #gathered: Alarm
  #loggedAt: Micros = -GATHERING
  #gathering = false
  readonly #time: RealTime
  readonly #hosts: WiredHosts
  readonly #sandboxes = new Map<PodUid, PodSandbox>()
  readonly #images = sharedImages(programsOnDemand())
  readonly #tls = nodeTls((work) => this.#time.stir(work))
  readonly #gauge: ThreadGauge

  constructor(data: PodWorkerData, post: (events: readonly PodThreadEvent[]) => void) {
    this.#data = data
    this.#outbox = new MessageBatch((events) => {
      post(events)
      this.#gauge.posted()
      this.#gathering = false
    })
    this.#gauge = new ThreadGauge(data.gauge)
    this.#time = new RealTime(data.startUnixMillis, data.zero)
    this.#hosts = new WiredHosts({ ...data, time: this.#time, gauge: this.#gauge })
    this.#gathered = this.#time.alarm(() => {
      this.#loggedAt = this.#time.now()
      this.#outbox.flush()
    })
  }

  #emit(event: PodThreadEvent): void {
    if (event.event.type !== 'log') return this.#outbox.add(event)
    const now = this.#time.now()
    if (now - this.#loggedAt >= GATHERING) {
      this.#loggedAt = now
      return this.#outbox.add(event)
    }
    this.#outbox.gather(event)
    if (this.#gathering) return
    this.#gathering = true
    this.#gauge.holdsBack()
    this.#gathered.set(this.#loggedAt + GATHERING)
  }

  handle(command: PodThreadCommand): void {
    if (command.type === 'create') this.#create(command.spec, command.port)
    // Commands for what is gone are ignored.
    else this.#sandboxes.get(command.uid)?.handle(command.command)
    this.#gauge.look()
  }

  #create(spec: SandboxSpec, port: number): void {
    const { uid } = spec
    const random = new Random(`seed ${this.#data.seed}`).fork(`pod ${uid}`)
    const host = sandboxHost(spec, random, true, this.#hosts.frames)
    const sandbox = new PodSandbox({
      spec,
      stack: host.stack,
      clock: this.#time.clock(),
      random,
      codec: dnsCodec,
      tls: this.#tls,
      threadBytes: () => (this.#sandboxes.size === 1 ? this.#gauge.memoryBytes : 0),
      images: this.#images,
      dns: this.#data.dns,
      emit: (event) => {
        if (event.type === 'sandbox' && event.event.type === 'sandbox-gone') {
          this.#sandboxes.delete(uid)
          this.#hosts.remove(port)
        }
        this.#emit({ uid, event })
        this.#gauge.look()
      },
      touched: () => {
        this.#hosts.touch(port)
        this.#gauge.look()
      },
    })
    this.#hosts.add(port, host)
    this.#sandboxes.set(uid, sandbox)
    sandbox.ready()
  }
}

invariant(parentPort !== null, 'pod-worker runs as a worker')
const port = parentPort
afterFirstMessage(port, (data: PodWorkerData) => {
  const thread = new PodThread(data, (events) => port.postMessage(events))
  return (commands: readonly PodThreadCommand[]) => {
    for (const command of commands) thread.handle(command)
  }
})
