// One scenario under several modes of kube-proxy, side by side: what its loads came to, and what each mode had to
// write for it.

import type { ProxyStatistics } from '../drivers/proxy-statistics.js'
import type { LoadResult, ScenarioResult } from './result.js'
import { countsOf } from './shares.js'

/** With more endpoints than this, the shares are told by their extremes. */
const ENDPOINTS_SHOWN = 6

export interface ModeRun {
  readonly result: ScenarioResult
  readonly statistics: ProxyStatistics | undefined
}

interface ModeRow {
  readonly mode: string
  readonly cells: readonly string[]
}

/** A table of `runs`, which are of one document, and below it whose shares they are. */
export function comparisonText(runs: readonly ModeRun[]): string {
  const endpoints = endpointsOf(runs.map(({ result }) => result))
  const header = ['mode', 'steps', 'requests', 'failed', 'p50', 'p99', 'rules', 'sync', 'shares']
  const rows = runs.map((run) => modeRow(run, endpoints))
  const table = [header, ...rows.map(({ mode, cells }) => [mode, ...cells])]
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  const last = header.length - 1
  const lines = table.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || column === last ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
  if (endpoints.length > 0 && endpoints.length <= ENDPOINTS_SHOWN)
    lines.push(`shares of ${endpoints.join(' / ')}`)
  lines.push(
    'p50, p99: emulated; rules: on one worker at the end; sync: real time of writing them, all together',
  )
  return `${lines.join('\n')}\n`
}

function modeRow({ result: run, statistics }: ModeRun, endpoints: readonly string[]): ModeRow {
  const loads = loadsOf(run)
  const requests = sum(loads.map(({ shares }) => shares.requests))
  const failed = sum(loads.map(({ shares }) => shares.failed))
  const latencies = loads.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b)
  const done = run.passed + run.failed
  return {
    mode: run.proxyMode ?? '',
    cells: [
      `${run.passed}/${done}`,
      loads.length === 0 ? '-' : String(requests),
      loads.length === 0 ? '-' : String(failed),
      milliseconds(percentile(latencies, 0.5)),
      milliseconds(percentile(latencies, 0.99)),
      String(statistics?.rules ?? '-'),
      milliseconds(statistics?.syncMillis),
      sharesText(loads, endpoints),
    ],
  }
}

function sharesText(loads: readonly LoadResult[], endpoints: readonly string[]): string {
  const sequence = loads.flatMap(({ shares }) => shares.sequence).filter((who) => endpoints.includes(who))
  if (sequence.length === 0) return '-'
  const counts = countsOf({ requests: 0, failed: 0, sequence })
  const percents = endpoints.map((endpoint) => (100 * (counts.get(endpoint) ?? 0)) / sequence.length)
  if (endpoints.length <= ENDPOINTS_SHOWN) return `${percents.map((one) => one.toFixed(0)).join(' / ')} %`
  const [least, most] = [Math.min(...percents), Math.max(...percents)]
  return `${endpoints.length} endpoints, ${least.toFixed(1)}..${most.toFixed(1)} %`
}

/** Everybody who answered in any of the runs. */
function endpointsOf(runs: readonly ScenarioResult[]): string[] {
  const sequence = runs.flatMap((run) => loadsOf(run).flatMap(({ shares }) => shares.sequence))
  const all = [...countsOf({ requests: 0, failed: 0, sequence }).keys()]
  // Loads may count by answer: then endpoints and names of servers are not to be mixed.
  const addresses = all.filter((who) => /^[0-9.]+:[0-9]+$/.test(who))
  return addresses.length > 0 ? addresses : all
}

function loadsOf(run: ScenarioResult): LoadResult[] {
  return run.steps.flatMap(({ load }) => load ?? [])
}

/** The smallest value that `share` of them do not exceed (nearest rank); `sorted` ascends. */
export function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

function milliseconds(value: number | undefined): string {
  if (value === undefined) return '-'
  return value < 10 ? `${value.toFixed(2)} ms` : `${value.toFixed(0)} ms`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
