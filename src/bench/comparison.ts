// Two results of the same benchmark, before and after a change: what has become better or worse, by more than the spread of
// the rounds, and limits of that for CI.

import { METRICS, type MetricName, metricNames } from './metrics.js'
import type { BenchResult } from './result.js'
import type { Spread } from './statistics.js'
import { compares, type Threshold, ThresholdError } from './threshold.js'

export interface Comparison {
  /** What is not the same in what was run, in words: then the figures say little. */
  readonly differences: readonly string[]
  readonly figures: readonly ComparedFigure[]
  readonly thresholds: readonly ComparedThreshold[]
}

export interface ComparedFigure {
  readonly label: string
  readonly metric: MetricName
  readonly base: Spread | undefined
  readonly now: Spread | undefined
  /** Of the medians: 0.1 for 10 % more; undefined where one is missing, or the first is 0 and the second is not. */
  readonly change: number | undefined
  /**
   * `same`: within the spread, that is the rounds of both overlap. `changed`: of a figure that is neither better nor worse.
   * `gone`, `new`: in one of them alone.
   */
  readonly verdict: 'better' | 'worse' | 'changed' | 'same' | 'gone' | 'new'
}

export interface ComparedThreshold {
  readonly threshold: string
  readonly label: string
  readonly change: number | undefined
  readonly passed: boolean
}

/** A limit of a change: `p99<+10%`, `rps>-5%`. */
export interface ChangeLimit {
  readonly text: string
  readonly metric: MetricName
  readonly operator: Threshold['operator']
  readonly limit: number
}

/** Throws ThresholdError. */
export function parseChangeLimit(text: string): ChangeLimit {
  const match = /^\s*([\w.-]+?)\s*(<=|>=|<|>)\s*([+-]?\d+(?:\.\d+)?)\s*%\s*$/.exec(text)
  if (match === null)
    throw new ThresholdError(`${text}: no limit of a change`, 'such as p99<+10% or rps>-5%, of the median')
  const [, name, operator, number] = match
  const metric = metricNames().find((one) => one === name)
  if (metric === undefined)
    throw new ThresholdError(`${text}: unknown figure ${name}`, `known: ${metricNames().join(', ')}`)
  return { text, metric, operator: operator as ChangeLimit['operator'], limit: Number(number) / 100 }
}

export function compareResults(
  base: BenchResult,
  now: BenchResult,
  limits: readonly ChangeLimit[],
): Comparison {
  const labels = [...new Set([...now.contestants, ...base.contestants].map(({ label }) => label))]
  const figures = labels.flatMap((label) => figuresOf(label, base, now))
  // Who is new has nothing to keep to; who is gone has not kept to it.
  const held = base.contestants.map(({ label }) => label)
  const thresholds = limits.flatMap((limit) =>
    held.map((label): ComparedThreshold => {
      const figure = figures.find((one) => one.label === label && one.metric === limit.metric)
      const change = figure?.change
      const passed = change !== undefined && compares(change, limit.operator, limit.limit)
      return { threshold: limit.text, label, change, passed }
    }),
  )
  return { differences: differencesOf(base, now), figures, thresholds }
}

function figuresOf(label: string, base: BenchResult, now: BenchResult): ComparedFigure[] {
  const of = ({ contestants }: BenchResult) => contestants.find((one) => one.label === label)?.metrics ?? {}
  const [before, after] = [of(base), of(now)]
  return metricNames().flatMap((metric) => {
    const pair = { base: before[metric], now: after[metric] }
    if (pair.base === undefined && pair.now === undefined) return []
    return [{ label, metric, ...pair, change: changeOf(pair), verdict: verdictOf(metric, pair) }]
  })
}

type Pair = Pick<ComparedFigure, 'base' | 'now'>

function changeOf({ base, now }: Pair): number | undefined {
  if (base === undefined || now === undefined) return undefined
  if (base.median === now.median) return 0
  return base.median === 0 ? undefined : now.median / base.median - 1
}

function verdictOf(metric: MetricName, { base, now }: Pair): ComparedFigure['verdict'] {
  if (base === undefined) return 'new'
  if (now === undefined) return 'gone'
  if (now.min <= base.max && base.min <= now.max) return 'same'
  const { better } = METRICS[metric]
  if (better === 'neither') return 'changed'
  return now.median > base.median === (better === 'higher') ? 'better' : 'worse'
}

function differencesOf(base: BenchResult, now: BenchResult): string[] {
  const parts: readonly (readonly [name: string, of: (one: BenchResult) => unknown])[] = [
    ['service', ({ service }) => service],
    ['load', ({ load }) => load],
    ['clock', ({ clock }) => clock],
    ['seed', ({ seed }) => seed],
    ['rounds', ({ rounds }) => rounds],
    ['model', ({ model }) => model[0]],
    ['interrupted', ({ interrupted }) => interrupted],
  ]
  return parts.flatMap(([name, of]) => {
    const [one, other] = [of(base), of(now)]
    return one === other ? [] : [`${name}: ${one ?? 'none'} | ${other ?? 'none'}`]
  })
}
