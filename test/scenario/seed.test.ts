// A third-party introduction to services, run as it stands. Read first: test/support/seed.ts.

import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runScenario } from '../../src/index.js'
import { EXPECTED_FAILURES, NAME, PROJECT, seedFile } from '../support/seed.js'

const test = suite('seed')

test('every expected failure has its reason, in order of lines', () => {
  const lines = EXPECTED_FAILURES.map(([line]) => line)
  assert.equal(
    lines,
    [...lines].sort((a, b) => a - b),
  )
  for (const [, , reason] of EXPECTED_FAILURES) assert.ok(reason.length > 20)
})

const file = seedFile
if (file === undefined) {
  test.skip(`the document runs as it stands (no ${NAME}: set PODWIRE_SEED)`)
} else {
  test('the document runs as it stands; what cannot succeed fails for its known reason, nothing else does', async () => {
    const files = fileURLToPath(new URL('scenarios/manifests', PROJECT))
    const result = await runScenario(file, { check: 'exit', files })
    assert.is(result.steps.length, 30)
    const failed = result.steps.filter((step) => step.status === 'failed')
    assert.equal(
      failed.map((step) => [step.line, step.command]),
      EXPECTED_FAILURES.map(([line, command]) => [line, command]),
      failed.map((step) => `${step.line}: ${step.command}\n${step.reason}\n${step.output}`).join('\n'),
    )
    for (const [line, , , said] of EXPECTED_FAILURES) {
      assert.match(result.steps.find((step) => step.line === line)!.output, said)
    }
  })
}

test.run()
