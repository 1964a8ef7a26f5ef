// Runs a plan: every mode, in turns where there are several rounds, and puts the rounds together. The library's and the
// command line's way in.

import { SECOND } from '../base/time.js'
import type { OpenBenchCluster } from './bench-cluster.js'
import type { BenchDocument } from './bench-document.js'
import { evaluateRound } from './evaluation.js'
import { type MetricName, metricNames } from './metrics.js'
import { type BenchPlan, type LoadPlan, loadText } from './plan.js'
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
  readonly onProgress?: (label: string, round: number, progress: RoundProgress) => void
}

/** When aborted it gives what was measured until then; rejects as runRound does. */
export async function runBench(
  { document, during }: BenchDocument,
  plan: BenchPlan,
  open: OpenBenchCluster,
  hooks: BenchHooks,
): Promise<BenchResult> {
  const contests = contestsOf(plan)
  const failures: string[] = []
  let target: ServiceTarget | undefined
  let clients = 0
  let interrupted: string | undefined
  for (const { round, contest } of turnsOf(plan.rounds, contests)) {
    const { mode, label, load, results } = contest
    const outcome = await runRound(open, during, { ...plan, load }, mode, {
      seed: plan.seed + round,
      signal: hooks.signal,
      onProgress: (progress) => hooks.onProgress?.(label, round, progress),
    }).catch((error: unknown) => {
      // Interrupted between two loads.
      if (hooks.signal.aborted && error === hooks.signal.reason && target !== undefined) return undefined
      throw error
    })
    if (outcome === undefined) {
      interrupted = `before the load of ${label}`
      break
    }
    ;({ target, clients } = outcome)
    failures.push(...outcome.failures.map(({ name, reason }) => `${label}: ${name}: ${reason ?? 'failed'}`))
    if (outcome.interrupted) {
      const { duration } = load
      const lasted = recordedTime(outcome.record, duration)
      interrupted = `after ${(lasted / SECOND).toFixed(1)} of ${duration / SECOND} s of ${label}`
      // Half a round says nothing beside whole ones.
      if (results.length === 0 && lasted > load.warmup)
        results.push(evaluateRound(outcome.record, { ...load, duration: lasted }))
      break
    }
    results.push(evaluateRound(outcome.record, load))
  }
  const contestants = contests.flatMap((contest) => contestantOf(contest) ?? [])
  if (contestants.length === 0) hooks.signal.throwIfAborted()
  return {
    version: RESULT_VERSION,
    document: document.name,
    service: `${target!.namespace}/${target!.name}:${target!.port}`,
    load: loadText(plan, clients),
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

/** A mode at a rate, with what its rounds came to. */
interface Contest {
  readonly label: string
  readonly mode: string
  readonly load: LoadPlan
  readonly results: RoundResult[]
}

function contestsOf({ modes, rates, load }: BenchPlan): Contest[] {
  return rates.flatMap((rate) =>
    modes.map((mode) => ({
      label: rates.length > 1 ? `${mode} ${rate}/s` : mode,
      mode,
      load: { ...load, rate },
      results: [],
    })),
  )
}

function turnsOf(rounds: number, contests: readonly Contest[]) {
  return Array.from({ length: rounds }, (_, round) => contests.map((contest) => ({ round, contest }))).flat()
}

/** Undefined when there was no round. */
function contestantOf({ label, mode, load: { rate }, results }: Contest): ContestantResult | undefined {
  if (results.length === 0) return undefined
  const metrics: Partial<Record<MetricName, Spread>> = {}
  for (const name of metricNames()) {
    const values = results.flatMap((round) => round.metrics[name] ?? [])
    if (values.length > 0) metrics[name] = spreadOf(values)
  }
  const byP99 = [...results].sort((a, b) => (a.metrics.p99 ?? 0) - (b.metrics.p99 ?? 0))
  return { label, mode, ...(rate > 0 ? { rate } : {}), metrics, round: byP99[(byP99.length - 1) >> 1]! }
}

function judge(plan: BenchPlan, { label, metrics }: ContestantResult): ThresholdResult[] {
  return plan.thresholds.map((threshold) => {
    const value = metrics[threshold.metric]?.median
    return { threshold: threshold.text, label, value, passed: holds(threshold, value) }
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
