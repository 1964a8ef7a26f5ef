// Who answered how often: counts per endpoint, their order, and how evenly they are spread.

import type { FlowEvent } from '../drivers/emulation.js'

export interface Shares {
  readonly requests: number
  readonly failed: number
  /** Who answered, in order. */
  readonly sequence: readonly string[]
}

/** Counts by endpoint, sorted by name. */
export function countsOf(shares: Shares): Map<string, number> {
  const counts = new Map<string, number>()
  for (const who of shares.sequence) counts.set(who, (counts.get(who) ?? 0) + 1)
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Jain, Chiu and Hawe's index: (sum x)^2 / (n * sum x^2); 1 when nobody was asked. */
export function jainIndex(counts: readonly number[]): number {
  const sum = counts.reduce((total, count) => total + count, 0)
  const squares = counts.reduce((total, count) => total + count * count, 0)
  return squares === 0 ? 1 : (sum * sum) / (counts.length * squares)
}

/** Whether every one comes once before any comes again, always in the same order. */
export function isInTurn(sequence: readonly string[]): boolean {
  const round = new Set(sequence).size
  return sequence.every((who, i) => (i < round ? sequence.indexOf(who) === i : who === sequence[i - round]))
}

/** As people read it: a line of sums and a line per endpoint. */
export function formatShares(shares: Shares): string {
  const counts = countsOf(shares)
  const lines = [`${shares.requests} requests, ${shares.failed} failed`]
  const width = Math.max(0, ...[...counts.keys()].map((who) => who.length))
  for (const [who, count] of counts) {
    const percent = ((100 * count) / shares.sequence.length).toFixed(1)
    lines.push(`${who.padEnd(width)}  ${String(count).padStart(6)}  ${percent.padStart(5)} %`)
  }
  if (counts.size > 1) {
    const order = isInTurn(shares.sequence) ? ', in turn' : ''
    lines.push(`Jain's index ${jainIndex([...counts.values()]).toFixed(4)}${order}`)
  }
  return lines.join('\n')
}

/** Shares of connections that kube-proxy accepted; one without an endpoint has failed. */
export function sharesOfFlows(flows: readonly FlowEvent[]): Shares {
  const sequence = flows.flatMap((flow) => (flow.endpoint === undefined ? [] : [flow.endpoint]))
  return { requests: flows.length, failed: flows.length - sequence.length, sequence }
}
