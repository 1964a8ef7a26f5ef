import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import type { ContainerPort, Deployment, EndpointSlice, Pod, PodSpec } from '../../src/cluster/objects.js'
import { ApiError } from '../../src/cluster/status.js'
import { Cluster, deployment, pod, service } from './cluster-fixture.js'

const test = suite('host network and host ports')

function withPorts(ports: ContainerPort[], spec: Partial<PodSpec> = {}): Partial<PodSpec> {
  return { containers: [{ name: 'main', image: 'nginx:1', ports }], ...spec }
}

function refusals(cluster: Cluster, spec: Partial<PodSpec>): string[] {
  try {
    cluster.create(pod('p', spec))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return (error.status.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`)
  }
  return []
}

test('a pod on its node has the address and the name of the node, and none of the range', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('host', { hostNetwork: true, nodeName: 'k8s-node1', hostname: 'ignored' }))
  cluster.create(pod('own', { nodeName: 'k8s-node1' }))
  cluster.run()
  const { status } = cluster.get<Pod>('pods', 'host')
  assert.equal([status?.podIP, status?.hostIP], ['192.168.56.11', '192.168.56.11'])
  const sandbox = cluster.runtime.sandboxOf('host')
  assert.equal(
    [sandbox.hostNetwork, sandbox.address, sandbox.hostname],
    [true, '192.168.56.11/24', 'k8s-node1'],
  )
  assert.is(
    sandbox.hosts,
    '# Kubernetes-managed hosts file (host network).\n127.0.0.1\tlocalhost\n127.0.1.1\tk8s-node1\n',
  )
  const taken = cluster.runtime.sandboxOf('own').address
  cluster.plane.admission.delete('pods', 'default', 'host', { gracePeriodSeconds: 0 })
  cluster.run()
  cluster.create(pod('next', { nodeName: 'k8s-node1' }))
  cluster.run()
  assert.not.equal(cluster.runtime.sandboxOf('next').address, taken)
})

test('ClusterFirst means the resolver of the node, of which there is none; ClusterFirstWithHostNet the cluster', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('first', { hostNetwork: true }))
  cluster.create(pod('with', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }))
  cluster.run()
  assert.is(cluster.runtime.sandboxOf('first').resolvConf, '')
  assert.match(cluster.runtime.sandboxOf('with').resolvConf, /^nameserver 10\.96\.0\.10$/m)
})

test('ports of a pod on its node are the ports of the node; a template is left as it is', () => {
  const cluster = new Cluster().run()
  const spec = withPorts([{ containerPort: 80 }], { hostNetwork: true })
  assert.is(cluster.create(pod('p', spec)).spec.containers[0]?.ports?.[0]?.hostPort, 80)
  const made = deployment('web')
  Object.assign(made.spec.template.spec, spec)
  const template = cluster.create<Deployment>(made).spec.template.spec
  assert.is(template.containers[0]?.ports?.[0]?.hostPort, undefined)
  cluster.run()
  const replica = cluster.pods().find(({ metadata }) => metadata.name.startsWith('web-'))
  assert.is(replica?.spec.containers[0]?.ports?.[0]?.hostPort, 80)
})

test('a host port that cannot be is refused', () => {
  const cluster = new Cluster().run()
  assert.equal(refusals(cluster, withPorts([{ containerPort: 80, hostPort: 81 }], { hostNetwork: true })), [
    'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
  ])
  assert.equal(
    refusals(
      cluster,
      withPorts([
        { containerPort: 80, hostPort: 8080 },
        { containerPort: 81, hostPort: 8080 },
        { containerPort: 82, hostPort: 8080, protocol: 'UDP' },
      ]),
    ),
    ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"'],
  )
  assert.match(
    refusals(cluster, withPorts([{ containerPort: 80, hostPort: 8080, hostIP: 'here' }]))[0] ?? '',
    'spec.containers[0].ports[0].hostIP: Invalid value: "here": must be a valid IP address',
  )
})

test('a node gives each of its ports to one pod; the next waits until it is free', () => {
  const cluster = new Cluster().run()
  const http = withPorts([{ containerPort: 80, hostPort: 80 }])
  cluster.create(pod('a', http))
  cluster.create(pod('b', withPorts([{ containerPort: 80 }], { hostNetwork: true })))
  cluster.run()
  const nodes = () => cluster.pods().map(({ spec }) => spec.nodeName)
  assert.equal(nodes().sort(), ['k8s-node1', 'k8s-node2'])
  cluster.create(pod('c', http))
  cluster.run()
  assert.equal(cluster.events('c'), [
    "Warning FailedScheduling: 0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't have free ports for the requested pod ports. preemption: 0/3 nodes are available: 2 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
  ])
  const { nodeName } = cluster.get<Pod>('pods', 'a').spec
  cluster.plane.admission.delete('pods', 'default', 'a', { gracePeriodSeconds: 0 })
  cluster.run()
  assert.is(cluster.get<Pod>('pods', 'c').spec.nodeName, nodeName)
})

test('ports conflict by protocol and address: no address is every address', () => {
  const on = (hostIP?: string, protocol: 'TCP' | 'UDP' = 'TCP') =>
    withPorts([{ containerPort: 80, hostPort: 80, protocol, ...(hostIP && { hostIP }) }], {
      nodeSelector: { 'kubernetes.io/hostname': 'k8s-node1' },
    })
  const cluster = new Cluster().run()
  cluster.create(pod('one', on('192.168.56.11')))
  cluster.create(pod('two', on('127.0.0.1')))
  cluster.create(pod('udp', on(undefined, 'UDP')))
  cluster.run()
  for (const name of ['one', 'two', 'udp'])
    assert.is(cluster.get<Pod>('pods', name).status?.phase, 'Running', name)
  for (const [name, address] of [
    ['same', '127.0.0.1'],
    ['any', undefined],
    ['zero', '0.0.0.0'],
  ] as const) {
    cluster.create(pod(name, on(address)))
    cluster.run()
    assert.is(cluster.get<Pod>('pods', name).spec.nodeName, undefined, name)
  }
})

test('the runtime is told the ports of the node that lead to a pod', () => {
  const cluster = new Cluster().run()
  cluster.create(pod('p', withPorts([{ containerPort: 80, hostPort: 8080 }, { containerPort: 81 }])))
  cluster.create(pod('host', withPorts([{ containerPort: 90 }], { hostNetwork: true })))
  cluster.run()
  assert.equal(cluster.runtime.sandboxOf('p').hostPorts, [
    { protocol: 'TCP', hostPort: 8080, containerPort: 80 },
  ])
  assert.equal(cluster.runtime.sandboxOf('host').hostPorts, [])
})

test('an endpoint on its node has the address of the node', () => {
  const cluster = new Cluster().run()
  cluster.create(service('web'))
  cluster.create(pod('p', { hostNetwork: true, nodeName: 'k8s-node2' }, { app: 'web' }))
  cluster.run(2 * SECOND)
  const addresses = cluster.store
    .list<EndpointSlice>('endpointslices', 'default')
    .filter(({ metadata }) => metadata.name.startsWith('web-'))
    .flatMap(({ endpoints }) => endpoints.flatMap((endpoint) => endpoint.addresses))
  assert.equal(addresses, ['192.168.56.12'])
})

test.run()
