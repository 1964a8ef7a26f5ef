// The difference between expected and actual output, for people: lines that match (as match.ts sees it) stand
// once, the others with `-` for expected and `+` for what came.

import { oneLineMatches } from './match.js'

/** Beyond that many pairs of lines nobody reads a difference, and it would take long to find. */
const MOST_PAIRS = 4_000_000

/** Lines with a mark in front: `  same`, `- expected`, `+ actual`. Longest common subsequence. */
export function diffLines(expected: readonly string[], actual: readonly string[]): string[] {
  if (expected.length * actual.length > MOST_PAIRS) {
    return [`- ${expected.length} lines`, `+ ${actual.length} lines, too many to compare`]
  }
  const matches = expected.map((left) => actual.map((right) => oneLineMatches(left, right)))
  const common = Array.from({ length: expected.length + 1 }, () =>
    new Array<number>(actual.length + 1).fill(0),
  )
  for (let i = expected.length - 1; i >= 0; i--) {
    for (let j = actual.length - 1; j >= 0; j--) {
      common[i]![j] = matches[i]![j]
        ? common[i + 1]![j + 1]! + 1
        : Math.max(common[i + 1]![j]!, common[i]![j + 1]!)
    }
  }
  const lines: string[] = []
  let i = 0
  let j = 0
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && j < actual.length && matches[i]![j]) {
      lines.push(`  ${actual[j++]}`)
      i++
    } else if (j >= actual.length || (i < expected.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      lines.push(`- ${expected[i++]}`)
    } else {
      lines.push(`+ ${actual[j++]}`)
    }
  }
  return lines
}
