import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import type { Deployment, Pod, ReplicaSet } from '../../src/cluster/objects.js'
import { Cluster, deployment } from './cluster-fixture.js'

const test = suite('deployment')

function setImage(cluster: Cluster, name: string, image: string): void {
  const stored = cluster.get<Deployment>('deployments', name)
  const { template } = stored.spec
  const containers = [{ ...template.spec.containers[0]!, image }]
  cluster.plane.admission.update({
    ...stored,
    spec: { ...stored.spec, template: { ...template, spec: { ...template.spec, containers } } },
  })
}

/** Follows how few pods are ready and how many there are, whenever the controllers have come to rest. */
function watchPods(cluster: Cluster): { lowestReady: number; highestTotal: number } {
  const seen = { lowestReady: Number.POSITIVE_INFINITY, highestTotal: 0 }
  cluster.onRest = () => {
    const pods = cluster.pods().filter((pod) => !pod.metadata.deletionTimestamp)
    const ready = pods.filter((pod) =>
      pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
    )
    seen.lowestReady = Math.min(seen.lowestReady, ready.length)
    seen.highestTotal = Math.max(seen.highestTotal, pods.length)
  }
  return seen
}

function scalings(cluster: Cluster, name: string): string[] {
  const names = cluster.store.list<ReplicaSet>('replicasets', 'default').map(({ metadata }) => metadata.name)
  const first = cluster.events(name)[0]!.split(' ')[6]
  return cluster
    .events(name)
    .map((line) => names.reduce((text, rs) => text.replace(rs, rs === first ? 'OLD' : 'NEW'), line))
    .map((line) => line.replace('Normal ScalingReplicaSet: Scaled ', '').replace('replica set ', ''))
}

test('a rolling update keeps to its bounds and goes step by step', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 4))
  cluster.run()
  const seen = watchPods(cluster)
  setImage(cluster, 'web', 'web:2')
  cluster.run(5 * SECOND)
  assert.equal(seen, { lowestReady: 3, highestTotal: 5 })
  assert.equal(
    cluster.pods().map(({ spec }) => spec.containers[0]?.image),
    ['web:2', 'web:2', 'web:2', 'web:2'],
  )
  assert.equal(scalings(cluster, 'web').slice(0, 4), [
    'up OLD to 4',
    'up NEW to 1',
    'down OLD to 3 from 4',
    'up NEW to 2 from 1',
  ])
  const { metadata, status } = cluster.get<Deployment>('deployments', 'web')
  assert.is(metadata.annotations?.['deployment.kubernetes.io/revision'], '2')
  assert.equal([status?.replicas, status?.updatedReplicas, status?.unavailableReplicas], [4, 4, undefined])
  assert.is(status?.observedGeneration, metadata.generation)
})

test('maxSurge 0 takes one away before it makes one', () => {
  const cluster = new Cluster().run()
  const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }
  cluster.create(deployment('web', 3, { strategy }))
  cluster.run()
  const seen = watchPods(cluster)
  setImage(cluster, 'web', 'web:2')
  cluster.run(5 * SECOND)
  assert.equal(seen, { lowestReady: 2, highestTotal: 3 })
})

test('a rolling update to an image that is not there stops with the old pods serving', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 4))
  cluster.run()
  const seen = watchPods(cluster)
  setImage(cluster, 'web', 'missing:2')
  cluster.run(30 * SECOND)
  assert.is(seen.lowestReady, 3)
  assert.ok(cluster.plane.settled())
  cluster.run(600 * SECOND)
  const progressing = cluster
    .get<Deployment>('deployments', 'web')
    .status?.conditions?.find(({ type }) => type === 'Progressing')
  assert.equal([progressing?.status, progressing?.reason], ['False', 'ProgressDeadlineExceeded'])
})

test('Recreate ends all old pods before the first new one', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 3, { strategy: { type: 'Recreate' } }))
  cluster.run()
  let mixed = false
  cluster.store.watch<Pod>('pods', () => {
    mixed ||= new Set(cluster.pods().map(({ spec }) => spec.containers[0]?.image)).size > 1
  })
  setImage(cluster, 'web', 'web:2')
  cluster.run(5 * SECOND)
  assert.not.ok(mixed)
  assert.equal(
    cluster.pods().map(({ spec }) => spec.containers[0]?.image),
    ['web:2', 'web:2', 'web:2'],
  )
})

