// The page of a bench run: one file with its style and its plots, no script, nothing from elsewhere. The figures are
// those of the table (report-text.ts); the plots are of the round whose p99 is the median.

import { escapeHtml } from './html-text.js'
import { METRICS, type MetricName } from './metrics.js'
import { PAGE_STYLE } from './page-style.js'
import { answersByRate, latencyByRate } from './rate-charts.js'
import { atHighestRate, hasSeveralRates, modesOf } from './rates.js'
import { COLUMN_GROUPS, metricText, milliseconds, titleOf } from './report-text.js'
import type { BenchResult, ContestantResult } from './result.js'
import {
  areaChart,
  type ChartOptions,
  COLORS,
  type Line,
  lineChart,
  type Mark,
  shareBars,
} from './svg-chart.js'

/** A chart whose values differ by more than this has a logarithmic axis. */
const WIDE_RANGE = 30
/** Endpoints with a colour of their own; the rest are told together. */
const ENDPOINTS_COLORED = 8

export function benchPage(result: BenchResult): string {
  const several = hasSeveralRates(result.contestants)
  const contestants = several ? atHighestRate(result.contestants) : result.contestants
  const title = `${result.service} under load`
  const sections = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="lead">${escapeHtml(result.document)} · ${escapeHtml(result.load)}</p>`,
    thresholdsHtml(result),
    ...(several ? [rateCards(result.contestants)] : []),
    ...COLUMN_GROUPS.map((names) => figuresHtml(result, names)),
    ...(several ? ['<h2>At the highest rate</h2>'] : []),
    '<div class="charts">',
    card('Latency by percentile', legend(contestants), percentileChart(contestants)),
    card('Requests by endpoint', '', sharesChart(contestants)),
    card('Requests over time', legend(contestants), rateChart(contestants)),
    card('p99 over time', legend(contestants), p99Chart(contestants)),
    failedCard(contestants),
    '</div>',
    changesHtml(result.contestants),
    '<h2>Who answered when</h2><div class="charts">',
    ...contestants.map((one) => card(one.label, endpointLegend(one), endpointChart(one, contestants))),
    '</div>',
    errorsHtml(result.contestants),
    '<h2>What the figures rest on</h2><ul>',
    ...result.model.map((sentence) => `<li>${escapeHtml(sentence)}</li>`),
    `<li>Clock ${result.clock}, ${result.seed === undefined ? '' : `seed ${result.seed}, `}${result.rounds === 1 ? '1 round' : `${result.rounds} rounds`} of each mode.</li>`,
    '</ul>',
    definitionsHtml(),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)} - podwire bench</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
${sections.filter((section) => section !== '').join('\n')}
</main>
</body>
</html>
`
}

function rateCards(contestants: readonly ContestantResult[]): string {
  const modes = key(modesOf(contestants).map((name, color) => ({ name, color })))
  return [
    '<div class="charts">',
    card('p99 by rate', modes, latencyByRate(contestants)),
    card('Answers by rate', modes, answersByRate(contestants)),
    '</div>',
  ].join('')
}

