import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runCommandLine } from '../../src/cli/command.js'
import { FakeEmulation, scriptedShell } from '../support/fake-emulation.js'

const test = suite<{ directory: string }>('command')

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'podwire-'))
  writeFileSync(join(context.directory, 'good.md'), '```\n$ good\n1\n```\n')
  writeFileSync(join(context.directory, 'bad.md'), '```\n$ good\n2\n```\n')
})
test.after.each((context) => {
  rmSync(context.directory, { recursive: true })
})

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function podwire(...args: string[]): Promise<Ended> {
  let out = ''
  let err = ''
  const code = await runCommandLine(args, {
    streams: { out: (text) => (out += text), err: (text) => (err += text), colors: false, progress: false },
    world: async () => ({
      startEmulation: async () => new FakeEmulation(),
      hostPrograms: async () => new Map([['sh', scriptedShell({ good: ['1\n', 0] })]]),
    }),
    signal: new AbortController().signal,
  })
  return { code, out, err }
}

test('the exit code is 0 when all passed, 1 when an expectation failed, 2 for a bad file', async ({
  directory,
}) => {
  const passed = await podwire('run', join(directory, 'good.md'))
  assert.is(passed.code, 0)
  assert.match(passed.out, /1 passed, 0 failed/)
  const failed = await podwire('run', join(directory, 'good.md'), join(directory, 'bad.md'))
  assert.is(failed.code, 1)
  assert.match(failed.out, /- 2\n {6}\+ 1\n/)
  const missing = await podwire('run', join(directory, 'none.md'), join(directory, 'good.md'))
  assert.is(missing.code, 2)
  assert.match(missing.err, /none\.md:1:1: no such file/)
  assert.match(missing.out, /1 passed, 0 failed/)
})

test('a wrong command line exits with 2, says what is wrong and what was meant', async () => {
  const cases: [string[], RegExp][] = [
    [[], /no command/],
    [['rum', 'x.md'], /unknown command rum\n {2}hint: did you mean run\?/],
    [['x.yaml'], /hint: podwire run x\.yaml/],
    [['run'], /no file to run/],
    [['run', 'x.md', '--sed', '1'], /unknown option --sed\n {2}hint: did you mean --seed\?/],
    [['run', 'x.md', '--seed', '-1'], /seed/],
    [['run', 'x.md', '--seed', 'x'], /--seed x: not a whole number/],
    [['run', 'x.md', '--clock', 'virtuel'], /did you mean virtual\?/],
    [['run', 'x.md', '--reporter', 'xml'], /known: pretty, tap, junit, json/],
    [['run', 'x.md', '--start-time', 'noon'], /--start-time noon: not a date/],
    [['run', 'x.md', '--start-time', '2021-02-30'], /--start-time 2021-02-30: not a date/],
    [
      ['run', 'x.md', '--network-threads', '2'],
      /--network-threads is for real time.*\n {2}hint: --clock real/,
    ],
    [['up', '--network-threads', '0'], /--network-threads 0: neither a whole number from 1 on nor per-node/],
    [['start', 'x.md'], /start takes no file/],
  ]
  for (const [args, message] of cases) {
    const { code, err } = await podwire(...args)
    assert.is(code, 2, args.join(' '))
    assert.match(err, message)
  }
})

test('help, version and schema go to standard output', async () => {
  assert.match((await podwire('--help')).out, /^podwire - .*\n\nUsage/)
  assert.match((await podwire('-v')).out, /^\d+\.\d+\.\d+\n$/)
  assert.is(JSON.parse((await podwire('schema')).out).title, 'Podwire scenario')
})

test('--out takes the report to a file, and people still see the pretty one', async ({ directory }) => {
  const report = join(directory, 'report.json')
  const { code, out } = await podwire(
    'run',
    join(directory, 'good.md'),
    '--reporter',
    'json',
    '--out',
    report,
  )
  assert.is(code, 0)
  assert.is(JSON.parse(readFileSync(report, 'utf8')).passed, 1)
  assert.match(out, /✓ good/)
  const unwritable = await podwire(
    'run',
    join(directory, 'good.md'),
    '--out',
    join(directory, 'no', 'report'),
  )
  assert.is(unwritable.code, 2)
  assert.match(unwritable.err, /^podwire: --out .*report: no such directory\n$/)
})

test('a report of several documents is a list', async ({ directory }) => {
  const { out } = await podwire(
    'run',
    join(directory, 'good.md'),
    join(directory, 'bad.md'),
    '--reporter',
    'json',
  )
  assert.equal(
    JSON.parse(out).map((run: { failed: number }) => run.failed),
    [0, 1],
  )
})

test.run()
