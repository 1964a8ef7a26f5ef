// Which endpoints count, in the cases that need care; the third-party cases are run by test/conformance.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Service, SliceEndpoint } from '../../src/cluster/objects.js'
import { EndpointMap } from '../../src/proxy/endpoint-map.js'
import { servicePortInfo } from '../../src/proxy/service-port.js'
import { categorizeEndpoints } from '../../src/proxy/topology.js'
import { formatAddress } from '../../src/wire/address.js'
import { change, service, slice } from '../support/cluster-objects.js'

const test = suite('endpoint categories')
const PORTS = [{ name: '', port: 80, protocol: 'TCP' as const }]
const HERE = { nodeName: 'here', zone: 'a' }

function categories(spec: Partial<Service['spec']>, endpoints: SliceEndpoint[], node = HERE) {
  const made = service('web', { clusterIP: '10.96.0.1', ports: PORTS, ...spec })
  const map = new EndpointMap('IPv4')
  map.apply(change(slice('web', endpoints, PORTS)))
  const info = servicePortInfo(
    'default/web',
    made,
    { port: 80, nodePort: spec.ports?.[0]?.nodePort ?? 0 },
    'IPv4',
  )
  const got = categorizeEndpoints(map.endpoints('default/web', '', 'TCP'), info, node)
  const names = (list: typeof got.cluster) => list?.map(({ address }) => formatAddress(address).slice(7))
  return { ...got, cluster: names(got.cluster), local: names(got.local), reachable: names(got.reachable) }
}

const endpoint = (last: number, more: Partial<SliceEndpoint> = {}): SliceEndpoint => ({
  addresses: [`10.0.0.${last}`],
  ...more,
})
const going = { ready: false, serving: true, terminating: true }
const NODE_PORT = { ports: [{ port: 80, nodePort: 30_000 }] }

test('terminating endpoints count only when no ready one is left, and only those that still serve', () => {
  const gone = { ready: false, serving: false, terminating: true }
  const last = [endpoint(1, { conditions: going }), endpoint(2, { conditions: gone })]
  assert.equal(categories({}, [endpoint(3), ...last]).cluster, ['3'])
  assert.equal(categories({}, last).cluster, ['1'])
  assert.is(categories({}, last.slice(1)).hasAny, false)
})

test('a node hint for here wins over zone hints; one endpoint without hints undoes both', () => {
  const hinted = (last: number, node: string, zone: string) =>
    endpoint(last, { hints: { forNodes: [{ name: node }], forZones: [{ name: zone }] } })
  const all = [hinted(1, 'here', 'b'), hinted(2, 'there', 'a'), hinted(3, 'there', 'b')]
  assert.equal(categories({}, all).cluster, ['1'])
  assert.equal(categories({}, all, { nodeName: 'else', zone: 'a' }).cluster, ['2'])
  assert.equal(categories({}, all, { nodeName: 'else', zone: 'c' }).cluster, ['1', '2', '3'])
  assert.equal(categories({}, [...all, endpoint(4)]).cluster, ['1', '2', '3', '4'])
})

test('an endpoint that is not ready needs no hints', () => {
  const all = [
    endpoint(1, { hints: { forZones: [{ name: 'a' }] } }),
    endpoint(2, { hints: { forZones: [{ name: 'b' }] } }),
    endpoint(3, { conditions: { ready: false } }),
  ]
  assert.equal(categories({}, all).cluster, ['1'])
})

test('an external policy counts only where something external leads', () => {
  const all = [endpoint(1, { nodeName: 'here' }), endpoint(2)]
  assert.is(categories({ externalTrafficPolicy: 'Local' }, all).local, undefined)
  const external = categories({ externalTrafficPolicy: 'Local', ...NODE_PORT }, all)
  assert.equal(external.local, ['1'])
  assert.equal(external.reachable, ['1', '2'])
})

test('an internal policy Local needs no endpoint of another node, but knows that there are some', () => {
  const inside = categories({ internalTrafficPolicy: 'Local' }, [endpoint(2)])
  assert.is(inside.cluster, undefined)
  assert.equal(inside.reachable, [])
  assert.is(inside.hasAny, true)
})

test('a local endpoint that is going counts while the ready ones are elsewhere', () => {
  const all = [endpoint(1, { nodeName: 'here', conditions: going }), endpoint(2)]
  const external = categories({ externalTrafficPolicy: 'Local', ...NODE_PORT }, all)
  assert.equal(external.cluster, ['2'])
  assert.equal(external.local, ['1'])
  assert.equal(external.reachable, ['1', '2'])
})

test.run()
