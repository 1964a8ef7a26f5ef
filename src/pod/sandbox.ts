// A pod as it lives in one thread: its network (a stack of its own on its virtual IP, or its node's), its volumes, its
// containers. Driven by PodCommands, tells PodEvents; which thread it is in, and what carries its frames, is the
// driver's business.

import { hash32, type Random } from '../base/random.js'
import type { Slab } from '../base/slab.js'
import type { Micros } from '../base/time.js'
import type {
  ContainerExit,
  ContainerSpec,
  SandboxEvent,
  SandboxSpec,
  SandboxVolume,
} from '../cluster/sandbox.js'
import type { DnsCodec } from '../dns/message.js'
import { type Host, podHost } from '../host/host.js'
import { MemoryFileSystem } from '../posix/memory-fs.js'
import { addressNet, ProcessNet } from '../posix/net-over-stack.js'
import type { Clock } from '../posix/process.js'
import { Quota } from '../posix/quota.js'
import { StubResolver } from '../posix/resolver.js'
import type { TlsEngine } from '../posix/tls.js'
import { Volume } from '../posix/volume.js'
import type { Stack } from '../stack/stack.js'
import { type InterfaceAddress, ip, ipv4, type Mac, parseInterfaceAddress } from '../wire/address.js'
import { ChangeFeed } from './change-feed.js'
import type { ConnectionStream } from './connection-stream.js'
import { Container, type PodContext } from './container.js'
import type { ImageRegistry } from './image.js'
import { podImages } from './images/index.js'
import { portForward } from './port-forward.js'
import type { ForwardOptions, PodCommand, PodEvent, StreamId } from './protocol.js'
import { StreamTaken } from './stream-window.js'
import type { UsageCounters } from './usage.js'

/** How long a container gets to end at the removal of its pod, when it is still there then. */
const NO_GRACE: Micros = 0

export interface SandboxOptions {
  readonly spec: SandboxSpec
  /** The network of its programs: `sandboxHost`'s, or its node's. */
  readonly stack: Stack
  readonly clock: Clock
  readonly random: Random
  readonly codec: DnsCodec
  /** Memory of the thread, where the pod has one of its own. */
  readonly threadBytes?: () => number
  readonly tls: TlsEngine
  /** `sharedImages`, of all pods of the thread. */
  readonly images: ImageRegistry
  readonly dns: DnsImageOptions
  readonly emit: (event: PodEvent) => void
  /** That stack may have something to send or a new deadline. */
  readonly touched: () => void
}

/** What the DNS server's image is configured with. */
export interface DnsImageOptions {
  readonly clusterDomain: string
  readonly strict: boolean
}

export class PodSandbox {
  readonly #spec: SandboxSpec
  readonly #emit: (event: PodEvent) => void
  readonly #images: ImageRegistry
  readonly #feed = new ChangeFeed()
  readonly #context: PodContext
  readonly #containers = new Map<string, Container>()
  readonly #forwards = new Map<StreamId, ConnectionStream>()
  readonly #openNet: () => ProcessNet
  /** Who waits for `host-names`, by the id of the question. */
  readonly #nameSeekers = new Map<number, (names: readonly string[]) => void>()
  #nextQuestion = 1
  /** Paths of the files that ConfigMaps and Secrets have in volumes. */
  readonly #volumeFiles = new Map<string, readonly string[]>()
  #removed = false

