// How evenly requests and connections were spread over the endpoints that were ready at the time: an endpoint that comes
// later or goes earlier than others is to have less. Between changes, and without any, these are the plain Jain index and
// Pearson's test.

import type { Micros } from '../base/time.js'
import type { RoundRecord } from './recording.js'
import { type ChiSquare, chiSquare, sumOfTests } from './statistics.js'

/** Something that an endpoint got; what went to none does not count. */
export interface Received {
  readonly at: Micros
  readonly endpoint: string | undefined
}

/** Between two changes of what is ready. */
interface Phase {
  /** By endpoint, for all that were ready. */
  readonly counts: Map<string, number>
}

/** `received`: ascending by `at`. What went to an endpoint that was not ready is left out. */
function phasesOf(ready: RoundRecord['ready'], received: readonly Received[]): Phase[] {
  const phases = ready.map(({ endpoints }) => ({
    counts: new Map([...endpoints.keys()].map((one) => [one, 0])),
  }))
  let phase = 0
  for (const { at, endpoint } of received) {
    while (phase + 1 < ready.length && ready[phase + 1]!.at <= at) phase++
    const counts = phases[phase]?.counts
    const count = endpoint === undefined ? undefined : counts?.get(endpoint)
    if (count !== undefined) counts!.set(endpoint!, count + 1)
  }
  return phases
}

/** What each endpoint would have got in equal shares. */
export function fairShares(ready: RoundRecord['ready'], received: readonly Received[]): Map<string, number> {
  const fair = new Map<string, number>()
  for (const { counts } of phasesOf(ready, received)) {
    const each = total(counts) / counts.size
    for (const endpoint of counts.keys()) fair.set(endpoint, (fair.get(endpoint) ?? 0) + each)
  }
  return fair
}

/**
 * Jain's index of what endpoints got in relation to their fair shares, each with the weight of its fair share:
 * n / (sum of got^2 / fair). Where all have the same fair share this is (sum x)^2 / (n * sum x^2), Jain, Chiu and Hawe's.
 * Undefined when nothing was received.
 */
export function jainOverTime(ready: RoundRecord['ready'], received: readonly Received[]): number | undefined {
  const got = new Map<string, number>()
  for (const { counts } of phasesOf(ready, received))
    for (const [endpoint, count] of counts) got.set(endpoint, (got.get(endpoint) ?? 0) + count)
  const all = total(got)
  if (all === 0) return undefined
  let squares = 0
  for (const [endpoint, fair] of fairShares(ready, received))
    if (fair > 0) squares += got.get(endpoint)! ** 2 / fair
  return all / squares
}

/**
 * Pearson's test of every phase against equal shares, put together: the sum of independent chi-squares is one with the
 * sum of their degrees of freedom. A phase with fewer than one each tells nothing and is left out.
 */
export function chiSquareOverTime(
  ready: RoundRecord['ready'],
  received: readonly Received[],
): ChiSquare | undefined {
  const tests = phasesOf(ready, received).flatMap(({ counts }) =>
    total(counts) < counts.size ? [] : (chiSquare([...counts.values()]) ?? []),
  )
  return sumOfTests(tests)
}

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const count of counts.values()) sum += count
  return sum
}
