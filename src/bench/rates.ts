// Contestants of a run at several rates, by mode and by rate.

import type { ContestantResult } from './result.js'

/** The modes, in the order of the report: each has a colour by its place. */
export function modesOf(contestants: readonly ContestantResult[]): string[] {
  return [...new Set(contestants.map(({ mode }) => mode))]
}

export function hasSeveralRates(contestants: readonly ContestantResult[]): boolean {
  return modesOf(contestants).length < contestants.length
}

/** One of each mode: what there is no room for at every rate is shown at the highest. */
export function atHighestRate(contestants: readonly ContestantResult[]): ContestantResult[] {
  return modesOf(contestants).map((wanted) =>
    contestants
      .filter(({ mode }) => mode === wanted)
      .reduce((one, other) => ((other.rate ?? 0) > (one.rate ?? 0) ? other : one)),
  )
}
