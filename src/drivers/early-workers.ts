// Worker threads of an emulation, some of which start before it is known what they will be: they boot and load their
// code while the cluster's thread loads its own and puts the control plane together. What a worker is to be comes as its
// first message. Only those are started early that every cluster needs: the threads of the network and of its DNS pods.

import { Worker } from 'node:worker_threads'
import { DNS_MEMORY_MEBIBYTES } from '../cluster/sandbox.js'
import type { ResolvedOptions } from './options.js'

/** As many as the cluster's DNS has pods (cluster/bootstrap.ts). */
const EARLY_PODS = 2

/**
 * Of a thread of the network: what a short connection leaves for a while, in its TIME-WAIT and conntrack's, is copied less
 * often by the garbage collector, and most of the rest never.
 */
const NETWORK_YOUNG_MB = 96

/** A pod's heap holds the programs' code and its buffers; what it may use beyond that is its memory limit. */
const BASE_HEAP_MB = 32
const MEBIBYTE = 1024 * 1024
const DNS_MEMORY_BYTES = DNS_MEMORY_MEBIBYTES * MEBIBYTE

export class EarlyWorkers {
  readonly #network = new Set<Worker>()
  readonly #pods = new Set<Worker>()

  constructor({ networkThreads, podsPerThread }: Pick<ResolvedOptions, 'networkThreads' | 'podsPerThread'>) {
    for (let i = 0; i < networkThreads; i++) this.#keep(this.#network, networkWorker())
    if (podsPerThread === 'all') return
    const early = Math.ceil(EARLY_PODS / podsPerThread)
    for (let i = 0; i < early; i++)
      this.#keep(this.#pods, podWorker(podsPerThread === 1 ? DNS_MEMORY_BYTES : undefined))
  }

  /** For one thread of the network. */
  network(): Worker {
    return take(this.#network) ?? networkWorker()
  }

  /** For a pod with so much memory, or for several: what they may use is not limited by their thread. */
  pods(memoryLimitBytes: number | undefined): Worker {
    const early = memoryLimitBytes === undefined || memoryLimitBytes === DNS_MEMORY_BYTES
    return (early ? take(this.#pods) : undefined) ?? podWorker(memoryLimitBytes)
  }

  /** Ends those that nobody took. */
  async close(): Promise<void> {
    await Promise.all([...this.#network, ...this.#pods].map((worker) => worker.terminate()))
  }

  /** One that dies before it is wanted is not given to anybody. */
  #keep(workers: Set<Worker>, worker: Worker): void {
    workers.add(worker)
    const forget = () => void workers.delete(worker)
    worker.on('error', forget)
    worker.on('exit', forget)
  }
}

function take(workers: Set<Worker>): Worker | undefined {
  const [worker] = workers
  if (worker !== undefined) workers.delete(worker)
  return worker
}

/** `stdin`: nothing comes by it; without it Node makes a stream of it in the thread, to say so. */
function networkWorker(): Worker {
  return new Worker(new URL('./network-worker.cjs', import.meta.url), {
    name: 'network',
    stdin: true,
    resourceLimits: { maxYoungGenerationSizeMb: NETWORK_YOUNG_MB },
  })
}

function podWorker(memoryLimitBytes: number | undefined): Worker {
  const resourceLimits = memoryLimitBytes !== undefined && {
    maxOldGenerationSizeMb: BASE_HEAP_MB + Math.ceil(memoryLimitBytes / MEBIBYTE),
  }
  return new Worker(new URL('./pod-worker.cjs', import.meta.url), {
    name: 'pods',
    stdin: true,
    ...(resourceLimits && { resourceLimits }),
  })
}
