// Clusters of both families: ranges, addresses of nodes, pods and Services, EndpointSlices of each family, and what the
// API server says to families that cannot be.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resolveClusterConfig } from '../../src/cluster/cluster-config.js'
import type { EndpointSlice, Endpoints, Node, Pod, Service } from '../../src/cluster/objects.js'
import { ApiError } from '../../src/cluster/status.js'
import { Cluster } from './cluster-fixture.js'

const test = suite('dual-stack clusters')

const DUAL = { podSubnet: '10.244.0.0/16,fd00:10:244::/56', serviceSubnet: '10.96.0.0/16, fd00:10:96::/112' }
const PORTS = [{ port: 80 }]

function service(spec: Partial<Service['spec']>, name = 'web'): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { ports: PORTS, selector: { app: 'web' }, ...spec },
  }
}

function refusal(write: () => unknown): string {
  try {
    write()
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
  return 'not refused'
}

test('ranges of both families, IPv4 first', () => {
  const { podSubnet, serviceSubnet, ipv6, nodes } = resolveClusterConfig(DUAL)
  assert.equal([podSubnet, serviceSubnet], ['10.244.0.0/16', '10.96.0.0/16'])
  assert.equal(ipv6, {
    podSubnet: 'fd00:10:244::/56',
    serviceSubnet: 'fd00:10:96::/112',
    nodeSubnet: 'fd00:192:168:56::/64',
  })
  assert.equal(
    nodes.map((node) => node.ipv6),
    [
      { address: 'fd00:192:168:56::a', podCIDR: 'fd00:10:244::/64', gateway: 'fd00:10:244::1' },
      { address: 'fd00:192:168:56::b', podCIDR: 'fd00:10:244:1::/64', gateway: 'fd00:10:244:1::1' },
      { address: 'fd00:192:168:56::c', podCIDR: 'fd00:10:244:2::/64', gateway: 'fd00:10:244:2::1' },
    ],
  )
  assert.is(resolveClusterConfig().ipv6, undefined)
})

test('ranges that cannot be are named', () => {
  const problem = (input: Parameters<typeof resolveClusterConfig>[0]) => {
    try {
      resolveClusterConfig(input)
      return 'none'
    } catch (error) {
      return (error as Error).message
    }
  }
  assert.match(problem({ podSubnet: DUAL.podSubnet }), 'both need a second prefix')
  assert.match(problem({ ...DUAL, podSubnet: 'fd00::/56,10.244.0.0/16' }), 'IPv4 comes first')
  assert.match(problem({ ...DUAL, serviceSubnet: '10.96.0.0/16,fd00:10:96::/64' }), 'between /108 and /124')
  assert.match(problem({ ...DUAL, podSubnet: '10.244.0.0/16,fd00:10:96::/56' }), 'overlap')
  assert.match(problem({ ...DUAL, podSubnet: '10.244.0.0/16,fd00:1::/64' }), 'no range left')
})

test('nodes and pods tell an address of each family', () => {
  const cluster = new Cluster(DUAL)
  cluster.create<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: { nodeName: 'k8s-node1', containers: [{ name: 'web', image: 'nginx' }] },
  })
  cluster.run()
  const { podIP, podIPs, hostIPs } = cluster.get<Pod>('pods', 'web').status!
  assert.is(podIP, '10.244.1.2')
  assert.equal(podIPs, [{ ip: '10.244.1.2' }, { ip: 'fd00:10:244:1::2' }])
  assert.equal(hostIPs, [{ ip: '192.168.56.11' }, { ip: 'fd00:192:168:56::b' }])
  assert.equal(cluster.runtime.sandboxOf('web').ipv6, {
    address: 'fd00:10:244:1::2/64',
    gateway: 'fd00:10:244:1::1',
  })
  const node = cluster.get<Node>('nodes', 'k8s-node1')
  assert.equal(node.spec.podCIDRs, ['10.244.1.0/24', 'fd00:10:244:1::/64'])
})

test('a Service gets what its policy and families say', () => {
  const cluster = new Cluster(DUAL)
  const families = (name: string, spec: Partial<Service['spec']>) => {
    const { ipFamilyPolicy, ipFamilies, clusterIPs, clusterIP } = cluster.create(service(spec, name)).spec
    assert.is(clusterIP, clusterIPs![0])
    const kinds = clusterIPs!.map((text) => (text === 'None' ? text : text.includes(':') ? 'IPv6' : 'IPv4'))
    return [ipFamilyPolicy, ipFamilies!.join(), kinds.join()]
  }
  assert.equal(families('a', {}), ['SingleStack', 'IPv4', 'IPv4'])
  assert.equal(families('b', { ipFamilies: ['IPv6'] }), ['SingleStack', 'IPv6', 'IPv6'])
  assert.equal(families('c', { ipFamilyPolicy: 'PreferDualStack' }), [
    'PreferDualStack',
    'IPv4,IPv6',
    'IPv4,IPv6',
  ])
  assert.equal(families('d', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] }), [
    'RequireDualStack',
    'IPv6,IPv4',
    'IPv6,IPv4',
  ])
  assert.equal(families('e', { clusterIP: 'fd00:10:96::5' }), ['SingleStack', 'IPv6', 'IPv6'])
  assert.equal(families('f', { clusterIP: 'None', ipFamilyPolicy: 'PreferDualStack' }), [
    'PreferDualStack',
    'IPv4,IPv6',
    'None',
  ])
  assert.equal(families('g', { clusterIP: 'None', selector: {} }), ['RequireDualStack', 'IPv4,IPv6', 'None'])
})

