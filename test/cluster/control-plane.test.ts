import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import type { Deployment, Endpoints, Node, Pod, Service } from '../../src/cluster/objects.js'
import { NO_DELAYS } from '../../src/cluster/start-delays.js'
import { Cluster, deployment, pod, service } from './cluster-fixture.js'

const test = suite('control plane')

test('a fresh cluster comes to rest with CoreDNS on the control plane node', () => {
  const cluster = new Cluster().run()
  assert.ok(cluster.plane.settled())
  assert.equal(
    cluster
      .pods('kube-system')
      .map(({ spec, status }) => `${spec.nodeName} ${status?.podIP} ${status?.phase}`)
      .sort(),
    ['k8s-master 10.244.0.2 Running', 'k8s-master 10.244.0.3 Running'],
  )
  const endpoints = cluster.get<Endpoints>('endpoints', 'kube-dns', 'kube-system')
  assert.equal(
    endpoints.subsets?.map(({ addresses, ports }) => [addresses?.map(({ ip }) => ip), ports]),
    [
      [
        ['10.244.0.2', '10.244.0.3'],
        [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      ],
    ],
  )
  assert.equal(
    cluster.store.list<Node>('nodes').map(({ metadata, spec }) => [metadata.name, spec.podCIDR]),
    [
      ['k8s-master', '10.244.0.0/24'],
      ['k8s-node1', '10.244.1.0/24'],
      ['k8s-node2', '10.244.2.0/24'],
    ],
  )
})

test('a Deployment becomes a ReplicaSet and pods with addresses of their nodes', () => {
  const cluster = new Cluster({
    nodes: [
      { name: 'k8s-master', controlPlane: true },
      { name: 'k8s-node1', podRange: '10.39.0.0/16' },
      { name: 'k8s-node2', podRange: '10.36.0.0/16' },
    ],
  }).run()
  cluster.create(service('sidecar-app'))
  cluster.create(deployment('sidecar-app', 3))
  cluster.run()
  assert.ok(cluster.plane.settled())
  for (const { metadata } of cluster.pods())
    assert.match(
      metadata.name,
      /^sidecar-app-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/,
    )
  assert.equal(
    cluster
      .pods()
      .map(({ spec, status }) => `${spec.nodeName} ${status?.podIP}`)
      .sort(),
    ['k8s-node1 10.39.0.0', 'k8s-node1 10.39.0.1', 'k8s-node2 10.36.0.0'],
  )
  const { subsets } = cluster.get<Endpoints>('endpoints', 'sidecar-app')
  assert.equal(
    subsets?.[0]?.addresses?.map(({ ip }) => ip),
    ['10.36.0.0', '10.39.0.0', '10.39.0.1'],
  )
  const { status } = cluster.get<Deployment>('deployments', 'sidecar-app')
  assert.is(status?.availableReplicas, 3)
  assert.equal(
    status?.conditions?.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['Available', 'True', 'MinimumReplicasAvailable'],
      ['Progressing', 'True', 'NewReplicaSetAvailable'],
    ],
  )
})

test('a pod is ContainerCreating before it runs, and its events tell its story', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('curl'))
  cluster.run(5_000)
  const early = cluster.get<Pod>('pods', 'curl').status
  assert.is(early?.phase, 'Pending')
  assert.equal(early?.containerStatuses?.[0]?.state, { waiting: { reason: 'ContainerCreating' } })
  assert.not.ok(cluster.plane.settled())
  cluster.run()
  const { status } = cluster.get<Pod>('pods', 'curl')
  assert.is(status?.phase, 'Running')
  assert.equal(status?.containerStatuses?.[0]?.state, { running: { startedAt: '2021-09-13T12:36:39Z' } })
  assert.equal(
    status?.conditions?.map(({ type, status }) => `${type}=${status}`),
    [
      'PodScheduled=True',
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'ContainersReady=True',
      'Ready=True',
    ],
  )
  assert.equal(cluster.events('curl'), [
    'Normal Scheduled: Successfully assigned default/curl to k8s-node1',
    'Normal Pulling: Pulling image "busybox:1"',
    'Normal Pulled: Successfully pulled image "busybox:1" in 30ms (30ms including waiting)',
    'Normal Created: Created container main',
    'Normal Started: Started container main',
  ])
})

test('where time is real, a pod runs as soon as its sandbox is there', () => {
  const cluster = new Cluster({}, 1, undefined, NO_DELAYS).run()
  const before = cluster.now
  cluster.create(pod('curl'))
  cluster.run(0)
  assert.is(cluster.get<Pod>('pods', 'curl').status?.phase, 'Running')
  assert.is(cluster.now, before)
  const pulled = 'Normal Pulled: Successfully pulled image "busybox:1" in 0s (0s including waiting)'
  assert.ok(cluster.events('curl').includes(pulled))
})

test('a deleted pod gets SIGTERM, its grace, and is gone with its address', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('a', { terminationGracePeriodSeconds: 5 }))
  cluster.run()
  cluster.runtime.stubborn.add('busybox:1')
  cluster.plane.admission.delete('pods', 'default', 'a')
  cluster.run(SECOND)
  assert.is(cluster.get<Pod>('pods', 'a').metadata.deletionTimestamp, '2021-09-13T12:36:45Z')
  assert.equal(cluster.runtime.stopped, [{ container: 'main', grace: 5 * SECOND }])
  assert.not.ok(cluster.plane.settled())
  const { uid } = cluster.runtime.sandboxOf('a')
  cluster.runtime.exit(uid, 'main', 137)
  cluster.run()
  assert.is(cluster.pods().length, 0)
  assert.is(cluster.runtime.sandboxes.has(uid), false)
  assert.ok(cluster.plane.settled())
})

test('the same seed gives the same store, another one other names', () => {
  const story = (seed: number) => {
    const cluster = new Cluster({}, seed).run()
    cluster.create(service('web'))
    cluster.create(deployment('web', 3))
    cluster.run()
    cluster.scale('web', 1)
    return cluster.run().dump()
  }
  assert.is(story(1), story(1))
  assert.is.not(story(1), story(2))
})

test('a dry run tells the generation that the change would have', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web'))
  cluster.run()
  const stored = cluster.get<Deployment>('deployments', 'web')
  const generation = stored.metadata.generation!
  const update = (object: Deployment) => cluster.plane.admission.update(object, { dryRun: true }).metadata
  assert.is(update({ ...stored, spec: { ...stored.spec, replicas: 2 } }).generation, generation + 1)
  assert.is(update(stored).generation, generation)
  assert.is(cluster.get('deployments', 'web').metadata.generation, generation)
})

test('the Service kubernetes and its endpoints come back when they are deleted', () => {
  const cluster = new Cluster().run()
  const address = cluster.get<Service>('services', 'kubernetes').spec.clusterIP
  for (const resource of ['services', 'endpoints', 'endpointslices']) {
    cluster.plane.admission.delete(resource, 'default', 'kubernetes')
    cluster.run()
    assert.is(cluster.get(resource, 'kubernetes').metadata.name, 'kubernetes')
  }
  assert.is(cluster.get<Service>('services', 'kubernetes').spec.clusterIP, address)
})

test.run()
