import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import type { EndpointSlice, Endpoints, Node, Pod } from '../../src/cluster/objects.js'
import { SERVICE_NAME_LABEL } from '../../src/cluster/objects.js'
import { fc } from '../support/properties.js'
import { Cluster, deployment, pod, service } from './cluster-fixture.js'

const test = suite('endpoints')

function slices(cluster: Cluster, name: string): EndpointSlice[] {
  return cluster.store
    .list<EndpointSlice>('endpointslices', 'default')
    .filter(({ metadata }) => metadata.labels?.[SERVICE_NAME_LABEL] === name)
}

function addresses(cluster: Cluster, name: string): { ready: string[]; notReady: string[] } {
  const { subsets = [] } = cluster.get<Endpoints>('endpoints', name)
  const texts = (list: 'addresses' | 'notReadyAddresses') =>
    subsets.flatMap((subset) =>
      (subset[list] ?? []).flatMap(({ ip }) => (subset.ports ?? []).map(({ port }) => `${ip}:${port}`)),
    )
  return { ready: texts('addresses'), notReady: texts('notReadyAddresses') }
}

test('a Service without pods has empty Endpoints and one empty slice', () => {
  const cluster = new Cluster().run()
  cluster.create(service('web'))
  cluster.run()
  assert.is(cluster.get<Endpoints>('endpoints', 'web').subsets, undefined)
  assert.equal(
    slices(cluster, 'web').map(({ endpoints, ports }) => [endpoints, ports]),
    [[[], []]],
  )
})

test('a pod moves between ready and not ready with its containers', () => {
  const cluster = new Cluster().run()
  cluster.create(service('web'))
  cluster.create(pod('a', {}, { app: 'web' }))
  cluster.run()
  assert.equal(addresses(cluster, 'web'), { ready: ['10.244.1.2:80'], notReady: [] })
  const { uid } = cluster.runtime.sandboxOf('a')
  cluster.runtime.exit(uid, 'main', 1)
  cluster.run(0)
  assert.equal(addresses(cluster, 'web'), { ready: [], notReady: ['10.244.1.2:80'] })
  assert.equal(slices(cluster, 'web')[0]?.endpoints[0]?.conditions, {
    ready: false,
    serving: false,
    terminating: false,
  })
  cluster.run()
  assert.equal(addresses(cluster, 'web'), { ready: ['10.244.1.2:80'], notReady: [] })
})

test('a terminating pod leaves Endpoints and stays in the slice as terminating', () => {
  const cluster = new Cluster().run()
  cluster.create(service('web'))
  cluster.create(pod('a', {}, { app: 'web' }))
  cluster.run()
  cluster.runtime.stubborn.add('busybox:1')
  cluster.plane.admission.delete('pods', 'default', 'a')
  cluster.run()
  assert.equal(addresses(cluster, 'web'), { ready: [], notReady: [] })
  assert.equal(slices(cluster, 'web')[0]?.endpoints[0]?.conditions, {
    ready: false,
    serving: true,
    terminating: true,
  })
})

test('an endpoint knows its zone, and hints follow trafficDistribution for those that are ready', () => {
  const zone = (name: string) => ({ 'topology.kubernetes.io/zone': name })
  const nodes = [
    { name: 'master', controlPlane: true },
    { name: 'node1', labels: zone('a') },
    { name: 'node2' },
  ]
  const cluster = new Cluster({ nodes }).run()
  for (const distribution of ['PreferClose', 'PreferSameZone', 'PreferSameNode'])
    cluster.create(
      service(distribution.toLowerCase(), { selector: { app: 'web' }, trafficDistribution: distribution }),
    )
  for (const name of ['one', 'two']) cluster.create(pod(name, {}, { app: 'web' }))
  cluster.run()
  const told = (name: string) =>
    slices(cluster, name)[0]!.endpoints.map(({ nodeName, zone, hints }) => [nodeName, zone, hints])
  const zoneA = { forZones: [{ name: 'a' }] }
  assert.equal(told('preferclose'), [
    ['node1', 'a', zoneA],
    ['node2', undefined, undefined],
  ])
  assert.equal(told('prefersamezone'), told('preferclose'))
  assert.equal(told('prefersamenode'), [
    ['node1', 'a', { ...zoneA, forNodes: [{ name: 'node1' }] }],
    ['node2', undefined, { forNodes: [{ name: 'node2' }] }],
  ])
  const node = cluster.get<Node>('nodes', 'node2')
  const labels = { ...node.metadata.labels, ...zone('b') }
  cluster.plane.admission.update({ ...node, metadata: { ...node.metadata, labels } })
  cluster.run(0)
  assert.equal(told('preferclose')[1], ['node2', 'b', { forZones: [{ name: 'b' }] }])
  cluster.runtime.stubborn.add('busybox:1')
  cluster.plane.admission.delete('pods', 'default', 'one')
  cluster.run(0)
  assert.equal(told('preferclose')[0], ['node1', 'a', undefined])
})

test('publishNotReadyAddresses tells all as ready', () => {
  const cluster = new Cluster().run()
  cluster.create(service('web', { publishNotReadyAddresses: true }))
  cluster.create(pod('a', { restartPolicy: 'Always' }, { app: 'web' }))
  cluster.run()
  for (let i = 0; i < 2; i++) {
    cluster.runtime.exit(cluster.runtime.sandboxOf('a').uid, 'main', 1)
    cluster.run(SECOND)
  }
  assert.is(cluster.get<Pod>('pods', 'a').status?.conditions?.at(-1)?.status, 'False')
  assert.equal(addresses(cluster, 'web'), { ready: ['10.244.1.2:80'], notReady: [] })
})

