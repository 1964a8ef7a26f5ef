// A third-party introduction to services, run as it stands. It is not part of this repository: the test takes it
// from $PODWIRE_SEED (a file or its directory), or from ../shared/seed beside the project, and is skipped otherwise.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runScenario } from '../../src/index.js'

const test = suite('seed')

const NAME = 'clusterip-and-headless-services.md'
const PROJECT = new URL('../../../', import.meta.url)
const candidates = [process.env['PODWIRE_SEED'], fileURLToPath(new URL('../shared/seed', PROJECT))]
const file = candidates
  .flatMap((path) => (path === undefined ? [] : [`${path}/${NAME}`, path]))
  .find((path) => path.endsWith('.md') && existsSync(path))

/** Commands of the document that cannot succeed, with the reason; every other one must. */
const EXPECTED_FAILURES: readonly (readonly [line: number, command: string, reason: string, said: RegExp])[] =
  [
    [
      51,
      'kubectl get pods --show-labels ( app=sidecar )',
      'prose in parentheses is part of the command line: a syntax error',
      /syntax error/,
    ],
    [
      108,
      'kubectl run curl --image=radial/busyboxplus:curl -i --tty',
      'the pod curl is there already',
      /pods "curl" already exists/,
    ],
    [
      146,
      'kubectl run curl --image=radial/busyboxplus:curl -i --tty  ( or "kubectl exec curl -it --tty   -- /bin/sh" if already running )',
      'prose in parentheses is part of the command line: a syntax error',
      /syntax error/,
    ],
    [150, 'Server: 10.96.0.10', 'a line of output behind a prompt: no such command', /not found/],
    [
      186,
      'curl http://10.36.0.0.sidecar-svc.training.svc.cluster.local/date.txt',
      'the cluster has no namespace training: the name does not resolve',
      /resolve/,
    ],
    [
      216,
      'kubectl create -f sidecar.yml',
      'the deployment is there already',
      /deployments.apps "sidecar-app" already exists/,
    ],
    [220, 'Kubectl get pods', 'names of commands are case-sensitive: no such command', /not found/],
  ]

test('every expected failure has its reason, in order of lines', () => {
  const lines = EXPECTED_FAILURES.map(([line]) => line)
  assert.equal(
    lines,
    [...lines].sort((a, b) => a - b),
  )
  for (const [, , reason] of EXPECTED_FAILURES) assert.ok(reason.length > 20)
})

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
