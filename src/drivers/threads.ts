// The threads driver: real time; the control plane in this thread, the network in one worker, pods in workers of their
// own, one or several in each, or with the network (network-thread-pods.ts says which).

import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { MessageChannel, type Transferable, Worker } from 'node:worker_threads'
import type { Api, RemoteStreams } from '../api/request.js'
import { Random } from '../base/random.js'
import { MILLISECOND, type Micros, NEVER } from '../base/time.js'
import type { ClusterConfig } from '../cluster/cluster-config.js'
import type { ClusterChange } from '../cluster/feed.js'
import type { LinkOptions } from '../fabric/link.js'
import { ringBuffer } from '../fabric/ring.js'
import { randomKeys } from '../http/certificate-keys.js'
import { CertificateAuthority } from '../http/certificates.js'
import type { System } from '../posix/process.js'
import { formatProxySetting, type ProxySetting, parseProxySetting } from '../proxy/proxy-mode.js'
import { ApiFront } from './api-front.js'
import { CaptureError } from './capture-file.js'
import { ClusterAssembly } from './cluster-assembly.js'
import { doorbell, poke } from './doorbell.js'
import {
  type Emulation,
  EmulationTimeout,
  type FlowEvent,
  type HostDns,
  type LinkTarget,
} from './emulation.js'
import { EXTERNAL_HOST, externalHost, type OutsideHost, outsideHost } from './external-host.js'
import { parseFlowLine } from './flow-line.js'
import { listenDns } from './host-dns.js'
import { type HostSystemOptions, hostSystem } from './host-system.js'
import { MessageBatch } from './message-batch.js'
import type { NetworkCommand, NetworkEvent, NetworkWorkerData } from './network-protocol.js'
import { NetworkThreadPods } from './network-thread-pods.js'
import { NodeSessions } from './node-sessions.js'
import type { NodeCommandResult } from './node-shell.js'
import type { ResolvedOptions } from './options.js'
import { PodThreads } from './pod-threads.js'
import { polling } from './polling.js'
import type { ProxyStatistics } from './proxy-statistics.js'
import { type Alarm, RealTime } from './real-time.js'
import { ownUsage, threadGauge, workerUsage } from './thread-gauge.js'
import { WiredHosts } from './wired-hosts.js'

/** How long the network's thread may take to write its capture at the end. */
const CLOSE_TIMEOUT_MS = 5_000

/**
 * Of the network's thread: what a short connection leaves for a while, in its TIME-WAIT and conntrack's, is copied less
 * often by the garbage collector, and most of the rest never.
 */
const NETWORK_YOUNG_MB = 96

/** How long the control plane lets changes gather at most. */
const LONGEST_REST_MS = 100

/** Of processors, only threads' time can be measured. */
const SHARED_THREADS =
  'pods share threads (--pods-per-thread), so what each of them uses is not known: give every pod its own thread'

