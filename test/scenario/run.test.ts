import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ScenarioResult } from '../../src/scenario/result.js'
import type { RunOptions, World } from '../../src/scenario/run.js'
import { runDocument } from '../../src/scenario/run.js'
import type { FakeOptions, Script } from '../support/fake-emulation.js'
import { FakeEmulation, scriptedShell } from '../support/fake-emulation.js'

const test = suite<{ directory: string }>('run')

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'podwire-'))
})
test.after.each((context) => {
  rmSync(context.directory, { recursive: true })
})

function write(directory: string, name: string, ...lines: string[]): string {
  const file = join(directory, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

interface Run {
  readonly result: ScenarioResult
  readonly fake: FakeEmulation
}

async function run(
  file: string,
  script: Script,
  fakes: FakeOptions = {},
  options: RunOptions = {},
): Promise<Run> {
  const fake = new FakeEmulation({ ...fakes, clock: options.clock ?? 'virtual' })
  const world: World = {
    startEmulation: async () => fake,
    hostPrograms: async () => new Map([['sh', scriptedShell(script)]]),
  }
  return { result: await runDocument(file, options, world), fake }
}

const statuses = (result: ScenarioResult) =>
  result.steps.map(({ command, status }) => `${status}: ${command}`)

test('a walkthrough is held by its outputs, and what it shows as an error may fail', async ({
  directory,
}) => {
  const file = write(
    directory,
    'w.md',
    '# Title',
    '```',
    '$ good',
    'a  5s',
    '$ bad',
    'b',
    '$ refused',
    'Error: no',
    '$ silent',
    '$ silently',
    '```',
  )
  const script: Script = {
    good: ['a 7m\n', 0],
    bad: ['c\n', 0],
    refused: ['Error: no\n', 1],
    silent: ['x\n', 0],
  }
  const { result, fake } = await run(file, script)
  assert.equal(statuses(result), [
    'passed: good',
    'failed: bad',
    'passed: refused',
    'passed: silent',
    'failed: silently',
  ])
  assert.equal(result.steps[1]!.diff, ['- b', '+ c'])
  assert.is(result.steps[4]!.reason, 'exit status 127')
  assert.is(result.scenario, 'Title')
  assert.ok(fake.closed)
})

test('check exit looks at statuses alone', async ({ directory }) => {
  const file = write(directory, 'w.md', '```', '$ bad', 'b', '$ refused', 'Error: no', '```')
  const { result } = await run(file, { bad: ['c\n', 0], refused: ['Error: no\n', 1] }, {}, { check: 'exit' })
  assert.equal(statuses(result), ['passed: bad', 'failed: refused'])
})

test('a session opens, takes lines at its prompt, and is used again after host lines', async ({
  directory,
}) => {
  const file = write(
    directory,
    'w.md',
    '```',
    '$ session curl',
    "If you don't see a command prompt, try pressing enter.",
    '[ root@curl:/ ]$',
    '[ root@curl:/ ]$ one',
    '1',
    '```',
    '```',
    '$ host',
    '[ root@curl:/ ]$ two',
    '[ root@curl:/ ]$ one',
    '[ root@other:/ ]$ one',
    '```',
  )
  const { result, fake } = await run(file, { one: ['1\n', 0], host: ['', 0] })
  assert.equal(statuses(result), [
    'passed: session curl',
    'passed: one',
    'passed: host',
    'failed: two',
    'passed: one',
    'failed: one',
  ])
  assert.is(result.steps[1]!.output, '1')
  assert.is(result.steps[3]!.reason, 'exit status 127')
  assert.match(result.steps[5]!.output, /no session is open at pod other/)
  assert.is(fake.log.filter((entry) => entry === 'settle').length, 2)
})

test('an unprompted line under a note goes to the last session when the host has no such program', async ({
  directory,
}) => {
  const file = write(directory, 'w.md', '```', '$ session curl', '', '# from the pod', 'one', '1', '```')
  const { result } = await run(file, { one: ['1\n', 0] })
  assert.equal(statuses(result), ['passed: session curl', 'passed: one'])
  assert.is(result.steps[1]!.prompt, '[ root@curl:/ ]$ ')
})

test('a command that never ends fails after its time and is ended', async ({ directory }) => {
  const file = write(directory, 'w.md', '```', '$ wait', '$ good', '```')
  const fake = new FakeEmulation()
  const sh = scriptedShell({ good: ['', 0] })
  const world: World = {
    startEmulation: async () => fake,
    hostPrograms: async () =>
      new Map([
        [
          'sh',
          async (process) =>
            process.argv[2] === 'wait' ? ((await process.stdin.read()) === undefined ? 0 : 1) : sh(process),
        ],
      ]),
  }
  const result = await runDocument(file, {}, world)
  assert.equal(statuses(result), ['failed: wait', 'passed: good'])
  assert.is(result.steps[0]!.reason, 'no end after 60 s, emulated')
})

test('a command that follows is ended after a while, and a root prompt outside the cluster is not a pod', async ({
  directory,
}) => {
  const file = write(directory, 'w.md', '```', 'root@master:~# kubectl get pods -w', 'NAME', '```')
  const fake = new FakeEmulation()
  const world: World = {
    startEmulation: async () => fake,
    hostPrograms: async () =>
      new Map([
        [
          'sh',
          async (process) => {
            await process.stdout.write('NAME\n')
            return (await process.stdin.read()) === undefined ? 0 : 1
          },
        ],
      ]),
  }
  const result = await runDocument(file, {}, world)
  assert.equal(statuses(result), ['passed: kubectl get pods -w'])
  assert.is(result.steps[0]!.durationMs, 10_000)
})

test('typing takes a second a line under the virtual clock, nothing in real time', async ({ directory }) => {
  const file = write(directory, 'w.md', '```', '$ good', '$ good', '```')
  const script: Script = { good: ['', 0] }
  assert.is((await run(file, script)).fake.now(), 2_000_000)
  assert.is((await run(file, script, {}, { clock: 'real' })).fake.now(), 0)
})

test('a scenario not declared for a clock is skipped and not failed', async ({ directory }) => {
  const file = write(directory, 's.yaml', 'clocks: [virtual]', 'steps:', '  - host: good')
  const { result } = await run(file, {}, {}, { clock: 'real' })
  assert.equal([result.passed, result.failed, result.skipped], [0, 0, 1])
  assert.is(result.steps[0]!.reason, 'not declared for the real clock')
})

test('steps of every kind become command lines, and their expectations are held', async ({ directory }) => {
  const file = write(
    directory,
    's.yaml',
    'steps:',
    '  - kubectl: get ep',
    "    expect: {contains: [10.36.0.0:80], lines: 2, matches: '^web'}",
    '  - delete: pod curl',
    '  - scale: {deployment: web, replicas: 3}',
    '  - wait: {for: condition=Ready, of: pods -l app=web, timeout: 30s}',
    '  - apply: {kind: Pod}',
    '  - sleep: 90s',
    '  - kubectl: get x -o json',
    '    expect: {json: {items: [{a: 1}]}}',
    '  - kubectl: get x -o json',
    '    expect: {json: {items: [{a: 2}]}}',
    '  - host: refused',
    '    expect: {exit: 1}',
  )
  const { result, fake } = await run(file, {
    'kubectl get ep': ['NAME ENDPOINTS\nweb 10.36.0.0:80\n', 0],
    'kubectl delete pod curl': ['', 0],
    'kubectl scale deployment web --replicas=3': ['', 0],
    'kubectl wait --for=condition=Ready pods -l app=web --timeout=30s': ['', 0],
    "kubectl apply -f '/tmp/applied.json'": ['', 0],
    'kubectl apply -f /tmp/applied.json': ['', 0],
    'kubectl get x -o json': ['{"items":[{"a":1,"b":2}]}', 0],
    refused: ['', 1],
  })
  assert.equal(
    result.steps.filter((step) => step.status === 'failed').map((step) => step.reason),
    ['the JSON differs at $.items[0].a'],
  )
  assert.ok(fake.now() >= 90_000_000)
  assert.is(result.steps[7]!.line, 11)
})

test('wait until repeats a command until it holds, and says what was missing when time is over', async ({
  directory,
}) => {
  const file = write(
    directory,
    's.yaml',
    'steps:',
    '  - wait: {until: never, timeout: 5s}',
    '    expect: {contains: x}',
  )
  const { result, fake } = await run(file, { never: ['y\n', 0] })
  assert.is(result.steps[0]!.reason, 'still not so after 5 s: the output does not contain "x"')
  assert.ok(fake.now() >= 5_000_000)
})

test('load is counted by the endpoints that proxies chose; shares see all connections', async ({
  directory,
}) => {
  const file = write(
    directory,
    's.yaml',
    'steps:',
    '  - load: {from: curl, url: http://web/, requests: 4}',
    '    expect: {each: 2, distinct: 2, order: in-turn, jain: ">=0.99", endpoints: {"a:80": 2, "b:80": 2}}',
    '  - shares: {of: web}',
    '    expect: {requests: 4, each: 1}',
    '  - load: {from: nobody, url: http://web/, requests: 1}',
  )
  const exec: FakeOptions['exec'] = (pod, command, fake) => {
    if (pod !== 'curl') return undefined
    if (command.length === 0) return { output: '', exitCode: 0 }
    for (const endpoint of ['a:80', 'b:80', 'a:80', 'b:80']) fake.flow(endpoint)
    return { output: 'hello\n@@request-ended 0\n'.repeat(4), exitCode: 0 }
  }
  const { result } = await run(file, {}, { exec })
  assert.equal(
    result.steps.map((step) => step.reason),
    [undefined, 'expected requests to a:80 1, got 2', 'pods "nobody" not found'],
  )
  assert.match(
    result.steps[0]!.output,
    /4 requests, 0 failed\na:80 +2 +50\.0 %\nb:80 +2 +50\.0 %\nJain's index 1\.0000, in turn/,
  )
})

test('requests that fail, or never came back, fail the step', async ({ directory }) => {
  const file = write(
    directory,
    's.yaml',
    'steps:',
    '  - load: {from: curl, url: http://web/, requests: 3, by: body}',
  )
  const exec = () => ({ output: 'a\n@@request-ended 0\n@@request-ended 7\n', exitCode: 0 })
  const { result } = await run(file, {}, { exec })
  assert.is(result.steps[0]!.reason, 'expected failed requests 0, got 2')
})

test('a manifest that is missing, no YAML, or refused is a mistake with its place', async ({ directory }) => {
  const missing = write(directory, 's.yaml', 'manifests:', '  - no.yml', 'steps: []')
  await rejects(run(missing, {}), /s\.yaml:2:5: no\.yml: no such file\n {2}hint: paths are taken from /)
  write(directory, 'bad.yml', 'a: [')
  const bad = write(directory, 't.yaml', 'manifests: [bad.yml]', 'steps: []')
  await rejects(run(bad, {}), /bad\.yml:\d+:\d+: not YAML/)
  write(directory, 'refused.yml', 'kind: Pod')
  const refused = write(directory, 'u.yaml', 'manifests: [refused.yml]', 'steps: []')
  const script: Script = {
    'kubectl apply -f /tmp/manifest.yaml': ['The Pod is invalid: spec: Required value\n', 1],
  }
  await rejects(
    run(refused, script),
    /u\.yaml:1:13: refused\.yml was refused: The Pod is invalid: spec: Required value/,
  )
})

test('a cluster that cannot be is a mistake with its place', async ({ directory }) => {
  const twice = write(directory, 's.yaml', 'cluster:', '  nodes: [{name: a}, {name: a}]', 'steps: []')
  await rejects(run(twice, {}), /s\.yaml:2:3: cluster: nodes: two nodes are named a/)
})

test('a pattern that is no regular expression is a mistake with its place', async ({ directory }) => {
  const file = write(directory, 's.yaml', 'steps:', '  - host: x', '    expect: {matches: "("}')
  await rejects(run(file, {}), /s\.yaml:3:23: Invalid regular expression/)
})

test('an abort ends the run, closes the emulation and rejects with the reason', async ({ directory }) => {
  const file = write(directory, 'w.md', '```', '$ good', '```')
  const stop = new AbortController()
  const fake = new FakeEmulation()
  const world: World = {
    startEmulation: async () => fake,
    hostPrograms: async () => new Map([['sh', scriptedShell({})]]),
  }
  const going = runDocument(file, { signal: stop.signal }, world)
  stop.abort(new Error('interrupted'))
  await rejects(going, /interrupted/)
  assert.ok(fake.closed)
})

async function rejects(work: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: Error) => reason,
  )
  assert.match(error?.message ?? 'accepted', message)
}

test('a binary file is refused without being shown', async ({ directory }) => {
  const file = write(directory, 'bin.yaml', 'name: \0\x01\x02')
  const error = await run(file, {}).catch((failure) => failure)
  assert.is(error.message, `${file}:1:1: not a text file`)
  const latin = join(directory, 'latin.yaml')
  writeFileSync(latin, Buffer.from('name: caf\u00e9\nsteps: []\n', 'latin1'))
  const other = await run(latin, {}).catch((failure) => failure)
  assert.is(other.message, `${latin}:1:1: not a text file in UTF-8`)
})

test.run()
