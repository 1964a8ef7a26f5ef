import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseMarkdown } from '../../src/scenario/code-block.js'
import { parseScenario } from '../../src/scenario/scenario-file.js'
import { SourceError } from '../../src/scenario/source-error.js'

const test = suite('scenario-file')

function refusal(...lines: string[]): string {
  try {
    parseScenario('s.yaml', lines.join('\n'))
  } catch (error) {
    if (error instanceof SourceError) return error.message
    throw error
  }
  return 'accepted'
}

test('a scenario is read as typed data, with the place of every value', () => {
  const { value, locate } = parseScenario(
    's.yaml',
    'name: x\nstartTime: 2021-09-13T12:36:28Z\nmanifests:\n  - a.yml\n  - kind: Pod\n    metadata: {name: p}\nsteps:\n  - kubectl: get ep\n    expect: {lines: ">=2"}\n  - load: {from: p, url: http://x, requests: 3, during: [{sleep: 1s}]}\n',
  )
  assert.is(value.startTime, '2021-09-13T12:36:28Z')
  assert.is(value.steps[0]!.kubectl, 'get ep')
  assert.is(value.steps[1]!.load!.during![0]!.sleep, '1s')
  assert.equal(locate(['manifests', 1]), { line: 5, column: 5 })
})

test('the example of docs/scenarios.md is a scenario', () => {
  const text = readFileSync(new URL('../../../docs/scenarios.md', import.meta.url), 'utf8')
  const example = parseMarkdown(text).blocks.find((block) => block.tag === 'yaml')!
  assert.is(parseScenario('docs/scenarios.md', example.lines.join('\n')).value.steps.length, 2)
})

test('manifests, which are no scenarios, are told as such', () => {
  const pod = ['apiVersion: v1', 'kind: Pod', 'metadata: { name: a }']
  const hint =
    '\n  hint: manifests are for `podwire up -f FILE`, or listed in a scenario: `manifests: [FILE]`'
  assert.is(refusal(...pod), `s.yaml:1:1: a manifest, not a scenario${hint}`)
  assert.is(refusal(...pod, '---', ...pod), `s.yaml:4:1: a second document${hint}`)
})

test('an unknown step lists the known ones and the one that was meant', () => {
  const text = refusal('steps:', '  - kubectl: get ep', '  - kubctl: get ep')
  assert.match(
    text,
    /^s\.yaml:3:5: scenario\.steps\[1\]: unknown step `kubctl`\n {2}hint: did you mean kubectl\? known: kubectl, host, pod,/,
  )
})

test('a step without an action, or with two, is refused', () => {
  assert.match(
    refusal('steps:', '  - name: x'),
    /s\.yaml:2:5: scenario\.steps\[0\]: a step must say what it does/,
  )
  assert.match(
    refusal('steps:', '  - kubectl: a', '    sleep: 1s'),
    /s\.yaml:3:5: .*does one thing, this one has kubectl and sleep/,
  )
})

test('a mistyped key beside the action is told as a key', () => {
  assert.match(
    refusal('steps:', '  - kubectl: a', '    expct: {}'),
    /s\.yaml:3:5: .*unknown key `expct`\n {2}hint: did you mean expect\?/,
  )
})

test('wrong kinds and values are told with what is expected', () => {
  assert.match(refusal('steps: {}'), /s\.yaml:1:8: scenario\.steps: expected a list, found a mapping/)
  assert.match(
    refusal('steps:', '  - sleep: 10 seconds'),
    /expected a duration such as 500ms, 10s or 2m, found "10 seconds"/,
  )
  assert.match(refusal('clocks: [virtuel]', 'steps: []'), /hint: did you mean virtual\?/)
  assert.match(refusal('seed: -1', 'steps: []'), /expected a whole number from 0 to 4294967295, found -1/)
  assert.match(refusal('name: 7', 'steps: []'), /hint: put it in quotes/)
  assert.match(refusal('name: x'), /`steps` is missing/)
})

test('text that is no YAML is refused with its place', () => {
  assert.match(refusal('steps: [', ' - }'), /^s\.yaml:\d+:\d+: not YAML: /)
})

test('several problems are told at once, in order of lines', () => {
  const lines = refusal('seed: x', 'steps:', '  - sleep: y')
    .split('\n')
    .filter((line) => line.startsWith('s.yaml'))
  assert.equal(
    lines.map((line) => line.split(':')[1]),
    ['1', '3'],
  )
})

test.run()
