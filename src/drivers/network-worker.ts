// A thread of the network: stack, bridge, netfilter and kube-proxy of its nodes - all there are, or a part of them when
// there are several such threads (network-threads.ts) -, the switch between them, captures; and the pods that live here
// too (network-sandboxes.ts), a busy one of which slows all of this down.
// It runs in bursts: frames from all threads' rings, what is due, frames to the rings, bells; then it sleeps until a
// bell or a deadline.

import { parentPort } from 'node:worker_threads'
import { invariant } from '../base/errors.js'
import { Random } from '../base/random.js'
import { Slab } from '../base/slab.js'
import { MILLISECOND, NEVER } from '../base/time.js'
import { apiServerNode } from '../cluster/cluster-config.js'
import type { MachineId } from '../fabric/network.js'
import { programsOnDemand } from '../pod/images/programs.js'
import { addressNet } from '../posix/net-over-stack.js'
import { CaptureFeed } from './capture-feed.js'
import { CATCH_UP_MS, CaptureFile } from './capture-file.js'
import { ClusterNetwork } from './cluster-network.js'
import { afterFirstMessage } from './first-message.js'
import { flowLine } from './flow-line.js'
import { MessageBatch } from './message-batch.js'
import type {
  NetworkCommand,
  NetworkEvent,
  NetworkWorkerData,
  PodThreadId,
  WireEnd,
} from './network-protocol.js'
import { NetworkSandboxes } from './network-sandboxes.js'
import { NodeDoor } from './node-door.js'
import { NodeShells } from './node-shell.js'
import { nodeTls } from './node-tls.js'
import { type Alarm, RealTime } from './real-time.js'
import { RingMachine } from './ring-machine.js'
import { Sleeper } from './sleeper.js'
import { ThreadGauge } from './thread-gauge.js'

/** Rounds of one burst at most: who sleeps waits no longer than these take. */
const ROUNDS_BEFORE_BELLS = 8

/** How long flows wait for others, to be told together: nobody waits for one, and under load there are thousands. */
const GATHERING = 5 * MILLISECOND

/** The end of the wires to another thread. */
interface ThreadEnd {
  readonly ring: RingMachine
  readonly machine: MachineId
}

