// The cluster's side of the pod border: carries the kubelet's wishes to pods and their events back, keeps the logs
// of containers, and gives the API server its exec, attach and log streams. Where a pod lives is behind PodPlacement.

import type { LogEntry, PodStreams } from '../api/pod-streams.js'
import type { ForwardStreams, RemoteStreams } from '../api/request.js'
import type { Micros } from '../base/time.js'
import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import type {
  ContainerSpec,
  PodRuntime,
  PodUid,
  SandboxEvent,
  SandboxSpec,
  SandboxVolume,
} from '../cluster/sandbox.js'
import { type ImageRegistry, parseImageReference } from '../pod/image.js'
import { COREDNS_REPOSITORY } from '../pod/images/index.js'
import type { PodCommand, PodEvent, StreamId, StreamOptions } from '../pod/protocol.js'
import { StreamTaken } from '../pod/stream-window.js'
import { ContainerLog } from './container-log.js'
import { DnsFeed } from './dns-feed.js'
import { RemoteSession } from './remote-session.js'
import type { PodMeter, UsageMeter } from './usage-meter.js'

/** Brings pods up somewhere - in this thread or in one of their own. */
export interface PodPlacement {
  /** Starts a sandbox; `emit` hears `sandbox-ready` when its network is there. The result carries commands to it. */
  create(spec: SandboxSpec, emit: (event: PodEvent) => void): PodLink
}

export interface PodLink {
  send(command: PodCommand): void
  /** What it uses; undefined where that is not known, as it shares a thread. */
  readonly meter?: PodMeter
}

/** What is kept of a container's output. */
interface ContainerLogs {
  readonly current: ContainerLog
  readonly previous: ContainerLog | undefined
}

interface PodRecord {
  readonly spec: SandboxSpec
  readonly send: (command: PodCommand) => void
  readonly meter: PodMeter | undefined
  /** Tell containers what of their output is in the log. */
  readonly logTaken: Map<string, StreamTaken>
  readonly sessions: Map<StreamId, RemoteSession>
  stopFollowing: (() => void) | undefined
}

export interface SupervisorOptions {
  readonly placement: PodPlacement
  readonly images: ImageRegistry
  readonly usage: UsageMeter
  /** Variables of every container; its own come later and win. */
  readonly environment: readonly (readonly [string, string])[]
  /** What a person in a pod of that namespace would type for Services and pods. */
  readonly hostNames: (namespace: string) => readonly string[]
  /** The cluster's changes, for the pods that follow them. */
  readonly follow: (follower: ClusterFollower) => () => void
}

export class PodSupervisor implements PodRuntime, PodStreams {
  onEvent: ((event: SandboxEvent) => void) | undefined
  readonly #options: SupervisorOptions
  readonly #pods = new Map<PodUid, PodRecord>()
  /** Of every pod until it is forgotten, by container: they outlive sandboxes. */
  readonly #logs = new Map<PodUid, Map<string, ContainerLogs>>()
  readonly #barriers = new Map<number, () => void>()
  #nextId = 1

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  hasImage(image: string): boolean {
    return this.#options.images.find(image) !== undefined
  }

