// A round's record as figures.

import { MILLISECOND, type Micros } from '../base/time.js'
import { jainIndex } from '../scenario/shares.js'
import { changeResults } from './changes.js'
import { LatencyHistogram } from './latency-histogram.js'
import type { MetricName } from './metrics.js'
import type { LoadPlan } from './plan.js'
import { type BalancedConnection, joinRound, type Request, type RoundRecord } from './recording.js'
import type { EndpointShare, RoundResult, Series } from './result.js'
import { chiSquare, longestRun } from './statistics.js'

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
  const endpoints = endpointShares(record, good, chosen)
  const changes = changeResults(record, requests, end, load.keepAlive)
  const chi = chiSquare(endpoints.map((one) => one.connections))
  const sequence = chosen.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [endpoint]))
  const figures: Partial<Record<MetricName, number | undefined>> = {
    rps: (good.length * 1e6) / (end - load.warmup),
    requests: counted.length,
    errors: counted.length === 0 ? undefined : (counted.length - good.length) / counted.length,
    jain: endpoints.length === 0 ? undefined : jainIndex(endpoints.map((one) => one.requests)),
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
  record: RoundRecord,
  good: readonly Request[],
  connections: readonly BalancedConnection[],
): EndpointShare[] {
  const shares = new Map<string, { pod: string | undefined; requests: number; connections: number }>()
  const share = (endpoint: string, pod?: string) => {
    const known = shares.get(endpoint) ?? { pod, requests: 0, connections: 0 }
    shares.set(endpoint, known)
    known.pod ??= pod
    return known
  }
  for (const { endpoints } of record.ready) for (const [endpoint, pod] of endpoints) share(endpoint, pod)
  for (const { endpoint } of connections) if (endpoint !== undefined) share(endpoint).connections++
  for (const { endpoint } of good) if (endpoint !== undefined) share(endpoint).requests++
  return [...shares]
    .map(([endpoint, counts]) => ({ endpoint, ...counts }))
    .sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1))
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
