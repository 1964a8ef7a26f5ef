// A cluster that is up already, loaded for one round and left as it was: the pods and Services that the round has made go,
// kube-proxies work in their modes again, workloads have the replicas and wires the faults that they had. Everything goes
// over its API server (drivers/remote-cluster.ts).

import { setTimeout as sleep } from 'node:timers/promises'
import { MINUTE, type Micros, SECOND } from '../base/time.js'
import type { Pod, Service } from '../cluster/objects.js'
import type { ClusterAddress } from '../drivers/cluster-client.js'
import { RemoteCluster } from '../drivers/remote-cluster.js'
import type { RunnableDocument } from '../scenario/document.js'
import { openStage, type World } from '../scenario/run.js'
import type { Stage } from '../scenario/stage.js'
import type { BenchCluster, OpenBenchCluster } from './bench-cluster.js'
import { clientProblem, isUnschedulable } from './client-pods.js'
import { HEADLESS } from './plan.js'
import { madeInRound, TargetError } from './service-target.js'
import { replicasOf, scaleTo } from './workload-replicas.js'

const CLIENTS_TIMEOUT: Micros = MINUTE
/** Nodes do not grow: who has no place when the clients of the last round have left theirs will have none. */
const PLACE_TIMEOUT: Micros = SECOND
/** A cluster with pods that never become ready does not come to rest: it is not waited for any longer. */
const REST_TIMEOUT: Micros = 5 * SECOND
const POLL_MS = 50

/** The modes of its kube-proxies, as one word; several are joined by `+`. Rejects as RemoteCluster.open does. */
export async function liveProxyMode(address: ClusterAddress): Promise<string> {
  const cluster = await RemoteCluster.open(address)
  try {
    return modeText(cluster)
  } finally {
    await cluster.close()
  }
}

function modeText(cluster: RemoteCluster): string {
  return [...new Set(cluster.nodes.map((node) => cluster.proxyMode(node)))].join('+')
}

/** `document`: where steps are done; it has no manifests. Opening rejects as RemoteCluster.open does. */
export function liveClusters(
  address: ClusterAddress,
  document: RunnableDocument,
  world: World,
): OpenBenchCluster {
  return async (mode, { signal }) => {
    const cluster = await RemoteCluster.open(address)
    const leave = () => cluster.leave(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    const round = new LiveRound(cluster, await openStage(document, cluster, { signal }, world), () =>
      signal.removeEventListener('abort', leave),
    )
    try {
      signal.throwIfAborted()
      if (mode !== HEADLESS && mode !== modeText(cluster)) await cluster.setProxyMode(mode)
      return round
    } catch (error) {
      await round.close(Promise.resolve())
      throw error
    }
  }
}

class LiveRound implements BenchCluster {
  readonly stage: Stage
  readonly id = Math.random().toString(36).slice(2, 7).padEnd(5, '0')
  readonly #cluster: RemoteCluster
  readonly #modes: ReadonlyMap<string, string>
  readonly #replicas: ReadonlyMap<string, number>
  readonly #closed: () => void

  constructor(cluster: RemoteCluster, stage: Stage, closed: () => void) {
    this.#cluster = cluster
    this.stage = stage
    this.#modes = new Map(cluster.nodes.map((node) => [node, cluster.proxyMode(node)]))
    this.#replicas = replicasOf(cluster.api)
    this.#closed = closed
  }

  async settle(): Promise<void> {
    const until = this.#cluster.now() + CLIENTS_TIMEOUT
    let placeUntil: Micros | undefined
    for (;;) {
      const pods = this.#made<Pod>('pods')
      const problem = clientProblem(pods)
      if (problem === undefined) break
      const now = this.#cluster.now()
      placeUntil = pods.some(isUnschedulable) ? (placeUntil ?? now + PLACE_TIMEOUT) : undefined
      if (now > (placeUntil ?? until)) throw problem
      await this.#cluster.run(sleep(POLL_MS))
    }
    await this.#cluster.run(this.#cluster.settle(REST_TIMEOUT))
  }

  async close(work: Promise<unknown>): Promise<void> {
    await work
    try {
      this.#remove()
      const scaled = [...replicasOf(this.#cluster.api)].filter(
        ([path, now]) => (this.#replicas.get(path) ?? now) !== now,
      )
      for (const [path] of scaled) scaleTo(this.#cluster.api, path, this.#replicas.get(path)!)
      await this.#cluster.resetLinks()
      for (const [node, mode] of this.#modes)
        if (this.#cluster.proxyMode(node) !== mode) await this.#cluster.setProxyMode(mode, node)
      if (scaled.length > 0) await this.#cluster.settle(REST_TIMEOUT)
    } catch (error) {
      throw new TargetError(`the cluster could not be put back as it was: ${(error as Error).message}`)
    } finally {
      this.#closed()
      await this.#cluster.close()
    }
  }

  #remove(): void {
    for (const plural of ['pods', 'services'] as const) {
      for (const { metadata } of this.#made<Pod | Service>(plural)) {
        const path = `/api/v1/namespaces/${metadata.namespace}/${plural}/${metadata.name}`
        this.#cluster.api.request({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 } })
      }
    }
  }

  #made<Kind>(plural: 'pods' | 'services'): readonly Kind[] {
    return madeInRound(this.#cluster.api, plural, this.id)
  }
}
