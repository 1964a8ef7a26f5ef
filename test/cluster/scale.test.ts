// What large clusters cost: the work for one change must not grow with all that is there. Times are far above what is
// measured, so that they tell of a wrong order of growth and not of a busy machine.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import type { EndpointSlice, KubeObject } from '../../src/cluster/objects.js'
import { Cluster, deployment, pod, service } from './cluster-fixture.js'

const test = suite('scale')

function portal(i: number): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: `s${i}` }, spec: { ports: [{ port: 80 }] } }
}

function slice(i: number): KubeObject {
  const address = (j: number) => `10.${200 + (i >> 12)}.${(i >> 4) & 255}.${(i & 15) * 16 + j + 1}`
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `s${i}-x`, labels: { 'kubernetes.io/service-name': `s${i}` } },
    addressType: 'IPv4',
    endpoints: Array.from({ length: 10 }, (_, j) => ({
      addresses: [address(j)],
      conditions: { ready: true },
    })),
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
  }
}

test('three thousand Services with ten endpoints each: one change is one change for who follows', () => {
  const cluster = new Cluster()
  cluster.run()
  for (let i = 0; i < 3000; i++) cluster.plane.admission.create(portal(i))
  for (let i = 0; i < 3000; i++) cluster.plane.admission.create(slice(i))
  cluster.run(0)
  const heard: string[] = []
  cluster.plane.follow(['services', 'endpointslices'], {
    apply: ({ type, object }) => void heard.push(`${type} ${object.metadata.name}`),
  })
  assert.ok(heard.length >= 6000)
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    heard.length = 0
    const stored = cluster.get<EndpointSlice>('endpointslices', `s${i}-x`)
    const start = performance.now()
    cluster.plane.admission.update({ ...stored, endpoints: stored.endpoints.slice(1) })
    cluster.run(0)
    best = Math.min(best, performance.now() - start)
    assert.equal(heard, [`MODIFIED s${i}-x`])
  }
  assert.ok(best < 50, `${best} ms`)
})

test('far too many replicas are made in parts, and can be taken back in between', () => {
  const cluster = new Cluster()
  cluster.run()
  cluster.create(deployment('web', 1_000_000))
  cluster.plane.advance(cluster.now)
  assert.is(cluster.pods().length, 500)
  assert.not(cluster.plane.settled())
  cluster.plane.advance(cluster.now)
  assert.is(cluster.pods().length, 1000)
  cluster.plane.admission.update(deployment('web', 2))
  cluster.run(60 * SECOND)
  assert.is(cluster.pods().length, 2)
  assert.ok(cluster.plane.settled())
})

test('six hundred pods run on twenty nodes, spread evenly', () => {
  const workers = Array.from({ length: 20 }, (_, i) => ({ name: `n${i}` }))
  const cluster = new Cluster({ nodes: [{ name: 'm', controlPlane: true }, ...workers] })
  cluster.run()
  cluster.create(service('web'))
  cluster.create(deployment('web', 600))
  cluster.run(5_000_000)
  const counts = new Map<string, number>()
  for (const { spec, status } of cluster.pods()) {
    assert.is(status?.phase, 'Running')
    counts.set(spec.nodeName!, (counts.get(spec.nodeName!) ?? 0) + 1)
  }
  assert.equal([...new Set(counts.values())], [30])
  const slices = cluster.store.list<EndpointSlice>('endpointslices', 'default')
  const endpoints = slices.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'web')
  assert.is(endpoints.flatMap((one) => one.endpoints).length, 600)
  assert.is(endpoints.length, 6)
})

test('a pod waits until its requests fit on a node', () => {
  const cluster = new Cluster().run()
  const heavy = (name: string) =>
    pod(name, {
      containers: [
        { name: 'main', image: 'busybox:1', resources: { requests: { cpu: '3', memory: '1Gi' } } },
      ],
    })
  for (const name of ['a', 'b', 'c']) cluster.create(heavy(name))
  cluster.run()
  assert.equal(cluster.events('c'), [
    'Warning FailedScheduling: 0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu. preemption: 0/3 nodes are available: 2 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
  ])
  cluster.plane.admission.delete('pods', 'default', 'a')
  cluster.run(2_000_000)
  assert.is(cluster.pods().filter(({ status }) => status?.phase === 'Running').length, 2)
})

test.run()
