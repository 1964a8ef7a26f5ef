// The harness of `npm run bench`: turns, contestants that cannot run here or break, and how targets are judged.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Absent, type Benchmark, type Contestant, compare } from '../../benchmarks/contestant.js'
import { judge, TARGETS, type Target } from '../../benchmarks/targets.js'

const test = suite('benchmarks')

const benchmark = (...contestants: Contestant[]): Benchmark => ({
  name: 'some/thing',
  unit: 'µs',
  measure: 'value',
  note: '',
  seconds: 60,
  contestants: () => contestants,
})

test('contestants take turns, the first round does not count, all are stopped', async () => {
  const log: string[] = []
  const contestant = (name: string, values: number[]): Contestant => ({
    name,
    start: () => void log.push(`start ${name}`),
    run: () => {
      log.push(name)
      return { value: values.shift()!, also: { MB: 5 } }
    },
    stop: () => void log.push(`stop ${name}`),
  })
  const pair = [contestant('a', [99, 3, 1, 2]), contestant('b', [99, 6, 6, 6])]
  const rows = await compare(benchmark(...pair), pair, { rounds: 3 })
  assert.equal(log, ['start a', 'start b', ...['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b'], 'stop a', 'stop b'])
  assert.equal(rows, [
    { contestant: 'a', median: 2, min: 1, max: 3, rounds: [3, 1, 2], ratio: 1, also: { MB: 5 } },
    { contestant: 'b', median: 6, min: 6, max: 6, rounds: [6, 6, 6], ratio: 3, also: { MB: 5 } },
  ])
})

test('who is absent or breaks leaves the others in, and is stopped too', async () => {
  const stopped: string[] = []
  const stop = (name: string) => ({ stop: () => void stopped.push(name) })
  const three: Contestant[] = [
    {
      name: 'absent',
      start: () => Promise.reject(new Absent('needs root')),
      run: () => 1,
      ...stop('absent'),
    },
    { name: 'broken', run: () => Promise.reject(new Error('no\nmore')), ...stop('broken') },
    { name: 'well', run: () => 4, ...stop('well') },
  ]
  const [absent, broken, well] = await compare(benchmark(...three), three, { rounds: 2 })
  assert.equal(absent, { contestant: 'absent', absent: 'needs root' })
  assert.equal(broken, { contestant: 'broken', absent: 'failed: no' })
  assert.is((well as { median: number }).median, 4)
  assert.equal(stopped, ['absent', 'broken', 'well'])
})

test('who does not come to an end is taken out; the others go on', async () => {
  const stuck: Contestant = { name: 'stuck', run: () => new Promise(() => {}) }
  const pair = [stuck, { name: 'well', run: () => 4 }]
  const limited = { ...benchmark(...pair), limitSeconds: 0.05 }
  const [first, second] = await compare(limited, pair, { rounds: 2 })
  assert.equal(first, { contestant: 'stuck', absent: 'failed: no end within 0.05 s' })
  assert.equal((second as { rounds: readonly number[] }).rounds, [4, 4])
})

test('time that runs out costs rounds beyond the third; a benchmark of processes has none to warm up', async () => {
  const rounds: number[] = []
  const one: Contestant = { name: 'one', run: () => rounds.push(0) }
  const short = { ...benchmark(one), seconds: 0, warmUp: false } as const
  await compare(short, [one], { rounds: 5 })
  assert.is(rounds.length, 3)
})

test('everybody does as much before rounds count, in as many as that takes', async () => {
  const log: string[] = []
  const contestant = (name: string, amount: number): Contestant => ({
    name,
    run: () => {
      log.push(name)
      return { value: 1, amount }
    },
  })
  const three = [contestant('fast', 100), contestant('slow', 30), { name: 'silent', run: () => 1 }]
  const [, slow, silent] = await compare({ ...benchmark(...three), warmUp: 90 }, three, { rounds: 1 })
  assert.equal(log, ['fast', 'slow', 'slow', 'slow', 'fast', 'slow'])
  assert.equal((slow as { rounds: readonly number[] }).rounds, [1])
  assert.equal(silent, { contestant: 'silent', absent: 'failed: does not tell how much it did' })
})

test('an interrupted run stops what was started', async () => {
  const interrupt = new AbortController()
  const log: string[] = []
  const one: Contestant = {
    name: 'one',
    run: () => {
      interrupt.abort(new Error('SIGINT'))
      return new Promise(() => {})
    },
    stop: () => void log.push('stopped'),
  }
  const failure = await compare(benchmark(one), [one], { rounds: 2, signal: interrupt.signal }).catch(
    (error: Error) => error.message,
  )
  assert.is(failure, 'SIGINT')
  assert.equal(log, ['stopped'])
})

test('a target is met, not met, or not measured with the reason', () => {
  const row = (contestant: string, value: number) => ({
    contestant,
    median: value,
    min: value,
    max: value,
    rounds: [value],
    ratio: 1,
    also: { MB: 100 },
  })
  const results = new Map([
    ['b', [row('ours', 12), row('theirs', 4), { contestant: 'gone', absent: 'no tool' }]],
  ])
  const target = (more: Partial<Target>): Target => ({
    number: 1,
    what: '',
    benchmark: 'b',
    contestant: 'ours',
    ...more,
  })
  const states = judge(results, [
    target({ against: 'theirs', atLeast: 3 }),
    target({ against: 'theirs', atLeast: 4 }),
    target({ atMost: 12 }),
    target({ figure: 'MB', atMost: 99 }),
    target({ against: 'gone', atLeast: 1 }),
    target({ benchmark: 'other', atLeast: 1 }),
  ]).map(({ state, measured, reason }) => reason ?? `${state} ${measured}`)
  assert.equal(states, ['met 3', 'not met 3', 'met 12', 'not met 100', 'gone: no tool', 'other did not run'])
})

test('every target asks for one thing', () => {
  for (const { what, atLeast, atMost } of TARGETS)
    assert.ok((atLeast === undefined) !== (atMost === undefined), what)
})

test.run()
