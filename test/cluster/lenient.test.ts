import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { resolveClusterConfig } from '../../src/cluster/cluster-config.js'
import { ControlPlane } from '../../src/cluster/control-plane.js'
import type { EndpointSlice, KubeObject, Pod, Service } from '../../src/cluster/objects.js'
import { FakeRuntime, START } from './cluster-fixture.js'

const test = suite('a lenient control plane')

function lenient(objects: KubeObject[]): ControlPlane {
  const plane = new ControlPlane({
    config: resolveClusterConfig(),
    random: new Random('lenient'),
    runtime: new FakeRuntime(),
    startUnixMillis: START,
    lenient: true,
  })
  for (const object of objects) plane.admission.create(object)
  for (let i = 0; i < 10; i++) plane.advance(i * 1_000_000)
  return plane
}

const portal = (name: string, spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'ns1' },
  spec,
})

test('takes equal cluster addresses, node ports out of range, and a namespace that is not there', () => {
  const ports = [{ name: 'p', port: 80, nodePort: 3001 }]
  const plane = lenient([
    portal('a', { type: 'NodePort', clusterIP: '172.30.0.41', ports }),
    portal('b', { type: 'NodePort', clusterIP: '172.30.0.41', ports }),
    portal('c', { clusterIP: 'fd00::1', ports: [{ port: 80 }] }),
  ])
  const services = plane.store.list<Service>('services', 'ns1')
  assert.equal(
    services.map(({ spec }) => [spec.clusterIP, spec.ports![0]!.nodePort]),
    [
      ['172.30.0.41', 3001],
      ['172.30.0.41', 3001],
      ['fd00::1', undefined],
    ],
  )
  assert.is(services[0]!.spec.externalTrafficPolicy, 'Cluster')
})

test('keeps the status of a Service, and slices and pods as they were handed in', () => {
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'web-1',
      namespace: 'ns1',
      labels: {
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.180.0.1'], conditions: { ready: true } }],
    ports: [{ name: 'p', port: 80, protocol: 'TCP' }],
  }
  const described: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'foo', namespace: 'ns1', labels: { app: 'web' } },
    spec: { containers: [] },
    status: { podIP: '10.240.0.1' },
  }
  const service = portal('web', {
    type: 'LoadBalancer',
    clusterIP: '172.30.0.41',
    selector: { app: 'web' },
    ports: [{ name: 'p', port: 80 }],
  })
  service.status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } }
  const plane = lenient([service, slice, described])
  assert.equal(
    plane.store.list<EndpointSlice>('endpointslices', 'ns1').map(({ endpoints }) => endpoints),
    [slice.endpoints],
  )
  assert.equal(plane.store.get<Service>('services', 'ns1', 'web')!.status, service.status)
  const pod = plane.store.get<Pod>('pods', 'ns1', 'foo')!
  assert.is(pod.status?.podIP, '10.240.0.1')
  assert.is(pod.spec.nodeName, undefined)
})

test.run()
