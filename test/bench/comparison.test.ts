// Two results compared: what counts as a change, and what limits say of it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareResults, parseChangeLimit } from '../../src/bench/comparison.js'
import { comparisonText } from '../../src/bench/comparison-text.js'
import type { MetricName } from '../../src/bench/metrics.js'
import type { BenchResult } from '../../src/bench/result.js'
import { ThresholdError } from '../../src/bench/threshold.js'

const test = suite('comparison of results')

type Rounds = Readonly<Partial<Record<MetricName, readonly [min: number, median: number, max: number]>>>

function result(modes: Readonly<Record<string, Rounds>>, more: Partial<BenchResult> = {}): BenchResult {
  return {
    version: 1,
    document: 'web.yaml',
    service: 'default/web:80',
    load: 'closed loop',
    clock: 'real',
    rounds: 3,
    model: ['Servers take the time that computing takes.'],
    contestants: Object.entries(modes).map(([mode, rounds]) => ({
      label: mode,
      mode,
      metrics: Object.fromEntries(
        Object.entries(rounds).map(([name, [min, median, max]]) => [name, { min, median, max }]),
      ),
      round: {} as BenchResult['contestants'][number]['round'],
    })),
    thresholds: [],
    failures: [],
    ...more,
  }
}

test('rounds that overlap are the same, others better or worse by what the figure is', () => {
  const base = result({
    iptables: { rps: [90, 100, 110], p99: [4, 5, 6], errors: [0, 0, 0], run: [3, 3, 3] },
  })
  const now = result({
    iptables: { rps: [111, 150, 160], p99: [6, 9, 12], errors: [0.1, 0.1, 0.1], run: [5, 5, 5] },
  })
  const { figures, differences } = compareResults(base, now, [])
  assert.equal(
    figures.map(({ metric, change, verdict }) => [metric, change, verdict]),
    [
      ['rps', 0.5, 'better'],
      ['p99', 0.8, 'same'],
      ['errors', undefined, 'worse'],
      ['run', 5 / 3 - 1, 'changed'],
    ],
  )
  assert.equal(differences, [])
  const text = comparisonText({ figures, differences, thresholds: [] }, { base: 'a.json', now: 'b.json' })
  assert.match(text, /\niptables +req\/s +100 \(90\.\.110\) +150 \(111\.\.160\) +\+50 % +better\n/)
  assert.match(text, /p99 ms .*\+80 % {2}within the spread\n/)
})

test('a mode or a figure that only one has is told, and so is another load', () => {
  const base = result({ iptables: { rps: [1, 1, 1] }, 'ipvs:rr': { rps: [1, 1, 1] } })
  const now = result(
    { nftables: { rps: [1, 1, 1] }, iptables: { rps: [1, 1, 1], late: [0, 0, 0] } },
    { load: 'open loop', seed: 7 },
  )
  const comparison = compareResults(base, now, [parseChangeLimit('rps>-5%')])
  assert.equal(comparison.differences, ['load: closed loop | open loop', 'seed: none | 7'])
  assert.equal(
    comparison.thresholds.map(({ label, passed }) => [label, passed]),
    [
      ['iptables', true],
      ['ipvs:rr', false],
    ],
  )
  const text = comparisonText(comparison, { base: 'a.json', now: 'b.json' })
  for (const line of [
    'only in b.json: nftables',
    'only in a.json: ipvs:rr',
    'only in b.json: late of iptables',
  ])
    assert.ok(text.includes(`${line}\n`), text)
})

test('limits of changes', () => {
  const base = result({ userspace: { p99: [10, 10, 10], errors: [0, 0, 0] } })
  const now = result({ userspace: { p99: [11, 11, 11], errors: [0.01, 0.01, 0.01] } })
  const passed = (text: string) => compareResults(base, now, [parseChangeLimit(text)]).thresholds[0]!.passed
  assert.is(passed('p99<+11%'), true)
  assert.is(passed('p99 <= 10.5 %'), true)
  assert.is(passed('p99<+9%'), false)
  assert.is(passed('p99>-5%'), true)
  // From nothing to something is more than any share of nothing.
  assert.is(passed('errors<+50%'), false)
  for (const text of ['p99<5ms', 'p99<10', 'p99', 'p98<5%'])
    assert.throws(
      () => parseChangeLimit(text),
      (error: unknown) => error instanceof ThresholdError,
    )
})

test.run()
