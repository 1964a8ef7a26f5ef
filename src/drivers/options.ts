// What an emulation runs with, every value settled.

import type { Micros } from '../base/time.js'
import { type ClusterConfig, resolveClusterConfig } from '../cluster/cluster-config.js'
import type { SandboxSpec } from '../cluster/sandbox.js'
import { DEFAULT_PROXY_SETTING, type ProxySetting, parseProxySetting } from '../proxy/proxy-mode.js'
import type { ClockKind, EmulationOptions, PodsPerThread } from './emulation.js'

export interface ResolvedOptions {
  readonly config: ClusterConfig
  readonly clock: ClockKind
  readonly seed: number
  readonly startUnixMillis: number
  readonly podsPerThread: PodsPerThread
  /** At most one for each node, and at most 64. */
  readonly networkThreads: number
  readonly pollMicros: Micros | undefined
  readonly pcap: string | undefined
  readonly lenient: boolean
  /** Of every container, before its own: `name`, `value`. */
  readonly environment: readonly (readonly [string, string])[]
  /** How each node's kube-proxy works at first, by node. */
  readonly proxies: Readonly<Record<string, ProxySetting>>
  readonly dns: { readonly clusterDomain: string; readonly strict: boolean }
  /** How a pod's wire is named in captures: `curl`, `kube-system/coredns-...`. */
  readonly podName: (spec: SandboxSpec) => string
}

/** Where emulated time starts under the virtual clock when nobody says otherwise: every run is alike. */
export const DEFAULT_START_TIME = '2021-09-13T12:36:28Z'

/** More than cores that anybody has for it: each two of them have rings between them, and each has a heap of its own. */
const MOST_NETWORK_THREADS = 64

/** Throws a TypeError that names the option which cannot be. */
export function resolveOptions(options: EmulationOptions): ResolvedOptions {
  const clock = options.clock ?? 'virtual'
  const seed = options.seed ?? 1
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new TypeError(`seed: ${seed} is not a whole number from 0 on`)
  const config = resolveClusterConfig(options.cluster)
  return {
    config,
    clock,
    seed,
    startUnixMillis: startMillis(options.startTime, clock),
    podsPerThread: podsPerThread(options, clock),
    networkThreads: networkThreads(options, clock, config.nodes.length),
    pollMicros: pollMicros(options, clock),
    pcap: options.pcap,
    lenient: options.lenient ?? false,
    environment: Object.entries(options.environment ?? {}),
    proxies: proxySettings(options, config),
    dns: { clusterDomain: config.clusterDomain, strict: options.cluster?.dns?.strict ?? false },
    podName: (spec) => (spec.namespace === 'default' ? spec.name : `${spec.namespace}/${spec.name}`),
  }
}

function proxySettings(options: EmulationOptions, config: ClusterConfig): Record<string, ProxySetting> {
  const own = new Map(options.cluster?.nodes?.map((node) => [node.name, node.proxyMode]))
  return Object.fromEntries(
    config.nodes.map(({ name }) => {
      const mode = options.proxyMode ?? own.get(name) ?? options.cluster?.proxyMode
      return [name, mode === undefined ? DEFAULT_PROXY_SETTING : parseProxySetting(mode)]
    }),
  )
}

function podsPerThread({ podsPerThread }: EmulationOptions, clock: ClockKind): PodsPerThread {
  if (podsPerThread === undefined) return 1
  if (clock !== 'real')
    throw new TypeError('podsPerThread: the virtual clock runs everything in one thread; only for clock real')
  if (podsPerThread === 'all' || (Number.isSafeInteger(podsPerThread) && podsPerThread >= 1))
    return podsPerThread
  throw new TypeError(`podsPerThread: ${podsPerThread} is neither a whole number from 1 on nor all`)
}

function networkThreads({ networkThreads }: EmulationOptions, clock: ClockKind, nodes: number): number {
  if (networkThreads === undefined) return 1
  if (clock !== 'real')
    throw new TypeError(
      'networkThreads: the virtual clock runs everything in one thread; only for clock real',
    )
  if (networkThreads === 'per-node') return Math.min(nodes, MOST_NETWORK_THREADS)
  if (Number.isSafeInteger(networkThreads) && networkThreads >= 1)
    return Math.min(networkThreads, nodes, MOST_NETWORK_THREADS)
  throw new TypeError(`networkThreads: ${networkThreads} is neither a whole number from 1 on nor per-node`)
}

function pollMicros({ pollMicros }: EmulationOptions, clock: ClockKind): Micros | undefined {
  if (pollMicros === undefined) return undefined
  if (clock !== 'real')
    throw new TypeError('pollMicros: the virtual clock has no threads that wait; only for clock real')
  if (Number.isSafeInteger(pollMicros) && pollMicros >= 0) return pollMicros
  throw new TypeError(`pollMicros: ${pollMicros} is not a whole number from 0 on`)
}

function startMillis(startTime: string | undefined, clock: ClockKind): number {
  if (startTime === undefined) return clock === 'real' ? Date.now() : Date.parse(DEFAULT_START_TIME)
  const millis = Date.parse(startTime)
  if (Number.isNaN(millis)) {
    throw new TypeError(
      `start time: ${startTime} is not an ISO 8601 date and time like ${DEFAULT_START_TIME}`,
    )
  }
  return millis
}
