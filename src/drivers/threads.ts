// The threads driver: real time; the control plane in this thread, the network in one worker or several
// (network-threads.ts), pods in workers of their own, one or several in each, or with the network (network-thread-pods.ts
// says which).

import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { MessageChannel } from 'node:worker_threads'
import type { Api, RemoteStreams } from '../api/request.js'
import { Random } from '../base/random.js'
import { MILLISECOND, type Micros, NEVER } from '../base/time.js'
import { apiServerNode, type ClusterConfig } from '../cluster/cluster-config.js'
import type { ClusterChange } from '../cluster/feed.js'
import { NO_DELAYS } from '../cluster/start-delays.js'
import type { LinkOptions } from '../fabric/link.js'
import { ringBuffer } from '../fabric/ring.js'
import { randomKeys } from '../http/certificate-keys.js'
import { CertificateAuthority } from '../http/certificates.js'
import type { System } from '../posix/process.js'
import { formatProxySetting, type ProxySetting, parseProxySetting } from '../proxy/proxy-mode.js'
import { ApiFront } from './api-front.js'
import { ClusterAssembly } from './cluster-assembly.js'
import { doorbell } from './doorbell.js'
import type { EarlyWorkers } from './early-workers.js'
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
import { NetworkThreadPods } from './network-thread-pods.js'
import { type ClusterNetworkEvent, NetworkThreads } from './network-threads.js'
import { NodeSessions } from './node-sessions.js'
import type { NodeCommandResult } from './node-shell.js'
import type { ResolvedOptions } from './options.js'
import { PodThreads } from './pod-threads.js'
import { polling } from './polling.js'
import type { ProxyStatistics } from './proxy-statistics.js'
import { type Alarm, RealTime } from './real-time.js'
import { ownUsage } from './thread-gauge.js'
import { WiredHosts } from './wired-hosts.js'

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
  readonly #network: NetworkThreads
  readonly #workers: EarlyWorkers
  readonly #pods: PodThreads
  readonly #placement: NetworkThreadPods
  readonly #assembly: ClusterAssembly
  readonly #alarm: Alarm
  readonly #exposed = new Set<HostDns>()
  readonly #front: ApiFront
  readonly #nodeSessions = new NodeSessions((node, command) =>
    this.#network.of(node).send({ type: 'node-stream', node, command }),
  )
  readonly #flowListeners = new Set<(event: FlowEvent) => void>()
  readonly #looks = new Set<() => void>()
  readonly #failures = new Set<(error: Error) => void>()
  readonly nodes: readonly string[]
  readonly #proxies: Map<string, ProxySetting>
  readonly #config: ClusterConfig
  #external: { readonly outside: OutsideHost; readonly wired: WiredHosts } | undefined
  #scheduled = false
  /** On the clock of `performance.now`. */
  #restUntil = 0
  #rest: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined
  /** Why nothing more can be run. */
  #failed: Error | undefined

  constructor(options: ResolvedOptions, workers: EarlyWorkers) {
    this.seed = options.seed
    this.#config = options.config
    this.nodes = options.config.nodes.map(({ name }) => name)
    this.#proxies = new Map(Object.entries(options.proxies))
    this.#random = new Random(`seed ${options.seed}`)
    this.#time = new RealTime(options.startUnixMillis)
    this.#workers = workers
    const shared = { options, workers, zero: this.#time.zero, polling: polling(options.pollMicros) }
    this.#network = new NetworkThreads({
      ...shared,
      onEvent: (event) => this.#networkEvent(event),
      onFailure: (error) => this.#fail(error),
    })
    const networkOf = (node: string) => this.#network.of(node)
    this.#pods = new PodThreads({
      ...shared,
      networkOf,
      onEvent: () => this.#soon(),
    })
    this.#placement = new NetworkThreadPods({
      options,
      others: this.#pods,
      networkOf,
      onEvent: () => this.#soon(),
    })
    const unixMillis = () => this.#time.unixMillis()
    this.#assembly = new ClusterAssembly({
      options,
      random: this.#random,
      placement: this.#placement,
      unixMillis,
      followNetwork: { apply: (change: ClusterChange) => this.#network.toAll({ type: 'change', change }) },
      probeNetwork: (request) => networkOf(request.node).send({ type: 'probe', request }),
      tokenKey: randomBytes(32),
      heartbeats: true,
      startDelays: NO_DELAYS,
      system: { network: () => this.#network.usage(), controlPlane: ownUsage },
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
      send: (command) =>
        this.#network.of(apiServerNode(options.config)).send({ type: 'api-stream', command }),
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
        await Promise.race([Promise.all([this.#network.echo(), this.#pods.heard()]), failed])
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
      await this.run(Promise.all([this.#network.barrier(), this.#assembly.supervisor.barrier()]))
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
    if (node === undefined) this.#network.toAll({ type: 'proxy', setting, node })
    else this.#network.of(node).send({ type: 'proxy', setting, node })
    await this.run(this.#network.barrier())
  }

  async execOnNode(node: string, script: string): Promise<NodeCommandResult> {
    this.#checkNode(node)
    return this.run(
      this.#network.ask<NodeCommandResult>(node, (id) => ({ type: 'node-exec', id, node, script })),
    )
  }

  nodeShell(node: string, options: { readonly tty: boolean }): RemoteStreams {
    this.#checkNode(node)
    return this.#nodeSessions.open(node, options)
  }

  async setLink(target: LinkTarget, options: LinkOptions): Promise<void> {
    // Who has no such pod does nothing.
    if ('pod' in target) return this.#network.toAll({ type: 'link', target, options })
    this.#checkNode(target.node)
    this.#network.of(target.node).send({ type: 'link', target, options })
  }

  async proxyStatistics(node: string): Promise<ProxyStatistics> {
    this.#checkNode(node)
    return this.run(
      this.#network.ask<ProxyStatistics>(node, (id) => ({ type: 'proxy-statistics', id, node })),
    )
  }

  get captureProblem(): string | undefined {
    return this.#network.captureProblem
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
    const network = this.#network.of(this.nodes[0]!)
    network.send({ type: 'add-external', name: EXTERNAL_HOST, wire }, [port1])
    const random = this.#random.fork(EXTERNAL_HOST)
    const host = externalHost(this.#config, random)
    const wired = new WiredHosts({
      wire: { outgoing, incoming, bell: network.bell, port: port2 },
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
    await Promise.all([this.#pods.close(), this.#workers.close()])
    try {
      await this.#network.close()
    } finally {
      this.#time.close()
    }
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
   * they tell meanwhile is then looked at together, and a Service's endpoints are put together once and not for each. While
   * many threads wait for processors to start on, it rests as long as it may: every step tells all endpoints to everybody.
   */
  #advance(): void {
    this.#scheduled = false
    if (this.#closing !== undefined) return
    const { control } = this.#assembly
    const start = performance.now()
    this.#assembly.advance(this.#time.now())
    for (const look of [...this.#looks]) look()
    const end = performance.now()
    const rest = this.#pods.manyWait ? LONGEST_REST_MS : Math.min((end - start) / 2, LONGEST_REST_MS)
    this.#restUntil = end + rest
    this.#alarm.set(control.deadline())
  }

  #tellFlow(flow: FlowEvent): void {
    for (const listener of this.#flowListeners) listener(flow)
  }

  #networkEvent(event: ClusterNetworkEvent): void {
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
    }
  }

  #fail(error: Error): void {
    this.#failed ??= error
    for (const fail of [...this.#failures]) fail(error)
  }
}
