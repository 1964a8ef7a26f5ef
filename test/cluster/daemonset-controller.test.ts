import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MINUTE, SECOND } from '../../src/base/time.js'
import type { Node, Pod } from '../../src/cluster/objects.js'
import type { DaemonSet } from '../../src/cluster/workload-objects.js'
import { Cluster } from './cluster-fixture.js'

const test = suite('daemonset')

function daemonSet(name: string, pod: Partial<Pod['spec']> = {}, spec: Partial<DaemonSet['spec']> = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'agent', image: 'agent:1' }], ...pod },
      },
      ...spec,
    },
  } satisfies DaemonSet as DaemonSet
}

const placed = (cluster: Cluster) =>
  cluster
    .pods()
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map(({ spec }) => `${spec.nodeName} ${spec.containers[0]!.image}`)
    .sort()

function changeNode(cluster: Cluster, name: string, change: (node: Node) => Node): void {
  cluster.plane.admission.update(change(cluster.get<Node>('nodes', name)))
}

function setImage(cluster: Cluster, name: string, image: string): void {
  const stored = cluster.get<DaemonSet>('daemonsets', name)
  const { template } = stored.spec
  const containers = [{ ...template.spec.containers[0]!, image }]
  const next = { ...template, spec: { ...template.spec, containers } }
  cluster.plane.admission.update({ ...stored, spec: { ...stored.spec, template: next } })
}

test('a pod runs on every node whose taints it tolerates', () => {
  const cluster = new Cluster().run()
  cluster.create(daemonSet('agent'))
  cluster.create(daemonSet('all', { tolerations: [{ operator: 'Exists' }] }))
  cluster.run(5 * SECOND)
  assert.equal(
    placed(cluster).map((text) => text.split(' ')[0]),
    ['k8s-master', 'k8s-node1', 'k8s-node1', 'k8s-node2', 'k8s-node2'],
  )
  const { status, metadata } = cluster.get<DaemonSet>('daemonsets', 'agent')
  assert.equal(status, {
    currentNumberScheduled: 2,
    numberMisscheduled: 0,
    desiredNumberScheduled: 2,
    numberReady: 2,
    observedGeneration: 1,
    updatedNumberScheduled: 2,
    numberAvailable: 2,
  })
  assert.equal(metadata.annotations, { 'deprecated.daemonset.template.generation': '1' })
  assert.match(cluster.events('agent')[0]!, /^Normal SuccessfulCreate: Created pod: agent-[a-z0-9]{5}$/)
})

test('it follows nodeSelector and the labels of nodes; a cordoned node keeps its pod', () => {
  const cluster = new Cluster().run()
  cluster.create(daemonSet('agent', { nodeSelector: { disk: 'ssd' } }))
  cluster.run()
  assert.equal(placed(cluster), [])
  const label = (disk: string) => (node: Node) => ({
    ...node,
    metadata: { ...node.metadata, labels: { ...node.metadata.labels, disk } },
  })
  changeNode(cluster, 'k8s-node1', label('ssd'))
  changeNode(cluster, 'k8s-node1', (node) => ({ ...node, spec: { ...node.spec, unschedulable: true } }))
  cluster.run(5 * SECOND)
  assert.equal(placed(cluster), ['k8s-node1 agent:1'])
  changeNode(cluster, 'k8s-node1', label('hdd'))
  cluster.run(5 * SECOND)
  assert.equal(placed(cluster), [])
  assert.is(cluster.get<DaemonSet>('daemonsets', 'agent').status?.desiredNumberScheduled, 0)
})

test('a NoExecute taint drives it away, a NoSchedule taint does not', () => {
  const cluster = new Cluster().run()
  cluster.create(daemonSet('agent'))
  cluster.run(5 * SECOND)
  const taint = (name: string, effect: 'NoSchedule' | 'NoExecute') =>
    changeNode(cluster, name, (node) => ({
      ...node,
      spec: { ...node.spec, taints: [{ key: 'busy', effect }] },
    }))
  taint('k8s-node1', 'NoSchedule')
  taint('k8s-node2', 'NoExecute')
  cluster.run(5 * SECOND)
  assert.equal(placed(cluster), ['k8s-node1 agent:1'])
  assert.is(cluster.get<DaemonSet>('daemonsets', 'agent').status?.numberMisscheduled, 1)
})

