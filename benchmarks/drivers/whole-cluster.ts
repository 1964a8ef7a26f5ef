// What a cluster costs as a whole process: from its start to the first answer of a Deployment through its ClusterIP, in
// memory, and while nobody uses it. Each round is a process of its own (cluster-process.ts).

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Absent, type Benchmark, type Contestant, type Measurement } from '../contestant.js'
import { endWithUs, quickEnvironment } from '../rivals/programs.js'
import { webernetes } from '../rivals/webernetes.js'
import { PACKED, THREADS } from '../targets.js'
import { type ClusterReport, type ClusterRequest, clusterManifest } from './cluster-process.js'

const PROCESS = fileURLToPath(new URL('./cluster-process.js', import.meta.url))
const LIMIT_MS = 300_000
const IDLE_SECONDS = 10
/** Before that; V8 collects garbage for so long. */
const REST_SECONDS = 30

type Size = Omit<ClusterRequest, 'manifest'>

export const start: Benchmark = {
  name: 'drivers/start',
  unit: 's',
  seconds: 85,
  warmUp: false,
  measure: 'value',
  better: 'lower',
  note: 'a process from its start to the first 200 through a ClusterIP, all pods ready; userspace mode, 3 nodes (1,000 pods: 30)',
  contestants: (quick) => [
    clusterProcess(`3 pods, ${THREADS}`, { pods: 3, podsPerThread: 1 }),
    clusterProcess(`3 pods, ${PACKED}`, { pods: 3, podsPerThread: 'all' }),
    quick
      ? leftOut(`100 pods, ${THREADS}`)
      : clusterProcess(`100 pods, ${THREADS}`, { pods: 100, podsPerThread: 1 }),
    clusterProcess(`100 pods, ${PACKED}`, { pods: 100, podsPerThread: 'all' }),
    clusterProcess(`1,000 pods, ${PACKED}`, { pods: 1000, nodes: 30, podsPerThread: 'all' }),
    clusterProcess(`300 pods, ${PACKED}`, { pods: 300, podsPerThread: 'all' }),
    webernetes(3),
    webernetes(100),
    ...(quick ? [] : [webernetes(300)]),
  ],
}

export const largeCluster: Benchmark = {
  name: 'drivers/large-cluster',
  unit: 's',
  seconds: 50,
  warmUp: false,
  limitSeconds: 150,
  measure: 'value',
  better: 'lower',
  rounds: 1,
  note: '10,000 pods of one Deployment on 1,000 nodes in one thread, userspace mode; until the first 200 through its ClusterIP',
  contestants: (quick) =>
    quick
      ? [
          clusterProcess('1,000 pods on 100 nodes', { pods: 1000, nodes: 100, podsPerThread: 'all' }),
          leftOut('10,000 pods on 1,000 nodes'),
        ]
      : [clusterProcess('10,000 pods on 1,000 nodes', { pods: 10_000, nodes: 1000, podsPerThread: 'all' })],
}

export const idle: Benchmark = {
  name: 'drivers/idle',
  unit: '% of a core',
  seconds: 88,
  warmUp: false,
  limitSeconds: 90,
  measure: 'value',
  better: 'lower',
  rounds: 1,
  note: `a cluster that nobody uses, over ${IDLE_SECONDS} s, begun ${REST_SECONDS} s after its first answer: V8 collects garbage before`,
  contestants: (quick) => {
    const idle = quick
      ? { restSeconds: 20, seconds: 5 }
      : { restSeconds: REST_SECONDS, seconds: IDLE_SECONDS }
    return [
      clusterProcess('100 pods', { pods: 100, podsPerThread: 1, idle }, 'idlePercent'),
      clusterProcess(`100 pods, ${PACKED}`, { pods: 100, podsPerThread: 'all', idle }, 'idlePercent'),
    ]
  },
}

/** What a quick run has no time for. */
function leftOut(name: string): Contestant {
  const absent = () => {
    throw new Absent('left out by --quick')
  }
  return { name, start: absent, run: absent }
}

/** The figure: seconds until the first answer, or what the report's `figure` says. */
function clusterProcess(name: string, size: Size, figure?: 'idlePercent'): Contestant {
  let directory: string
  return {
    name,
    start: () => {
      directory = mkdtempSync(join(tmpdir(), 'podwire-bench-'))
      writeFileSync(join(directory, 'cluster.yaml'), clusterManifest(size.pods))
    },
    run: async () => {
      const request: ClusterRequest = { ...size, manifest: join(directory, 'cluster.yaml') }
      const { seconds, reports } = await runProcess(request)
      const first = reports[0]
      const last = reports.at(-1)
      if (first?.status !== '200' || last === undefined) throw new Error(`answered with ${first?.status}`)
      const value = figure === undefined ? seconds : last[figure]
      if (value === undefined) throw new Error('the process ended before it had told all')
      const also = { 'RSS MB': first.rssMegabytes, 'CPU s': first.cpuSeconds }
      return { value, also } satisfies Measurement
    },
    stop: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Runs it to its end; `seconds` until the first line. Rejects when it fails. */
function runProcess(
  request: ClusterRequest,
): Promise<{ readonly seconds: number; readonly reports: readonly ClusterReport[] }> {
  const began = performance.now()
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(request)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: quickEnvironment(),
    timeout: LIMIT_MS,
  })
  endWithUs(child)
  const reports: ClusterReport[] = []
  let seconds = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (reports.length === 0) seconds = (performance.now() - began) / 1000
    reports.push(JSON.parse(line) as ClusterReport)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve({ seconds, reports })
      else reject(new Error(`the cluster's process ended with ${code ?? signal}`))
    })
  })
}
