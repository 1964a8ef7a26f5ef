// Places pods in worker threads, so many in each, all of nodes that one thread of the network has. A thread that dies -
// out of memory, a bug - takes its pods with it and nothing else; the kubelet hears of it as of sandboxes that are gone.

import { MessageChannel, type Worker } from 'node:worker_threads'
import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import type { PodEvent } from '../pod/protocol.js'
import { usageCounters } from '../pod/usage.js'
import { type Doorbell, doorbell, poke } from './doorbell.js'
import type { EarlyWorkers } from './early-workers.js'
import { MessageBatch } from './message-batch.js'
import type { PodThreadId } from './network-protocol.js'
import type { NetworkThread } from './network-threads.js'
import type { ResolvedOptions } from './options.js'
import type { PodLink, PodPlacement } from './pod-supervisor.js'
import type { PodThreadCommand, PodThreadEvent, PodWorkerData } from './pod-thread-protocol.js'
import type { Polling } from './polling.js'
import { RingPool } from './ring-pool.js'
import { messagesUntilNow, threadGauge, workerUsage } from './thread-gauge.js'
import type { PodMeter } from './usage-meter.js'

/** Threads that start at the same time: more make the first one ready later and the last one no earlier. */
const STARTING_AT_ONCE = 4

/** For what a pod has told. */
const LONGEST_WAIT_MS = 250

export interface PodThreadsOptions {
  readonly options: ResolvedOptions
  readonly workers: EarlyWorkers
  readonly zero: number
  readonly polling: Polling
  /** The network's thread of a node. */
  readonly networkOf: (node: string) => NetworkThread
  /** Something happened that the control plane may have to look at. */
  readonly onEvent: () => void
}

/** A worker, or one that waits for its turn to start, with the pods in it. */
interface PodThread {
  readonly id: PodThreadId
  /** Where its wire leads to. */
  readonly network: NetworkThread
  readonly pods: Map<PodUid, (event: PodEvent) => void>
  /** Undefined until its turn. */
  worker: Worker | undefined
  /** What came before. */
  readonly early: PodThreadCommand[]
  readonly outbox: MessageBatch<PodThreadCommand>
  readonly bell: Doorbell
  /** Of its wire: from its pods, and to them. */
  readonly rings: readonly [SharedArrayBuffer, SharedArrayBuffer]
  /** What it says of itself. */
  readonly gauge: Float64Array
  /** Messages that were heard of it, and who waits for how many. */
  heard: number
  readonly waits: Set<{ readonly until: number; readonly resolve: () => void }>
  nextPort: number
}

export class PodThreads implements PodPlacement {
  readonly #options: PodThreadsOptions
  readonly #podsPerThread: number
  readonly #threads = new Set<PodThread>()
  /** Until they have ended. */
  readonly #workers = new Set<Worker>()
  /** Those with room for one more pod, by their network's thread. */
  readonly #open = new Map<NetworkThread, Set<PodThread>>()
  readonly #queue: (() => void)[] = []
  readonly #rings = new RingPool()
  #nextId = 1
  #starting = 0
  #closed = false

  constructor(options: PodThreadsOptions) {
    this.#options = options
    const { podsPerThread } = options.options
    // With `all` none comes here.
    this.#podsPerThread = podsPerThread === 'all' ? 1 : podsPerThread
  }

