// The control plane with the kubelets of all nodes, as one object without clock or threads of its own: API clients
// write through `admission` and read from `store`, the driver gives time through `advance` and runs the pods.
// Read work-loop.ts first, then the controllers; kubelet.ts is the border to the pods.

import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import { Admission } from './admission.js'
import { bootstrapControlPlane, joinWorkers } from './bootstrap.js'
import { ClusterClock } from './clock.js'
import type { ClusterConfig } from './cluster-config.js'
import type { ControllerContext } from './controller-context.js'
import { CronJobController } from './cronjob-controller.js'
import { DaemonSetController } from './daemonset-controller.js'
import { DeploymentController } from './deployment-controller.js'
import { DisruptionController } from './disruption-controller.js'
import { EndpointsController } from './endpoints-controller.js'
import { EventRecorder } from './event-recorder.js'
import type { ClusterFollower } from './feed.js'
import { GarbageCollector } from './garbage-collector.js'
import { JobController } from './job-controller.js'
import { Kubelet } from './kubelet.js'
import { KubernetesService } from './kubernetes-service.js'
import { LoadBalancerController } from './load-balancer-controller.js'
import { NamespaceController } from './namespace-controller.js'
import { tellOfNodes } from './node-events.js'
import { NodeLeases } from './node-leases.js'
import type { ReplicaSet } from './objects.js'
import { OwnedPods } from './owned-pods.js'
import type { Prober } from './prober.js'
import { REPLICA_SETS, REPLICATION_CONTROLLERS, ReplicaSetController } from './replicaset-controller.js'
import { RootCaController } from './root-ca-controller.js'
import type { PodRuntime, SandboxEvent } from './sandbox.js'
import { Scheduler } from './scheduler.js'
import { ServiceAccountController } from './service-account-controller.js'
import { ServiceAccountTokens } from './service-account-tokens.js'
import { ServiceBackends } from './service-backends.js'
import { ServiceIndex } from './service-index.js'
import { SliceController } from './slice-controller.js'
import { EMULATED_DELAYS, type StartDelays } from './start-delays.js'
import { StatefulSetController } from './statefulset-controller.js'
import { MemoryStore, type ObjectStore } from './store.js'
import { WorkLoop } from './work-loop.js'

export interface ControlPlaneOptions {
  readonly config: ClusterConfig
  /** Names, uids and addresses are drawn from streams forked off it. */
  readonly random: Random
  /** Its `onEvent` is taken by the control plane. */
  readonly runtime: PodRuntime
  /** The date at emulated time 0. */
  readonly startUnixMillis: number
  /**
   * 32 bytes by which tokens of service accounts are signed. Without, they come from `random`: anybody can know them,
   * so that is only for a server that nobody reaches from outside.
   */
  readonly tokenKey?: Uint8Array | undefined
  /** The certificate of the API server's authority, PEM, for ConfigMaps `kube-root-ca.crt` and the files of pods; none are made without. */
  readonly authority?: string | undefined
  /** Without one, a container that runs is ready. */
  readonly prober?: Prober
  /**
   * For manifests that are to be looked at: objects are stored as they are (see Admission), pods that come with an
   * address are not run, and endpoint slices that come from outside stand as they are. Default false.
   */
  readonly lenient?: boolean
  /**
   * Whether `deadline` counts the nodes' heartbeats, so that they are written while nothing else happens. Default
   * false: an emulation that waits for nothing else is to see that nothing can happen any more.
   */
  readonly heartbeats?: boolean
  /** Default: those of emulated time. */
  readonly startDelays?: StartDelays
}

export class ControlPlane {
  readonly config: ClusterConfig
  readonly clock: ClusterClock
  readonly store: ObjectStore
  /** What clients create, update and delete. Call `advance` with the time first, so that timestamps are right. */
  readonly admission: Admission
  readonly tokens: ServiceAccountTokens
  readonly #loop = new WorkLoop()
  readonly #kubelet: Kubelet
  readonly #events: SandboxEvent[] = []
  readonly #leases: NodeLeases
  readonly #heartbeats: boolean