test('a cluster of IPv4 alone prefers in vain, and refuses what is required', () => {
  const cluster = new Cluster()
  const { spec } = cluster.create(service({ ipFamilyPolicy: 'PreferDualStack' }))
  assert.equal([spec.ipFamilies, spec.clusterIPs?.length], [['IPv4'], 1])
  assert.match(
    refusal(() => cluster.create(service({ ipFamilyPolicy: 'RequireDualStack' }, 'b'))),
    'this cluster is not configured for dual-stack services',
  )
  assert.match(
    refusal(() => cluster.create(service({ ipFamilies: ['IPv6'] }, 'c'))),
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  )
  assert.match(
    refusal(() => cluster.create(service({ clusterIP: 'fd00:10:96::5' }, 'd'))),
    'IPv6 is not configured on this cluster',
  )
})

test('what contradicts itself is refused', () => {
  const cluster = new Cluster(DUAL)
  const refused = (spec: Partial<Service['spec']>) => refusal(() => cluster.create(service(spec)))
  assert.match(
    refused({ ipFamilies: ['IPv4', 'IPv6'] }),
    "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
  )
  assert.match(refused({ ipFamilies: ['IPv4', 'IPv4'] }), 'spec.ipFamilies[1]: Duplicate value')
  assert.match(
    refused({ ipFamilies: ['IPv4'], clusterIP: 'fd00:10:96::5', clusterIPs: ['fd00:10:96::5'] }),
    'expected an IPv4 value as indicated by `ipFamilies[0]`',
  )
  assert.match(
    refused({
      ipFamilyPolicy: 'PreferDualStack',
      clusterIP: '10.96.0.5',
      clusterIPs: ['10.96.0.5', '10.96.0.6'],
    }),
    'may specify no more than one IP for each IP family',
  )
  assert.match(refused({ clusterIP: 'fd00:11::5' }), 'The range of valid IPs is fd00:10:96::/112')
})

test('a Service is upgraded and downgraded by its policy, and its second address given back', () => {
  const cluster = new Cluster(DUAL)
  const made = cluster.create(service({}))
  const update = (spec: Partial<Service['spec']>) => {
    const stored = cluster.get<Service>('services', 'web')
    return cluster.plane.admission.update({ ...stored, spec: { ...stored.spec, ...spec } })
  }
  const both = update({ ipFamilyPolicy: 'RequireDualStack' }).spec
  assert.equal(both.ipFamilies, ['IPv4', 'IPv6'])
  assert.is(both.clusterIPs![0], made.spec.clusterIP)
  const second = both.clusterIPs![1]!
  assert.match(
    refusal(() => update({ clusterIPs: [both.clusterIPs![0]!] })),
    "must be 'SingleStack' to release the secondary cluster IP",
  )
  const single = update({ ipFamilyPolicy: 'SingleStack' }).spec
  assert.equal([single.ipFamilies, single.clusterIPs], [['IPv4'], [made.spec.clusterIP]])
  const next = cluster.create(service({ clusterIP: second }, 'next'))
  assert.is(next.spec.clusterIP, second)
})

test('EndpointSlices are of one family each, Endpoints of the primary one', () => {
  const cluster = new Cluster(DUAL)
  for (const name of ['a', 'b'])
    cluster.create<Pod>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: 'web' } },
      spec: { nodeName: 'k8s-node1', containers: [{ name: 'web', image: 'nginx' }] },
    })
  cluster.create(service({ ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv6'] }))
  cluster.run()
  const slices = () =>
    cluster.store
      .list<EndpointSlice>('endpointslices')
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'web')
      .map(({ addressType, endpoints }) => {
        return `${addressType} ${endpoints.flatMap(({ addresses }) => addresses).sort()}`
      })
      .sort()
  assert.equal(slices(), ['IPv4 10.244.1.2,10.244.1.3', 'IPv6 fd00:10:244:1::2,fd00:10:244:1::3'])
  const { subsets } = cluster.get<Endpoints>('endpoints', 'web')
  assert.equal(
    subsets?.[0]?.addresses?.map(({ ip }) => ip),
    ['fd00:10:244:1::2', 'fd00:10:244:1::3'],
  )
})

test.run()
