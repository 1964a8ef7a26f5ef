// A cluster for one round alone: the document's, started in the round's mode with its manifests, and ended with it.

import { MINUTE, type Micros } from '../base/time.js'
import type { Emulation, EmulationOptions } from '../drivers/emulation.js'
import { SERVICE_TIME_VARIABLE, WORKERS_VARIABLE } from '../pod/load/service-time.js'
import { clusterOptions, type RunnableDocument } from '../scenario/document.js'
import { openStage, untilAborted, type World } from '../scenario/run.js'
import type { BenchCluster, OpenBenchCluster } from './bench-cluster.js'
import { clientProblem } from './client-pods.js'
import { type BenchPlan, HEADLESS } from './plan.js'
import { madeInRound } from './service-target.js'

const SETTLE_TIMEOUT: Micros = 2 * MINUTE
/** Clients that balance by themselves need no kube-proxy; they get one all the same, for DNS. */
const MODE_OF_HEADLESS = 'iptables'
/** The only one that the cluster sees. */
const ROUND = '1'

/** Opening rejects with SourceError when a manifest is refused; everything is closed then. */
export function ownClusters(document: RunnableDocument, plan: BenchPlan, world: World): OpenBenchCluster {
  return async (mode, { seed, signal }) => {
    const emulation = await world.startEmulation(emulationOptions(document, plan, mode, seed))
    try {
      return await untilAborted(signal, applied(document, emulation, signal, world))
    } catch (error) {
      await emulation.close()
      throw error
    }
  }
}

async function applied(
  document: RunnableDocument,
  emulation: Emulation,
  signal: AbortSignal,
  world: World,
): Promise<BenchCluster> {
  return {
    stage: await openStage(document, emulation, { signal }, world),
    id: ROUND,
    settle: async () => {
      await emulation.settle(SETTLE_TIMEOUT)
      const problem = clientProblem(madeInRound(emulation.api, 'pods', ROUND))
      if (problem !== undefined) throw problem
    },
    close: () => emulation.close(),
  }
}

function emulationOptions(
  document: RunnableDocument,
  { serviceTime, workers, clock, podsPerThread, networkThreads }: BenchPlan,
  mode: string,
  seed: number,
): EmulationOptions {
  const { cluster, startTime } = document.settings
  return {
    cluster: clusterOptions(cluster),
    clock,
    seed,
    ...(clock === 'real' ? { podsPerThread, networkThreads } : {}),
    proxyMode: mode === HEADLESS ? MODE_OF_HEADLESS : mode,
    ...(startTime === undefined ? {} : { startTime }),
    ...(serviceTime === undefined
      ? {}
      : { environment: { [SERVICE_TIME_VARIABLE]: serviceTime, [WORKERS_VARIABLE]: String(workers) } }),
  }
}
