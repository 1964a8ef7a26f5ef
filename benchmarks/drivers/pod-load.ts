// A whole cluster in real time with three nginx behind a ClusterIP, and the built-in load client in a pod of its own:
// what `podwire bench --clock real` runs, kept over all rounds. With a thread per pod, or every pod in one.

import { LoadStream } from '../../src/bench/load-stream.js'
import type { EmulationOptions } from '../../src/drivers/emulation.js'
import { startEmulation } from '../../src/drivers/start.js'
import {
  LATE,
  LATENCY,
  LOAD_COMMAND,
  type LoadSpec,
  OUTCOME,
  RECORD_WORDS,
} from '../../src/pod/load/load-spec.js'
import { RunningCluster } from '../../src/scenario/running-cluster.js'
import { world } from '../../src/scenario/world.js'
import { type Contestant, median } from '../contestant.js'

const HEAD_START = 100_000
const SECOND = 1_000_000

const OBJECTS = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    ...[1, 2, 3].map((number) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `web-${number}`, labels: { app: 'web' } },
      spec: { containers: [{ name: 'nginx', image: 'nginx' }] },
    })),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, clusterIP: '10.97.0.1', ports: [{ port: 80 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'client' },
      spec: { containers: [{ name: 'load', image: 'podwire/load' }] },
    },
  ],
}

/** How the cluster is laid out in threads. */
export type Placement = Pick<EmulationOptions, 'podsPerThread' | 'networkThreads' | 'pollMicros'>

export interface LoadFigures {
  readonly requestsPerSecond: number
  /** From sending to the end of the answer. */
  readonly medianMicros: number
}

export class PodLoad {
  readonly cluster: RunningCluster

  private constructor(cluster: RunningCluster) {
    this.cluster = cluster
  }

  static async start(proxyMode: string, options: Placement, objects: object = OBJECTS): Promise<PodLoad> {
    const emulation = await startEmulation({ clock: 'real', proxyMode, ...options })
    const load = new PodLoad(new RunningCluster(emulation, await world.hostPrograms(emulation), '/'))
    try {
      await load.cluster.apply(objects)
      await load.cluster.settle()
      return load
    } catch (error) {
      await load.stop()
      throw error
    }
  }

  /** HTTP GETs of the page through the ClusterIP, unless `spec` says otherwise. Rejects when a request fails. */
  async run(seconds: number, spec: Partial<LoadSpec>): Promise<LoadFigures> {
    const { emulation } = this.cluster
    let ended = 0
    const latencies: number[] = []
    const failed: number[] = []
    const stream = new LoadStream({
      connections: () => {},
      requests: (words) => {
        for (let at = 0; at < words.length; at += RECORD_WORDS) {
          if (words[at + OUTCOME] !== 0) failed.push(words[at + OUTCOME]!)
          else latencies.push(words[at + LATENCY]! - words[at + LATE]!)
        }
      },
      summary: (summary) => {
        ended = summary.ended
      },
    })
    const full: LoadSpec = {
      protocol: 'http',
      host: '10.97.0.1',
      port: 80,
      resolveEach: false,
      payload: '/',
      connections: 64,
      keepAlive: true,
      rate: 0,
      duration: seconds * SECOND,
      timeout: 5 * SECOND,
      ...spec,
      startAt: emulation.now() + HEAD_START,
    }
    const command = [LOAD_COMMAND, JSON.stringify(full)]
    const streams = emulation.api.exec({
      namespace: 'default',
      pod: 'client',
      stdin: false,
      tty: false,
      command,
    })
    if ('kind' in streams) throw new Error(streams.message ?? 'exec failed')
    const exit = await emulation.run(
      new Promise<{ exitCode: number; error?: string }>((resolve) => {
        streams.onOutput = (from, bytes) => {
          if (from === 'stdout') stream.push(bytes)
        }
        streams.onExit = resolve
      }),
    )
    if (exit.exitCode !== 0) throw new Error(`the load client failed: ${exit.error ?? exit.exitCode}`)
    if (failed.length > 0)
      throw new Error(`${failed.length} requests failed, the first with code ${failed[0]}`)
    return {
      requestsPerSecond: (latencies.length * SECOND) / ended,
      medianMicros: latencies.length === 0 ? 0 : median(latencies),
    }
  }

  stop(): Promise<void> {
    return this.cluster.close()
  }
}

/** Requests a second, 64 connections. */
export function podLoadContestant(
  name: string,
  proxyMode: string,
  placement: Placement,
  keepAlive: boolean,
  seconds: number,
): Contestant {
  let load: PodLoad | undefined
  return {
    name,
    start: async () => {
      load = await PodLoad.start(proxyMode, placement)
    },
    run: async () => {
      const before = process.cpuUsage()
      const { requestsPerSecond: value } = await load!.run(seconds, { keepAlive })
      const { user, system } = process.cpuUsage(before)
      const amount = value * seconds
      return { value, amount, also: { 'CPU µs/request': (user + system) / amount } }
    },
    stop: () => load?.stop(),
  }
}
