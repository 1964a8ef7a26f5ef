// The tables of `npm run bench`: a block per benchmark, then every target with what was measured for it.

import type { Benchmark, Row } from './contestant.js'
import type { Target, Verdict } from './targets.js'

export function benchmarkText(benchmark: Benchmark, rows: readonly Row[]): string {
  const wide = Math.max(...rows.map(({ contestant }) => contestant.length))
  const lines = rows.map((row) => {
    const name = row.contestant.padEnd(wide)
    if ('absent' in row) return `  ${name}  skipped: ${row.absent}`
    const range = `${figure(row.min)} .. ${figure(row.max)}`
    const ratio = row.ratio === undefined ? '' : `${row.ratio.toFixed(2)}x`
    const also = Object.entries(row.also).map(([what, value]) => `  ${figure(value)} ${what}`)
    return `  ${name} ${figure(row.median).padStart(10)}  ${range.padStart(21)}  ${ratio.padStart(7)}${also.join('')}`
  })
  const better = benchmark.better === 'lower' ? ', less is better' : ''
  return `\n${benchmark.name} (${benchmark.unit}${better})\n  ${benchmark.note}\n${lines.join('\n')}\n`
}

/** One line a target: its number, what it asks, what was measured, how it stands. */
export function targetsText(verdicts: readonly Verdict[]): string {
  const wide = Math.max(...verdicts.map(({ target }) => target.what.length))
  const lines = verdicts.map(({ target, state, measured, reason }) => {
    const asked = askedText(target).padStart(22)
    const found = measured === undefined ? '-' : `${figure(measured)}${unitOf(target)}`
    const end = reason === undefined ? state : `${state}: ${reason}`
    return `  ${String(target.number).padStart(2)}  ${target.what.padEnd(wide)} ${asked}  ${found.padStart(22)}  ${end}`
  })
  const met = verdicts.filter(({ state }) => state === 'met').length
  const missed = verdicts.filter(({ state }) => state === 'not met').length
  const rest = verdicts.length - met - missed
  return `\nTargets\n${lines.join('\n')}\n${met} met, ${missed} not met, ${rest} not measured\n`
}

export function askedText(target: Target): string {
  const { atLeast, atMost } = target
  return atLeast === undefined
    ? `at most ${asked(atMost!)}${unitOf(target)}`
    : `at least ${asked(atLeast)}${unitOf(target)}`
}

/** As it was asked: without the digits that a measurement has. */
function asked(value: number): string {
  return value.toLocaleString('en')
}

function unitOf({ unit }: Target): string {
  return unit === undefined ? 'x' : ` ${unit}`
}

export function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
