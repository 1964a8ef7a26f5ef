// Runs a plan: every mode, in turns where there are several rounds, and puts the rounds together. The library's and the
// command line's way in.

import { SECOND } from '../base/time.js'
import type { OpenBenchCluster } from './bench-cluster.js'
import type { BenchDocument } from './bench-document.js'
import { evaluateRound } from './evaluation.js'
import { type MetricName, metricNames } from './metrics.js'
import { type BenchPlan, loadText } from './plan.js'
import { recordedTime } from './recording.js'
import {
  type BenchResult,
  type ContestantResult,
  RESULT_VERSION,
  type RoundResult,
  type ThresholdResult,
} from './result.js'
import { type RoundProgress, runRound } from './round.js'
import type { ServiceTarget } from './service-target.js'
import { type Spread, spreadOf } from './statistics.js'
import { holds } from './threshold.js'

export interface BenchHooks {
  readonly signal: AbortSignal
  readonly onProgress?: (mode: string, round: number, progress: RoundProgress) => void
}

/** When aborted it gives what was measured until then; rejects as runRound does. */
export async function runBench(
  { document, during }: BenchDocument,
  plan: BenchPlan,
  open: OpenBenchCluster,
  hooks: BenchHooks,
): Promise<BenchResult> {
  const rounds = new Map<string, RoundResult[]>(plan.modes.map((mode) => [mode, []]))
  const failures: string[] = []
  let target: ServiceTarget | undefined
  let clients = 0
  let interrupted: string | undefined
  for (const { round, mode } of turnsOf(plan)) {
    const outcome = await runRound(open, during, plan, mode, {
      seed: plan.seed + round,
      signal: hooks.signal,
      onProgress: (progress) => hooks.onProgress?.(mode, round, progress),
    }).catch((error: unknown) => {
      // Interrupted between two loads.
      if (hooks.signal.aborted && error === hooks.signal.reason && target !== undefined) return undefined
      throw error
    })
    if (outcome === undefined) {
      interrupted = `before the load in mode ${mode}`
      break
    }
    ;({ target, clients } = outcome)
    failures.push(...outcome.failures.map(({ name, reason }) => `${mode}: ${name}: ${reason ?? 'failed'}`))
    const results = rounds.get(mode)!
    if (outcome.interrupted) {
      const { duration } = plan.load
      const lasted = recordedTime(outcome.record, duration)
      interrupted = `after ${(lasted / SECOND).toFixed(1)} of ${duration / SECOND} s in mode ${mode}`
      // Half a round says nothing beside whole ones.
      if (results.length === 0 && lasted > plan.load.warmup)
        results.push(evaluateRound(outcome.record, { ...plan.load, duration: lasted }))
      break
    }
    results.push(evaluateRound(outcome.record, plan.load))
  }
  const contestants = plan.modes.flatMap((mode) => contestantOf(mode, rounds.get(mode)!) ?? [])
  if (contestants.length === 0) hooks.signal.throwIfAborted()
  return {
    version: RESULT_VERSION,
    document: document.name,
    service: `${target!.namespace}/${target!.name}:${target!.port}`,
    load: loadText(plan.load, clients),
    clock: plan.clock,
    ...(plan.live ? {} : { seed: plan.seed }),
    rounds: plan.rounds,
    model: modelOf(plan),
    contestants,
    thresholds: contestants.flatMap((contestant) => judge(plan, contestant)),
    failures,
    ...(interrupted === undefined ? {} : { interrupted }),
  }
}

function turnsOf({ rounds, modes }: BenchPlan): { readonly round: number; readonly mode: string }[] {
  return Array.from({ length: rounds }, (_, round) => modes.map((mode) => ({ round, mode }))).flat()
}

/** Undefined when there was no round. */
function contestantOf(mode: string, rounds: readonly RoundResult[]): ContestantResult | undefined {
  if (rounds.length === 0) return undefined
  const metrics: Partial<Record<MetricName, Spread>> = {}
  for (const name of metricNames()) {
    const values = rounds.flatMap((round) => round.metrics[name] ?? [])
    if (values.length > 0) metrics[name] = spreadOf(values)
  }
  const byP99 = [...rounds].sort((a, b) => (a.metrics.p99 ?? 0) - (b.metrics.p99 ?? 0))
  return { mode, metrics, round: byP99[(byP99.length - 1) >> 1]! }
}

function judge(plan: BenchPlan, { mode, metrics }: ContestantResult): ThresholdResult[] {
  return plan.thresholds.map((threshold) => {
    const value = metrics[threshold.metric]?.median
    return { threshold: threshold.text, mode, value, passed: holds(threshold, value) }
  })
}

/** What the figures rest on. */
function modelOf({
  clock,
  live,
  podsPerThread,
  networkThreads,
  serviceTime,
  workers,
  delay,
  load,
  rounds,
  seed,
}: BenchPlan): string[] {
  const line = workers === 1 ? 'one request at a time' : `${workers} requests at a time`
  const served =
    serviceTime === undefined
      ? live
        ? 'Servers take the time that computing takes, and what they declare themselves.'
        : clock === 'virtual'
          ? 'Servers take no time: computing costs nothing under the virtual clock.'
          : 'Servers take the time that computing takes.'
      : `Every server takes ${serviceTime} for a request, ${line}, the others wait in line.`
  const pods =
    podsPerThread === 'all'
      ? `all pods in ${networkThreads === 1 ? 'one thread' : 'the threads of their nodes'}`
      : `${podsPerThread} pod${podsPerThread === 1 ? '' : 's'} to a thread`
  const threads =
    networkThreads === 1
      ? pods
      : `${pods}, ${networkThreads === 'per-node' ? 'a thread for each node' : `nodes in ${networkThreads} threads`}`
  const wires =
    clock === 'virtual'
      ? "A pod's wire and a hop between nodes take 0.1 ms each way"
      : 'Wires add nothing to what moving frames between threads takes'
  const added = delay === undefined ? '' : `, the clients' ${delay / 1000} ms`
  const since = load.rate > 0 ? 'it was due, sent or not (coordinated omission corrected)' : 'it was sent'
  return [
    served,
    `${wires}${added}.`,
    `Latency counts from when ${since}, a new connection included.`,
    clock === 'virtual'
      ? `Time is emulated: seed ${seed} gives the same figures in every run.`
      : `Time is real: ${rounds === 1 ? 'one round' : `median of ${rounds} rounds, with the least and the most`}; ${live ? 'the cluster was up before and has other work, too' : threads}.`,
  ]
}
