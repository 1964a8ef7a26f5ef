// PodDisruptionBudgets: what the controller tells, and what evictions make of it.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { PodDisruptionBudget } from '../../src/cluster/disruption-budget.js'
import type { IntOrString } from '../../src/cluster/objects.js'
import { Cluster, deployment, pod } from './cluster-fixture.js'

const test = suite('disruption budget')

function budget(spec: { minAvailable?: IntOrString; maxUnavailable?: IntOrString }, app = 'web') {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'budget' },
    spec: { ...spec, selector: { matchLabels: { app } } },
  }
}

/** allowed, healthy, desired, expected. */
function counts(cluster: Cluster): (number | undefined)[] {
  const { status } = cluster.get<PodDisruptionBudget>('poddisruptionbudgets', 'budget')
  return [status?.disruptionsAllowed, status?.currentHealthy, status?.desiredHealthy, status?.expectedPods]
}

for (const [spec, expected] of [
  [{ minAvailable: 3 }, [1, 4, 3, 4]],
  [{ minAvailable: '60%' }, [1, 4, 3, 4]],
  [{ minAvailable: 5 }, [0, 4, 5, 4]],
  [{ maxUnavailable: 2 }, [2, 4, 2, 4]],
  [{ maxUnavailable: '30%' }, [2, 4, 2, 4]],
] as const) {
  test(`${JSON.stringify(spec)} of four pods`, () => {
    const cluster = new Cluster().run()
    cluster.create(deployment('web', 4))
    cluster.create(budget(spec))
    cluster.run()
    assert.equal(counts(cluster), expected)
  })
}

test('pods that nobody scales have no share', () => {
  const cluster = new Cluster().run()
  cluster.create({ ...pod('p'), metadata: { name: 'p', labels: { app: 'web' } } })
  cluster.create(budget({ maxUnavailable: 1 }))
  cluster.run()
  const { status } = cluster.get<PodDisruptionBudget>('poddisruptionbudgets', 'budget')
  assert.is(status?.conditions?.[0]?.reason, 'SyncFailed')
  assert.is(status?.disruptionsAllowed, 0)
})

test('a budget with both amounts is refused', () => {
  const cluster = new Cluster().run()
  assert.throws(
    () => cluster.create(budget({ minAvailable: 1, maxUnavailable: 1 })),
    /minAvailable and maxUnavailable cannot be both set/,
  )
})

test.run()
