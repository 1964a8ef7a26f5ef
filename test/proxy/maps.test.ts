import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import { EndpointMap } from '../../src/proxy/endpoint-map.js'
import { ServiceMap } from '../../src/proxy/service-map.js'
import { formatAddress } from '../../src/wire/address.js'
import { change, service, slice } from '../support/cluster-objects.js'

const test = suite('service and endpoint maps')

const WEB = service('web', {
  clusterIP: '10.96.0.5',
  ports: [
    { name: 'http', port: 80 },
    { name: 'dns', port: 53, protocol: 'UDP', nodePort: 30053 },
    { name: 'sig', port: 9, protocol: 'SCTP' },
  ],
})

test('each port of a service is an entry; a change of one is told once', () => {
  const map = new ServiceMap('IPv4')
  map.apply(change(WEB))
  const keys = ['default/web:http/TCP', 'default/web:dns/UDP', 'default/web:sig/SCTP']
  assert.equal(map.takeChanged(), keys)
  assert.equal(map.takeChanged(), [])
  assert.equal(map.get('default/web:dns/UDP'), {
    key: 'default/web:dns/UDP',
    name: 'default/web:dns',
    service: 'default/web',
    portName: 'dns',
    protocol: 'UDP',
    clusterIP: 0x0a600005,
    port: 53,
    nodePort: 30053,
    externalIPs: [],
    loadBalancerVIPs: [],
    loadBalancerSourceRanges: [],
    sessionAffinity: 'None',
    affinityTimeout: 10_800 * SECOND,
    internalPolicyLocal: false,
    externalPolicyLocal: false,
    healthCheckNodePort: 0,
    publishNotReadyAddresses: false,
  })
  map.apply(change(structuredClone(WEB), 'MODIFIED'))
  assert.equal(map.takeChanged(), [])
})

test('ports that go and services that go are told', () => {
  const map = new ServiceMap('IPv4')
  map.apply(change(WEB))
  map.takeChanged()
  map.apply(change(service('web', { ...WEB.spec, ports: [{ name: 'http', port: 81 }] }), 'MODIFIED'))
  assert.equal(map.takeChanged(), ['default/web:http/TCP', 'default/web:dns/UDP', 'default/web:sig/SCTP'])
  assert.is(map.get('default/web:http/TCP')!.port, 81)
  assert.is(map.get('default/web:dns/UDP'), undefined)
  map.apply(change(WEB, 'DELETED'))
  assert.equal(map.takeChanged(), ['default/web:http/TCP'])
  assert.equal([...map.values()], [])
  assert.equal(map.keysOf('default/web'), [])
})

test('services of another proxy, without a cluster IP, or external are not served', () => {
  const map = new ServiceMap('IPv4')
  const ports = [{ port: 80 }]
  const foreign = service('foreign', { clusterIP: '10.96.0.6', ports })
  foreign.metadata.labels = { 'service.kubernetes.io/service-proxy-name': 'mine' }
  map.apply(change(foreign))
  map.apply(change(service('headless', { clusterIP: 'None', ports })))
  map.apply(change(service('pending', { ports })))
  map.apply(change(service('six', { clusterIP: 'fd00::1', clusterIPs: ['fd00::1'], ports })))
  map.apply(change(service('external', { type: 'ExternalName', externalName: 'a.b', ports })))
  assert.equal(map.takeChanged(), [])
  map.apply(change(service('dual', { clusterIP: 'fd00::2', clusterIPs: ['fd00::2', '10.96.0.7'], ports })))
  assert.equal(map.takeChanged(), ['default/dual/TCP'])
})

const HTTP = [{ name: 'http', port: 80 }]

test('endpoints are sorted, each once, the ready one first, with what later modes need', () => {
  const map = new EndpointMap('IPv4')
  map.apply(change(slice('web', ['10.39.0.1', '!10.36.0.9', '10.36.0.2'], HTTP)))
  const second = slice(
    'web',
    [
      '10.36.0.9',
      {
        addresses: ['10.36.0.3'],
        conditions: { ready: false, serving: true, terminating: true },
        nodeName: 'k8s-node1',
        zone: 'a',
        hints: { forZones: [{ name: 'b' }] },
      },
    ],
    HTTP,
  )
  second.metadata.name = 'web-fghij'
  map.apply(change(second))
  assert.equal(map.takeChanged(), ['default/web'])
  const endpoints = map.endpoints('default/web', 'http', 'TCP')
  assert.equal(
    endpoints.map(({ address, ready }) => `${formatAddress(address)} ${ready}`),
    ['10.36.0.2 true', '10.36.0.3 false', '10.36.0.9 true', '10.39.0.1 true'],
  )
  assert.equal(endpoints[1], {
    address: 0x0a240003,
    port: 80,
    ready: false,
    serving: true,
    terminating: true,
    nodeName: 'k8s-node1',
    zone: 'a',
    zoneHints: ['b'],
    nodeHints: undefined,
  })
  assert.equal(map.endpoints('default/web', 'http', 'UDP'), [])
  assert.equal(map.endpoints('default/web', '', 'TCP'), [])
})

test('a slice may go, or move to another service', () => {
  const map = new EndpointMap('IPv4')
  const one = slice('web', ['10.36.0.1'], HTTP)
  map.apply(change(one))
  const moved = structuredClone(one)
  moved.metadata.labels = { 'kubernetes.io/service-name': 'other' }
  map.takeChanged()
  map.apply(change(moved, 'MODIFIED'))
  assert.equal(map.takeChanged(), ['default/web', 'default/other'])
  assert.equal(map.endpoints('default/web', 'http', 'TCP'), [])
  assert.is(map.endpoints('default/other', 'http', 'TCP').length, 1)
  map.apply(change(moved, 'DELETED'))
  assert.equal(map.takeChanged(), ['default/other'])
  assert.equal(map.endpoints('default/other', 'http', 'TCP'), [])
  map.apply(change(moved, 'DELETED'))
  assert.equal(map.takeChanged(), [])
})

test.run()
