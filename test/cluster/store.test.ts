import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { ClusterClock } from '../../src/cluster/clock.js'
import { cloneJson } from '../../src/cluster/json.js'
import type { ConfigMap, Deployment } from '../../src/cluster/objects.js'
import { ApiError } from '../../src/cluster/status.js'
import { MemoryStore } from '../../src/cluster/store.js'
import { Cluster, deployment, START } from './cluster-fixture.js'

const test = suite('object store')

function configMap(name: string, data: Record<string, string> = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data }
}

function store(): MemoryStore {
  return new MemoryStore(new ClusterClock(START), new Random('store'))
}

test('a new object gets uid, date and version, and is a copy that nobody can change', () => {
  const objects = store()
  const given = configMap('a', { k: 'v' })
  const made = objects.create(given)
  assert.match(made.metadata.uid!, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.is(made.metadata.creationTimestamp, '2021-09-13T12:36:38Z')
  assert.is(made.metadata.resourceVersion, objects.resourceVersion)
  given.data!['k'] = 'changed'
  assert.is(objects.get<ConfigMap>('configmaps', 'default', 'a')?.data?.['k'], 'v')
  assert.throws(() => (made.data!['k'] = 'x'), TypeError)
})

test('an update that changes nothing moves nothing', () => {
  const objects = store()
  const made = objects.create(configMap('a', { k: 'v' }))
  let heard = 0
  objects.watch('configmaps', () => heard++)
  assert.is(objects.update(cloneJson(made)), made)
  assert.is(objects.resourceVersion, made.metadata.resourceVersion)
  assert.is(heard, 0)
})

test('an update of an old version is a conflict', () => {
  const objects = store()
  const old = objects.create(configMap('a'))
  objects.update({ ...cloneJson(old), data: { k: '1' } })
  assert.throws(
    () => objects.update({ ...cloneJson(old), data: { k: '2' } }),
    (error: ApiError) => error instanceof ApiError && error.status.code === 409,
  )
})

test('watchers hear all changes in order, those that watchers make too', () => {
  const objects = store()
  const heard: string[] = []
  objects.watch<ConfigMap>('configmaps', ({ type, object }) => {
    if (type === 'ADDED' && object.metadata.name === 'a') objects.create(configMap('b'))
  })
  const stop = objects.watch<ConfigMap>('configmaps', ({ type, object, previous }) =>
    heard.push(`${type} ${object.metadata.name} ${previous?.data?.['k'] ?? '-'}`),
  )
  const made = objects.create(configMap('a', { k: '1' }))
  objects.update({ ...cloneJson(made), data: { k: '2' } })
  objects.remove('configmaps', 'default', 'a')
  stop()
  objects.remove('configmaps', 'default', 'b')
  assert.equal(heard, ['ADDED a -', 'ADDED b -', 'MODIFIED a 1', 'DELETED a 2'])
})

test('lists are in order of namespace and name', () => {
  const objects = store()
  for (const name of ['b', 'c', 'a']) objects.create(configMap(name))
  objects.remove('configmaps', 'default', 'c')
  objects.create(configMap('aa'))
  assert.equal(
    objects.list('configmaps').map(({ metadata }) => metadata.name),
    ['a', 'aa', 'b'],
  )
})

test('the generation of a Deployment counts changes of its specification only', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web'))
  cluster.run()
  assert.is(cluster.get<Deployment>('deployments', 'web').metadata.generation, 1)
  cluster.scale('web', 3)
  cluster.run()
  const { metadata, status } = cluster.get<Deployment>('deployments', 'web')
  assert.equal([metadata.generation, status?.observedGeneration], [2, 2])
})

test('a namespace takes all that is in it along', () => {
  const cluster = new Cluster().run()
  cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  cluster.create({ ...deployment('web', 2), metadata: { name: 'web', namespace: 'shop' } })
  cluster.run()
  assert.is(cluster.pods('shop').length, 2)
  cluster.plane.admission.delete('namespaces', undefined, 'shop')
  assert.is(cluster.get('namespaces', 'shop')['status']!['phase' as never], 'Terminating')
  assert.throws(
    () => cluster.create({ ...configMap('late'), metadata: { name: 'late', namespace: 'shop' } }),
    (error: ApiError) =>
      error.message ===
      'configmaps "late" is forbidden: unable to create new content in namespace shop because it is being terminated',
  )
  cluster.run()
  assert.is(cluster.store.get('namespaces', undefined, 'shop'), undefined)
  assert.is(cluster.pods('shop').length, 0)
  assert.is(cluster.store.list('events', 'shop').length, 0)
  assert.throws(
    () => cluster.plane.admission.delete('namespaces', undefined, 'default'),
    (error: ApiError) => error.status.reason === 'Forbidden',
  )
})

test('followers hear what is there and what comes', () => {
  const cluster = new Cluster().run()
  const heard: string[] = []
  const stop = cluster.plane.follow(['services', 'nodes'], {
    apply: ({ type, resource, object }) => heard.push(`${type} ${resource} ${object.metadata.name}`),
  })
  cluster.plane.admission.delete('services', 'kube-system', 'kube-dns')
  stop()
  cluster.plane.admission.delete('services', 'default', 'kubernetes')
  assert.equal(heard, [
    'ADDED services kubernetes',
    'ADDED services kube-dns',
    'ADDED nodes k8s-master',
    'ADDED nodes k8s-node1',
    'ADDED nodes k8s-node2',
    'DELETED services kube-dns',
  ])
})

test.run()
