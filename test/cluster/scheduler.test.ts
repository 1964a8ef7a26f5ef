import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Node, Pod } from '../../src/cluster/objects.js'
import { Cluster, deployment, pod } from './cluster-fixture.js'

const test = suite('scheduler')

test('replicas spread over the workers in turn', () => {
  const cluster = new Cluster().run()
  cluster.create(deployment('web', 4))
  cluster.run()
  const counts = new Map<string, number>()
  for (const { spec } of cluster.pods()) counts.set(spec.nodeName!, (counts.get(spec.nodeName!) ?? 0) + 1)
  assert.equal([...counts].sort(), [
    ['k8s-node1', 2],
    ['k8s-node2', 2],
  ])
})

test('a pod that fits nowhere is told why, and goes where it fits as soon as it can', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('picky', { nodeSelector: { disk: 'ssd' } }))
  cluster.run()
  const message =
    "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
  assert.equal(cluster.events('picky'), [`Warning FailedScheduling: ${message}`])
  assert.equal(cluster.get<Pod>('pods', 'picky').status?.conditions?.[0]?.reason, 'Unschedulable')
  assert.ok(cluster.plane.settled())
  const node = cluster.get<Node>('nodes', 'k8s-node2')
  const labels = { ...node.metadata.labels, disk: 'ssd' }
  cluster.plane.admission.update({ ...node, metadata: { ...node.metadata, labels } })
  cluster.run()
  assert.is(cluster.get<Pod>('pods', 'picky').spec.nodeName, 'k8s-node2')
  assert.is(cluster.get<Pod>('pods', 'picky').status?.phase, 'Running')
})

test('a cordoned node takes no new pod', () => {
  const cluster = new Cluster().run()
  const node = cluster.get<Node>('nodes', 'k8s-node1')
  cluster.plane.admission.update({ ...node, spec: { ...node.spec, unschedulable: true } })
  cluster.create(deployment('web', 3))
  cluster.run()
  assert.equal(
    cluster.pods().map(({ spec }) => spec.nodeName),
    ['k8s-node2', 'k8s-node2', 'k8s-node2'],
  )
})

test('a single control plane node takes ordinary pods', () => {
  const cluster = new Cluster({ nodes: [{ name: 'only', controlPlane: true }] }).run()
  cluster.create(pod('p'))
  cluster.run()
  assert.is(cluster.get<Pod>('pods', 'p').spec.nodeName, 'only')
})

test('a full node refuses more', () => {
  const cluster = new Cluster({ nodes: [{ name: 'only' }], dns: { replicas: 0 } }).run()
  cluster.create(deployment('web', 111))
  cluster.run()
  const pending = cluster.pods().filter(({ spec }) => !spec.nodeName)
  assert.is(pending.length, 1)
  assert.match(cluster.events(pending[0]!.metadata.name)[0]!, '0/1 nodes are available: 1 Too many pods.')
})

test.run()