test('a rolling update takes one node at a time', () => {
  const cluster = new Cluster().run()
  cluster.create(daemonSet('agent', { tolerations: [{ operator: 'Exists' }] }))
  cluster.run(5 * SECOND)
  let fewest = 3
  cluster.onRest = () => {
    const ready = cluster
      .pods()
      .filter(({ status }) => status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
    fewest = Math.min(fewest, ready.length)
  }
  setImage(cluster, 'agent', 'agent:2')
  cluster.run(10 * SECOND)
  assert.equal(placed(cluster), ['k8s-master agent:2', 'k8s-node1 agent:2', 'k8s-node2 agent:2'])
  assert.is(fewest, 2)
  const { metadata } = cluster.get<DaemonSet>('daemonsets', 'agent')
  assert.is(metadata.annotations?.['deprecated.daemonset.template.generation'], '2')
  assert.equal(
    cluster.store
      .list('controllerrevisions', 'default')
      .map((revision) => revision['revision'])
      .sort(),
    [1, 2],
  )
})

test('with maxSurge the new pod is ready before the old one goes', () => {
  const cluster = new Cluster().run()
  const updateStrategy = {
    type: 'RollingUpdate' as const,
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
  }
  cluster.create(daemonSet('agent', {}, { updateStrategy }))
  cluster.run(5 * SECOND)
  const seen = { fewest: 2, most: 0 }
  cluster.onRest = () => {
    const active = cluster.pods().filter(({ metadata }) => !metadata.deletionTimestamp)
    const ready = active.filter(({ status }) =>
      status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
    )
    seen.fewest = Math.min(seen.fewest, ready.length)
    seen.most = Math.max(seen.most, active.length)
  }
  setImage(cluster, 'agent', 'agent:2')
  cluster.run(10 * SECOND)
  assert.equal(placed(cluster), ['k8s-node1 agent:2', 'k8s-node2 agent:2'])
  assert.equal(seen, { fewest: 2, most: 3 })
})

test('OnDelete waits for somebody to delete the pod', () => {
  const cluster = new Cluster().run()
  cluster.create(daemonSet('agent', {}, { updateStrategy: { type: 'OnDelete' } }))
  cluster.run(5 * SECOND)
  setImage(cluster, 'agent', 'agent:2')
  cluster.run(5 * SECOND)
  assert.equal(placed(cluster), ['k8s-node1 agent:1', 'k8s-node2 agent:1'])
  const first = cluster.pods().find(({ spec }) => spec.nodeName === 'k8s-node1')!
  cluster.plane.admission.delete('pods', 'default', first.metadata.name)
  cluster.run(5 * SECOND)
  assert.equal(placed(cluster), ['k8s-node1 agent:2', 'k8s-node2 agent:1'])
})

test('a pod that its node refuses is tried again ever more rarely', () => {
  const cluster = new Cluster().run()
  const ports = [{ containerPort: 80, hostPort: 8080 }]
  const taken = { containers: [{ name: 'a', image: 'a:1', ports }], nodeName: 'k8s-node1' }
  cluster.create<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'taken' }, spec: taken })
  cluster.run()
  cluster.create(
    daemonSet('agent', { containers: [{ name: 'a', image: 'a:1', ports }], nodeName: 'k8s-node1' }),
  )
  cluster.run(MINUTE)
  const failures = cluster.events('agent').filter((text) => text.includes('FailedDaemonPod'))
  // After 1, 3, 7, 15, 31 seconds.
  assert.ok(failures.length >= 5 && failures.length <= 7, String(failures.length))
  assert.match(failures[0]!, 'Found failed daemon pod default/agent-')
})

test.run()
