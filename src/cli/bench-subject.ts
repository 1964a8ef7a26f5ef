// What `podwire bench` loads: files, with a cluster of its own for each round, or a cluster that is up.

import { existsSync } from 'node:fs'
import type { OpenBenchCluster } from '../bench/bench-cluster.js'
import { type BenchDocument, openBenchDocument, stepsOnly } from '../bench/bench-document.js'
import { liveClusters, liveProxyMode } from '../bench/live-cluster.js'
import { takeTurn } from '../bench/live-turn.js'
import { ownClusters } from '../bench/own-cluster.js'
import type { BenchPlan } from '../bench/plan.js'
import { type BenchOverrides, planOf } from '../bench/settings.js'
import type { World } from '../scenario/run.js'
import { UsageError } from './arguments.js'
import type { BenchValues } from './bench-options.js'
import { clusterProblem, type ServingCluster, servingCluster } from './serving-cluster.js'

export interface BenchSubject {
  readonly bench: BenchDocument
  readonly plan: BenchPlan
  readonly open: OpenBenchCluster
  /** Lets others load it. */
  close(): void
  /** What to tell of an error that came while it was loaded. */
  problemOf(error: Error): Error
}

const SERVICE = /^(?:[a-z0-9-]+\/)?[a-z0-9-]+(?::[a-z0-9-]+)?$/
const FILE = /\.(ya?ml|json|md)$/i

/** Rejects with UsageError, SettingError, SourceError and TargetError. */
export async function openBench(
  operands: readonly string[],
  values: BenchValues,
  overrides: BenchOverrides,
  world: () => Promise<World>,
): Promise<BenchSubject> {
  const [operand] = operands
  const isService = operands.length === 1 && SERVICE.test(operand!) && !existsSync(operand!)
  return values.name !== undefined || operand === undefined || isService
    ? openLive(operands, values, overrides, await world())
    : openFiles(operands, values, overrides, await world())
}

async function openFiles(
  files: readonly string[],
  values: BenchValues,
  overrides: BenchOverrides,
  world: World,
): Promise<BenchSubject> {
  const bench = await openBenchDocument(files, values.during)
  const { seed, cluster } = bench.document.settings
  const plan = planOf(bench.section, overrides, { seed, proxyMode: cluster?.proxyMode })
  return {
    bench,
    plan,
    open: ownClusters(bench.document, plan, world),
    close: () => {},
    problemOf: (error) => error,
  }
}

async function openLive(
  operands: readonly string[],
  values: BenchValues,
  overrides: BenchOverrides,
  world: World,
): Promise<BenchSubject> {
  const service = serviceOf(operands, values)
  checkLive(values)
  const cluster = clusterOf(operands, values)
  const problemOf = (error: Error) => clusterProblem(cluster, error)
  const bench = stepsOnly(`cluster ${cluster.name}`, values.during)
  const said = {
    ...overrides,
    ...(service === undefined ? {} : { service }),
    clock: 'real',
    live: true,
  } as const
  try {
    const proxyMode = await liveProxyMode(cluster.serving)
    const plan = planOf(undefined, said, { seed: undefined, proxyMode })
    const close = await takeTurn(cluster.serving)
    return { bench, plan, open: liveClusters(cluster.serving, bench.document, world), close, problemOf }
  } catch (error) {
    throw problemOf(error as Error)
  }
}

function serviceOf(operands: readonly string[], { service }: BenchValues): string | undefined {
  const [operand, other] = operands
  const file = operands.find((one) => FILE.test(one))
  if (file !== undefined)
    throw new UsageError(
      `${file}: a file, and a cluster that is up`,
      'SERVICE[:PORT] with --name, or FILE without',
    )
  if (other !== undefined) throw new UsageError(`bench: what is ${other}?`, 'one SERVICE[:PORT] at a time')
  if (operand !== undefined && service !== undefined && operand !== service)
    throw new UsageError(`${operand}, or --service ${service}?`, 'one of the two')
  return operand ?? service
}

/** What is settled when a cluster is started cannot be asked of one that is up. */
function checkLive(values: BenchValues): void {
  if (values.clock === 'virtual')
    throw new UsageError('--clock virtual: a cluster that is up runs in real time')
  for (const name of ['seed', 'pods-per-thread', 'network-threads'] as const)
    if (values[name] !== undefined)
      throw new UsageError(`--${name}: the cluster is up already`, `podwire up --${name} ${values[name]}`)
  for (const name of ['service-time', 'workers'] as const)
    if (values[name] !== undefined)
      throw new UsageError(
        `--${name}: the servers run already`,
        'their manifest can set PODWIRE_SERVICE_TIME and PODWIRE_WORKERS, or bench FILE',
      )
}

function clusterOf([operand]: readonly string[], { name }: BenchValues): ServingCluster {
  try {
    return servingCluster(name)
  } catch (error) {
    if (!(error instanceof UsageError) || name !== undefined) throw error
    const what = operand === undefined ? 'no file' : `${operand}: no such file`
    throw new UsageError(`${what}, and ${error.message}`, `podwire bench FILE...; ${error.hint}`)
  }
}
