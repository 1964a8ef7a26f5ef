import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import type { EndpointSlice, Pod, Service } from '../../src/cluster/objects.js'
import type { StatefulSet } from '../../src/cluster/workload-objects.js'
import { Cluster, service } from './cluster-fixture.js'

const test = suite('statefulset')

function statefulSet(name: string, spec: Partial<StatefulSet['spec']> = {}): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      serviceName: name,
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'web', image: 'web:1' }] },
      },
      ...spec,
    },
  }
}

function change(cluster: Cluster, name: string, spec: Partial<StatefulSet['spec']>): void {
  const stored = cluster.get<StatefulSet>('statefulsets', name)
  cluster.plane.admission.update({ ...stored, spec: { ...stored.spec, ...spec } })
}

function withImage(cluster: Cluster, name: string, image: string): StatefulSet['spec']['template'] {
  const { template } = cluster.get<StatefulSet>('statefulsets', name).spec
  return { ...template, spec: { ...template.spec, containers: [{ name: 'web', image }] } }
}

const images = (cluster: Cluster) =>
  cluster.pods().map(({ metadata, spec }) => `${metadata.name} ${spec.containers[0]!.image}`)

/** The most pods that were not ready at one moment, and the order in which names came and went. */
function follow(cluster: Cluster): { unready: number; log: string[] } {
  const seen = { unready: 0, log: [] as string[] }
  cluster.store.watch<Pod>('pods', ({ type, object }) => {
    if (type === 'MODIFIED' || object.metadata.namespace !== 'default') return
    seen.log.push(`${type === 'ADDED' ? '+' : '-'}${object.metadata.name}`)
  })
  cluster.onRest = () => {
    const unready = cluster
      .pods()
      .filter(({ status }) => !status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
    seen.unready = Math.max(seen.unready, unready.length)
  }
  return seen
}

test('pods come one by one, each when the one before is ready, with names and labels of their own', () => {
  const cluster = new Cluster().run()
  const seen = follow(cluster)
  cluster.create(statefulSet('db'))
  cluster.run(5 * SECOND)
  assert.equal(seen, { unready: 1, log: ['+db-0', '+db-1', '+db-2'] })
  const pod = cluster.get<Pod>('pods', 'db-1')
  assert.is(pod.spec.hostname, 'db-1')
  assert.is(pod.spec.subdomain, 'db')
  const set = cluster.get<StatefulSet>('statefulsets', 'db')
  assert.equal(pod.metadata.labels, {
    app: 'db',
    'apps.kubernetes.io/pod-index': '1',
    'controller-revision-hash': set.status!.currentRevision!,
    'statefulset.kubernetes.io/pod-name': 'db-1',
  })
  assert.equal(set.status, {
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    availableReplicas: 3,
    currentRevision: set.status!.updateRevision,
    updateRevision: set.status!.updateRevision,
    collisionCount: 0,
  })
  assert.equal(cluster.events('db').slice(0, 2), [
    'Normal SuccessfulCreate: create Pod db-0 in StatefulSet db successful',
    'Normal SuccessfulCreate: create Pod db-1 in StatefulSet db successful',
  ])
})

test('a headless Service names the pods', () => {
  const cluster = new Cluster().run()
  cluster.create<Service>(service('db', { clusterIP: 'None' }))
  cluster.create(statefulSet('db'))
  cluster.run(5 * SECOND)
  const slices = cluster.store.list<EndpointSlice>('endpointslices', 'default')
  const names = slices.flatMap(({ endpoints }) => endpoints.map(({ hostname }) => hostname))
  assert.equal(
    names.filter((name) => name?.startsWith('db')),
    ['db-0', 'db-1', 'db-2'],
  )
})

test('Parallel makes and takes all at once', () => {
  const cluster = new Cluster().run()
  const seen = follow(cluster)
  cluster.create(statefulSet('db', { podManagementPolicy: 'Parallel' }))
  cluster.run(5 * SECOND)
  assert.is(seen.unready, 3)
  change(cluster, 'db', { replicas: 0 })
  cluster.run(5 * SECOND)
  assert.is(cluster.pods().length, 0)
})

test('a pod that is deleted comes back under the same name; a failed first pod holds up the others', () => {
  const cluster = new Cluster().run()
  cluster.create(statefulSet('db', { replicas: 2 }))
  cluster.run(5 * SECOND)
  const uid = cluster.get<Pod>('pods', 'db-0').metadata.uid
  cluster.plane.admission.delete('pods', 'default', 'db-0')
  cluster.run(5 * SECOND)
  assert.is.not(cluster.get<Pod>('pods', 'db-0').metadata.uid, uid)
  const bad = statefulSet('bad')
  bad.spec.template.spec.containers[0]!.image = 'missing:1'
  cluster.create(bad)
  cluster.run(60 * SECOND)
  assert.equal(
    cluster.pods().map(({ metadata }) => metadata.name),
    ['bad-0', 'db-0', 'db-1'],
  )
})

test('scaling down goes from the last number, one at a time', () => {
  const cluster = new Cluster().run()
  cluster.create(statefulSet('db', { replicas: 4 }))
  cluster.run(5 * SECOND)
  const seen = follow(cluster)
  change(cluster, 'db', { replicas: 1 })
  cluster.run(10 * SECOND)
  assert.equal(seen.log, ['-db-3', '-db-2', '-db-1'])
})

test('a rolling update goes down to the partition, and on when the partition goes', () => {
  const cluster = new Cluster().run()
  cluster.create(statefulSet('db'))
  cluster.run(5 * SECOND)
  const seen = follow(cluster)
  const rollingUpdate = { partition: 1 }
  change(cluster, 'db', {
    template: withImage(cluster, 'db', 'web:2'),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate },
  })
  cluster.run(10 * SECOND)
  assert.equal(images(cluster), ['db-0 web:1', 'db-1 web:2', 'db-2 web:2'])
  assert.equal(seen, { unready: 1, log: ['-db-2', '+db-2', '-db-1', '+db-1'] })
  const { status } = cluster.get<StatefulSet>('statefulsets', 'db')
  assert.is(status?.updatedReplicas, 2)
  assert.is(status?.currentReplicas, 1)
  assert.is.not(status?.currentRevision, status?.updateRevision)
  // Below the partition a pod that is lost comes back as it was.
  cluster.plane.admission.delete('pods', 'default', 'db-0')
  cluster.run(10 * SECOND)
  assert.equal(images(cluster), ['db-0 web:1', 'db-1 web:2', 'db-2 web:2'])
  change(cluster, 'db', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } })
  cluster.run(10 * SECOND)
  assert.equal(images(cluster), ['db-0 web:2', 'db-1 web:2', 'db-2 web:2'])
  const after = cluster.get<StatefulSet>('statefulsets', 'db').status
  assert.is(after?.currentRevision, after?.updateRevision)
})

