// Places every pod in a worker thread of its own. A thread that dies - out of memory, a bug - takes its pod with
// it and nothing else; the kubelet hears of it as of a sandbox that is gone.

import { MessageChannel, type Transferable, Worker } from 'node:worker_threads'
import type { SandboxSpec } from '../cluster/sandbox.js'
import { ringBuffer } from '../fabric/ring.js'
import type { PodCommand, PodEvent } from '../pod/protocol.js'
import type { NetworkCommand } from './network-protocol.js'
import type { ResolvedOptions } from './options.js'
import type { PodPlacement } from './pod-supervisor.js'
import type { PodWorkerData } from './pod-worker.js'

/** Threads that start at the same time: more make the first one ready later and the last one no earlier. */
const STARTING_AT_ONCE = 4

/** A pod's heap holds the programs' code and its buffers; what it may use beyond that is its memory limit. */
const BASE_HEAP_MB = 32
const MEBIBYTE = 1024 * 1024

export interface PodThreadsOptions {
  readonly options: ResolvedOptions
  readonly zero: number
  readonly toNetwork: (command: NetworkCommand, transfer?: readonly Transferable[]) => void
  /** Something happened that the control plane may have to look at. */
  readonly onEvent: () => void
}

export class PodThreads implements PodPlacement {
  readonly #options: PodThreadsOptions
  readonly #workers = new Set<Worker>()
  readonly #queue: (() => void)[] = []
  #starting = 0
  #closed = false

  constructor(options: PodThreadsOptions) {
    this.#options = options
  }

  create(spec: SandboxSpec, emit: (event: PodEvent) => void): { send(command: PodCommand): void } {
    if (this.#closed) return { send: () => {} }
    let worker: Worker | undefined
    const early: PodCommand[] = []
    this.#queue.push(() => {
      worker = this.#start(spec, emit)
      for (const command of early) worker.postMessage(command)
    })
    this.#startNext()
    return {
      send: (command) => {
        if (worker === undefined) early.push(command)
        else worker.postMessage(command)
      },
    }
  }

  /** Ends all pods' threads. */
  async close(): Promise<void> {
    this.#closed = true
    this.#queue.length = 0
    await Promise.all([...this.#workers].map((worker) => worker.terminate()))
  }

  #startNext(): void {
    while (this.#starting < STARTING_AT_ONCE && this.#queue.length > 0) {
      this.#starting++
      this.#queue.shift()!()
    }
  }

  #start(spec: SandboxSpec, emit: (event: PodEvent) => void): Worker {
    const { options, zero, toNetwork, onEvent } = this.#options
    const { port1, port2 } = new MessageChannel()
    const fromPod = ringBuffer()
    const toPod = ringBuffer()
    toNetwork(
      {
        type: 'add-pod',
        uid: spec.uid,
        name: options.podName(spec),
        node: spec.nodeName,
        wire: { outgoing: toPod, incoming: fromPod, bell: port1 },
        ports: { address: spec.address, hostPorts: spec.hostPorts },
      },
      [port1],
    )
    const data: PodWorkerData = {
      spec,
      seed: options.seed,
      startUnixMillis: options.startUnixMillis,
      zero,
      dns: options.dns,
      wire: { outgoing: fromPod, incoming: toPod, bell: port2 },
    }
    const worker = new Worker(new URL('./pod-worker.cjs', import.meta.url), {
      workerData: data,
      transferList: [port2],
      name: options.podName(spec),
      resourceLimits: { maxOldGenerationSizeMb: BASE_HEAP_MB + Math.ceil(spec.memoryLimitBytes / MEBIBYTE) },
    })
    this.#workers.add(worker)
    let isStarting = true
    let gone = false
    const started = () => {
      if (!isStarting) return
      isStarting = false
      this.#starting--
      this.#startNext()
    }
    const end = (reason: string | undefined) => {
      if (gone) return
      gone = true
      toNetwork({ type: 'remove-pod', uid: spec.uid })
      emit({
        type: 'sandbox',
        event: { type: 'sandbox-gone', uid: spec.uid, ...(reason === undefined ? {} : { reason }) },
      })
      onEvent()
    }
    worker.on('message', (event: PodEvent) => {
      started()
      if (event.type === 'sandbox' && event.event.type === 'sandbox-gone') {
        end(undefined)
        void worker.terminate()
        return
      }
      emit(event)
      onEvent()
    })
    worker.on('error', (error: Error & { code?: string }) =>
      end(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'OOMKilled' : error.message),
    )
    worker.on('exit', () => {
      this.#workers.delete(worker)
      started()
      if (!this.#closed) end('the pod ended by itself')
    })
    return worker
  }
}
