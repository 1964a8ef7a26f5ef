// The whole of a node's rules with a Service of every kind, as iptables-save prints it: a golden file that the real
// iptables-restore accepts. `UPDATE_GOLDEN=1 npm test -- iptables/save` writes it anew.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EndpointSlice, Service } from '../../../src/cluster/objects.js'
import { service, slice } from '../../support/cluster-objects.js'
import { inNamespace, missing } from '../../support/kernel-tools.js'
import { proxyNode } from '../../support/proxy-node.js'

const test = suite('iptables-save of a cluster with every kind of service')
const GOLDEN = fileURLToPath(new URL('../../../../test/fixtures/iptables/every-kind.rules', import.meta.url))

const P80 = [{ name: 'p80', port: 80, protocol: 'TCP' as const }]
const local = (address: string) => ({ addresses: [address], nodeName: 'test-node' })
const remote = (address: string) => ({ addresses: [address], nodeName: 'other-node' })

function balanced(name: string, spec: Service['spec'], ingress: string): Service {
  const made = service(name, { type: 'LoadBalancer', ports: P80, ...spec }, 'ns')
  return { ...made, status: { loadBalancer: { ingress: [{ ip: ingress }] } } }
}

function cluster(): (Service | EndpointSlice)[] {
  return [
    service('plain', { clusterIP: '172.30.0.41', ports: P80 }, 'ns'),
    slice('plain', [local('10.180.0.1'), remote('10.180.1.1'), remote('10.180.1.10')], P80, 'ns'),
    service('sticky', { clusterIP: '172.30.0.42', ports: P80, sessionAffinity: 'ClientIP' }, 'ns'),
    slice('sticky', [local('10.180.0.2'), remote('10.180.1.2')], P80, 'ns'),
    service('empty', { clusterIP: '172.30.0.43', ports: P80, externalIPs: ['192.168.99.33'] }, 'ns'),
    service('inside', { clusterIP: '172.30.0.44', ports: P80, internalTrafficPolicy: 'Local' }, 'ns'),
    slice('inside', [remote('10.180.1.4')], P80, 'ns'),
    service(
      'node-port',
      { type: 'NodePort', clusterIP: '172.30.0.45', ports: [{ ...P80[0]!, nodePort: 30_045 }] },
      'ns',
    ),
    slice('node-port', [local('10.180.0.5')], P80, 'ns'),
    balanced(
      'ranges',
      {
        clusterIP: '172.30.0.46',
        ports: [{ ...P80[0]!, nodePort: 30_046 }],
        loadBalancerSourceRanges: ['203.0.113.0/25', '192.168.0.0/24'],
      },
      '5.6.7.8',
    ),
    slice('ranges', [remote('10.180.1.6')], P80, 'ns'),
    balanced(
      'outside',
      {
        clusterIP: '172.30.0.47',
        ports: [{ ...P80[0]!, nodePort: 30_047 }],
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 30_147,
      },
      '1.2.3.4',
    ),
    slice('outside', [local('10.180.0.7'), remote('10.180.1.7')], P80, 'ns'),
    balanced(
      'elsewhere',
      {
        clusterIP: '172.30.0.48',
        ports: [{ ...P80[0]!, nodePort: 30_048 }],
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 30_148,
        externalIPs: ['192.168.99.48'],
      },
      '1.2.3.5',
    ),
    slice('elsewhere', [remote('10.180.1.8')], P80, 'ns'),
    service(
      'dns',
      {
        clusterIP: '172.30.0.10',
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 5353 },
          { name: 'sig', port: 53, protocol: 'SCTP' },
        ],
      },
      'ns',
    ),
    slice(
      'dns',
      [local('10.180.0.9')],
      [
        { name: 'dns', port: 5353, protocol: 'UDP' },
        { name: 'sig', port: 53, protocol: 'SCTP' },
      ],
      'ns',
    ),
    service('headless', { clusterIP: 'None', ports: P80 }, 'ns'),
    slice('headless', [local('10.180.0.11')], P80, 'ns'),
    service('away', { type: 'ExternalName', externalName: 'example.net', ports: P80 }, 'ns'),
  ]
}

const saved = () => {
  const node = proxyNode('iptables')
  node.apply(...cluster())
  return node.host.netfilter.save('nat') + node.host.netfilter.save('filter')
}

test('the rules are those of the golden file', () => {
  if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(GOLDEN, saved())
  assert.fixture(saved(), readFileSync(GOLDEN, 'utf8'))
})

const reason = missing('iptables-restore')
const real = reason === undefined ? test : test.skip
real(`the real iptables-restore takes them${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  inNamespace('iptables-restore --test', saved())
})

test('closing the proxy leaves no rule and no chain', () => {
  const node = proxyNode('iptables')
  const before = node.host.netfilter.save()
  node.apply(...cluster())
  assert.is.not(node.host.netfilter.save(), before)
  node.proxy.close()
  assert.is(node.host.netfilter.save(), before)
})

test('services that come one after the other give the rules of all at once', () => {
  const node = proxyNode('iptables')
  for (const object of cluster()) node.apply(object)
  assert.is(node.host.netfilter.save('nat') + node.host.netfilter.save('filter'), saved())
})

test('chains of services and endpoints that went are gone', () => {
  const node = proxyNode('iptables')
  node.apply(...cluster())
  node.remove(...cluster())
  const chains = node.host.netfilter.chains('nat').map(({ name }) => name)
  assert.equal(
    chains.filter((name) => /^KUBE-(SVC|SVL|EXT|FW|SEP)-/.test(name)),
    [],
  )
})

test('rules that were there before stay, behind the ways into kube-proxy', () => {
  const node = proxyNode('iptables')
  const own = { matches: [], target: { target: 'ACCEPT' } } as const
  node.host.netfilter.appendRule('filter', 'FORWARD', own)
  node.apply(...cluster())
  assert.is(node.rules('filter', 'FORWARD').at(-1), '-j ACCEPT')
  node.proxy.close()
  assert.equal(node.rules('filter', 'FORWARD'), ['-j ACCEPT'])
})

test.run()
