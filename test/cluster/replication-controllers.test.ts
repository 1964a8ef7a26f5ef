import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import type { KubeObject } from '../../src/cluster/objects.js'
import type { ReplicationController } from '../../src/cluster/replication-controllers.js'
import { ApiError } from '../../src/cluster/status.js'
import { Cluster, pod } from './cluster-fixture.js'

const test = suite('replication controllers')

function controller(spec: Partial<ReplicationController['spec']> = {}): ReplicationController {
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', image: 'nginx' }] },
  }
  return {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'web' },
    spec: { template, ...spec },
  }
}

function podNames(cluster: Cluster): string[] {
  const owned = cluster
    .pods()
    .filter(({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'ReplicationController')
  return owned.map(({ metadata }) => metadata.name)
}

test("it keeps as many pods as it says, by labels that are its template's where it names none", () => {
  const cluster = new Cluster().run()
  cluster.create(controller({ replicas: 2 }))
  cluster.run()
  const made = cluster.get<ReplicationController>('replicationcontrollers', 'web')
  assert.equal([made.spec.selector, made.metadata.labels], [{ app: 'web' }, { app: 'web' }])
  assert.equal([made.status?.replicas, made.status?.readyReplicas], [2, 2])
  const [first] = podNames(cluster)
  cluster.plane.admission.delete('pods', 'default', first!)
  cluster.run(40 * SECOND)
  assert.is(podNames(cluster).length, 2)
  assert.not.ok(podNames(cluster).includes(first!))
  cluster.plane.admission.update({ ...made, metadata: { name: 'web' }, spec: { ...made.spec, replicas: 0 } })
  cluster.run(40 * SECOND)
  assert.equal(podNames(cluster), [])
  assert.ok(
    cluster.events('web').some((text) => text.startsWith('Normal SuccessfulDelete: Deleted pod: web-')),
  )
})

test('it adopts pods that match, and takes its own along', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('stray', {}, { app: 'web' }))
  cluster.create(pod('other', {}, { app: 'other' }))
  cluster.create(controller({ replicas: 1 }))
  cluster.run()
  assert.equal(podNames(cluster), ['stray'])
  cluster.plane.admission.delete('replicationcontrollers', 'default', 'web')
  cluster.run(40 * SECOND)
  assert.equal(
    cluster.pods().map(({ metadata }) => metadata.name),
    ['other'],
  )
})

test('what is refused', () => {
  const cluster = new Cluster().run()
  const refused = (object: KubeObject) => {
    try {
      cluster.create(object)
    } catch (error) {
      if (error instanceof ApiError) return error.message
      throw error
    }
    return 'created'
  }
  assert.match(
    refused(controller({ selector: { app: 'other' } })),
    /`selector` does not match template `labels`/,
  )
  assert.match(refused(controller({ template: undefined as never })), /spec\.template: Required value/)
  assert.match(refused(controller({ replicas: -1 })), /spec\.replicas: Invalid value: -1/)
})

test.run()