  create(spec: SandboxSpec, emit: (event: PodEvent) => void): PodLink {
    if (this.#closed) return { send: () => {} }
    const network = this.#options.networkOf(spec.nodeName)
    const [open] = this.#open.get(network) ?? []
    const thread = open ?? this.#newThread(spec, network)
    const { uid } = spec
    thread.pods.set(uid, emit)
    this.#offer(thread)
    const port = thread.nextPort++
    network.send({
      type: 'add-pod',
      uid,
      name: this.#options.options.podName(spec),
      node: spec.nodeName,
      thread: thread.id,
      port,
      ports: { address: spec.address, hostPorts: spec.hostPorts },
    })
    this.#send(thread, { type: 'create', spec, port })
    return {
      send: (command) => this.#send(thread, { type: 'pod', uid, command }),
      // A thread's time is not known by its pods when it has several.
      ...(this.#podsPerThread === 1 && { meter: meterOf(thread) }),
    }
  }

  /**
   * Resolves when all has been heard that pods told until now: lines of logs wait for each other a few milliseconds. A
   * pod that computes all the time is not waited for.
   */
  async heard(): Promise<void> {
    const waits: Promise<void>[] = []
    for (const thread of this.#threads) {
      const until = messagesUntilNow(thread.gauge)
      if (until > thread.heard) waits.push(new Promise((resolve) => thread.waits.add({ until, resolve })))
    }
    if (waits.length === 0) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, LONGEST_WAIT_MS)
    })
    await Promise.race([Promise.all(waits), late])
    clearTimeout(timer)
  }

  /** More threads wait for their turn than can start at the same time: it takes a while until all of them run. */
  get manyWait(): boolean {
    return this.#queue.length > STARTING_AT_ONCE
  }

  /** Ends all pods' threads. */
  async close(): Promise<void> {
    this.#closed = true
    this.#queue.length = 0
    await Promise.all([...this.#workers].map((worker) => worker.terminate()))
  }

  #send(thread: PodThread, command: PodThreadCommand): void {
    if (thread.worker === undefined) thread.early.push(command)
    else thread.outbox.add(command)
  }

  /** Takes note whether a thread has room for one more. */
  #offer(thread: PodThread): void {
    let open = this.#open.get(thread.network)
    if (open === undefined) this.#open.set(thread.network, (open = new Set()))
    if (this.#threads.has(thread) && thread.pods.size < this.#podsPerThread) open.add(thread)
    else open.delete(thread)
  }

  /** A thread for `spec` and maybe others; it starts when it is its turn. */
  #newThread(spec: SandboxSpec, network: NetworkThread): PodThread {
    const { port1, port2 } = new MessageChannel()
    const [fromPods, toPods] = [this.#rings.take(), this.#rings.take()]
    const thread: PodThread = {
      id: this.#nextId++,
      network,
      pods: new Map(),
      worker: undefined,
      early: [],
      outbox: new MessageBatch((commands) => {
        thread.worker?.postMessage(commands)
        poke(thread.bell)
      }),
      bell: doorbell(),
      rings: [fromPods, toPods],
      gauge: threadGauge(),
      heard: 0,
      waits: new Set(),
      nextPort: 0,
    }
    this.#threads.add(thread)
    const wire = { outgoing: toPods, incoming: fromPods, bell: thread.bell, port: port1 }
    network.send({ type: 'add-thread', thread: thread.id, wire }, [port1])
    const { options, zero, polling } = this.#options
    const data: PodWorkerData = {
      seed: options.seed,
      startUnixMillis: options.startUnixMillis,
      zero,
      dns: options.dns,
      gauge: thread.gauge,
      bell: thread.bell,
      polling,
      wire: { outgoing: fromPods, incoming: toPods, bell: network.bell, port: port2 },
    }
    this.#queue.push(() => this.#start(thread, data, spec))
    this.#startNext()
    return thread
  }

  #startNext(): void {
    while (this.#starting < STARTING_AT_ONCE && this.#queue.length > 0) {
      this.#starting++
      this.#queue.shift()!()
    }
  }

  #start(thread: PodThread, data: PodWorkerData, spec: SandboxSpec): void {
    // Unlike a pod alone, packed ones have only the limits that their programs keep by themselves.
    const worker = this.#options.workers.pods(this.#podsPerThread === 1 ? spec.memoryLimitBytes : undefined)
    worker.postMessage(data, [data.wire.port])
    thread.worker = worker
    this.#workers.add(worker)
    for (const command of thread.early.splice(0)) thread.outbox.add(command)
    let isStarting = true
    const started = () => {
      if (!isStarting) return
      isStarting = false
      this.#starting--
      this.#startNext()
    }
    worker.on('message', (events: readonly PodThreadEvent[]) => {
      thread.heard++
      started()
      for (const { uid, event } of events)
        if (event.type === 'sandbox' && event.event.type === 'sandbox-gone') this.#gone(thread, uid)
        else thread.pods.get(uid)?.(event)
      if (events.some(({ event }) => event.type === 'sandbox')) this.#options.onEvent()
      for (const wait of thread.waits)
        if (wait.until <= thread.heard && thread.waits.delete(wait)) wait.resolve()
    })
    worker.on('error', (error: Error & { code?: string }) =>
      this.#ended(thread, error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'OOMKilled' : error.message),
    )
    worker.on('exit', () => {
      this.#workers.delete(worker)
      started()
      if (!this.#closed) this.#ended(thread, 'the pod ended by itself')
    })
  }

  /** A pod of a thread is gone; the last one takes the thread with it. */
  #gone(thread: PodThread, uid: PodUid): void {
    const emit = thread.pods.get(uid)
    if (emit === undefined) return
    thread.pods.delete(uid)
    thread.network.send({ type: 'remove-pod', uid })
    if (thread.pods.size === 0) this.#remove(thread)
    else this.#offer(thread)
    emit({ type: 'sandbox', event: { type: 'sandbox-gone', uid } })
    this.#options.onEvent()
  }

  /** A thread died, and all that was in it: first its pods' wires go, then the end of them that it was. */
  #ended(thread: PodThread, reason: string): void {
    const pods = [...thread.pods]
    thread.pods.clear()
    for (const [uid] of pods) thread.network.send({ type: 'remove-pod', uid })
    this.#remove(thread)
    for (const [uid, emit] of pods) {
      emit({ type: 'sandbox', event: { type: 'sandbox-gone', uid, reason } })
      this.#options.onEvent()
    }
  }

  #remove(thread: PodThread): void {
    if (!this.#threads.delete(thread)) return
    for (const { resolve } of thread.waits) resolve()
    this.#offer(thread)
    thread.network.send({ type: 'remove-thread', thread: thread.id })
    void this.#end(thread)
  }

  /** Its rings are free when it has ended and the network's thread has given up its end of them. */
  async #end(thread: PodThread): Promise<void> {
    await Promise.all([thread.worker?.terminate(), thread.network.echo()])
    for (const ring of thread.rings) this.#rings.giveBack(ring)
  }
}

function meterOf(thread: PodThread): PodMeter {
  return {
    counters: () => usageCounters(true),
    thread: () => workerUsage(thread.worker, thread.gauge),
  }
}
