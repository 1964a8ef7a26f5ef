// Results as tables of other programs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { benchCsv, benchMarkdown } from '../../src/bench/report-tables.js'
import type { BenchResult } from '../../src/bench/result.js'

const test = suite('tables of results')

const RESULT: BenchResult = {
  version: 1,
  document: 'web.yaml',
  service: 'default/web:80',
  load: 'open loop, "a|b"',
  clock: 'real',
  rounds: 3,
  model: ['Time is real.'],
  contestants: [
    {
      label: 'iptables',
      mode: 'iptables',
      rate: 100,
      metrics: { rps: { median: 100, min: 90.5, max: 101 }, errors: { median: 0.01, min: 0, max: 0.02 } },
      round: {} as BenchResult['contestants'][number]['round'],
    },
    {
      label: 'headless',
      mode: 'headless',
      metrics: { rps: { median: 5, min: 5, max: 5 } },
      round: {} as BenchResult['contestants'][number]['round'],
    },
  ],
  thresholds: [{ threshold: 'errors<1%', label: 'iptables', value: 0.01, passed: false }],
  failures: [],
}

test('CSV', () => {
  assert.equal(benchCsv(RESULT).split('\r\n'), [
    'mode,rate,rps,rps min,rps max,errors,errors min,errors max',
    'iptables,100,100,90.5,101,0.01,0,0.02',
    'headless,,5,5,5,,,',
    '',
  ])
  assert.is(benchCsv({ ...RESULT, rounds: 1 }).split('\r\n')[1], 'iptables,100,100,0.01')
})

test('Markdown', () => {
  assert.equal(benchMarkdown(RESULT).split('\n'), [
    '### web.yaml: default/web:80',
    '',
    'open loop, "a\\|b"',
    '',
    '| mode | req/s | errors |',
    '| --- | ---: | ---: |',
    '| iptables | 100 (91..101) | 1 % (0 %..2 %) |',
    '| headless | 5 | - |',
    '',
    '- ❌ iptables: errors\\<1% (0.01)',
    '',
    'Time is real.',
    '',
  ])
  assert.not.match(benchMarkdown({ ...RESULT, thresholds: [] }), /❌|\n\n\n/)
})

test.run()
