// The table of a bench run, for terminals: a row a mode, then shares, changes, errors and thresholds.

import { METRICS, type MetricName } from './metrics.js'
import { atHighestRate } from './rates.js'
import type { BenchResult, ContestantResult } from './result.js'
import type { Spread } from './statistics.js'
import { textTable } from './text-table.js'

/** In the order in which reports show them. */
export const COLUMNS: readonly MetricName[] = [
  'rps',
  'p50',
  'p90',
  'p99',
  'p99.9',
  'max',
  'errors',
  'late',
  'jain',
  'chi2-p',
  'run',
  'moved',
  'first-notice',
  'last-notice',
  'packets',
  'bytes',
]
/** What clients feel, and how it is spread at what cost: for tables that would be too wide. */
export const COLUMN_GROUPS: readonly (readonly MetricName[])[] = [
  COLUMNS.slice(0, COLUMNS.indexOf('jain')),
  COLUMNS.slice(COLUMNS.indexOf('jain')),
]
/** Who sends more of an open loop late than this is told. */
const MUCH_LATE = 0.05
/** With more endpoints than this, shares are told by their extremes. */
const ENDPOINTS_SHOWN = 8

/** `columns`: of the terminal; a table that is wider comes in two. */
export function benchText(result: BenchResult, columns = Number.POSITIVE_INFINITY): string {
  const { contestants } = result
  return [
    `${result.document}: ${result.service}`,
    `${result.load}`,
    '',
    figuresText(result, columns),
    // Where there are several rates, at the highest: the JSON has them all.
    ...atHighestRate(contestants).map(sharesText),
    ...contestants.flatMap(changesText),
    ...contestants.flatMap(errorsText),
    ...contestants.flatMap(lateText),
    '',
    ...result.model,
    ...thresholdsText(result),
    ...(result.interrupted === undefined ? [] : [`interrupted ${result.interrupted}`]),
    ...result.failures.map((failure) => `step failed: ${failure}`),
    '',
  ].join('\n')
}

function figuresText({ contestants, rounds }: BenchResult, columns: number): string {
  const shown = COLUMNS.filter((name) => contestants.some(({ metrics }) => metrics[name] !== undefined))
  const tableOf = (names: readonly MetricName[]) => {
    const header = ['mode', ...names.map(titleOf)]
    return textTable([header, ...contestants.flatMap((one) => metricRows(one, names, rounds > 1))])
  }
  const whole = tableOf(shown)
  if (whole.indexOf('\n') <= columns) return whole
  return COLUMN_GROUPS.map((group) => tableOf(shown.filter((name) => group.includes(name)))).join('\n\n')
}

/** With its unit, where the figures do not show it. */
export function titleOf(name: MetricName): string {
  const { title, unit } = METRICS[name]
  return unit === 'ms' ? `${title} ms` : title
}

/** The median, and below it the least and the most where there are several rounds. */
function metricRows(
  { label, metrics }: ContestantResult,
  names: readonly MetricName[],
  spread: boolean,
): string[][] {
  const row = (of: (one: Spread) => number) =>
    names.map((name) => (metrics[name] === undefined ? '-' : metricText(name, of(metrics[name]))))
  const medians = [label, ...row(({ median }) => median)]
  return spread
    ? [medians, ['  least', ...row(({ min }) => min)], ['  most', ...row(({ max }) => max)]]
    : [medians]
}

/** A figure as people read it, without its unit but for percent. */
export function metricText(name: MetricName, value: number): string {
  const { unit } = METRICS[name]
  if (unit === 'share') return `${Number((100 * value).toPrecision(3))} %`
  if (name === 'jain') return value.toFixed(4)
  if (name === 'chi2-p') return value < 0.0001 ? '<0.0001' : value.toFixed(4)
  if (unit === 'ms') return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)
  if (name === 'packets') return value.toFixed(1)
  return Math.round(value).toLocaleString('en')
}

function sharesText({ label, round }: ContestantResult): string {
  const total = round.endpoints.reduce((sum, { requests }) => sum + requests, 0)
  if (total === 0) return `shares  ${label}: nobody answered`
  const percent = (requests: number) => ((100 * requests) / total).toFixed(1)
  const { runByChance } = round
  const run = round.metrics.run
  const chance =
    runByChance === undefined ? '' : `; longest run ${run}, by chance about ${runByChance.toFixed(1)}`
  if (round.endpoints.length > ENDPOINTS_SHOWN) {
    const counts = round.endpoints.map(({ requests }) => requests)
    return `shares  ${label}: ${counts.length} endpoints, ${percent(Math.min(...counts))}..${percent(Math.max(...counts))} %${chance}`
  }
  const shares = round.endpoints.map(({ endpoint, requests }) => `${endpoint} ${percent(requests)} %`)
  return `shares  ${label}: ${shares.join(', ')}${chance}`
}

function changesText({ label, round }: ContestantResult): string[] {
  return round.changes.map((change) => {
    const parts = [
      change.endpointsBefore === change.endpointsAfter
        ? `${change.endpointsAfter} endpoints`
        : `${change.endpointsBefore} -> ${change.endpointsAfter} endpoints`,
      ...(change.moved === undefined ? [] : [`${change.moved} connections moved`]),
      `${change.failed} failed`,
      change.concerned === 0
        ? 'nobody concerned'
        : `${change.noticed} of ${change.concerned} noticed${
            change.firstNoticedMs === undefined
              ? ''
              : `, first after ${milliseconds(change.firstNoticedMs)}, last after ${milliseconds(change.lastNoticedMs!)}`
          }`,
    ]
    return `change  ${label}: ${(change.atMs / 1000).toFixed(1)} s ${change.what}: ${parts.join(', ')}`
  })
}

function errorsText({ label, round }: ContestantResult): string[] {
  const kinds = Object.entries(round.errors).map(([kind, count]) => `${count} ${kind}`)
  return kinds.length === 0 ? [] : [`errors  ${label}: ${kinds.join(', ')}`]
}

function lateText({ label, metrics: { late, rps } }: ContestantResult): string[] {
  if (late === undefined || late.median < MUCH_LATE) return []
  return [
    `late    ${label}: ${metricText('late', late.median)} of the requests waited for a connection; ${metricText('rps', rps!.median)} a second were answered`,
  ]
}

function thresholdsText({ thresholds }: BenchResult): string[] {
  return thresholds.map(({ threshold, label, value, passed }) => {
    const found = value === undefined ? 'no figure' : String(Number(value.toPrecision(4)))
    return `${passed ? 'ok    ' : 'MISSED'} ${label}: ${threshold} (${found})`
  })
}

export function milliseconds(value: number): string {
  return value < 10
    ? `${value.toFixed(2)} ms`
    : value < 10_000
      ? `${value.toFixed(0)} ms`
      : `${(value / 1000).toFixed(1)} s`
}
