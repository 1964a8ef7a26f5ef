import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { transcript } from '../../src/cli/transcript.js'
import type { FlowEvent } from '../../src/drivers/emulation.js'
import type { StepResult } from '../../src/scenario/result.js'

const test = suite('transcript')

const flow = (endpoint: string | undefined, at = 0): FlowEvent => ({
  at,
  node: 'k8s-node1',
  protocol: 'TCP',
  client: `10.39.0.1:${40000 + at}`,
  service: 'default/web:http',
  clusterIP: '10.97.98.36',
  endpoint,
})
const step: StepResult = {
  name: 'curl http://web',
  command: 'curl http://web',
  status: 'passed',
  output: 'hello',
  expected: undefined,
  durationMs: 1,
  prompt: '[ root@curl:/ ]$ ',
  note: 'By its name',
}

function show(steps: readonly StepResult[], flows: readonly FlowEvent[]): string {
  let text = ''
  const shown = transcript({ write: (more) => (text += more), colors: false, progress: false })
  for (const one of flows) shown.flow(one)
  for (const one of steps) shown.stepFinished?.(one)
  const counts = { passed: 1, failed: 0, skipped: 0, durationMs: 1500 }
  shown.scenarioFinished?.({ scenario: 's', file: 'f', clock: 'virtual', seed: 1, ...counts, steps })
  return text
}

test('a command stands at its prompt under its note, with output and the ways of its connections below', () => {
  const text = show([step], [flow('10.36.0.0:80', 1), flow('10.36.0.0:80', 2), flow(undefined, 3)])
  assert.match(
    text,
    /\n# By its name\n\[ root@curl:\/ \]\$ curl http:\/\/web\nhello\n {2}→ TCP 10\.39\.0\.1 → 10\.97\.98\.36 default\/web:http → 10\.36\.0\.0:80 \(2 times\)\n {2}→ .* → no endpoint\n/,
  )
})

test('each connection is shown once, and all are counted per service at the end', () => {
  const text = show([step, step], [flow('a:80', 1), flow('b:80', 2)])
  assert.is(text.match(/→ a:80\n/g)?.length, 1)
  assert.match(text, /Who answered\ndefault\/web:http\n {2}2 requests, 0 failed\n {2}a:80 +1 +50\.0 %\n/)
  assert.match(text, /1 passed, 0 failed \(1\.5 s emulated, virtual clock, seed 1\)\n$/)
})

test('a failed command shows why, and the difference', () => {
  const failed: StepResult = {
    ...step,
    status: 'failed',
    reason: 'the output is not the expected one',
    diff: ['- a', '+ b'],
  }
  assert.match(show([failed], []), /✗ the output is not the expected one\n- a\n\+ b\n/)
})

test.run()