  constructor(options: SandboxOptions) {
    const { spec, stack, clock, random, codec, tls } = options
    this.#spec = spec
    for (const { name, files } of spec.volumes) if (files) this.#volumeFiles.set(name, Object.keys(files))
    this.#emit = options.emit
    this.#images = podImages(options.images, {
      codec,
      dns: options.dns,
      follow: (follower) => this.#feed.follow(follower),
    })
    const quota = new Quota(spec.memoryLimitBytes)
    const network = { stack, clock, touched: options.touched, tls }
    this.#openNet = () => addressNet(network)
    const resolverRandom = random.fork('resolver')
    this.#context = {
      hostname: spec.hostname,
      resolvConf: spec.resolvConf,
      hosts: spec.hosts,
      clock,
      random,
      quota,
      memory: new Quota(spec.memoryLimitBytes),
      volumes: makeVolumes(spec, quota, clock),
      usedBytes: (kept) => this.#usedBytes(kept, options.threadBytes?.() ?? 0),
      hostNames: () => this.#hostNames(),
      openNet: ({ files, admin, used }) =>
        new ProcessNet(
          {
            ...network,
            admin,
            ...(used !== undefined && {
              touched: () => {
                used()
                options.touched()
              },
            }),
          },
          (net) =>
            new StubResolver({
              net,
              files,
              clock,
              random: resolverRandom,
              codec,
              hasIpv6: () => spec.ipv6 !== undefined,
            }),
        ),
    }
  }

  /** Carries a command out; what comes of it is told by events. Commands for what is gone are ignored. */
  handle(command: PodCommand): void {
    switch (command.type) {
      case 'start-container':
        return this.#start(command.spec, command.usage)
      case 'update-volume':
        return this.#updateVolume(command.volume)
      case 'stop-container':
        return this.#containers.get(command.container)?.stop(command.grace)
      case 'remove':
        return this.#remove()
      case 'stream-open': {
        const { id, options } = command
        if (options.kind === 'port-forward') return this.#forward(id, options)
        const container = this.#containers.get(options.container)
        if (container !== undefined) return container.openStream(id, options)
        const error = `container not found ("${options.container}")`
        return this.#emit({ type: 'stream-exit', id, exitCode: 1, error })
      }
      case 'stream-input':
      case 'stream-end':
      case 'stream-resize':
      case 'stream-close':
      case 'stream-taken':
        return this.#stream(command)
      case 'log-taken':
        return this.#containers.get(command.container)?.logTaken(command.bytes)
      case 'host-names':
        this.#nameSeekers.get(command.id)?.(command.names)
        this.#nameSeekers.delete(command.id)
        return
      case 'cluster-changes':
        for (const change of command.changes) this.#feed.apply(change)
        return
      case 'barrier':
        return this.#emit({ type: 'barrier', id: command.id })
    }
  }

  #stream(command: Extract<PodCommand, { id: StreamId }>): void {
    const { type, id } = command
    const forward = this.#forwards.get(id)
    const container = forward === undefined ? this.#streamOwner(id) : undefined
    switch (type) {
      case 'stream-input':
        forward?.input(command.bytes)
        return container?.streamInput(id, command.bytes)
      case 'stream-end':
        forward?.end()
        return container?.streamEnd(id)
      case 'stream-resize':
        return container?.streamResize(id, command.columns, command.rows)
      case 'stream-close':
        forward?.close()
        return container?.streamClose(id)
      case 'stream-taken':
        forward?.taken(command.bytes)
        return container?.streamTaken(id, command.bytes)
    }
  }

  #forward(id: StreamId, { port }: ForwardOptions): void {
    const { uid, hostNetwork } = this.#spec
    const net = this.#openNet()
    const taken = new StreamTaken((bytes) => this.#emit({ type: 'stream-input-taken', id, bytes }))
    const forward = portForward({
      net,
      port,
      uid,
      hostNetwork,
      output: (bytes) => this.#emit({ type: 'stream-output', id, stream: 'stdout', bytes }),
      outputEnd: () => this.#emit({ type: 'stream-output-end', id }),
      inputTaken: (bytes) => taken.add(bytes),
      exit: (error) => {
        this.#forwards.delete(id)
        net.closeAll()
        const exitCode = error === undefined ? 0 : 1
        this.#emit({ type: 'stream-exit', id, exitCode, ...(error !== undefined && { error }) })
      },
    })
    this.#forwards.set(id, forward)
  }

  /** As drivers/usage-meter.ts divides it: what `kubectl top` shows, and `top` in the pod, is the same. */
  #usedBytes(kept: number, threadBytes: number): number {
    const containers = [...this.#containers.values()]
    const all = containers.reduce((sum, container) => sum + container.keptBytes, 0)
    return kept + Math.max(0, threadBytes - all) / Math.max(1, containers.length)
  }

  #hostNames(): Promise<readonly string[]> {
    const id = this.#nextQuestion++
    return new Promise((resolve) => {
      this.#nameSeekers.set(id, resolve)
      this.#emit({ type: 'host-names-wanted', id })
    })
  }

  /** Tells that the network is there. */
  ready(): void {
    this.#tell({ type: 'sandbox-ready', uid: this.#spec.uid })
  }

  #start(spec: ContainerSpec, usage: UsageCounters | undefined): void {
    const uid = this.#spec.uid
    const image = this.#images.find(spec.image)
    const exited = (exit: ContainerExit) =>
      this.#tell({ type: 'container-exited', uid, container: spec.name, exit })
    if (image === undefined) {
      return exited({ exitCode: 128, reason: 'StartError', message: `image "${spec.image}" is not there` })
    }
    const container = new Container(
      spec,
      image,
      this.#context,
      {
        log: (entry) => this.#emit({ type: 'log', container: spec.name, entry }),
        streamInputTaken: (id, bytes) => this.#emit({ type: 'stream-input-taken', id, bytes }),
        streamOutput: (id, stream, bytes) => this.#emit({ type: 'stream-output', id, stream, bytes }),
        streamExit: (id, exitCode, error) =>
          this.#emit({ type: 'stream-exit', id, exitCode, ...(error === undefined ? {} : { error }) }),
        exited: (exit) => {
          if (!this.#removed) exited(exit)
        },
      },
      usage,
    )
    this.#containers.set(spec.name, container)
    const refused = container.start()
    if (refused === undefined) this.#tell({ type: 'container-started', uid, container: spec.name })
    else exited(refused)
  }

  /** Unlike Kubernetes, whose switch of a link lets a reader see either all or nothing: one file after the other. */
  #updateVolume({ name, files = {}, modes }: SandboxVolume): void {
    const volume = this.#context.volumes.get(name)
    if (volume === undefined) return
    const tree = new MemoryFileSystem(volume)
    for (const path of this.#volumeFiles.get(name) ?? [])
      if (!Object.hasOwn(files, path) && tree.exists(path)) tree.remove(path)
    this.#volumeFiles.set(name, Object.keys(files))
    writeFiles(tree, files, modes)
  }

  #remove(): void {
    if (this.#removed) return
    this.#removed = true
    for (const container of this.#containers.values()) container.stop(NO_GRACE)
    for (const container of this.#containers.values()) container.kill()
    for (const forward of this.#forwards.values()) forward.close()
    this.#tell({ type: 'sandbox-gone', uid: this.#spec.uid })
  }

  #streamOwner(id: number): Container | undefined {
    for (const container of this.#containers.values()) if (container.hasStream(id)) return container
    return undefined
  }

  #tell(event: SandboxEvent): void {
    this.#emit({ type: 'sandbox', event })
  }
}

/**
 * The network of a pod that has one of its own: the pod on its wire, port 0 is eth0. `offload`: its frames may leave with
 * work left to do, for a driver that carries them in memory.
 */
export function sandboxHost(spec: SandboxSpec, random: Random, offload = false, frames?: Slab): Host {
  return podHost({
    name: `${spec.namespace}/${spec.name}`,
    mac: podMac(spec.uid),
    address: interfaceAddress(spec, spec.address),
    gateway: ipv4(spec.gateway),
    secondary: spec.ipv6 && {
      address: interfaceAddress(spec, spec.ipv6.address),
      gateway: ip(spec.ipv6.gateway),
    },
    mtuBytes: spec.mtuBytes,
    offload,
    frames,
    random: random.fork('stack'),
  })
}

function interfaceAddress({ name }: SandboxSpec, text: string): InterfaceAddress {
  const address = parseInterfaceAddress(text)
  if (address === undefined) throw new TypeError(`pod ${name}: not an interface address: ${text}`)
  return address
}

function makeVolumes(spec: SandboxSpec, quota: Quota, clock: Clock): Map<string, Volume> {
  const volumes = new Map<string, Volume>()
  for (const { name, files, modes, sizeLimitBytes } of spec.volumes) {
    const own = sizeLimitBytes === undefined ? quota : new Quota(sizeLimitBytes)
    const volume = new Volume(own, () => clock.unixMillis())
    const tree = new MemoryFileSystem(volume)
    writeFiles(tree, files ?? {}, modes)
    volumes.set(name, volume)
  }
  return volumes
}

function writeFiles(
  tree: MemoryFileSystem,
  files: Readonly<Record<string, string>>,
  modes: Readonly<Record<string, number>> = {},
): void {
  for (const [path, text] of Object.entries(files)) {
    const slash = path.lastIndexOf('/')
    if (slash > 0) tree.makeDirectory(path.slice(0, slash), true)
    tree.writeFile(path, text)
  }
  for (const [path, mode] of Object.entries(modes)) tree.setMode(path, mode)
}

/** A locally administered unicast address out of the pod's uid. */
export function podMac(uid: string): Mac {
  return 0x0a58_0000_0000 + hash32(uid)
}
