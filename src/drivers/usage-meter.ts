// What pods and nodes use of processors and memory: counters (pod/usage.ts, threads' own) made into rates, as
// metrics-server makes them of the kubelets' figures. Every figure is of now, over a window that began a while ago; the
// points to begin at are taken when the control plane has something to do anyway, and no thread is asked.

import type { MetricsSource, PodUsage, Usage } from '../api/metrics.js'
import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import { CALLS, MEMORY_BYTES, SPENT_MICROS, type UsageCounters } from '../pod/usage.js'

/** As metrics-server's --metric-resolution. */
const RESOLUTION_MS = 15_000
/** A window shorter than this begins at the point before, if there is one. */
const SHORT_WINDOW_MS = 10_000
/** A figure over less than this would say nothing. */
const SHORTEST_WINDOW_MS = 1000
/** What one use of a socket or stream counts for when a thread's time is divided. */
const MICROS_PER_CALL = 5

/** What a thread has used so far. */
export interface ThreadUsage {
  /** How long its event loop was not waiting: a processor's time, unless the machine has too few processors. */
  readonly busyMicros: number
  readonly memoryBytes: number
}

/** Of a pod. */
export interface PodMeter {
  /** For one more container. */
  counters(): UsageCounters
  /** Of the thread that is the pod's alone; undefined where computing costs what programs say: the virtual clock. */
  thread?(): ThreadUsage
}

/** Threads that no pod owns, in real time. */
export interface SystemThreads {
  /** Kernel and kube-proxy of all nodes, and the pods with hostNetwork: each node is charged an equal part. */
  network(): ThreadUsage
  /** API server, controllers and scheduler: charged to the nodes of the control plane. */
  controlPlane(): ThreadUsage
}

export interface UsageMeterOptions {
  readonly unixMillis: () => number
  readonly nodes: readonly { readonly name: string; readonly controlPlane: boolean }[]
  readonly system: SystemThreads | undefined
  /** Why nobody's use is known. */
  readonly unavailable: string | undefined
}

interface Sample {
  readonly unixMillis: number
  readonly cpuMicros: number
}

/** Processor time so far, and the points where windows begin. */
class CpuTime {
  micros = 0
  #older: Sample | undefined
  #last: Sample

  constructor(unixMillis: number) {
    this.#last = { unixMillis, cpuMicros: 0 }
  }

  mark(unixMillis: number): void {
    this.#older = this.#last
    this.#last = { unixMillis, cpuMicros: this.micros }
  }

  /** Of one processor, 1 is all of it; undefined when it is too early to tell. */
  rate(unixMillis: number): { readonly cores: number; readonly windowMillis: number } | undefined {
    const isShort = unixMillis - this.#last.unixMillis < SHORT_WINDOW_MS
    const { unixMillis: from, cpuMicros } = isShort && this.#older ? this.#older : this.#last
    const windowMillis = unixMillis - from
    if (windowMillis < SHORTEST_WINDOW_MS) return undefined
    return { cores: Math.max(0, (this.micros - cpuMicros) / (windowMillis * 1000)), windowMillis }
  }
}

interface ContainerRecord {
  readonly counters: UsageCounters
  readonly cpu: CpuTime
  /** What of its computing and calls has been charged. */
  work: number
}

interface PodRecord {
  readonly node: string
  readonly meter: PodMeter
  readonly containers: Map<string, ContainerRecord>
  /** Of its thread, what has been charged. */
  busyMicros: number
}

interface SystemRecord {
  readonly usage: () => ThreadUsage
  readonly cpu: CpuTime
}

export class UsageMeter implements MetricsSource {
  readonly unavailable: string | undefined
  readonly #options: UsageMeterOptions
  readonly #pods = new Map<PodUid, PodRecord>()
  readonly #network: SystemRecord | undefined
  readonly #controlPlane: SystemRecord | undefined
  #nextMark: number

  constructor(options: UsageMeterOptions) {
    this.#options = options
    this.unavailable = options.unavailable
    const now = options.unixMillis()
    this.#nextMark = now + RESOLUTION_MS
    const { system } = options
    if (system === undefined) return
    this.#network = { usage: () => system.network(), cpu: new CpuTime(now) }
    this.#controlPlane = { usage: () => system.controlPlane(), cpu: new CpuTime(now) }
  }