export class ThreadsEmulation implements Emulation {
  readonly clock = 'real'
  readonly seed: number
  readonly api: Api
  readonly certificates = new CertificateAuthority(randomKeys(Date.now()))
  readonly #time: RealTime
  readonly #random: Random
  readonly #worker: Worker
  readonly #outbox: MessageBatch<NetworkCommand>
  readonly #pods: PodThreads
  readonly #placement: NetworkThreadPods
  readonly #assembly: ClusterAssembly
  readonly #alarm: Alarm
  /** Of the network's thread. */
  readonly #networkBell = doorbell()
  readonly #exposed = new Set<HostDns>()
  readonly #front: ApiFront
  readonly #nodeSessions = new NodeSessions((node, command) =>
    this.#toNetwork({ type: 'node-stream', node, command }),
  )
  readonly #flowListeners = new Set<(event: FlowEvent) => void>()
  readonly #questions = new Map<number, (answer: unknown) => void>()
  readonly #barriers = new Map<number, () => void>()
  readonly #looks = new Set<() => void>()
  readonly #failures = new Set<(error: Error) => void>()
  readonly nodes: readonly string[]
  readonly #proxies: Map<string, ProxySetting>
  readonly #config: ClusterConfig
  #external: { readonly outside: OutsideHost; readonly wired: WiredHosts } | undefined
  #nextBarrier = 1
  #scheduled = false
  /** On the clock of `performance.now`. */
  #restUntil = 0
  #rest: NodeJS.Timeout | undefined
  #closed: ((error: string | undefined) => void) | undefined
  #closing: Promise<void> | undefined
  /** Why nothing more can be run. */
  #failed: Error | undefined

  constructor(options: ResolvedOptions) {
    this.seed = options.seed
    this.#config = options.config
    this.nodes = options.config.nodes.map(({ name }) => name)
    this.#proxies = new Map(Object.entries(options.proxies))
    this.#random = new Random(`seed ${options.seed}`)
    this.#time = new RealTime(options.startUnixMillis)
    const data: NetworkWorkerData = {
      config: options.config,
      proxies: options.proxies,
      seed: options.seed,
      startUnixMillis: options.startUnixMillis,
      zero: this.#time.zero,
      pcap: options.pcap,
      gauge: threadGauge(),
      bell: this.#networkBell,
      polling: polling(options.pollMicros),
    }
    const { gauge } = data
    this.#worker = new Worker(new URL('./network-worker.cjs', import.meta.url), {
      workerData: data,
      name: 'network',
      resourceLimits: { maxYoungGenerationSizeMb: NETWORK_YOUNG_MB },
    })
    this.#outbox = new MessageBatch((commands, transfer) => {
      this.#worker.postMessage(commands, transfer)
      poke(this.#networkBell)
    })
    this.#worker.on('message', (events: readonly NetworkEvent[]) => {
      for (const event of events) this.#networkEvent(event)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => {
      this.#closed?.('the network thread ended by itself')
      this.#fail(new Error('the network thread ended by itself'))
    })
    this.#pods = new PodThreads({
      options,
      zero: this.#time.zero,
      networkBell: this.#networkBell,
      polling: data.polling,
      toNetwork: (command, transfer) => this.#toNetwork(command, transfer),
      onEvent: () => this.#soon(),
    })
    this.#placement = new NetworkThreadPods({
      options,
      others: this.#pods,
      toNetwork: (command) => this.#toNetwork(command),
      onEvent: () => this.#soon(),
    })
    const unixMillis = () => this.#time.unixMillis()
    this.#assembly = new ClusterAssembly({
      options,
      random: this.#random,
      placement: this.#placement,
      unixMillis,
      followNetwork: { apply: (change: ClusterChange) => this.#toNetwork({ type: 'change', change }) },
      probeNetwork: (request) => this.#toNetwork({ type: 'probe', request }),
      tokenKey: randomBytes(32),
      heartbeats: true,
      system: { network: () => workerUsage(this.#worker, gauge), controlPlane: ownUsage },
      usageUnavailable: options.podsPerThread === 1 ? undefined : SHARED_THREADS,
      certificates: this.certificates,
    })
    this.#alarm = this.#time.alarm(() => this.#soon())
    this.api = this.#watched(this.#assembly.api)
    this.#front = new ApiFront({
      api: this.api,
      config: options.config,
      certificates: this.certificates,
      unixMillis,
      send: (command) => this.#toNetwork({ type: 'api-stream', command }),
      stir: () => {},
    })
    this.#soon()
  }

  now(): Micros {
    return this.#time.now()
  }

  hostSystem(options: HostSystemOptions): System {
    return hostSystem(options, this.#time.clock(), this.#random.fork('host'))
  }

  async run<Value>(work: Promise<Value>, limit: Micros = NEVER): Promise<Value> {
    if (this.#failed !== undefined) {
      work.catch(() => {})
      throw this.#failed
    }
    let fail: (error: Error) => void = () => {}
    const failed = new Promise<never>((_, reject) => {
      fail = reject
    })
    this.#failures.add(fail)
    const timer =
      limit === NEVER
        ? undefined
        : setTimeout(
            () => fail(new EmulationTimeout(`no end after ${limit / 1_000_000} s`)),
            limit / MILLISECOND,
          )
    try {
      const value = await Promise.race([work, failed])
      clearTimeout(timer)
      // Flows of the work are heard before its result is given, as the network's messages come in order; and what its
      // pods wrote into their logs.
      if (this.#closing === undefined)
        await Promise.race([Promise.all([this.#echo(), this.#pods.heard()]), failed])
      return value
    } finally {
      clearTimeout(timer)
      this.#failures.delete(fail)
    }
  }

  sleep(duration: Micros): Promise<void> {
    return this.run(this.#time.sleep(duration))
  }

  async settle(timeout: Micros): Promise<boolean> {
    const timer = new AbortController()
    let expired = false
    this.#time.sleep(timeout, timer.signal).then(
      () => {
        expired = true
        for (const look of [...this.#looks]) look()
      },
      () => {},
    )
    try {
      await this.run(this.#until(() => expired || this.#assembly.control.settled()))
      await this.run(Promise.all([this.#barrier(), this.#assembly.supervisor.barrier()]))
      return this.#assembly.control.settled()
    } finally {
      timer.abort()
    }
  }

  proxyMode(node: string): string {
    this.#checkNode(node)
    return formatProxySetting(this.#proxies.get(node)!)
  }

  async setProxyMode(mode: string, node?: string): Promise<void> {
    const setting = parseProxySetting(mode)
    if (node !== undefined) this.#checkNode(node)
    for (const name of node === undefined ? this.nodes : [node]) this.#proxies.set(name, setting)
    this.#toNetwork({ type: 'proxy', setting, node })
    await this.run(this.#barrier())
  }

  async execOnNode(node: string, script: string): Promise<NodeCommandResult> {
    this.#checkNode(node)
    return this.#askNetwork<NodeCommandResult>((id) => ({ type: 'node-exec', id, node, script }))
  }

  nodeShell(node: string, options: { readonly tty: boolean }): RemoteStreams {
    this.#checkNode(node)
    return this.#nodeSessions.open(node, options)
  }

  async setLink(target: LinkTarget, options: LinkOptions): Promise<void> {
    if ('node' in target) this.#checkNode(target.node)
    this.#toNetwork({ type: 'link', target, options })
  }

  async proxyStatistics(node: string): Promise<ProxyStatistics> {
    this.#checkNode(node)
    return this.#askNetwork<ProxyStatistics>((id) => ({ type: 'proxy-statistics', id, node }))
  }

  /** The network's answer to a command that has one. */
  #askNetwork<Answer>(command: (id: number) => NetworkCommand): Promise<Answer> {
    const id = this.#nextBarrier++
    return this.run(
      new Promise<Answer>((resolve) => {
        this.#questions.set(id, resolve as (answer: unknown) => void)
        this.#toNetwork(command(id))
      }),
    )
  }

  outside(): OutsideHost {
    this.#external ??= this.#addExternal()
    return this.#external.outside
  }

  async exposeDns(port: number): Promise<HostDns> {
    const dns = await listenDns(this, port)
    this.#exposed.add(dns)
    return dns
  }

  onFlow(listener: (event: FlowEvent) => void): () => void {
    this.#flowListeners.add(listener)
    return () => this.#flowListeners.delete(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #addExternal(): { outside: OutsideHost; wired: WiredHosts } {
    const { port1, port2 } = new MessageChannel()
    const [incoming, outgoing] = [ringBuffer(), ringBuffer()]
    const bell = doorbell()
    const wire = { outgoing: incoming, incoming: outgoing, bell, port: port1 }
    this.#toNetwork({ type: 'add-external', name: EXTERNAL_HOST, wire }, [port1])
    const random = this.#random.fork(EXTERNAL_HOST)
    const host = externalHost(this.#config, random)
    const wired = new WiredHosts({
      wire: { outgoing, incoming, bell: this.#networkBell, port: port2 },
      bell,
      time: this.#time,
    })
    wired.add(0, host)
    const outside = outsideHost(host, this.#config, this.#time.clock(), random, () => wired.touch(0))
    return { outside, wired }
  }

  async #close(): Promise<void> {
    this.#alarm.set(NEVER)
    clearTimeout(this.#rest)
    await Promise.all([...this.#exposed].map((dns) => dns.close()))
    await this.#front.close()
    this.#external?.wired.close()
    this.#fail(new EmulationTimeout('the emulation was closed'))
    await this.#pods.close()
    const captured = new Promise<string | undefined>((resolve) => {
      this.#closed = resolve
      setTimeout(() => resolve('the network thread did not answer'), CLOSE_TIMEOUT_MS).unref()
    })
    this.#toNetwork({ type: 'close' })
    const error = await captured
    await this.#worker.terminate()
    this.#time.close()
    if (error !== undefined) throw new CaptureError(error)
  }

  #checkNode(name: string): void {
    if (this.nodes.includes(name)) return
    throw new TypeError(`there is no node ${name}; nodes are ${this.nodes.join(', ')}`)
  }

  /** Resolves once `holds`; looked at after every step of the control plane. */
  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return
        this.#looks.delete(look)
        resolve()
      }
      this.#looks.add(look)
      look()
    })
  }

  /** Resolves when all that the network's thread had told by then has been heard. */
  #echo(): Promise<void> {
    const id = this.#nextBarrier++
    return new Promise((resolve) => {
      this.#barriers.set(id, resolve)
      this.#toNetwork({ type: 'echo', id })
    })
  }

  /** Resolves when the network's thread has taken all changes that were sent before. */
  #barrier(): Promise<void> {
    const id = this.#nextBarrier++
    return new Promise((resolve) => {
      this.#barriers.set(id, resolve)
      this.#toNetwork({ type: 'barrier', id })
    })
  }

  /** The API whose every call is told the time before, and lets the control plane look at what changed after. */
  #watched(api: Api): Api {
    const timed = <Result>(call: () => Result): Result => {
      this.#assembly.advance(this.#time.now())
      this.#soon()
      return call()
    }
    return {
      authenticate: (token) => timed(() => api.authenticate(token)),
      request: (request) => timed(() => api.request(request)),
      watch: (request, onLine) => timed(() => api.watch(request, onLine)),
      bookmark: (request) => timed(() => api.bookmark!(request)),
      exec: (request) => timed(() => api.exec(request)),
      attach: (request) => timed(() => api.attach(request)),
      portForward: (request) => {
        const ports = timed(() => api.portForward(request))
        return 'kind' in ports ? ports : { dial: (port) => timed(() => ports.dial(port)) }
      },
      followLog: (request, onBytes, onEnd) => timed(() => api.followLog(request, onBytes, onEnd)),
    }
  }

  #soon(): void {
    if (this.#scheduled || this.#closing !== undefined) return
    this.#scheduled = true
    const wait = this.#restUntil - performance.now()
    if (wait < 1) setImmediate(() => this.#advance())
    else this.#rest = setTimeout(() => this.#advance(), wait)
  }

  /**
   * Lets the control plane do what is due. After a long step it rests half as long: when thousands of pods start, what
   * they tell meanwhile is then looked at together, and a Service's endpoints are put together once and not for each.
   */
  #advance(): void {
    this.#scheduled = false
    if (this.#closing !== undefined) return
    const { control } = this.#assembly
    const start = performance.now()
    this.#assembly.advance(this.#time.now())
    for (const look of [...this.#looks]) look()
    const end = performance.now()
    this.#restUntil = end + Math.min((end - start) / 2, LONGEST_REST_MS)
    this.#alarm.set(control.deadline())
  }

  #toNetwork(command: NetworkCommand, transfer: readonly Transferable[] = []): void {
    this.#outbox.add(command, transfer)
  }

  #tellFlow(flow: FlowEvent): void {
    for (const listener of this.#flowListeners) listener(flow)
  }

  #networkEvent(event: NetworkEvent): void {
    switch (event.type) {
      case 'flow':
        if (this.#flowListeners.size > 0) this.#tellFlow(parseFlowLine(event.line))
        return
      case 'pod':
        return this.#placement.handle(event.uid, event.event)
      case 'node-stream':
        return this.#nodeSessions.handle(event.event)
      case 'api-stream':
        return this.#front.handle(event.event)
      case 'probe':
        this.#assembly.probeResult(event.id, event.result)
        return this.#soon()
      case 'barrier':
        this.#barriers.get(event.id)?.()
        this.#barriers.delete(event.id)
        return
      case 'answer':
        this.#questions.get(event.id)?.(event.answer)
        this.#questions.delete(event.id)
        return
      case 'closed':
        this.#closed?.(event.error)
    }
  }

  #fail(error: Error): void {
    this.#failed ??= error
    for (const fail of [...this.#failures]) fail(error)
  }
}