test('OnDelete replaces a pod when somebody deletes it', () => {
  const cluster = new Cluster().run()
  cluster.create(statefulSet('db', { replicas: 2, updateStrategy: { type: 'OnDelete' } }))
  cluster.run(5 * SECOND)
  change(cluster, 'db', { template: withImage(cluster, 'db', 'web:2') })
  cluster.run(5 * SECOND)
  assert.equal(images(cluster), ['db-0 web:1', 'db-1 web:1'])
  cluster.plane.admission.delete('pods', 'default', 'db-1')
  cluster.run(5 * SECOND)
  assert.equal(images(cluster), ['db-0 web:1', 'db-1 web:2'])
})

test('each template is a revision; going back makes the old one the newest; old ones are forgotten', () => {
  const cluster = new Cluster().run()
  cluster.create(statefulSet('db', { replicas: 1, revisionHistoryLimit: 1 }))
  cluster.run(5 * SECOND)
  const revisions = () =>
    cluster.store.list('controllerrevisions', 'default').map((revision) => revision['revision'])
  for (const image of ['web:2', 'web:3', 'web:1']) {
    change(cluster, 'db', { template: withImage(cluster, 'db', image) })
    cluster.run(5 * SECOND)
  }
  // Revision 1 was forgotten when 3 came; that template is new again.
  assert.equal(revisions().sort(), [3, 4])
  change(cluster, 'db', { template: withImage(cluster, 'db', 'web:3') })
  cluster.run(5 * SECOND)
  assert.equal(revisions().sort(), [4, 5])
})

test('claim templates are volumes that containers may mount', () => {
  const cluster = new Cluster().run()
  const set = statefulSet('db', { volumeClaimTemplates: [{ metadata: { name: 'data' } }] })
  set.spec.template.spec.containers[0]!.volumeMounts = [{ name: 'data', mountPath: '/data' }]
  const warnings: string[] = []
  cluster.plane.admission.create(set, { onWarning: (text) => warnings.push(text) })
  cluster.run(5 * SECOND)
  assert.equal(cluster.get<Pod>('pods', 'db-0').spec.volumes, [{ name: 'data', emptyDir: {} }])
  assert.match(warnings[0]!, 'no persistent volumes')
})

test('only some fields can be changed', () => {
  const cluster = new Cluster().run()
  cluster.create(statefulSet('db'))
  assert.throws(
    () => change(cluster, 'db', { serviceName: 'other' }),
    /updates to statefulset spec for fields other than 'replicas'/,
  )
})

test('deleted in the foreground, it is there until its pods are gone', () => {
  const cluster = new Cluster().run()
  cluster.create(statefulSet('db'))
  cluster.run(5 * SECOND)
  const order: string[] = []
  for (const resource of ['pods', 'statefulsets'])
    cluster.store.watch(resource, ({ type, object }) => {
      if (type === 'DELETED') order.push(object.metadata.name)
    })
  cluster.plane.admission.delete('statefulsets', 'default', 'db', { propagationPolicy: 'Foreground' })
  assert.ok(cluster.get<StatefulSet>('statefulsets', 'db').metadata.deletionTimestamp)
  cluster.run(40 * SECOND)
  assert.is(order.at(-1), 'db')
  assert.is(order.length, 4)
  assert.is(cluster.store.list('controllerrevisions', 'default').length, 0)
})

test.run()
