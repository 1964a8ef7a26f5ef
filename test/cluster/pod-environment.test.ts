import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ConfigMap, Pod, Service } from '../../src/cluster/objects.js'
import { expand } from '../../src/cluster/pod-environment.js'
import { Cluster, pod, service } from './cluster-fixture.js'

const test = suite('environment of a container')

function environmentOf(cluster: Cluster, name: string): (readonly [string, string])[] {
  const { uid } = cluster.get<Pod>('pods', name).metadata
  return [...cluster.runtime.containers.get(`${uid}/main`)!.env]
}

const KUBERNETES = [
  ['KUBERNETES_SERVICE_HOST', '10.96.0.1'],
  ['KUBERNETES_SERVICE_PORT', '443'],
  ['KUBERNETES_SERVICE_PORT_HTTPS', '443'],
  ['KUBERNETES_PORT', 'tcp://10.96.0.1:443'],
  ['KUBERNETES_PORT_443_TCP', 'tcp://10.96.0.1:443'],
  ['KUBERNETES_PORT_443_TCP_PROTO', 'tcp'],
  ['KUBERNETES_PORT_443_TCP_PORT', '443'],
  ['KUBERNETES_PORT_443_TCP_ADDR', '10.96.0.1'],
]

test('a Service with a named port gives exactly the variables that Kubernetes gives', () => {
  const cluster = new Cluster().run()
  cluster.create(
    service('sidecar-svc', {
      clusterIP: '10.97.98.36',
      ports: [{ name: 'http-port', port: 8080, targetPort: 80 }],
    }),
  )
  cluster.create(pod('curl'))
  cluster.run()
  assert.equal(environmentOf(cluster, 'curl'), [
    ...KUBERNETES,
    ['SIDECAR_SVC_SERVICE_HOST', '10.97.98.36'],
    ['SIDECAR_SVC_SERVICE_PORT', '8080'],
    ['SIDECAR_SVC_SERVICE_PORT_HTTP_PORT', '8080'],
    ['SIDECAR_SVC_PORT', 'tcp://10.97.98.36:8080'],
    ['SIDECAR_SVC_PORT_8080_TCP', 'tcp://10.97.98.36:8080'],
    ['SIDECAR_SVC_PORT_8080_TCP_PROTO', 'tcp'],
    ['SIDECAR_SVC_PORT_8080_TCP_PORT', '8080'],
    ['SIDECAR_SVC_PORT_8080_TCP_ADDR', '10.97.98.36'],
  ])
})

test('later, headless and foreign Services give nothing', () => {
  const cluster = new Cluster().run()
  cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } })
  cluster.create({ ...service('far'), metadata: { name: 'far', namespace: 'other' } })
  cluster.create(service('bare', { clusterIP: 'None' }))
  cluster.create(pod('curl'))
  cluster.run()
  cluster.create(service('late'))
  cluster.run()
  assert.equal(environmentOf(cluster, 'curl'), KUBERNETES)
})

test('enableServiceLinks false leaves only kubernetes', () => {
  const cluster = new Cluster().run()
  cluster.create(service('web'))
  cluster.create(pod('curl', { enableServiceLinks: false }))
  cluster.run()
  assert.equal(environmentOf(cluster, 'curl'), KUBERNETES)
})

test('own variables come first, win over those of Services, and refer to both', () => {
  const cluster = new Cluster().run()
  cluster.create<Service>(service('web', { clusterIP: '10.100.0.1', ports: [{ port: 80, protocol: 'UDP' }] }))
  cluster.create<ConfigMap>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings' },
    data: { COLOR: 'blue', '1bad': 'x' },
  })
  cluster.create(
    pod('curl', {
      containers: [
        {
          name: 'main',
          image: 'busybox',
          args: ['$(ADDRESS)', '$$(ADDRESS)'],
          envFrom: [{ configMapRef: { name: 'settings' } }],
          env: [
            { name: 'WEB_PORT', value: 'mine' },
            { name: 'ADDRESS', value: '$(WEB_SERVICE_HOST) $(UNKNOWN)' },
            { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'SHADE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'COLOR' } } },
          ],
        },
      ],
    }),
  )
  cluster.run()
  const environment = environmentOf(cluster, 'curl')
  assert.equal(environment.slice(0, 5), [
    ['COLOR', 'blue'],
    ['WEB_PORT', 'mine'],
    ['ADDRESS', '10.100.0.1 $(UNKNOWN)'],
    ['IP', '10.244.1.2'],
    ['SHADE', 'blue'],
  ])
  assert.is(environment.filter(([name]) => name === 'WEB_PORT').length, 1)
  assert.ok(
    environment.some(([name, value]) => name === 'WEB_PORT_80_UDP' && value === 'udp://10.100.0.1:80'),
  )
  const { uid } = cluster.get<Pod>('pods', 'curl').metadata
  assert.equal(cluster.runtime.containers.get(`${uid}/main`)!.args, ['10.100.0.1 $(UNKNOWN)', '$(ADDRESS)'])
})

test('references are replaced by the rules of Kubernetes', () => {
  const values: Record<string, string> = { A: '1', B: '$(A)' }
  const cases = [
    ['$(A)', '1'],
    ['$(B)', '$(A)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$A $(', '$A $('],
    ['$(C)', '$(C)'],
  ]
  for (const [text, wanted] of cases)
    assert.is(
      expand(text!, (name) => values[name]),
      wanted,
    )
})

test('a missing ConfigMap keeps a container from being made until it is there', () => {
  const cluster = new Cluster().run()
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'later', key: 'a' } } }]
  cluster.create(pod('curl', { containers: [{ name: 'main', image: 'busybox', env }] }))
  cluster.run()
  assert.equal(cluster.get<Pod>('pods', 'curl').status?.containerStatuses?.[0]?.state, {
    waiting: { reason: 'CreateContainerConfigError', message: 'configmap "later" not found' },
  })
  assert.ok(cluster.plane.settled())
  cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'later' }, data: { a: '1' } })
  cluster.run()
  assert.equal(environmentOf(cluster, 'curl')[0], ['A', '1'])
})

test('files of the pod are those the kubelet writes', () => {
  const cluster = new Cluster().run()
  cluster.create(
    pod('curl', {
      hostname: 'c1',
      subdomain: 'sub',
      hostAliases: [{ ip: '10.1.1.1', hostnames: ['x', 'y'] }],
      dnsConfig: { searches: ['example.org'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
    }),
  )
  cluster.run()
  const sandbox = cluster.runtime.sandboxOf('curl')
  assert.is(
    sandbox.resolvConf,
    'search default.svc.cluster.local svc.cluster.local cluster.local example.org\nnameserver 10.96.0.10\noptions ndots:2 edns0\n',
  )
  assert.is(
    sandbox.hosts,
    [
      '# Kubernetes-managed hosts file.',
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::0\tip6-localnet',
      'fe00::0\tip6-mcastprefix',
      'fe00::1\tip6-allnodes',
      'fe00::2\tip6-allrouters',
      '10.244.1.2\tc1.sub.default.svc.cluster.local\tc1',
      '',
      '# Entries added by HostAliases.',
      '10.1.1.1\tx\ty',
      '',
    ].join('\n'),
  )
  assert.is(sandbox.hostname, 'c1')
  assert.is(sandbox.address, '10.244.1.2/24')
  assert.is(sandbox.gateway, '10.244.1.1')
})

test.run()
