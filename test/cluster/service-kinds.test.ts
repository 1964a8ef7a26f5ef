import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Service } from '../../src/cluster/objects.js'
import { ApiError } from '../../src/cluster/status.js'
import { Cluster, service } from './cluster-fixture.js'

const test = suite('kinds of Services')

type Spec = Service['spec']

function causes(cluster: Cluster, name: string, spec: Partial<Spec>): string[] {
  return causesOf(() => cluster.create(service(name, spec)))
}

function causesOf(act: () => unknown): string[] {
  try {
    act()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return (error.status.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`)
  }
  return []
}

function update(cluster: Cluster, name: string, change: (spec: Spec) => Spec): Service {
  const stored = cluster.get<Service>('services', name)
  return cluster.plane.admission.update({ ...stored, spec: change({ ...stored.spec }) })
}

test('node ports come at random from the upper part of the range, the same for every run of a seed', () => {
  const draw = () => {
    const cluster = new Cluster()
    return ['a', 'b', 'c'].map(
      (name) => cluster.create(service(name, { type: 'NodePort' })).spec.ports![0]!.nodePort!,
    )
  }
  const ports = draw()
  assert.is(new Set(ports).size, 3)
  assert.ok(ports.every((port) => port >= 30086 && port <= 32767))
  assert.equal(draw(), ports)
})

test('a node port that is fixed is checked and kept', () => {
  const cluster = new Cluster()
  const fixed = (nodePort: number): Partial<Spec> => ({ type: 'NodePort', ports: [{ port: 80, nodePort }] })
  assert.is(cluster.create(service('a', fixed(30080))).spec.ports![0]!.nodePort, 30080)
  assert.equal(causes(cluster, 'b', fixed(30080)), [
    'spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
  ])
  assert.equal(causes(cluster, 'b', fixed(3000)), [
    'spec.ports[0].nodePort: Invalid value: 3000: provided port is not in the valid range. The range of valid ports is 30000-32767',
  ])
  assert.equal(causes(cluster, 'b', { ports: [{ port: 80, nodePort: 30081 }] }), [
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ])
  cluster.plane.admission.delete('services', 'default', 'a')
  assert.equal(causes(cluster, 'b', fixed(30080)), [])
})

test('what was taken is given back when the rest of the Service cannot be had', () => {
  const cluster = new Cluster()
  cluster.create(service('a', { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }))
  const ports = [
    { name: 'x', port: 1, nodePort: 30090 },
    { name: 'y', port: 2, nodePort: 30080 },
  ]
  assert.is(causes(cluster, 'b', { type: 'NodePort', clusterIP: '10.96.0.50', ports }).length, 1)
  assert.equal(
    causes(cluster, 'c', { type: 'NodePort', clusterIP: '10.96.0.50', ports: ports.slice(0, 1) }),
    [],
  )
})

test('ports of one number share a node port, and one protocol cannot have it twice', () => {
  const cluster = new Cluster()
  const { ports } = cluster.create(
    service('dns', {
      type: 'NodePort',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    }),
  ).spec
  assert.is(ports![0]!.nodePort, ports![1]!.nodePort)
  assert.equal(
    causes(cluster, 'twice', {
      type: 'NodePort',
      ports: [
        { name: 'a', port: 1, nodePort: 30001 },
        { name: 'b', port: 2, nodePort: 30001 },
      ],
    }),
    ['spec.ports[1].nodePort: Duplicate value: 30001'],
  )
})

test('an update keeps the node port of a port by its name, and a type that needs none gives it back', () => {
  const cluster = new Cluster()
  const { nodePort } = cluster.create(service('web', { type: 'NodePort' })).spec.ports![0]!
  const changed = update(cluster, 'web', (spec) => ({ ...spec, ports: [{ port: 9090, targetPort: 80 }] }))
  assert.is(changed.spec.ports![0]!.nodePort, nodePort)
  const inner = update(cluster, 'web', (spec) => ({ ...spec, type: 'ClusterIP' }))
  assert.is(inner.spec.ports![0]!.nodePort, undefined)
  assert.is(inner.spec.externalTrafficPolicy, undefined)
  assert.is(inner.spec.clusterIP, changed.spec.clusterIP)
  assert.equal(causes(cluster, 'other', { type: 'NodePort', ports: [{ port: 80, nodePort: nodePort! }] }), [])
  assert.equal(
    causesOf(() =>
      update(cluster, 'web', (spec) => ({
        ...spec,
        type: 'NodePort',
        ports: [{ port: 80, nodePort: nodePort! }],
      })),
    ),
    [`spec.ports[0].nodePort: Invalid value: ${nodePort}: provided port is already allocated`],
  )
  const moved = update(cluster, 'other', (spec) => ({ ...spec, ports: [{ port: 80, nodePort: 30000 }] }))
  assert.is(moved.spec.ports![0]!.nodePort, 30000)
  assert.equal(causes(cluster, 'third', { type: 'NodePort', ports: [{ port: 80, nodePort: nodePort! }] }), [])
})

test('a Service that becomes an ExternalName gives everything back', () => {
  const cluster = new Cluster()
  cluster.create(service('web', { type: 'NodePort', clusterIP: '10.96.0.77' }))
  const external = update(cluster, 'web', (spec) => ({
    ...spec,
    type: 'ExternalName',
    externalName: 'example.org',
  }))
  assert.is(external.spec.clusterIP, undefined)
  assert.is(external.spec.ports![0]!.nodePort, undefined)
  assert.equal(causes(cluster, 'heir', { clusterIP: '10.96.0.77' }), [])
})

test('a load balancer gets the lowest free address of the pool, the one it asks for, or none', () => {
  const cluster = new Cluster({ loadBalancerPool: '192.168.56.240/30' })
  const address = (name: string) =>
    cluster.get<Service>('services', name).status?.loadBalancer?.ingress?.map(({ ip }) => ip)
  for (const name of ['a', 'b']) cluster.create(service(name, { type: 'LoadBalancer' }))
  cluster.create(service('c', { type: 'LoadBalancer', loadBalancerIP: '192.168.56.243' }))
  cluster.create(service('d', { type: 'LoadBalancer', loadBalancerIP: '192.168.56.240' }))
  cluster.create(service('e', { type: 'LoadBalancer' }))
  cluster.create(service('f', { type: 'LoadBalancer' }))
  cluster.run()
  assert.equal(['a', 'b', 'c', 'd', 'e', 'f'].map(address), [
    ['192.168.56.240'],
    ['192.168.56.241'],
    ['192.168.56.243'],
    undefined,
    ['192.168.56.242'],
    undefined,
  ])
  assert.equal(cluster.events('d'), [
    'Warning SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: address 192.168.56.240 is taken or not in the pool 192.168.56.240/30',
  ])
  cluster.plane.admission.delete('services', 'default', 'a')
  update(cluster, 'b', (spec) => ({ ...spec, type: 'ClusterIP' }))
  cluster.run()
  assert.equal(['b', 'd', 'f'].map(address), [undefined, ['192.168.56.240'], ['192.168.56.241']])
})

test('the pool is the end of the nodes network, without its broadcast address', () => {
  const cluster = new Cluster()
  assert.is(cluster.plane.config.loadBalancerPool, '192.168.56.240/28')
  for (let i = 0; i < 16; i++) cluster.create(service(`s${i}`, { type: 'LoadBalancer' }))
  cluster.run()
  const served = cluster.store.list<Service>('services').filter(({ status }) => status?.loadBalancer?.ingress)
  assert.is(served.length, 15)
})

test('a load balancer has node ports unless it wants none, and a health check port when only local pods serve', () => {
  const cluster = new Cluster()
  const local = cluster.create(service('local', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }))
  assert.ok(local.spec.healthCheckNodePort! >= 30000)
  assert.ok(local.spec.ports![0]!.nodePort)
  const spread = update(cluster, 'local', (spec) => ({ ...spec, externalTrafficPolicy: 'Cluster' }))
  assert.is(spread.spec.healthCheckNodePort, undefined)
  const without = service('without', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false })
  assert.is(cluster.create(without).spec.ports![0]!.nodePort, undefined)
  assert.equal(
    causes(cluster, 'bad', { type: 'NodePort', externalTrafficPolicy: 'Local', healthCheckNodePort: 30500 }),
    [
      "spec.healthCheckNodePort: Invalid value: 30500: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
  )
})

test('source ranges, traffic policies and distribution are checked in the words of the API server', () => {
  const cluster = new Cluster()
  assert.equal(causes(cluster, 'a', { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/33'] }), [
    'spec.loadBalancerSourceRanges: Invalid value: "[10.0.0.0/33]": must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24',
  ])
  assert.equal(causes(cluster, 'a', { loadBalancerSourceRanges: ['10.0.0.0/8'] }), [
    "spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ])
  assert.equal(causes(cluster, 'a', { externalTrafficPolicy: 'Local' }), [
    'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
  ])
  assert.equal(causes(cluster, 'a', { trafficDistribution: 'PreferFar' }), [
    'spec.trafficDistribution: Unsupported value: "PreferFar": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
  ])
  assert.equal(causes(cluster, 'a', { externalIPs: ['127.0.0.1'] }), [
    'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8)',
  ])
  const external = cluster.create(
    service('ext', { externalIPs: ['203.0.113.9'], trafficDistribution: 'PreferSameNode' }),
  )
  assert.is(external.spec.externalTrafficPolicy, 'Cluster')
})

test('affinity lasts three hours unless it is told', () => {
  const cluster = new Cluster()
  const sticky = cluster.create(service('sticky', { sessionAffinity: 'ClientIP' }))
  assert.equal(sticky.spec.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10800 } })
  const config = { clientIP: { timeoutSeconds: 86401 } }
  assert.equal(causes(cluster, 'a', { sessionAffinity: 'ClientIP', sessionAffinityConfig: config }), [
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
  ])
})

test('a Service may have SCTP ports, and be headless without a selector', () => {
  const cluster = new Cluster()
  assert.equal(causes(cluster, 'sctp', { ports: [{ port: 132, protocol: 'SCTP' }] }), [])
  const headless: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'db' },
    spec: { clusterIP: 'None', ports: [{ port: 5432 }] },
  }
  assert.equal(cluster.create(headless).spec.clusterIPs, ['None'])
})

test.run()
