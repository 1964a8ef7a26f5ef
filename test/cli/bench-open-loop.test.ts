// `podwire bench` at a constant rate: that it is constant, over several clients too, and that what could not be sent in
// time is told (coordinated omission).

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { BenchResult, ContestantResult } from '../../src/bench/result.js'
import { podwire, removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'
import { WEB_SERVICE } from '../support/web-service.js'

const test = suite<{ directory: string; web: string }>('bench in an open loop')

test.before((context) => {
  context.directory = scratchDirectory()
  context.web = join(context.directory, 'web.yaml')
  writeFileSync(context.web, WEB_SERVICE)
})
test.after(({ directory }) => removeScratchDirectory(directory))

async function contestant(...args: string[]): Promise<ContestantResult> {
  const { code, out, err } = await podwire(['bench', ...args, '-m', 'ipvs:rr', '--output', 'json'])
  assert.is(code, 0, err)
  return (JSON.parse(out) as BenchResult).contestants[0]!
}

const percentile = ({ round }: ContestantResult, wanted: number) =>
  round.percentiles.find(([percent]) => percent === wanted)![1]

/** Every server is silent for a while. */
const STALL = `- sleep: 1s
- link: { pod: app=web, loss: 100% }
- sleep: 500ms
- link: { pod: app=web, loss: 0% }
`

test('a stall is felt by all requests that were due meanwhile; a closed loop sends none of them', async ({
  web,
  directory,
}) => {
  const during = join(directory, 'stall.yaml')
  writeFileSync(during, STALL)
  const args = [web, '-d', '4s', '-c', '4', '--service-time', 'constant(1ms)', '--during', during]
  const open = await contestant(...args, '-r', '200')
  const stalled = open.metrics.max!.median
  assert.ok(stalled > 500 && stalled < 1500, `${stalled}`)
  assert.is(open.metrics.requests!.median, 800)
  assert.is(open.metrics.errors!.median, 0)
  // One was due every 5 ms: of 800, the k-th slowest waited for (k - 1) * 5 ms less than the slowest, and until those
  // before it had been worked off: 1.2 ms each, over one connection to four.
  for (const [percent, slower] of [
    [99.5, 4],
    [99, 8],
    [95, 40],
    [90, 80],
  ] as const) {
    const due = stalled - slower * 5
    const found = percentile(open, percent)
    assert.ok(found > due - 5 && found < due + slower * 1.2, `p${percent}: ${found}, not ${due}`)
  }
  // All but the four that were on their way, in the time of the stall.
  assert.ok(Math.abs(open.metrics.late!.median - stalled / 5 / 800) < 0.02, `${open.metrics.late!.median}`)
  const closed = await contestant(...args)
  assert.ok(closed.metrics.max!.median > 500)
  assert.ok(percentile(closed, 99.9) < 5, `${percentile(closed, 99.9)}`)
})

test('latency is what queueing theory says of one server', async ({ directory }) => {
  const one = join(directory, 'one.yaml')
  writeFileSync(one, WEB_SERVICE.replace('replicas: 3', 'replicas: 1'))
  const args = [
    one,
    '-r',
    '100',
    '-c',
    '100',
    '-d',
    '21s',
    '--warmup',
    '1s',
    '--service-time',
    'exponential(5ms)',
  ]
  const { metrics } = await contestant(...args)
  // D/M/1: times in the system are exponential with the rate mu (1 - s), where s = exp(-mu (1 - s) / lambda).
  const [lambda, mu] = [0.1, 0.2]
  let s = 0.5
  for (let i = 0; i < 100; i++) s = Math.exp((-mu * (1 - s)) / lambda)
  const theory = (share: number) => -Math.log(1 - share) / (mu * (1 - s))
  // Wires take 0.2 ms for the way to a pod on the same node and back, 0.4 ms to another one.
  for (const [found, expected] of [
    [metrics.p50!.median, theory(0.5)],
    [metrics.mean!.median, theory(1 - Math.exp(-1))],
    [metrics.p90!.median, theory(0.9)],
    [metrics.p99!.median, theory(0.99)],
  ] as const)
    assert.ok(Math.abs(found - 0.4 - expected) < 0.15 * expected, `${found} ms, in theory ${expected} ms`)
})

test('several clients take turns: one request at a time, not as many as there are clients', async ({
  web,
}) => {
  // Ten clients with ten requests a second each; each answer takes 4 ms, the next request is due 10 ms later.
  const ten = await contestant(
    web,
    '-d',
    '1s',
    '-r',
    '100',
    '--clients',
    '10',
    '-c',
    '10',
    '--service-time',
    'constant(4ms)',
  )
  assert.is(ten.metrics.requests!.median, 100)
  // Nobody waits in line: wires take 0.2 ms to 0.8 ms, and a new connection as much again.
  assert.ok(ten.metrics.max!.median < 6, `${ten.metrics.max!.median}`)
  assert.is(ten.metrics.late!.median, 0)
})

test('the rate is that of answers within the time, even if one comes seconds later', async ({
  web,
  directory,
}) => {
  const during = join(directory, 'vanish.yaml')
  writeFileSync(during, '- sleep: 800ms\n- link: { pod: app=web, loss: 100% }\n')
  const args = [web, '-d', '1s', '-r', '100', '-c', '2', '--service-time', 'constant(1ms)', '--timeout', '3s']
  const { metrics } = await contestant(...args, '--during', during)
  assert.is(metrics.requests!.median, 100)
  assert.ok(metrics.rps!.median >= 79 && metrics.rps!.median <= 81, `${metrics.rps!.median}`)
  assert.ok(metrics.errors!.median >= 0.19 && metrics.errors!.median <= 0.21, `${metrics.errors!.median}`)
})

test('at several rates every mode is loaded at each, and the page shows where it breaks down', async ({
  web,
  directory,
}) => {
  const page = join(directory, 'rates.html')
  // Three servers, 100 a second each.
  const args = [
    'bench',
    web,
    '-m',
    'ipvs:rr,userspace',
    '-r',
    '150,450',
    '-d',
    '1s',
    '-c',
    '30',
    '--html',
    page,
  ]
  const { out } = await podwire([...args, '--service-time', 'constant(10ms)', '-o', 'json', '-t', 'late<1%'])
  const { contestants, thresholds, load } = JSON.parse(out) as BenchResult
  assert.match(load, 'open loop, 150, 450 requests/s')
  assert.equal(
    contestants.map(({ label, mode, rate, metrics }) => [label, mode, rate, metrics.requests!.median]),
    [
      ['ipvs:rr 150/s', 'ipvs:rr', 150, 150],
      ['userspace 150/s', 'userspace', 150, 150],
      ['ipvs:rr 450/s', 'ipvs:rr', 450, 450],
      ['userspace 450/s', 'userspace', 450, 450],
    ],
  )
  assert.equal(
    thresholds.map(({ label, passed }) => [label, passed]),
    [
      ['ipvs:rr 150/s', true],
      ['userspace 150/s', true],
      ['ipvs:rr 450/s', false],
      ['userspace 450/s', false],
    ],
  )
  for (const { rate, metrics } of contestants) {
    const { rps, p99 } = metrics
    if (rate === 150) assert.ok(rps!.median > 140 && p99!.median < 40, `${rps!.median}, ${p99!.median} ms`)
    else assert.ok(rps!.median <= 300 && p99!.median > 300, `${rps!.median}, ${p99!.median} ms`)
  }
  const html = readFileSync(page, 'utf8')
  // Two by rate, three over time and by percentile, shares, and one for each mode.
  assert.is(html.match(/<svg /g)?.length, 8)
  assert.not.match(html, /NaN|undefined|Infinity/)
})

test('a rate that is none is told', async ({ web }) => {
  for (const rate of ['0', '100,', 'fast', '1e3']) {
    const { code, err } = await podwire(['bench', web, '-r', rate])
    assert.is(code, 2)
    assert.match(err, /--rate \S*: not a whole number from 1 to 10000000/)
  }
})

test.run()
