// A round's record as figures.

import { MILLISECOND, type Micros } from '../base/time.js'
import { changeResults } from './changes.js'
import { chiSquareOverTime, fairShares, jainOverTime, type Received } from './fairness.js'
import { LatencyHistogram } from './latency-histogram.js'
import type { MetricName } from './metrics.js'
import type { LoadPlan } from './plan.js'
import { joinRound, type Request, type RoundRecord } from './recording.js'
import type { EndpointShare, RoundResult, Series } from './result.js'
import { longestRun, runByChance } from './statistics.js'

/** A request of an open loop is on time when it was sent so soon after it was due. */
const ON_TIME: Micros = MILLISECOND
const SERIES_STEPS = 60
/** For the curve of latencies: where people look, closer and closer to the end. */
const PERCENTILES = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100]

export function evaluateRound(record: RoundRecord, load: LoadPlan): RoundResult {
  const { requests, connections } = joinRound(record)
  const counted = requests.filter(({ due }) => due >= load.warmup)
  const chosen = connections.filter(({ opened }) => opened >= load.warmup || load.keepAlive)
  const good = counted.filter(({ outcome }) => outcome === 'ok')
  const latencies = new LatencyHistogram()
  for (const { due, ended } of good) latencies.record(ended - due)
  // Answers may come after the end; then the load has taken so much longer.
  const end = Math.max(load.duration, counted.at(-1)?.ended ?? 0)
  const answers = good.map(({ ended, endpoint }): Received => ({ at: ended, endpoint }))
  const choices = chosen.map((one): Received => ({ at: one.chosen, endpoint: one.endpoint }))
  const endpoints = endpointShares(record, answers, choices)
  const changes = changeResults(record, requests, end, load.keepAlive)
  const chi = chiSquareOverTime(record.ready, choices)
  const sequence = chosen.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [endpoint]))
  const figures: Partial<Record<MetricName, number | undefined>> = {
    rps: perSecond(requests, load),
    requests: counted.length,
    errors: shareOf(counted, ({ outcome }) => outcome !== 'ok'),
    late: load.rate > 0 ? shareOf(counted, ({ late }) => late > ON_TIME) : undefined,
    jain: jainOverTime(record.ready, answers),
    'chi2-p': chi?.p,
    run: sequence.length === 0 ? undefined : longestRun(sequence),
    ...latencyFigures(latencies),
    ...changeFigures(changes),
    ...trafficFigures(record, requests.length),
  }
  return {
    metrics: withoutUndefined(figures),
    errors: errorCounts(counted),
    endpoints,
    chiSquare: chi,
    // Where what was to choose from has changed, chance has no one figure.
    runByChance:
      sequence.length === 0 || record.ready.length > 1
        ? undefined
        : runByChance(sequence.length, endpoints.length),
    changes,
    series: seriesOf(
      counted,
      endpoints.map(({ endpoint }) => endpoint),
      { start: load.warmup, end },
    ),
    percentiles:
      latencies.count === 0 ? [] : PERCENTILES.map((p) => [p, latencies.percentile(p / 100) / 1000]),
  }
}

function shareOf(requests: readonly Request[], is: (one: Request) => boolean): number | undefined {
  return requests.length === 0 ? undefined : requests.filter(is).length / requests.length
}

/** Answers that came within the measured time, whenever they were due: what comes after the end is of no rate. */
function perSecond(requests: readonly Request[], { warmup, duration }: LoadPlan): number {
  const within = requests.filter(
    ({ ended, outcome }) => outcome === 'ok' && ended >= warmup && ended < duration,
  )
  return (within.length * 1e6) / (duration - warmup)
}

function latencyFigures(latencies: LatencyHistogram): Partial<Record<MetricName, number>> {
  if (latencies.count === 0) return {}
  const at = (share: number) => latencies.percentile(share) / MILLISECOND
  return {
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    'p99.9': at(0.999),
    max: latencies.max / MILLISECOND,
    mean: latencies.mean / MILLISECOND,
  }
}

function changeFigures(changes: RoundResult['changes']): Partial<Record<MetricName, number | undefined>> {
  const longest = (times: readonly (number | undefined)[]) => {
    const known = times.filter((time) => time !== undefined)
    return known.length === 0 ? undefined : Math.max(...known)
  }
  const moved = changes.flatMap((change) => change.moved ?? [])
  return {
    moved: moved.length === 0 ? undefined : moved.reduce((sum, one) => sum + one, 0),
    'first-notice': longest(changes.map((change) => change.firstNoticedMs)),
    'last-notice': longest(changes.map((change) => change.lastNoticedMs)),
  }
}

function trafficFigures({ clients }: RoundRecord, requests: number): Partial<Record<MetricName, number>> {
  if (requests === 0 || clients.some(({ summary }) => summary === undefined)) return {}
  const sum = (of: 'frames' | 'bytes') => clients.reduce((total, { summary }) => total + summary![of], 0)
  return { packets: sum('frames') / requests, bytes: sum('bytes') / requests }
}

function errorCounts(requests: readonly Request[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of requests) if (outcome !== 'ok') counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Every endpoint that was ready at some time, and whoever answered besides. */
function endpointShares(
  { ready }: RoundRecord,
  answers: readonly Received[],
  choices: readonly Received[],
): EndpointShare[] {
  const pods = new Map(ready.flatMap(({ endpoints }) => [...endpoints]))
  const requests = countOf(answers)
  const connections = countOf(choices)
  const fair = fairShares(ready, answers)
  const all = new Set([...pods.keys(), ...requests.keys(), ...connections.keys()])
  return [...all].sort().map((endpoint) => ({
    endpoint,
    pod: pods.get(endpoint),
    requests: requests.get(endpoint) ?? 0,
    fairRequests: Math.round(10 * (fair.get(endpoint) ?? 0)) / 10,
    connections: connections.get(endpoint) ?? 0,
  }))
}

function countOf(received: readonly Received[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { endpoint } of received)
    if (endpoint !== undefined) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1)
  return counts
}

function seriesOf(
  requests: readonly Request[],
  endpoints: readonly string[],
  { start, end }: { readonly start: Micros; readonly end: Micros },
): Series {
  const step = Math.max(1, Math.ceil((end - start) / SERIES_STEPS))
  const zeros = () => new Array<number>(SERIES_STEPS).fill(0)
  const counts = endpoints.map(zeros)
  const failed = zeros()
  const latencies = Array.from({ length: SERIES_STEPS }, () => new LatencyHistogram())
  const index = new Map(endpoints.map((endpoint, i) => [endpoint, i]))
  for (const { due, ended, outcome, endpoint } of requests) {
    const at = Math.min(SERIES_STEPS - 1, Math.floor((ended - start) / step))
    const row = endpoint === undefined ? undefined : counts[index.get(endpoint) ?? -1]
    if (outcome !== 'ok') failed[at]!++
    else {
      latencies[at]!.record(ended - due)
      if (row !== undefined) row[at]!++
    }
  }
  const percentile = (share: number) =>
    latencies.map((one) => (one.count === 0 ? undefined : one.percentile(share) / MILLISECOND))
  return {
    startMs: start / 1000,
    stepMs: step / 1000,
    endpoints,
    requests: counts,
    failed,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
  }
}

function withoutUndefined(
  figures: Partial<Record<MetricName, number | undefined>>,
): Partial<Record<MetricName, number>> {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined))
}