  /** A container is about to start: what it is to count with. */
  started({ uid, nodeName }: SandboxSpec, container: string, meter: PodMeter): UsageCounters {
    const pod = this.#pods.get(uid) ?? { node: nodeName, meter, containers: new Map(), busyMicros: 0 }
    this.#pods.set(uid, pod)
    // What the others did before is theirs.
    charge(pod)
    const counters = meter.counters()
    pod.containers.set(container, { counters, cpu: new CpuTime(this.#options.unixMillis()), work: 0 })
    return counters
  }

  exited(uid: PodUid, container: string): void {
    const pod = this.#pods.get(uid)
    if (pod === undefined) return
    charge(pod)
    pod.containers.delete(container)
  }

  gone(uid: PodUid): void {
    this.#pods.delete(uid)
  }

  /** Whenever something is done anyway. */
  tick(): void {
    const now = this.#options.unixMillis()
    if (now < this.#nextMark) return
    this.#nextMark = now + RESOLUTION_MS
    for (const pod of this.#pods.values()) {
      charge(pod)
      for (const { cpu } of pod.containers.values()) cpu.mark(now)
    }
    for (const record of [this.#network, this.#controlPlane]) {
      if (record === undefined) continue
      record.cpu.micros = record.usage().busyMicros
      record.cpu.mark(now)
    }
  }

  pod(uid: PodUid): PodUsage | undefined {
    const record = this.#pods.get(uid)
    if (record === undefined || record.containers.size === 0) return undefined
    charge(record)
    const now = this.#options.unixMillis()
    const bytes = memoryOf(record)
    let windowMillis = 0
    const containers: PodUsage['containers'][number][] = []
    for (const [name, { cpu }] of record.containers) {
      const rate = cpu.rate(now)
      // As metrics-server: a pod one of whose containers has no figures yet has none.
      if (rate === undefined) return undefined
      windowMillis = Math.max(windowMillis, rate.windowMillis)
      containers.push({ name, cores: rate.cores, memoryBytes: bytes.get(name)! })
    }
    return { windowMillis, containers }
  }

  /** The sum of its pods, and its part of the threads that no pod owns. */
  node(name: string): Usage | undefined {
    const { nodes } = this.#options
    const node = nodes.find((other) => other.name === name)
    if (node === undefined) return undefined
    const parts: Usage[] = []
    const share = (record: SystemRecord | undefined, among: number) => {
      const usage = record && this.#system(record)
      if (usage === undefined) return
      const { cores, memoryBytes, windowMillis } = usage
      parts.push({ windowMillis, cores: cores / among, memoryBytes: memoryBytes / among })
    }
    share(this.#network, nodes.length)
    if (node.controlPlane) share(this.#controlPlane, nodes.filter(({ controlPlane }) => controlPlane).length)
    for (const [uid, record] of this.#pods) {
      const usage = record.node === name ? this.pod(uid) : undefined
      for (const { cores, memoryBytes } of usage?.containers ?? [])
        parts.push({ windowMillis: usage!.windowMillis, cores, memoryBytes })
    }
    return {
      windowMillis: Math.max(SHORTEST_WINDOW_MS, ...parts.map(({ windowMillis }) => windowMillis)),
      cores: parts.reduce((sum, { cores }) => sum + cores, 0),
      memoryBytes: parts.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    }
  }

  #system({ usage, cpu }: SystemRecord): Usage | undefined {
    const { busyMicros, memoryBytes } = usage()
    cpu.micros = busyMicros
    const rate = cpu.rate(this.#options.unixMillis())
    return rate && { ...rate, memoryBytes }
  }
}

/**
 * Charges its containers for the processor time that the pod used since the last time: what each said that it spent;
 * with a thread of its own the thread's time, divided by how much each of them did meanwhile.
 */
function charge(pod: PodRecord): void {
  const containers = [...pod.containers.values()]
  const works = containers.map((container) => {
    const { counters, work } = container
    container.work = counters[SPENT_MICROS]! + counters[CALLS]! * MICROS_PER_CALL
    return container.work - work
  })
  const thread = pod.meter.thread?.()
  if (thread === undefined) {
    for (const { cpu, counters } of containers) cpu.micros = counters[SPENT_MICROS]!
    return
  }
  const busy = Math.max(0, thread.busyMicros - pod.busyMicros)
  if (containers.length === 0) return
  pod.busyMicros = thread.busyMicros
  const sum = works.reduce((total, work) => total + work, 0)
  for (const [index, { cpu }] of containers.entries())
    cpu.micros += sum > 0 ? (busy * works[index]!) / sum : busy / containers.length
}

/** What each container keeps, and an equal part of what else its thread does. */
function memoryOf({ meter, containers }: PodRecord): Map<string, number> {
  const own = [...containers].map(([name, { counters }]) => [name, counters[MEMORY_BYTES]!] as const)
  const kept = own.reduce((sum, [, bytes]) => sum + bytes, 0)
  const shared = Math.max(0, (meter.thread?.().memoryBytes ?? 0) - kept) / containers.size
  return new Map(own.map(([name, bytes]) => [name, bytes + shared]))
}