  createSandbox(spec: SandboxSpec): void {
    const link = this.#options.placement.create(spec, (event) => this.#handle(spec.uid, event))
    if (!this.#logs.has(spec.uid)) this.#logs.set(spec.uid, new Map())
    this.#pods.set(spec.uid, {
      spec,
      send: (command) => link.send(command),
      meter: link.meter,
      logTaken: new Map(),
      sessions: new Map(),
      stopFollowing: undefined,
    })
  }

  startContainer(uid: PodUid, spec: ContainerSpec): void {
    const pod = this.#pods.get(uid)
    if (pod === undefined) return
    const logs = this.#logs.get(uid)
    logs?.set(spec.name, { current: new ContainerLog(), previous: logs.get(spec.name)?.current })
    const logTaken = (bytes: number) => pod.send({ type: 'log-taken', container: spec.name, bytes })
    pod.logTaken.set(spec.name, new StreamTaken(logTaken))
    if (
      parseImageReference(spec.image)?.repository === COREDNS_REPOSITORY &&
      pod.stopFollowing === undefined
    ) {
      const send = (change: ClusterChange) => pod.send({ type: 'cluster-changes', changes: [change] })
      pod.stopFollowing = this.#options.follow(new DnsFeed({ apply: send }))
    }
    const env = [...this.#options.environment, ...spec.env]
    const usage = pod.meter && this.#options.usage.started(pod.spec, spec.name, pod.meter)
    pod.send({ type: 'start-container', spec: { ...spec, env }, usage })
  }

  stopContainer(uid: PodUid, container: string, grace: Micros): void {
    this.#pods.get(uid)?.send({ type: 'stop-container', container, grace })
  }

  updateVolume(uid: PodUid, volume: SandboxVolume): void {
    this.#pods.get(uid)?.send({ type: 'update-volume', volume })
  }

  removeSandbox(uid: PodUid): void {
    this.#pods.get(uid)?.send({ type: 'remove' })
  }

  forget(uid: PodUid): void {
    this.#logs.delete(uid)
  }

  exec(
    uid: PodUid,
    container: string,
    options: { readonly command: readonly string[]; readonly stdin: boolean; readonly tty: boolean },
  ): RemoteStreams {
    return this.#open(uid, { kind: 'exec', container, ...options })
  }

  attach(
    uid: PodUid,
    container: string,
    options: { readonly stdin: boolean; readonly tty: boolean },
  ): RemoteStreams {
    return this.#open(uid, { kind: 'attach', container, command: [], ...options })
  }

  portForward(uid: PodUid, port: number): ForwardStreams {
    return this.#open(uid, { kind: 'port-forward', port })
  }

  log(uid: PodUid, container: string, previous: boolean): readonly LogEntry[] {
    const logs = this.#logs.get(uid)?.get(container)
    return (previous ? logs?.previous : logs?.current)?.entries() ?? []
  }

  followLog(
    uid: PodUid,
    container: string,
    onEntry: (entry: LogEntry) => unknown,
    onEnd: () => void,
  ): () => void {
    const log = this.#logs.get(uid)?.get(container)?.current
    if (log === undefined) {
      onEnd()
      return () => {}
    }
    return log.follow(onEntry, onEnd)
  }

  /** Resolves when every pod that follows the cluster has seen all changes until now. */
  async barrier(): Promise<void> {
    const waits: Promise<void>[] = []
    for (const pod of this.#pods.values()) {
      if (pod.stopFollowing === undefined) continue
      const id = this.#nextId++
      waits.push(new Promise((resolve) => this.#barriers.set(id, resolve)))
      pod.send({ type: 'barrier', id })
    }
    await Promise.all(waits)
  }

  #open(uid: PodUid, options: StreamOptions): RemoteSession {
    const id = this.#nextId++
    const session: RemoteSession = new RemoteSession({
      id,
      send: (command) => this.#pods.get(uid)?.send(command),
      begin: (size) => {
        const pod = this.#pods.get(uid)
        if (pod === undefined) {
          const forward = options.kind === 'port-forward'
          return session.exit(1, forward ? 'pod not found' : `container not found ("${options.container}")`)
        }
        pod.sessions.set(id, session)
        const sized = size === undefined ? options : { ...options, size }
        pod.send({ type: 'stream-open', id, options: sized })
      },
    })
    return session
  }

  #handle(uid: PodUid, event: PodEvent): void {
    const pod = this.#pods.get(uid)
    switch (event.type) {
      case 'sandbox':
        return this.#sandboxEvent(uid, pod, event.event)
      case 'log':
        this.#logs.get(uid)?.get(event.container)?.current.append(event.entry)
        pod?.logTaken.get(event.container)?.add(event.entry.bytes.length)
        return
      case 'stream-output':
        return pod?.sessions.get(event.id)?.output(event.stream, event.bytes)
      case 'stream-input-taken':
        return pod?.sessions.get(event.id)?.inputTaken(event.bytes)
      case 'stream-output-end':
        return pod?.sessions.get(event.id)?.outputEnd()
      case 'stream-exit':
        pod?.sessions.get(event.id)?.exit(event.exitCode, event.error)
        pod?.sessions.delete(event.id)
        return
      case 'host-names-wanted': {
        const names = pod === undefined ? [] : this.#options.hostNames(pod.spec.namespace)
        return pod?.send({ type: 'host-names', id: event.id, names })
      }
      case 'barrier':
        this.#barriers.get(event.id)?.()
        this.#barriers.delete(event.id)
    }
  }

  #sandboxEvent(uid: PodUid, pod: PodRecord | undefined, event: SandboxEvent): void {
    const logs = this.#logs.get(uid)
    if (event.type === 'container-exited') {
      logs?.get(event.container)?.current.end()
      this.#options.usage.exited(uid, event.container)
    }
    if (event.type === 'sandbox-gone') this.#options.usage.gone(uid)
    if (event.type === 'sandbox-gone' && pod !== undefined) {
      this.#pods.delete(uid)
      pod.stopFollowing?.()
      for (const log of logs?.values() ?? []) log.current.end()
      for (const session of pod.sessions.values()) session.exit(137, event.reason)
    }
    this.onEvent?.(event)
  }
}