function card(title: string, key: string, chart: string): string {
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>${key}${chart}</figure>`
}

function key(entries: readonly { readonly name: string; readonly color: number }[]): string {
  const items = entries.map(
    ({ name, color }) => `<li><i class="c${color % COLORS}"></i>${escapeHtml(name)}</li>`,
  )
  return `<ul class="legend">${items.join('')}</ul>`
}

function legend(contestants: readonly ContestantResult[]): string {
  return key(contestants.map(({ label }, color) => ({ name: label, color })))
}

function figuresHtml({ contestants, rounds }: BenchResult, names: readonly MetricName[]): string {
  const shown = names.filter((name) => contestants.some(({ metrics }) => metrics[name] !== undefined))
  const head = shown.map((name) => {
    const { title, unit, about } = METRICS[name]
    const text = unit === 'ms' ? `${title} <small>ms</small>` : title
    return `<th scope="col"${about === '' ? '' : ` title="${escapeHtml(about)}"`}>${text}</th>`
  })
  const modes = modesOf(contestants)
  const rows = contestants.map(({ label, mode, rate, metrics }) => {
    const color = modes.indexOf(mode)
    const peers = contestants.filter((one) => one.rate === rate)
    const cells = shown.map((name) => {
      const spread = metrics[name]
      const label = `data-label="${escapeHtml(titleOf(name))}"`
      if (spread === undefined) return `<td ${label}>–</td>`
      const range =
        rounds > 1 ? `<small>${metricText(name, spread.min)} … ${metricText(name, spread.max)}</small>` : ''
      const best = isBest(name, spread.median, peers) ? ' class="best"' : ''
      return `<td ${label}${best}>${metricText(name, spread.median)}${range}</td>`
    })
    return `<tr><th scope="row"><i class="c${color % COLORS}"></i>${escapeHtml(label)}</th>${cells.join('')}</tr>`
  })
  return tableHtml('figures', `<th scope="col">mode</th>${head.join('')}`, rows)
}

/** On a narrow page each row becomes a block of lines, named by their `data-label`. */
function tableHtml(kind: string, head: string, rows: readonly string[]): string {
  return `<div class="scroll" role="region" tabindex="0" aria-label="${kind}"><table class="${kind}"><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

/** Who fails more of the requests than this is not praised for what the others took. */
const MOST_ERRORS = 0.01

/** Better than all others, and by more than rounding shows. */
function isBest(name: MetricName, value: number, contestants: readonly ContestantResult[]): boolean {
  const { better } = METRICS[name]
  if (better === 'neither' || contestants.length < 2) return false
  const served = contestants.filter(
    ({ metrics }) => name === 'errors' || !((metrics.errors?.median ?? 0) > MOST_ERRORS),
  )
  const others = served.flatMap(({ metrics }) => metrics[name]?.median ?? [])
  const best = better === 'higher' ? Math.max(...others) : Math.min(...others)
  const shownAsBest = others.filter((other) => metricText(name, other) === metricText(name, best))
  return value === best && shownAsBest.length === 1
}

function percentileChart(contestants: readonly ContestantResult[]): string {
  // Each nine of a percentile takes as much room as the one before.
  const place = (percentile: number) => -Math.log10(Math.max(1 - percentile / 100, 0.00005))
  const lines = contestants.map(
    ({ label, round }, color): Line => ({
      name: label,
      color,
      points: round.percentiles.map(([percentile, ms]) => [place(percentile), ms]),
    }),
  )
  const xTicks = [50, 90, 99, 99.9, 99.99].map((value) => ({ value: place(value), text: String(value) }))
  return lineChart(lines, {
    title: 'Latency by percentile',
    xLabel: 'percentile',
    yLabel: 'ms, logarithmic',
    yLog: true,
    xTicks,
  })
}

function sharesChart(contestants: readonly ContestantResult[]): string {
  return shareBars(
    contestants.map(({ label, round }) => {
      const total = round.endpoints.reduce((sum, { requests }) => sum + requests, 0) || 1
      const parts = round.endpoints.map(({ endpoint, pod, requests }, color) => ({
        name: pod === undefined ? endpoint : `${endpoint} (${pod})`,
        share: requests / total,
        color: Math.min(color, ENDPOINTS_COLORED - 1),
      }))
      return { name: label, parts }
    }),
    'Requests by endpoint',
  )
}

function timeOptions(title: string, yLabel: string, contestant: ContestantResult | undefined): ChartOptions {
  const marks = contestant?.round.changes.map(({ atMs, what }): Mark => ({ x: atMs / 1000, text: what }))
  const xFrom = (contestant?.round.series.startMs ?? 0) / 1000
  const xLabel = 'seconds since the load began'
  return { title, xLabel, yLabel, xFrom, ...(marks === undefined ? {} : { marks }) }
}

/** The middle of each step, in seconds. */
function times({ startMs, stepMs, failed }: ContestantResult['round']['series']): number[] {
  return failed.map((_, i) => (startMs + (i + 0.5) * stepMs) / 1000)
}

function rateChart(contestants: readonly ContestantResult[]): string {
  const lines = contestants.map(({ label, round: { series } }, color): Line => {
    const perSecond = times(series).map((_, i) => {
      const count = series.requests.reduce((sum, row) => sum + row[i]!, 0)
      return (count * 1000) / series.stepMs
    })
    return { name: label, color, points: times(series).map((at, i) => [at, perSecond[i]] as const) }
  })
  return lineChart(lines, timeOptions('Requests over time', 'requests/s', contestants[0]))
}

function p99Chart(contestants: readonly ContestantResult[]): string {
  const lines = contestants.map(
    ({ label, round: { series } }, color): Line => ({
      name: label,
      color,
      points: times(series).map((at, i) => [at, series.p99Ms[i]] as const),
    }),
  )
  // Where some wait for a hundred times as long as others, the others would be a line on the floor.
  const values = lines.flatMap(({ points }) =>
    points.flatMap(([, ms]) => (ms === undefined || ms <= 0 ? [] : [ms])),
  )
  const yLog = Math.max(...values) > WIDE_RANGE * Math.min(...values)
  const yLabel = yLog ? 'ms, logarithmic' : 'ms'
  return lineChart(lines, { ...timeOptions('p99 over time', yLabel, contestants[0]), yLog })
}

/** Nothing when none failed. */
function failedCard(contestants: readonly ContestantResult[]): string {
  if (contestants.every(({ round }) => round.series.failed.every((count) => count === 0))) return ''
  const lines = contestants.map(({ label, round: { series } }, color): Line => {
    const failed = series.failed.map((count) => (count * 1000) / series.stepMs)
    return { name: label, color, points: times(series).map((at, i) => [at, failed[i]] as const) }
  })
  const chart = lineChart(lines, timeOptions('Failed requests over time', 'failed/s', contestants[0]))
  return card('Failed requests over time', legend(contestants), chart)
}

/** Endpoints stacked over time; all modes with the same height. */
function endpointChart(contestant: ContestantResult, all: readonly ContestantResult[]): string {
  const { series } = contestant.round
  const perSecond = (count: number) => (count * 1000) / series.stepMs
  const lines = series.endpoints.map(
    (endpoint, color): Line => ({
      name: endpoint,
      color: Math.min(color, ENDPOINTS_COLORED - 1),
      points: times(series).map((at, i) => [at, perSecond(series.requests[color]![i]!)] as const),
    }),
  )
  const most = Math.max(
    1,
    ...all.map(({ round }) =>
      Math.max(
        ...round.series.failed.map(
          (_, i) =>
            (round.series.requests.reduce((sum, row) => sum + row[i]!, 0) * 1000) / round.series.stepMs,
        ),
      ),
    ),
  )
  return areaChart(
    lines,
    most,
    timeOptions(`Requests by endpoint, ${contestant.label}`, 'requests/s', contestant),
  )
}

function endpointLegend({ round }: ContestantResult): string {
  const named = round.endpoints.map(({ endpoint, pod }, color) => ({
    name: pod === undefined ? endpoint : `${pod} ${endpoint}`,
    color,
  }))
  if (named.length <= ENDPOINTS_COLORED) return key(named)
  const rest = { name: `${named.length - ENDPOINTS_COLORED + 1} more`, color: ENDPOINTS_COLORED - 1 }
  return key([...named.slice(0, ENDPOINTS_COLORED - 1), rest])
}

const CHANGE_COLUMNS = [
  '#',
  'mode',
  'at',
  'change',
  'endpoints',
  'moved',
  'failed',
  'noticed',
  'first',
  'last',
]

function changesHtml(contestants: readonly ContestantResult[]): string {
  const rows = contestants.flatMap(({ label, round }) =>
    round.changes.map((change, i) => {
      const cells = [
        `${i + 1}`,
        escapeHtml(label),
        `${(change.atMs / 1000).toFixed(2)} s`,
        escapeHtml(change.what),
        `${change.endpointsBefore} → ${change.endpointsAfter}`,
        change.moved === undefined ? '–' : String(change.moved),
        String(change.failed),
        change.concerned === 0 ? '–' : `${change.noticed} of ${change.concerned}`,
        change.firstNoticedMs === undefined ? '–' : milliseconds(change.firstNoticedMs),
        change.lastNoticedMs === undefined ? '–' : milliseconds(change.lastNoticedMs),
      ]
      return `<tr>${cells.map((cell, at) => `<td data-label="${CHANGE_COLUMNS[at]}">${cell}</td>`).join('')}</tr>`
    }),
  )
  if (rows.length === 0) return ''
  const head = CHANGE_COLUMNS.map((one) => `<th scope="col">${one}</th>`).join('')
  return `<h2>Changes under load</h2>${tableHtml('changes', head, rows)}`
}

function errorsHtml(contestants: readonly ContestantResult[]): string {
  const items = contestants.flatMap(({ label, round }) =>
    Object.entries(round.errors).map(
      ([kind, count]) => `<li>${escapeHtml(`${label}: ${count} ${kind}`)}</li>`,
    ),
  )
  return items.length === 0 ? '' : `<h2>Failed requests</h2><ul>${items.join('')}</ul>`
}

function thresholdsHtml({ thresholds, failures, interrupted }: BenchResult): string {
  const items = [
    ...thresholds.map(({ threshold, label, value, passed }) => {
      const found = value === undefined ? 'no figure' : String(Number(value.toPrecision(4)))
      return `<li class="${passed ? 'kept' : 'missed'}">${escapeHtml(`${label}: ${threshold} (${found})`)}</li>`
    }),
    ...(interrupted === undefined ? [] : [`<li class="missed">interrupted ${escapeHtml(interrupted)}</li>`]),
    ...failures.map((failure) => `<li class="missed">${escapeHtml(failure)}</li>`),
  ]
  return items.length === 0 ? '' : `<ul class="thresholds">${items.join('')}</ul>`
}

function definitionsHtml(): string {
  const items = Object.values(METRICS).flatMap(({ title, about }) =>
    about === '' ? [] : [`<dt>${escapeHtml(title)}</dt><dd>${escapeHtml(about)}</dd>`],
  )
  return `<h2>Columns</h2><dl>${items.join('')}</dl>`
}
