// How evenly something is spread, as numbers: Pearson's chi-square with its p, longest runs, medians. Jain's index is
// in scenario/shares.ts.

/** A test of counts against equal shares. */
export interface ChiSquare {
  readonly statistic: number
  readonly degreesOfFreedom: number
  /** How likely a fair, independent choice spreads at least so unevenly; near 1: more even than chance would be. */
  readonly p: number
}

/** Pearson's test that every one of `counts` has the same chance; undefined with fewer than two or without any. */
export function chiSquare(counts: readonly number[]): ChiSquare | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (counts.length < 2 || total === 0) return undefined
  const expected = total / counts.length
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  const degreesOfFreedom = counts.length - 1
  return { statistic, degreesOfFreedom, p: upperGamma(degreesOfFreedom / 2, statistic / 2) }
}

/** Of independent tests as one; undefined without any. */
export function sumOfTests(tests: readonly ChiSquare[]): ChiSquare | undefined {
  if (tests.length === 0) return undefined
  const statistic = tests.reduce((sum, one) => sum + one.statistic, 0)
  const degreesOfFreedom = tests.reduce((sum, one) => sum + one.degreesOfFreedom, 0)
  return { statistic, degreesOfFreedom, p: upperGamma(degreesOfFreedom / 2, statistic / 2) }
}

/** Terms and steps after which both expansions below have long converged. */
const MOST_TERMS = 10_000
const PRECISION = 1e-15

/**
 * The regularised upper incomplete gamma function Q(a, x): the power series for P where x is small, the continued
 * fraction where it is not (NIST Digital Library of Mathematical Functions 8.7.1 and 8.9.2).
 */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < MOST_TERMS && term > sum * PRECISION; n++) {
      term *= x / (a + n)
      sum += term
    }
    return 1 - scale * sum
  }
  // Evaluated by Lentz' method.
  const tiny = 1e-300
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let fraction = d
  for (let n = 1; n < MOST_TERMS; n++) {
    const numerator = -n * (n - a)
    b += 2
    d = 1 / (numerator * d + b || tiny)
    c = b + numerator / c || tiny
    const step = c * d
    fraction *= step
    if (Math.abs(step - 1) < PRECISION) break
  }
  return scale * fraction
}

/** Logarithm of the gamma function for positive a: Stirling's series (DLMF 5.11.1) above 10, recurrence below. */
function logGamma(a: number): number {
  let shift = 0
  while (a < 10) {
    shift += Math.log(a)
    a++
  }
  const series = 1 / (12 * a) - 1 / (360 * a ** 3) + 1 / (1260 * a ** 5) - 1 / (1680 * a ** 7)
  return (a - 0.5) * Math.log(a) - a + 0.5 * Math.log(2 * Math.PI) + series - shift
}

/** How often the same one comes in a row at most. */
export function longestRun(sequence: readonly string[]): number {
  let longest = 0
  let run = 0
  for (let i = 0; i < sequence.length; i++) {
    run = sequence[i] === sequence[i - 1] ? run + 1 : 1
    if (run > longest) longest = run
  }
  return longest
}

const EULER = 0.5772156649015329

/**
 * How long the longest run is on average when `count` choices among `endpoints` are fair and independent: each repeats the
 * one before with probability q = 1/endpoints, so it is one more than the longest run of heads that a coin of that
 * probability shows (Schilling, "The Longest Run of Heads", 1990). Good to 0.1 from some dozens of choices on.
 */
export function runByChance(count: number, endpoints: number): number {
  if (endpoints < 2 || count < 2) return count
  const tails = (count - 1) * (1 - 1 / endpoints)
  return Math.min(count, 0.5 + (Math.log(tails) + EULER) / Math.log(endpoints))
}

/** Of several rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}
