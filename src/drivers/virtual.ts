// The virtual driver: everything in this thread, and the clock jumps to the next deadline. Same options and same
// commands, same run - the determinism charter:
//
// - All that happens at one moment happens before time moves: frames, deadlines, controllers, then the programs
//   (one turn of the event loop drains their microtasks), and again until nothing is due.
// - Ties are broken by insertion order (base/timer-heap.ts); randomness is drawn from streams named by their user.
// - Programs have only their pod's time, I/O and microtasks. Real I/O of whoever calls `run` happens while time stands.
// - A capture listens and changes nothing.

import type { Api, RemoteStreams } from '../api/request.js'
import { Random } from '../base/random.js'
import { type Micros, NEVER } from '../base/time.js'
import { apiServerNode, type ClusterConfig } from '../cluster/cluster-config.js'
import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import { EMULATED_DELAYS } from '../cluster/start-delays.js'
import type { LinkOptions } from '../fabric/link.js'
import type { MachineId } from '../fabric/network.js'
import type { Host } from '../host/host.js'
import { seededKeys } from '../http/certificate-keys.js'
import { CertificateAuthority } from '../http/certificates.js'
import { allPrograms } from '../pod/images/all-programs.js'
import { sharedImages } from '../pod/images/index.js'
import type { PodEvent, StreamCommand } from '../pod/protocol.js'
import { PodSandbox, sandboxHost } from '../pod/sandbox.js'
import { usageCounters } from '../pod/usage.js'
import type { Net } from '../posix/net.js'
import { addressNet } from '../posix/net-over-stack.js'
import type { Clock, System } from '../posix/process.js'
import { formatProxySetting, parseProxySetting } from '../proxy/proxy-mode.js'
import { ApiFront } from './api-front.js'
import type { CaptureFile } from './capture-file.js'
import { ClusterAssembly } from './cluster-assembly.js'
import { ClusterNetwork } from './cluster-network.js'
import { dnsCodec } from './dns-codec.js'
import {
  type Emulation,
  EmulationTimeout,
  type FlowEvent,
  type HostDns,
  type LinkTarget,
} from './emulation.js'
import { EXTERNAL_HOST, externalHost, type OutsideHost, outsideHost } from './external-host.js'
import { listenDns } from './host-dns.js'
import { type HostSystemOptions, hostSystem } from './host-system.js'
import { NodeDoor } from './node-door.js'
import { NodeSessions } from './node-sessions.js'
import { type NodeCommandResult, NodeShells } from './node-shell.js'
import { nodeTls } from './node-tls.js'
import type { ResolvedOptions } from './options.js'
import type { PodPlacement } from './pod-supervisor.js'
import type { ProxyStatistics } from './proxy-statistics.js'
import { VirtualTime } from './virtual-time.js'

/** What a veth pair and a hop over the nodes' switch take. */
const POD_DELAY: Micros = 100

/** Turns without anything due after which what is waited for can not come any more. */
const STALLED_TURNS = 100

/** More than TLS and an HTTP server ever take from bytes that come to bytes that go. */
const STIRRED_TURNS = 20

/** A pod of this thread. */
export interface EmulatedPod {
  readonly spec: SandboxSpec
  readonly host: Host
  /** Its stack may have something to send, or a new deadline. */
  touched(): void
}

/** Somebody who waits for a state of the emulation; looked at whenever nothing is due at the present moment. */
interface Condition {
  readonly holds: () => boolean
  readonly met: () => void
}

