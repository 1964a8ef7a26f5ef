// The figures of a bench run for other programs' tables: CSV for spreadsheets and plots, Markdown for what a CI shows of a
// pull request.

import { metricNames } from './metrics.js'
import { COLUMNS, metricText, titleOf } from './report-text.js'
import type { BenchResult } from './result.js'

/** RFC 4180, with a head: a row for each mode and rate; the median of each figure by its name, then the least and the most. */
export function benchCsv({ contestants, rounds }: BenchResult): string {
  const names = metricNames().filter((name) => contestants.some(({ metrics }) => metrics[name] !== undefined))
  const parts = rounds > 1 ? (['median', 'min', 'max'] as const) : (['median'] as const)
  const head = names.flatMap((name) => parts.map((part) => (part === 'median' ? name : `${name} ${part}`)))
  const rows = contestants.map(({ mode, rate, metrics }) => [
    mode,
    rate ?? '',
    ...names.flatMap((name) => parts.map((part) => metrics[name]?.[part] ?? '')),
  ])
  return [['mode', 'rate', ...head], ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}

export function benchMarkdown(result: BenchResult): string {
  const { contestants, thresholds, failures, interrupted, model } = result
  const shown = COLUMNS.filter((name) => contestants.some(({ metrics }) => metrics[name] !== undefined))
  const row = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`
  const rows = contestants.map(({ label, metrics }) =>
    row([
      label,
      ...shown.map((name) => {
        const spread = metrics[name]
        if (spread === undefined) return '-'
        const range =
          spread.min === spread.max
            ? ''
            : ` (${metricText(name, spread.min)}..${metricText(name, spread.max)})`
        return `${metricText(name, spread.median)}${range}`
      }),
    ]),
  )
  const limits = thresholds.map(({ threshold, label, value, passed }) => {
    const found = value === undefined ? 'no figure' : String(Number(value.toPrecision(4)))
    return `- ${passed ? '✅' : '❌'} ${escaped(`${label}: ${threshold} (${found})`)}`
  })
  const notes = [...(interrupted === undefined ? [] : [`interrupted ${interrupted}`]), ...failures]
  const verdicts = [...limits, ...notes.map((note) => `- ❌ ${escaped(note)}`)]
  return [
    `### ${escaped(`${result.document}: ${result.service}`)}`,
    '',
    escaped(result.load),
    '',
    row(['mode', ...shown.map(titleOf)]),
    `| --- |${shown.map(() => ' ---: |').join('')}`,
    ...rows,
    '',
    ...(verdicts.length === 0 ? [] : [...verdicts, '']),
    escaped(model.join(' ')),
    '',
  ].join('\n')
}

/** What Markdown and HTML would take for their own. */
function escaped(text: string): string {
  return text.replace(/[|<>\\`*_]/g, (character) => `\\${character}`).replace(/\s*\n\s*/g, ' ')
}
