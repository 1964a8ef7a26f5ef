import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { REPORTERS } from '../../src/scenario/reporters/reporter.js'
import type { ScenarioResult, StepResult } from '../../src/scenario/result.js'

const test = suite('reporters')

const steps: StepResult[] = [
  { name: 'first', command: 'true', status: 'passed', output: '', expected: undefined, durationMs: 1500 },
  {
    name: 'get <pods> # all',
    command: 'kubectl get pods',
    status: 'failed',
    output: 'b\u001b[0m',
    expected: 'a',
    durationMs: 2,
    reason: 'the output is another',
    diff: ['- a', '+ b'],
    line: 12,
  },
]
const result: ScenarioResult = {
  scenario: 'demo',
  file: 'demo.yaml',
  clock: 'virtual',
  seed: 1,
  passed: 1,
  failed: 1,
  skipped: 0,
  steps,
  durationMs: 1502,
}

function report(name: string, colors = false): string {
  let text = ''
  const reporter = REPORTERS[name]!({ write: (more) => (text += more), colors, progress: false })
  reporter.scenarioStarted?.({ name: 'demo', file: 'demo.yaml', steps: 2 })
  for (const step of steps) {
    reporter.stepStarted?.(step)
    reporter.stepFinished?.(step)
  }
  reporter.scenarioFinished?.(result)
  reporter.runFinished([result])
  return text
}

test('pretty shows a tick per step, the reason, the place and the difference', () => {
  const text = report('pretty')
  assert.match(text, /^demo\.yaml\n {2}✓ first +1\.5 s\n {2}✗ get <pods> # all +2 ms\n/)
  assert.match(text, /the output is another \(line 12\)\n {6}\$ kubectl get pods\n {6}- a\n {6}\+ b\n/)
  assert.match(text, /1 passed, 1 failed \(1\.5 s emulated, virtual clock, seed 1\)/)
  assert.not.match(text, /\u001b/)
  assert.match(report('pretty', true), /\u001b\[32m✓/)
})

test('json is one object with the documented keys', () => {
  const data = JSON.parse(report('json'))
  assert.equal([data.scenario, data.clock, data.seed, data.passed, data.failed], ['demo', 'virtual', 1, 1, 1])
  assert.equal(Object.keys(data.steps[0]), ['name', 'command', 'status', 'output', 'expected', 'durationMs'])
})

test('tap numbers the steps, escapes # and ends with the plan', () => {
  const lines = report('tap').split('\n')
  assert.is(lines[0], 'TAP version 14')
  assert.ok(lines.includes('ok 1 - demo: first'))
  assert.ok(lines.includes('not ok 2 - demo: get <pods> \\# all'))
  assert.is(lines.at(-2), '1..2')
})

test('junit escapes names and leaves out what XML cannot hold', () => {
  const text = report('junit')
  assert.match(text, /<testsuite name="demo" file="demo\.yaml" tests="2" failures="1"/)
  assert.match(text, /name="get &lt;pods&gt; # all"/)
  assert.not.match(text, /\u001b/)
})

test.run()