export class VirtualEmulation implements Emulation {
  readonly clock = 'virtual'
  readonly seed: number
  readonly api: Api
  readonly certificates: CertificateAuthority
  readonly #time: VirtualTime
  readonly config: ClusterConfig
  /** The wires and nodes, for those who look closer than a client can: `podwire trace`. */
  readonly network: ClusterNetwork
  readonly #pods = new Map<PodUid, EmulatedPod>()
  readonly #images = sharedImages(allPrograms)
  readonly #assembly: ClusterAssembly
  readonly #random: Random
  readonly #capture: CaptureFile | undefined
  readonly #shells = new NodeShells(
    (node) => ({
      host: this.network.node(node).host,
      clock: this.programClock(),
      random: this.random(`shell on ${node}`),
      applets: new Map([...allPrograms.applets, ...allPrograms.nodeTools]),
      touched: () => this.touchNode(node),
      tls: this.#tls,
    }),
    (event) => this.#nodeSessions.handle(event),
  )
  readonly #front: ApiFront
  readonly #tls = nodeTls((work) => this.#stir(work))
  readonly #nodeSessions = new NodeSessions((node, command) => this.#shells.handle(node, command))
  readonly #exposed = new Set<HostDns>()
  readonly #flowListeners = new Set<(event: FlowEvent) => void>()
  #external: OutsideHost | undefined
  readonly #conditions = new Set<Condition>()
  readonly #failures = new Set<(error: Error) => void>()
  #waiting = 0
  /** Turns of the event loop that time stands still for what needs them: OpenSSL, Node's HTTP server. */
  #stirred = 0
  /** Works of the real machine that time stands still for: modules that are loaded. */
  #held = 0
  #pumping = false
  #touched = false
  #closed = false
  #closing: Promise<void> | undefined

  constructor(options: ResolvedOptions, capture: CaptureFile | undefined) {
    const { config, seed, startUnixMillis } = options
    this.seed = seed
    this.config = config
    this.#random = new Random(`seed ${seed}`)
    this.#time = new VirtualTime(startUnixMillis)
    const unixMillis = () => this.#time.unixMillis()
    const chance = this.#random.fork('certificates')
    this.certificates = new CertificateAuthority(
      seededKeys((count) => Uint8Array.from({ length: count }, () => chance.int(256))),
    )
    this.#capture = capture
    this.network = new ClusterNetwork({
      config,
      random: this.#random.fork('cluster network'),
      podDelay: POD_DELAY,
      proxy: (node) => options.proxies[node]!,
      onProbeResult: (id, result) => this.#assembly.probeResult(id, result),
      onFlow: (event) => {
        for (const listener of this.#flowListeners) listener(event)
      },
    })
    this.#assembly = new ClusterAssembly({
      options,
      random: this.#random,
      placement: this.#placement(options),
      unixMillis,
      followNetwork: this.network,
      probeNetwork: (request) => this.network.probe(request),
      heartbeats: false,
      startDelays: EMULATED_DELAYS,
      system: undefined,
      usageUnavailable: undefined,
      certificates: this.certificates,
    })
    this.api = this.#assembly.api
    const stir = (work?: Promise<unknown>) => this.#stir(work)
    const send = (command: StreamCommand) => door.handle(command)
    this.#front = new ApiFront({
      api: this.api,
      config,
      certificates: this.certificates,
      unixMillis,
      send,
      stir,
    })
    const door = new NodeDoor(this.#apiServerNet(), config.apiServer.port, (event) =>
      this.#front.handle(event),
    )
    capture?.record(this.network)
  }

  get nodes(): readonly string[] {
    return this.config.nodes.map(({ name }) => name)
  }

  now(): Micros {
    return this.#time.now
  }

  hostSystem(options: HostSystemOptions): System {
    return hostSystem(options, this.#time.clock(), this.#random.fork('host'))
  }

  async run<Value>(work: Promise<Value>, limit: Micros = NEVER): Promise<Value> {
    if (this.#closed) {
      work.catch(() => {})
      throw closedError()
    }
    let fail: (error: Error) => void = () => {}
    const failed = new Promise<never>((_, reject) => {
      fail = reject
    })
    const timer = new AbortController()
    if (limit !== NEVER) {
      this.#time.sleep(limit, timer.signal).then(
        () => fail(new EmulationTimeout(`no end after ${limit / 1_000_000} s of emulated time`)),
        () => {},
      )
    }
    this.#failures.add(fail)
    this.#waiting++
    void this.#pump()
    try {
      return await Promise.race([work, failed])
    } finally {
      this.#waiting--
      this.#failures.delete(fail)
      timer.abort()
    }
  }

  sleep(duration: Micros): Promise<void> {
    return this.run(this.#time.sleep(duration))
  }

  async settle(timeout: Micros): Promise<boolean> {
    const settled = () => this.#assembly.control.settled() && this.network.synced()
    const timer = new AbortController()
    let expired = false
    this.#time.sleep(timeout, timer.signal).then(
      () => {
        expired = true
      },
      () => {},
    )
    await this.run(
      new Promise<void>((resolve) => {
        this.#conditions.add({ holds: () => settled() || expired, met: resolve })
      }),
    )
    timer.abort()
    return settled()
  }

  proxyMode(node: string): string {
    return formatProxySetting(this.network.node(node).proxySetting)
  }

  async setProxyMode(mode: string, node?: string): Promise<void> {
    this.network.setProxy(parseProxySetting(mode), node)
  }

  async setLink(target: LinkTarget, options: LinkOptions): Promise<void> {
    this.network.setLink(target, options)
  }

  async proxyStatistics(node: string): Promise<ProxyStatistics> {
    return this.network.node(node).statistics()
  }

  async execOnNode(node: string, script: string): Promise<NodeCommandResult> {
    return this.run(this.#shells.run(node, script))
  }

  nodeShell(node: string, options: { readonly tty: boolean }): RemoteStreams {
    this.network.node(node)
    return this.#nodeSessions.open(node, options)
  }

  /** A pod by its uid; undefined when it has no sandbox. */
  pod(uid: PodUid): EmulatedPod | undefined {
    return this.#pods.get(uid)
  }

  /** A stream of randomness of somebody who joins the emulation. */
  random(name: string): Random {
    return this.#random.fork(name)
  }

  /** Somebody used a node's host: the emulation looks at it before time moves. */
  touchNode(name: string): void {
    this.#touched = true
    this.network.touchNode(name)
  }

  /** The clock that programs see. */
  programClock(): Clock {
    return this.#time.clock()
  }

  /** Somebody used a host of the network: the emulation looks at it before time moves. */
  touchMachine(machine: MachineId): void {
    this.#touched = true
    this.network.network.touch(machine)
  }

  get captureProblem(): string | undefined {
    return this.#capture?.problem
  }

  outside(): OutsideHost {
    this.#external ??= this.#addExternal()
    return this.#external
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

  async #close(): Promise<void> {
    this.#closed = true
    for (const fail of [...this.#failures]) fail(closedError())
    await Promise.all([...this.#exposed].map((dns) => dns.close()))
    this.#exposed.clear()
    await this.#front.close()
    this.#capture?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #addExternal(): OutsideHost {
    const random = this.#random.fork(EXTERNAL_HOST)
    const host = externalHost(this.config, random)
    const machine = this.network.addToLan(EXTERNAL_HOST, host)
    return outsideHost(host, this.config, this.#time.clock(), random, () => this.touchMachine(machine))
  }

  #placement(options: ResolvedOptions): PodPlacement {
    return {
      create: (spec: SandboxSpec, emit: (event: PodEvent) => void) => {
        const name = options.podName(spec)
        const random = this.#random.fork(`pod ${spec.uid}`)
        const own = spec.hostNetwork ? undefined : sandboxHost(spec, random)
        const host = own ?? this.network.node(spec.nodeName).host
        let touched = () => this.touchNode(spec.nodeName)
        const sandbox = new PodSandbox({
          spec,
          stack: host.stack,
          clock: this.#time.clock(),
          random,
          codec: dnsCodec,
          tls: this.#tls,
          images: this.#images,
          dns: options.dns,
          emit: (event) => {
            emit(event)
            if (event.type !== 'sandbox' || event.event.type !== 'sandbox-gone') return
            if (own !== undefined) touched = () => {}
            this.network.removePod(spec.uid)
            this.#pods.delete(spec.uid)
          },
          touched: () => touched(),
        })
        if (own !== undefined) {
          const { uid, nodeName, address, hostPorts } = spec
          const machine = this.network.addPod(uid, name, nodeName, own, { address, hostPorts })
          touched = () => this.touchMachine(machine)
        }
        this.#pods.set(spec.uid, { spec, host, touched })
        sandbox.ready()
        return {
          send: (command) => sandbox.handle(command),
          meter: { counters: () => usageCounters(false) },
        }
      },
    }
  }

  /** Runs the emulation as long as somebody waits for something. */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    let idleTurns = 0
    try {
      while (this.#waiting > 0 && !this.#closed) {
        this.#step()
        await turn()
        if (this.#held > 0 || this.#stirred-- > 0) continue
        this.#stirred = 0
        if (this.#deadline() <= this.#time.now || this.#touched) continue
        if (this.#meetConditions()) continue
        if (this.#waiting === 0 || this.#closed) break
        const next = this.#deadline()
        if (next === NEVER) {
          if (++idleTurns > STALLED_TURNS) throw new EmulationTimeout('nothing can happen any more')
          continue
        }
        idleTurns = 0
        this.#time.now = next
      }
    } catch (error) {
      for (const fail of [...this.#failures]) fail(error as Error)
    } finally {
      this.#pumping = false
    }
  }

  /** Something is at work that the emulation cannot see. */
  #stir(work?: Promise<unknown>): void {
    this.#stirred = STIRRED_TURNS
    if (work === undefined) return
    this.#held++
    const done = () => {
      this.#held--
      this.#stirred = STIRRED_TURNS
    }
    work.then(done, done)
  }

  /** The API server's, on its node. */
  #apiServerNet(): Net {
    const name = apiServerNode(this.config)
    const touched = () => this.touchNode(name)
    return addressNet({ stack: this.network.node(name).host.stack, clock: this.programClock(), touched })
  }

  /** Everything that is due now, once around. */
  #step(): void {
    const now = this.#time.now
    this.#touched = false
    this.#time.fire()
    this.network.run(now)
    this.#assembly.advance(now)
  }

  #deadline(): Micros {
    return Math.min(this.#time.deadline(), this.network.deadline(), this.#assembly.control.deadline())
  }

  #meetConditions(): boolean {
    let met = false
    for (const condition of [...this.#conditions]) {
      if (!condition.holds()) continue
      this.#conditions.delete(condition)
      condition.met()
      met = true
    }
    return met
  }
}

function closedError(): EmulationTimeout {
  return new EmulationTimeout('the emulation was closed')
}

/** One turn of the event loop: every microtask that is queued, and those that they queue, have run after it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