test('going back to an old template takes its ReplicaSet again, with a new revision', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 2))
  cluster.run()
  const [first] = cluster.store.list<ReplicaSet>('replicasets', 'default')
  setImage(cluster, 'web', 'web:2')
  cluster.run(5 * SECOND)
  setImage(cluster, 'web', 'web:1')
  cluster.run(5 * SECOND)
  const again = cluster.get<ReplicaSet>('replicasets', first!.metadata.name)
  assert.is(again.metadata.annotations?.['deployment.kubernetes.io/revision'], '3')
  assert.is(again.spec.replicas, 2)
  assert.is(cluster.store.list('replicasets', 'default').length, 2)
})

test('old ReplicaSets beyond the history limit go', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 1, { revisionHistoryLimit: 1 }))
  for (const tag of [2, 3, 4]) {
    cluster.run(2 * SECOND)
    setImage(cluster, 'web', `web:${tag}`)
  }
  cluster.run(5 * SECOND)
  assert.is(cluster.store.list('replicasets', 'default').length, 2)
})

test('scaling down takes pods that are not ready first', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 3))
  cluster.run()
  const victim = cluster.pods()[1]!
  cluster.runtime.exit(victim.metadata.uid!, 'web', 1)
  cluster.run(0)
  cluster.scale('web', 2)
  cluster.run()
  assert.not.ok(cluster.pods().some(({ metadata }) => metadata.name === victim.metadata.name))
  assert.is(cluster.pods().length, 2)
})

test('a deleted pod is replaced, and a deleted Deployment takes everything with it', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 2))
  cluster.run()
  const [gone] = cluster.pods()
  cluster.plane.admission.delete('pods', 'default', gone!.metadata.name)
  cluster.run()
  assert.is(cluster.pods().length, 2)
  assert.not.ok(cluster.pods().some(({ metadata }) => metadata.uid === gone!.metadata.uid))
  cluster.plane.admission.delete('deployments', 'default', 'web')
  cluster.run()
  assert.equal([cluster.pods().length, cluster.store.list('replicasets', 'default').length], [0, 0])
  assert.equal(
    [...cluster.runtime.sandboxes.values()].filter(({ namespace }) => namespace === 'default'),
    [],
  )
})

test('orphaned ReplicaSets stay, and a Deployment of the same template adopts them', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 2))
  cluster.run()
  const before = cluster.pods().map(({ metadata }) => metadata.name)
  cluster.plane.admission.delete('deployments', 'default', 'web', { propagationPolicy: 'Orphan' })
  cluster.run()
  assert.is(cluster.pods().length, 2)
  cluster.create(deployment('web', 2))
  cluster.run()
  assert.equal(
    cluster.pods().map(({ metadata }) => metadata.name),
    before,
  )
})

test('a pod whose labels are changed is let go and replaced, and taken back when they fit again', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 2))
  cluster.run()
  const first = cluster.pods()[0]!
  const relabel = (app: string) => {
    const stored = cluster.get<Pod>('pods', first.metadata.name)
    const labels = { ...stored.metadata.labels, app }
    cluster.plane.admission.update({ ...stored, metadata: { ...stored.metadata, labels } })
    cluster.run()
  }
  relabel('other')
  assert.equal(cluster.get<Pod>('pods', first.metadata.name).metadata.ownerReferences, [])
  assert.is(cluster.pods().length, 3)
  relabel('web')
  assert.is(cluster.pods().length, 2)
})

test('minReadySeconds holds a rollout back', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 1, { minReadySeconds: 10 }))
  cluster.run(5 * SECOND)
  assert.is(cluster.get<Deployment>('deployments', 'web').status?.availableReplicas, undefined)
  assert.not.ok(cluster.plane.settled())
  cluster.run(6 * SECOND)
  assert.is(cluster.get<Deployment>('deployments', 'web').status?.availableReplicas, 1)
  assert.ok(cluster.plane.settled())
})

test.run()