  constructor({
    config,
    random,
    runtime,
    startUnixMillis,
    tokenKey = keyOf(random.fork('token key')),
    authority,
    prober,
    lenient = false,
    heartbeats = false,
    startDelays = EMULATED_DELAYS,
  }: ControlPlaneOptions) {
    this.config = config
    this.#heartbeats = heartbeats
    this.clock = new ClusterClock(startUnixMillis)
    const store = new MemoryStore(this.clock, random.fork('store'))
    this.store = store
    this.admission = new Admission({
      store,
      clock: this.clock,
      random: random.fork('admission'),
      serviceSubnet: config.serviceSubnet,
      ipv6ServiceSubnet: config.ipv6?.serviceSubnet,
      nodePortRange: config.nodePortRange,
      lenient,
      apiAccess: authority !== undefined,
    })
    const { clusterDomain } = config
    this.tokens = new ServiceAccountTokens({
      key: tokenKey,
      random: random.fork('tokens'),
      clusterDomain,
      store,
      clock: this.clock,
    })
    const index = new ServiceIndex(store)
    const context: ControllerContext = {
      store,
      admission: this.admission,
      clock: this.clock,
      loop: this.#loop,
      events: new EventRecorder(store, this.clock),
      random: random.fork('controllers'),
      index,
      backends: new ServiceBackends(index),
      ownedPods: new OwnedPods(store),
      startDelays,
      lenient,
    }
    tellOfNodes(context)
    new NamespaceController(context)
    new ServiceAccountController(context)
    if (authority !== undefined) new RootCaController(context, authority)
    new GarbageCollector(context)
    new DeploymentController(context)
    new ReplicaSetController(context, REPLICA_SETS)
    new ReplicaSetController(context, REPLICATION_CONTROLLERS)
    new StatefulSetController(context)
    new DaemonSetController(context)
    new JobController(context)
    new CronJobController(context)
    new DisruptionController(context)
    new Scheduler(context)
    this.#kubelet = new Kubelet({ context, config, runtime, prober, tokens: this.tokens })
    this.#leases = new NodeLeases(context)
    new EndpointsController(context)
    new SliceController(context)
    new LoadBalancerController(context, config)
    new KubernetesService(context, config)
    runtime.onEvent = (event) => void this.#events.push(event)
    const target = { store, admission: this.admission, clock: this.clock, config, authority }
    bootstrapControlPlane(target)
    this.#loop.run(0)
    joinWorkers(target)
  }

  /** Lets happen what is due at `now`: events of the runtime, the work of the controllers. */
  advance(now: Micros): void {
    this.clock.now = Math.max(this.clock.now, now)
    this.#leases.renew()
    do {
      for (const event of this.#events.splice(0)) this.#kubelet.handle(event)
      this.#loop.run(this.clock.now)
    } while (this.#events.length > 0)
  }

  /** When `advance` wants to be called; a time that has passed when there is work now, NEVER when idle. */
  deadline(): Micros {
    if (this.#events.length > 0 || this.#loop.busy) return this.clock.now
    const next = this.#loop.deadline()
    return this.#heartbeats ? Math.min(next, this.#leases.deadline()) : next
  }

  /**
   * Has `follower` hear of the objects of `resources` (plural names) that are there, and of every change from now on,
   * within the call that makes it. The returned function ends it.
   */
  follow(resources: readonly string[], follower: ClusterFollower): () => void {
    const stops = resources.map((resource) => {
      for (const object of this.store.list(resource)) follower.apply({ type: 'ADDED', resource, object })
      return this.store.watch(resource, ({ type, object }) => follower.apply({ type, resource, object }))
    })
    return () => {
      for (const stop of stops) stop()
    }
  }

  /**
   * Whether nothing in the cluster changes any more by itself, but for back-off: nothing is queued, no pod is being
   * made or ended, no ready pod waits out minReadySeconds. Pods that crash, have no image or find no node count as
   * settled.
   */
  settled(): boolean {
    if (this.#events.length > 0 || this.#loop.busy || !this.#kubelet.settled()) return false
    return [REPLICA_SETS, REPLICATION_CONTROLLERS]
      .flatMap(({ resource }) => this.store.list<ReplicaSet>(resource))
      .every(({ status }) => (status?.availableReplicas ?? 0) === (status?.readyReplicas ?? 0))
  }
}

function keyOf(random: Random): Uint8Array {
  return Uint8Array.from({ length: 32 }, () => random.int(256))
}
