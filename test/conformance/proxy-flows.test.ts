// Third-party packet flows and endpoint categories (kube-proxy's own expectations), where they are at hand: the
// directory is given by PODWIRE_CONFORMANCE. Flows of our own beside them, of what those do not ask.

import { existsSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { KubeObject, Service } from '../../src/cluster/objects.js'
import { runCaseFile } from '../../src/conformance/case-files.js'
import { type FlowCase, type FlowGroup, runFlowGroup } from '../../src/conformance/proxy-flows.js'

const test = suite('proxy flows')
const file = `${process.env.PODWIRE_CONFORMANCE ?? ''}/proxy-flows.json`
const MODES = ['iptables', 'ipvs', 'nftables', 'userspace'] as const

if (existsSync(file)) {
  for (const mode of MODES) {
    test(`all flows that hold in ${mode} mode hold`, async () => {
      const results = await runCaseFile(JSON.parse(readFileSync(file, 'utf8')), mode)
      assert.ok(results.length > 0)
      const wrong = results.filter(({ outcome }) => outcome === 'failed')
      assert.is(wrong.map(({ name, detail }) => `${name}\n${detail}`).join('\n'), '')
      const skipped = results.filter(({ outcome }) => outcome === 'skipped')
      if (mode === 'iptables') assert.equal(skipped, [])
    })
  }
} else {
  test('not run: PODWIRE_CONFORMANCE names no directory with proxy-flows.json', () => {
    assert.not(existsSync(file))
  })
}

const POD = 'fd00:10::99'
const NODE = '2001:db8::1'
const CLUSTER_IP = 'fd00:10:96::10'
const VIP = '2001:db8:ffff::10'

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name: 'web' },
  spec: {
    type: 'LoadBalancer',
    clusterIP: CLUSTER_IP,
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'http', port: 80, protocol: 'TCP' },
    ],
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } },
    loadBalancerSourceRanges: ['2600:5200::/64', '203.0.113.0/24'],
  },
  status: { loadBalancer: { ingress: [{ ip: VIP }] } },
}

/** Endpoints by the zone that their hint names. */
function slice(zones: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv6',
    endpoints: Object.entries(zones).map(([address, name]) => {
      return { addresses: [address], hints: { forZones: [{ name }] } }
    }),
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'http', port: 80, protocol: 'TCP' },
    ],
  } as KubeObject
}

function node(labels: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'test-node', labels }, spec: {} } as KubeObject
}

function flow(name: string, sourceIP: string, destIP: string, expected: Partial<FlowCase>): FlowCase {
  return { name, sourceIP, destIP, destPort: 80, verdict: 'DNAT', ...expected }
}

const A = '[fd00:10::a]:80'
const B = '[fd00:10::b]:80'
const ENDPOINTS = slice({ 'fd00:10::a': 'zone-a', 'fd00:10::b': 'zone-b' })
const OWN: readonly FlowGroup[] = [
  {
    test: 'no endpoints',
    config: { ipFamily: 'IPv6' },
    steps: [
      {
        apply: [service],
        flows: [
          flow('UDP of the node', NODE, CLUSTER_IP, { protocol: 'UDP', destPort: 53, verdict: 'REJECT' }),
          flow('within the source ranges', '2600:5200::1', VIP, { verdict: 'REJECT' }),
          flow('outside the source ranges', '2600:5201::1', VIP, { verdict: 'REJECT' }),
        ],
      },
      { apply: [ENDPOINTS], flows: [flow('affinity', POD, CLUSTER_IP, { endpoints: [A, B] })] },
    ],
  },
  {
    test: 'zone of the node',
    config: { ipFamily: 'IPv6' },
    steps: [
      {
        apply: [node({ 'topology.kubernetes.io/zone': 'zone-a' }), service, ENDPOINTS],
        flows: [flow('given', POD, CLUSTER_IP, { endpoints: [A] })],
      },
      { apply: [node({})], flows: [flow('taken away', POD, CLUSTER_IP, { endpoints: [A, B] })] },
    ],
  },
  {
    test: 'external IP of the node',
    config: { ipFamily: 'IPv6' },
    steps: [
      {
        apply: [{ ...service, spec: { ...service.spec, externalIPs: [NODE] } }, ENDPOINTS],
        flows: [flow('other port', '2600:5200::1', NODE, { destPort: 81, verdict: 'NO_MATCH' })],
      },
    ],
  },
]

for (const mode of MODES) {
  test(`own flows hold in ${mode} mode`, () => {
    const results = OWN.flatMap((group) => runFlowGroup(group, mode))
    const wrong = results.filter(({ outcome }) => outcome === 'failed')
    assert.is(wrong.map(({ name, detail }) => `${name}\n${detail}`).join('\n'), '')
    const skipped = results.filter(({ outcome }) => outcome === 'skipped').map(({ name }) => name)
    if (mode === 'iptables') assert.equal(skipped, [])
    else assert.ok(results.length > skipped.length)
  })
}

test('a mode whose firewall comes first drops what another rejects', () => {
  for (const mode of ['nftables', 'ipvs'] as const) {
    const result = runFlowGroup(OWN[0]!, mode).find(({ name }) => name.endsWith('outside the source ranges'))!
    assert.is(result.outcome, 'skipped')
    assert.match(result.detail ?? '', 'source ranges are looked at before')
  }
})

test.run()
