// `podwire bench --compare BASE.json NOW.json`: two results side by side; limits of the change make it a test.

import { compareResults, parseChangeLimit } from '../bench/comparison.js'
import { comparisonText } from '../bench/comparison-text.js'
import { readResult } from '../bench/result-file.js'
import { ThresholdError } from '../bench/threshold.js'
import { choiceOption, UsageError } from './arguments.js'
import type { BenchValues } from './bench-options.js'
import type { Streams } from './streams.js'

const TAKEN = new Set(['compare', 'threshold', 'output'])

/** Resolves with the exit code. Throws UsageError and SourceError. */
export function compareFiles(values: BenchValues, files: readonly string[], streams: Streams): number {
  const other = Object.keys(values).find((name) => !TAKEN.has(name))
  if (other !== undefined) throw new UsageError(`--${other}: nothing is run by --compare`)
  const output = choiceOption('output', values.output, ['text', 'json'] as const) ?? 'text'
  const [base, now, third] = files
  if (base === undefined || now === undefined || third !== undefined)
    throw new UsageError(
      `--compare: two results, not ${files.length}`,
      'podwire bench --compare BASE.json NOW.json',
    )
  const limits = (values.threshold ?? []).map(limitOf)
  const comparison = compareResults(readResult(base), readResult(now), limits)
  streams.out(
    output === 'json'
      ? `${JSON.stringify(comparison, undefined, 2)}\n`
      : comparisonText(comparison, { base, now }),
  )
  return comparison.thresholds.some(({ passed }) => !passed) ? 1 : 0
}

function limitOf(text: string) {
  try {
    return parseChangeLimit(text)
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error
    throw new UsageError(`--threshold: ${error.message}`, error.hint)
  }
}
