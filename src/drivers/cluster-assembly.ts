// Puts the control plane together: object store and controllers, pods' supervisor, API server. The same in every
// driver; what differs comes in: where pods are placed, what time it is, who carries changes to the proxies.

import type { Api } from '../api/request.js'
import { ApiServer } from '../api/server.js'
import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import { ControlPlane } from '../cluster/control-plane.js'
import type { ClusterFollower } from '../cluster/feed.js'
import type { ProbeRequest, ProbeResult } from '../cluster/prober.js'
import type { StartDelays } from '../cluster/start-delays.js'
import { hostNames } from '../dns/host-names.js'
import type { CertificateAuthority } from '../http/certificates.js'
import { imageNames } from '../pod/images/index.js'
import { ClusterProber } from './cluster-prober.js'
import type { ResolvedOptions } from './options.js'
import { type PodPlacement, PodSupervisor } from './pod-supervisor.js'
import { type SystemThreads, UsageMeter } from './usage-meter.js'

/** What kube-proxy watches, and what the DNS server watches. */
const PROXY_RESOURCES = ['nodes', 'services', 'endpointslices']
const DNS_RESOURCES = ['namespaces', 'services', 'endpointslices', 'pods']

export interface AssemblyOptions {
  readonly options: ResolvedOptions
  readonly random: Random
  readonly placement: PodPlacement
  readonly unixMillis: () => number
  readonly followNetwork: ClusterFollower
  /** Takes a probe that goes over the network; how it went is told to `probeResult`. */
  readonly probeNetwork: (request: ProbeRequest) => void
  /** ControlPlaneOptions.tokenKey. */
  readonly tokenKey?: Uint8Array
  /** ControlPlaneOptions.heartbeats. */
  readonly heartbeats: boolean
  /** ControlPlaneOptions.startDelays. */
  readonly startDelays: StartDelays
  /** UsageMeterOptions. */
  readonly system: SystemThreads | undefined
  readonly usageUnavailable: string | undefined
  /** Whom the pods trust for the API server. */
  readonly certificates: CertificateAuthority
}

export class ClusterAssembly {
  readonly control: ControlPlane
  readonly supervisor: PodSupervisor
  readonly api: Api
  readonly #usage: UsageMeter
  readonly #prober: ClusterProber

  constructor(assembly: AssemblyOptions) {
    const { options, random, placement } = assembly
    this.#usage = new UsageMeter({
      unixMillis: assembly.unixMillis,
      nodes: options.config.nodes,
      system: assembly.system,
      unavailable: assembly.usageUnavailable,
    })
    this.supervisor = new PodSupervisor({
      placement,
      usage: this.#usage,
      images: imageNames(),
      environment: options.environment,
      hostNames: (namespace) => {
        const { store } = this.control
        return hostNames(namespace, store.list('services'), store.list('endpointslices'))
      },
      follow: (follower) => this.control.follow(DNS_RESOURCES, follower),
    })
    this.#prober = new ClusterProber(this.supervisor, assembly.probeNetwork)
    this.control = new ControlPlane({
      config: options.config,
      random: random.fork('control plane'),
      runtime: this.supervisor,
      startUnixMillis: options.startUnixMillis,
      lenient: options.lenient,
      tokenKey: assembly.tokenKey,
      prober: this.#prober,
      heartbeats: assembly.heartbeats,
      startDelays: assembly.startDelays,
      authority: assembly.certificates.certificate,
    })
    this.control.follow(PROXY_RESOURCES, assembly.followNetwork)
    this.api = new ApiServer({
      store: this.control.store,
      writer: this.control.admission,
      streams: this.supervisor,
      metrics: this.#usage,
      tokens: this.control.tokens,
      unixMillis: assembly.unixMillis,
    })
  }

  /** Lets the control plane do what is due. */
  advance(now: Micros): void {
    this.control.advance(now)
    this.#usage.tick()
  }

  /** How a request given to `probeNetwork` went. */
  probeResult(id: number, result: ProbeResult): void {
    this.#prober.onResult?.(id, result)
  }
}