class NetworkWorker {
  readonly #time: RealTime
  readonly #network: ClusterNetwork
  readonly #sandboxes: NetworkSandboxes
  readonly #capture: CaptureFile | undefined
  readonly #catchingUp: NodeJS.Timeout | undefined
  readonly #feed: CaptureFeed | undefined
  readonly #random: Random
  readonly #barriers: number[] = []
  readonly #frames = new Slab()
  readonly #programs = programsOnDemand()
  readonly #tls = nodeTls((work) => this.#time.stir(work))
  /** Where the API server's node is. */
  readonly #door: NodeDoor | undefined
  readonly #shells = new NodeShells(
    (node) => ({
      host: this.#network.node(node).host,
      clock: this.#time.clock(),
      random: this.#random.fork(`shell on ${node}`),
      applets: new Map([...this.#programs.applets, ...this.#programs.nodeTools]),
      touched: () => this.#touchNode(node),
      tls: this.#tls,
    }),
    (event) => this.#emit({ type: 'node-stream', event }),
  )
  /** Of pods' threads by number; hosts outside the cluster and trunks by name. */
  readonly #threads = new Map<PodThreadId | string, ThreadEnd>()
  readonly #outbox: MessageBatch<NetworkEvent>
  readonly #gathered: Alarm
  #gathering = false
  readonly #alarm: Alarm
  readonly #gauge: ThreadGauge
  readonly #sleeper: Sleeper
  #scheduled = false

  constructor(data: NetworkWorkerData, outbox: MessageBatch<NetworkEvent>) {
    this.#outbox = outbox
    this.#gauge = new ThreadGauge(data.gauge)
    this.#time = new RealTime(data.startUnixMillis, data.zero)
    const emit = (event: NetworkEvent) => this.#emit(event)
    this.#random = new Random(`seed ${data.seed}`)
    this.#network = new ClusterNetwork({
      config: data.config,
      nodes: new Set(data.nodes),
      random: this.#random.fork('cluster network'),
      podDelay: 0,
      offload: true,
      frames: this.#frames,
      proxy: (node) => data.proxies[node]!,
      onFlow: (event) => this.#gather({ type: 'flow', line: flowLine(event) }),
      onProbeResult: (id, result) => emit({ type: 'probe', id, result }),
    })
    this.#sandboxes = new NetworkSandboxes({
      network: this.#network,
      clock: () => this.#time.clock(),
      random: this.#random,
      programs: this.#programs,
      // Of logs there is much, and nobody is in a hurry.
      emit: (uid, event) =>
        event.type === 'log' ? this.#gather({ type: 'pod', uid, event }) : emit({ type: 'pod', uid, event }),
      touched: () => this.#soon(),
      tls: this.#tls,
      frames: this.#frames,
    })
    this.#door = this.#openDoor(data)
    this.#alarm = this.#time.alarm(() => this.burst())
    this.#gathered = this.#time.alarm(() => {
      this.#gathering = false
      this.#outbox.flush()
    })
    this.#sleeper = new Sleeper({
      bell: data.bell,
      time: this.#time,
      gauge: this.#gauge,
      polling: data.polling,
      hasWork: () => this.#scheduled || this.#hasFrames(),
      work: () => {
        if (!this.#scheduled) this.burst()
      },
    })
    this.#capture =
      data.pcap === undefined ? undefined : new CaptureFile(data.pcap, data.startUnixMillis * 1000)
    if (this.#capture !== undefined) {
      this.#capture.onProblem = (problem) => emit({ type: 'capture-problem', problem })
      this.#capture.record(this.#network)
      this.#catchingUp = setInterval(() => this.#capture!.catchUp(), CATCH_UP_MS)
    }
    if (data.tellsSightings)
      this.#feed = new CaptureFeed(this.#network, (sightings) =>
        this.#outbox.add({ type: 'sightings', sightings }, [sightings.frames.buffer]),
      )
    for (const [index, wire] of data.trunks.entries()) this.#addTrunk(`trunk ${index}`, wire)
    // What has been sent before there was anybody to wake.
    this.#soon()
  }

  handle(command: NetworkCommand): void {
    switch (command.type) {
      case 'add-thread': {
        const ring = this.#ring(command.wire)
        const machine = this.#network.network.add(`thread ${command.thread}`, ring)
        this.#threads.set(command.thread, { ring, machine })
        break
      }
      case 'remove-thread': {
        const end = this.#threads.get(command.thread)
        if (end === undefined) break
        // Pods that were removed before still have their wires until what they sent has arrived.
        this.burst()
        this.#threads.delete(command.thread)
        end.ring.close()
        this.#network.network.remove(end.machine)
        break
      }
      case 'add-pod': {
        const { uid, name, node, thread, port, ports } = command
        const end = this.#threads.get(thread)
        // A thread that died meanwhile; its pods are told to be gone.
        if (end === undefined) break
        this.#network.plugPod(uid, name, node, { machine: end.machine, port }, ports)
        break
      }
      case 'add-external': {
        const ring = this.#ring(command.wire)
        this.#threads.set(command.name, { ring, machine: this.#network.addToLan(command.name, ring) })
        break
      }
      case 'remove-pod':
        this.#network.removePod(command.uid)
        break
      case 'create-sandbox':
        this.#sandboxes.create(command.spec, command.name, command.dns)
        break
      case 'pod-command':
        this.#sandboxes.handle(command.uid, command.command)
        break
      case 'change':
        this.#network.apply(command.change)
        break
      case 'proxy':
        this.#network.setProxy(command.setting, command.node)
        break
      case 'api-stream':
        return this.#door?.handle(command.command)
      case 'link':
        this.#network.setLink(command.target, command.options)
        break
      case 'proxy-statistics': {
        const answer = this.#network.node(command.node).statistics()
        return this.#emit({ type: 'answer', id: command.id, answer })
      }
      case 'node-exec':
        void this.#execOnNode(command.id, command.node, command.script)
        break
      case 'node-stream':
        return this.#shells.handle(command.node, command.command)
      case 'probe':
        this.#network.probe(command.request)
        break
      case 'sightings':
        // What other threads had sent by now belongs to it.
        this.burst()
        return this.#feed?.tell(this.#time.now())
      case 'echo':
        return this.#emit({ type: 'barrier', id: command.id })
      case 'barrier':
        this.#barriers.push(command.id)
        this.burst()
        return
      case 'close':
        return this.#close()
    }
    this.#soon()
  }

  #emit(event: NetworkEvent): void {
    this.#outbox.add(event)
  }

  /** For an event that may come a little later, together with others. */
  #gather(event: NetworkEvent): void {
    this.#outbox.gather(event)
    if (this.#gathering) return
    this.#gathering = true
    this.#gathered.set(this.#time.now() + GATHERING)
  }

  async #execOnNode(id: number, node: string, script: string): Promise<void> {
    this.#emit({ type: 'answer', id, answer: await this.#shells.run(node, script) })
  }

  #ring(wire: WireEnd): RingMachine {
    return new RingMachine(wire, this.#frames, () => this.burst())
  }

  #addTrunk(name: string, wire: WireEnd): void {
    const ring = this.#ring(wire)
    const machine = this.#network.addTrunk(name, ring)
    this.#threads.set(name, { ring, machine })
    if (this.#feed === undefined) return
    this.#network.network.tap({ machine, port: 0 }, (direction, frame, now) => {
      if (direction === 'out') this.#feed?.relayed(frame, ring.sent(now), now)
    })
  }

  /** The API server's port on its node. */
  #openDoor({ config, nodes }: NetworkWorkerData): NodeDoor | undefined {
    const name = apiServerNode(config)
    if (!nodes.includes(name)) return undefined
    const { stack } = this.#network.node(name).host
    const touched = () => this.#touchNode(name)
    const net = addressNet({ stack, clock: this.#time.clock(), touched })
    return new NodeDoor(net, config.apiServer.port, (event) => this.#emit({ type: 'api-stream', event }))
  }

  #touchNode(node: string): void {
    this.#network.touchNode(node)
    this.#soon()
  }

  /** Everything that is to be done now, then sleep. */
  burst(): void {
    this.#scheduled = false
    this.#sleeper.awake()
    // To wake a thread costs as much as a dozen packets: frames that came meanwhile are carried first, so that one bell
    // tells of more. Who is awake sees each round at once.
    for (let round = 0; round === 0 || (round < ROUNDS_BEFORE_BELLS && this.#hasFrames()); round++) {
      for (const { ring, machine } of this.#threads.values())
        if (ring.pending()) this.#network.network.touch(machine)
      this.#network.run(this.#time.now())
      for (const { ring } of this.#threads.values()) {
        ring.release()
        ring.show()
      }
    }
    // Answered when the rules say what was sent before it.
    if (this.#barriers.length > 0 && this.#network.synced())
      for (const id of this.#barriers.splice(0)) this.#emit({ type: 'barrier', id })
    for (const { ring } of this.#threads.values()) ring.ring()
    this.#alarm.set(this.#network.deadline())
    this.#gauge.look()
    this.#sleeper.rest()
  }

  #hasFrames(): boolean {
    for (const { ring } of this.#threads.values()) if (ring.pending()) return true
    return false
  }

  #soon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.burst())
  }

  #close(): void {
    this.#alarm.set(NEVER)
    clearInterval(this.#catchingUp)
    let error: string | undefined
    try {
      this.#capture?.close()
    } catch (failure) {
      error = (failure as Error).message
    }
    this.#feed?.tell()
    for (const { ring } of this.#threads.values()) ring.close()
    this.#emit({ type: 'closed', error })
  }
}

invariant(parentPort !== null, 'network-worker runs as a worker')
const port = parentPort
const outbox = new MessageBatch<NetworkEvent>((events, transfer) => port.postMessage(events, transfer))
afterFirstMessage(port, (data: NetworkWorkerData) => {
  const thread = new NetworkWorker(data, outbox)
  return (commands: readonly NetworkCommand[]) => {
    for (const command of commands) thread.handle(command)
  }
})
