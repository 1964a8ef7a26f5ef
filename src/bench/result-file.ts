// A result of `podwire bench --output json`, read back.

import { SourceError } from '../scenario/source-error.js'
import { readText } from '../scenario/source-files.js'
import { type BenchResult, RESULT_VERSION } from './result.js'

const HINT = 'podwire bench FILE... --output json > RESULT.json'

/** Throws SourceError when it cannot be read or is none. What a later version has added is passed over. */
export function readResult(file: string): BenchResult {
  const fail = (message: string, hint = HINT): never => {
    throw new SourceError(file, [{ line: 1, column: 1, message, hint }])
  }
  const source = readText(file)
  if ('problem' in source) return fail(source.problem)
  let value: unknown
  try {
    value = JSON.parse(source.text)
  } catch {
    return fail(source.text.trim() === '' ? 'the file is empty' : 'not JSON')
  }
  const { version, contestants } = (value ?? {}) as Partial<BenchResult>
  if (version === undefined || !Array.isArray(contestants) || !contestants.every(isContestant))
    return fail('no result of podwire bench')
  if (version !== RESULT_VERSION) return fail(`a result of version ${version}, not ${RESULT_VERSION}`)
  return value as BenchResult
}

function isContestant(value: unknown): boolean {
  const { label, metrics } = (value ?? {}) as { label?: unknown; metrics?: unknown }
  if (typeof label !== 'string' || typeof metrics !== 'object' || metrics === null) return false
  return Object.values(metrics).every((spread: unknown) => {
    const { median, min, max } = (spread ?? {}) as Record<string, unknown>
    return [median, min, max].every((one) => typeof one === 'number')
  })
}
