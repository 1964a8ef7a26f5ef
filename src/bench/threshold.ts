// Limits for CI: `p99<5ms`, `jain>0.99`, `errors<1%`, held against every contestant's median.

import type { MetricName } from './metrics.js'
import { METRICS, metricNames } from './metrics.js'

const OPERATORS = {
  '<=': (a: number, b: number) => a <= b,
  '>=': (a: number, b: number) => a >= b,
  '<': (a: number, b: number) => a < b,
  '>': (a: number, b: number) => a > b,
  '=': (a: number, b: number) => a === b,
} as const

export interface Threshold {
  /** As it was written. */
  readonly text: string
  readonly metric: MetricName
  readonly operator: keyof typeof OPERATORS
  /** In the metric's unit. */
  readonly limit: number
}

/** A threshold that is none; `hint` says what would be one. */
export class ThresholdError extends Error {
  readonly hint: string
  constructor(message: string, hint: string) {
    super(message)
    this.name = 'ThresholdError'
    this.hint = hint
  }
}

/** To the metric's unit: milliseconds, or a share. */
const UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ms: { us: 0.001, µs: 0.001, ms: 1, s: 1000 },
  share: { '': 1, '%': 0.01 },
  bytes: { '': 1, B: 1, kB: 1000, KiB: 1024 },
}

/** Reads `p99<5ms`. Throws ThresholdError. */
export function parseThreshold(text: string): Threshold {
  const match = /^\s*([\w.-]+)\s*(<=|>=|<|>|=)\s*(-?\d+(?:\.\d+)?)\s*(\D*)$/.exec(text)
  if (match === null) throw new ThresholdError(`${text}: no threshold`, 'such as p99<5ms or jain>0.99')
  const [, name, operator, number, unitText] = match
  const metric = metricNames().find((one) => one === name)
  if (metric === undefined)
    throw new ThresholdError(`${text}: unknown figure ${name}`, `known: ${metricNames().join(', ')}`)
  const unit = unitText!.trim()
  const units = UNITS[METRICS[metric].unit] ?? { '': 1 }
  const factor = units[unit]
  if (factor === undefined) {
    const known = Object.keys(units).filter((one) => one !== '')
    const hint = known.length === 0 ? `${metric} is a plain number` : `${metric} is in ${known.join(', ')}`
    const what = unit === '' ? 'the unit is missing' : `${unit} is no unit of ${metric}`
    throw new ThresholdError(`${text}: ${what}`, hint)
  }
  return { text, metric, operator: operator as Threshold['operator'], limit: Number(number) * factor }
}

/** Whether `value` keeps to it; what is not there does not. */
export function holds(threshold: Threshold, value: number | undefined): boolean {
  return value !== undefined && compares(value, threshold.operator, threshold.limit)
}

export function compares(value: number, operator: Threshold['operator'], limit: number): boolean {
  return OPERATORS[operator](value, limit)
}
