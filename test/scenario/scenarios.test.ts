// Every scenario in scenarios/ holds: under the virtual clock twice with the same transcript, in real time where
// its facts are declared for it.

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runScenario } from '../../src/index.js'
import type { ScenarioResult } from '../../src/scenario/result.js'

const test = suite('scenarios')

const directory = fileURLToPath(new URL('../../../scenarios/', import.meta.url))
const files = readdirSync(directory).filter((name) => /\.(md|yaml)$/.test(name))

/** These wait most of their time, for answers to leave a cache and for probes: they run beside the others. */
const WAITING = ['scaling.yaml', 'stateful-set.yaml']
const waiting = new Map<string, Promise<ScenarioResult>>()

const inRealTime = (name: string) => runScenario(directory + name, { clock: 'real' })

test.before(() => {
  for (const name of WAITING) {
    const run = inRealTime(name)
    // Whoever asks for it hears of it.
    run.catch(() => {})
    waiting.set(name, run)
  }
})

function failures(result: ScenarioResult): string[] {
  return result.steps
    .filter((step) => step.status === 'failed')
    .map((step) =>
      [`line ${step.line}: ${step.command}`, step.reason, ...(step.diff ?? [step.output])].join('\n'),
    )
}

test('there are scenarios', () => {
  for (const name of ['walkthrough.md', 'walkthrough.yaml', ...WAITING]) assert.ok(files.includes(name), name)
})

for (const name of files) {
  test(`${name} holds under the virtual clock, the same in every run`, async () => {
    const first = await runScenario(directory + name)
    assert.equal(failures(first), [])
    assert.ok(first.passed > 0)
    assert.equal(await runScenario(directory + name), first)
  })

  test(`${name} holds in real time`, async () => {
    const result = await (waiting.get(name) ?? inRealTime(name))
    assert.equal(failures(result), [])
    assert.is(result.passed + result.skipped, result.steps.length)
  })
}

test('another seed gives other names and orders, and the scenario holds all the same', async () => {
  const outputs = new Set<string>()
  for (const seed of [1, 2, 3]) {
    const result = await runScenario(`${directory}walkthrough.md`, { seed })
    assert.equal(failures(result), [])
    outputs.add(result.steps.at(-2)!.output)
  }
  assert.ok(outputs.size > 1, [...outputs].join('\n\n'))
})

test.run()