test('a named target port is looked up in each pod', () => {
  const cluster = new Cluster().run()
  cluster.create(
    service('web', {
      ports: [
        { name: 'a', port: 80, targetPort: 'http' },
        { name: 'b', port: 81, targetPort: 9000 },
      ],
    }),
  )
  const withPort = (containerPort: number) => ({
    containers: [{ name: 'main', image: 'busybox:1', ports: [{ name: 'http', containerPort }] }],
  })
  cluster.create(pod('a', withPort(8080), { app: 'web' }))
  cluster.create(pod('b', withPort(8081), { app: 'web' }))
  cluster.create(pod('c', {}, { app: 'web' }))
  cluster.run()
  const [first, second] = [
    cluster.get<Pod>('pods', 'a').status!.podIP,
    cluster.get<Pod>('pods', 'b').status!.podIP,
  ]
  const third = cluster.get<Pod>('pods', 'c').status!.podIP
  assert.equal(
    addresses(cluster, 'web').ready.sort(),
    [`${first}:8080`, `${second}:8081`, `${first}:9000`, `${second}:9000`, `${third}:9000`].sort(),
  )
  assert.is(slices(cluster, 'web').length, 3)
})

test('pods of a subdomain have their host name behind a headless Service', () => {
  const cluster = new Cluster().run()
  cluster.create(service('web', { clusterIP: 'None' }))
  cluster.create(pod('a', { hostname: 'one', subdomain: 'web' }, { app: 'web' }))
  cluster.run()
  const endpoints = cluster.get<Endpoints>('endpoints', 'web')
  assert.is(endpoints.subsets?.[0]?.addresses?.[0]?.hostname, 'one')
  assert.is(endpoints.metadata.labels?.['service.kubernetes.io/headless'], '')
  assert.is(slices(cluster, 'web')[0]?.endpoints[0]?.hostname, 'one')
})

test('Endpoints made by hand are mirrored to a slice, and go with the Service', () => {
  const cluster = new Cluster().run()
  const bare = service('outside')
  delete bare.spec.selector
  cluster.create<Endpoints>({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'outside' },
    subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 5432 }] }],
  })
  cluster.run()
  assert.is(slices(cluster, 'outside').length, 0)
  cluster.create(bare)
  cluster.run()
  const [slice] = slices(cluster, 'outside')
  assert.equal(slice?.endpoints, [{ addresses: ['192.0.2.7'], conditions: { ready: true } }])
  assert.equal(slice?.ports, [{ name: '', port: 5432, protocol: 'TCP' }])
  cluster.plane.admission.delete('services', 'default', 'outside')
  cluster.run()
  assert.is(slices(cluster, 'outside').length, 0)
  assert.is(cluster.store.get('endpoints', 'default', 'outside'), undefined)
})

test('more than a hundred endpoints fill several slices', () => {
  const nodes = [1, 2].map((n) => ({ name: `n${n}` }))
  const cluster = new Cluster({ nodes, dns: { replicas: 0 } }).run()
  cluster.create(service('web'))
  cluster.create(deployment('web', 150))
  cluster.run()
  assert.equal(
    slices(cluster, 'web')
      .map(({ endpoints }) => endpoints.length)
      .sort(),
    [100, 50],
  )
})

test('whatever is made, scaled, deleted and crashed, endpoints end as the ready pods', () => {
  const step = fc.oneof(
    fc.record({ act: fc.constant('scale' as const), n: fc.integer({ min: 0, max: 4 }) }),
    fc.record({ act: fc.constant('delete' as const), n: fc.nat(3) }),
    fc.record({ act: fc.constant('crash' as const), n: fc.nat(3) }),
    fc.record({ act: fc.constant('run' as const), n: fc.nat(30) }),
    fc.record({ act: fc.constant('service' as const), n: fc.constant(0) }),
  )
  const apply = (cluster: Cluster, { act, n }: { act: string; n: number }) => {
    const chosen = cluster.pods()[n]
    if (act === 'scale') cluster.scale('web', n)
    else if (act === 'run') cluster.run(n * 10_000)
    else if (act === 'delete' && chosen)
      cluster.plane.admission.delete('pods', 'default', chosen.metadata.name)
    else if (act === 'crash' && cluster.runtime.containers.has(`${chosen?.metadata.uid}/web`))
      cluster.runtime.exit(chosen!.metadata.uid!, 'web', 1)
    else if (act === 'service') {
      if (cluster.store.get('services', 'default', 'web'))
        cluster.plane.admission.delete('services', 'default', 'web')
      else cluster.create(service('web'))
    }
  }
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const cluster = new Cluster().run()
      cluster.create(deployment('web', 2))
      for (const one of steps) apply(cluster, one)
      if (!cluster.store.get('services', 'default', 'web')) cluster.create(service('web'))
      cluster.run(120 * SECOND)
      assert.ok(cluster.plane.settled())
      const ready = cluster
        .pods()
        .filter(({ status }) => status?.containerStatuses?.every((container) => container.ready))
        .map(({ status }) => status!.podIP!)
        .sort()
      assert.equal(
        addresses(cluster, 'web').ready,
        ready.map((ip) => `${ip}:80`),
      )
      const sliced = slices(cluster, 'web').flatMap(({ endpoints }) => endpoints)
      assert.equal(
        sliced
          .filter(({ conditions }) => conditions?.ready)
          .flatMap((e) => e.addresses)
          .sort(),
        ready,
      )
    }),
    { numRuns: 40 },
  )
})

test.run()
