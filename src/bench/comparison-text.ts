// A comparison of two results as a table for terminals.

import type { ComparedFigure, Comparison } from './comparison.js'
import { METRICS } from './metrics.js'
import { metricText, titleOf } from './report-text.js'
import type { Spread } from './statistics.js'
import { textTable } from './text-table.js'

/** The names of the two files. */
export interface ComparedNames {
  readonly base: string
  readonly now: string
}

export function comparisonText(
  { differences, figures, thresholds }: Comparison,
  names: ComparedNames,
): string {
  const both = figures.filter(({ verdict }) => verdict !== 'gone' && verdict !== 'new')
  const rows = both.map((figure) => [
    figure.label,
    titleOf(figure.metric),
    spreadText(figure, figure.base),
    spreadText(figure, figure.now),
    changeText(figure.change),
    figure.verdict === 'same' && figure.change === 0 ? '' : verdictText(figure),
  ])
  // A row of each mode names it, the others are blank below it.
  const told = rows.map((row, i) => (rows[i - 1]?.[0] === row[0] ? ['', ...row.slice(1)] : row))
  const limits = thresholds.map(
    ({ threshold, label, change, passed }) =>
      `${passed ? 'ok    ' : 'MISSED'} ${label}: ${threshold} (${change === undefined ? 'no figure' : changeText(change)})`,
  )
  return [
    `base: ${names.base}`,
    `now:  ${names.now}`,
    ...differences.map((one) => `not the same: ${one}`),
    ...oneSided(figures, names),
    '',
    textTable([['mode', 'figure', 'base', 'now', 'change', ''], ...told], [0, 1, 5]),
    ...(limits.length === 0 ? [] : ['', ...limits]),
    '',
  ].join('\n')
}

/** Modes and figures that only one of the two has. */
function oneSided(figures: readonly ComparedFigure[], { base, now }: ComparedNames): string[] {
  const labels = [...new Set(figures.map(({ label }) => label))]
  return labels.flatMap((label) => {
    const own = figures.filter((one) => one.label === label)
    const some = own.filter(({ verdict }) => verdict === 'gone' || verdict === 'new')
    const where = (verdict: string) => (verdict === 'gone' ? base : now)
    if (some.length === own.length) return [`only in ${where(own[0]!.verdict)}: ${label}`]
    return some.map(({ metric, verdict }) => `only in ${where(verdict)}: ${titleOf(metric)} of ${label}`)
  })
}

/** With the least and the most of several rounds. */
function spreadText({ metric }: ComparedFigure, spread: Spread | undefined): string {
  if (spread === undefined) return '-'
  const { median, min, max } = spread
  const range = min === max ? '' : ` (${metricText(metric, min)}..${metricText(metric, max)})`
  return `${metricText(metric, median)}${range}`
}

function changeText(change: number | undefined): string {
  if (change === undefined) return '-'
  const percent = Number((change * 100).toFixed(1))
  return `${percent > 0 ? '+' : ''}${percent} %`
}

function verdictText({ verdict, metric }: ComparedFigure): string {
  if (verdict === 'same') return METRICS[metric].better === 'neither' ? '' : 'within the spread'
  return verdict
}
