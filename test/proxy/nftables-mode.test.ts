// kube-proxy's nftables mode: its rules as the real nft lists those of upstream, and what packets make of them.

import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MINUTE, SECOND } from '../../src/base/time.js'
import { service, slice } from '../support/cluster-objects.js'
import { inNamespace, missing } from '../support/kernel-tools.js'
import { CLUSTER_IP, chiSquare, counts, NODE_ADDRESS, ProxyLab } from '../support/proxy-lab.js'
import { UPSTREAM_CLUSTER } from '../support/upstream-cluster.js'

const test = suite('nftables mode')

function upstream(): ProxyLab {
  const lab = new ProxyLab('nftables', 0, {
    clusterCIDR: { network: 0x0a000000, prefixLength: 8 },
    serviceCIDRs: [{ network: 0xac1e0000, prefixLength: 16 }],
    nodePortAddresses: ['192.168.0.2/32'],
  })
  lab.apply(...UPSTREAM_CLUSTER)
  return lab
}

test('the rules of six services are those of kube-proxy', () => {
  const expected = readFileSync(new URL('../../../test/fixtures/nftables-mode.nft', import.meta.url), 'utf8')
  assert.fixture(upstream().node.netfilter.ruleset(), expected)
})

const reason = missing('nft')
const real = reason === undefined ? test : test.skip
const named = `the real nft takes the rules and lists them the same${reason === undefined ? '' : ` (skipped: ${reason})`}`

real(named, () => {
  const rules = upstream().node.netfilter.ruleset()
  assert.is(inNamespace('nft -f - && nft list ruleset', rules), rules)
})

test('services that go leave nothing behind but the frame', () => {
  const lab = upstream()
  const empty = new ProxyLab('nftables', 0, {
    serviceCIDRs: [{ network: 0xac1e0000, prefixLength: 16 }],
    nodePortAddresses: ['192.168.0.2/32'],
  })
  empty.apply()
  lab.remove(...UPSTREAM_CLUSTER)
  assert.is(lab.node.netfilter.ruleset(), empty.node.netfilter.ruleset())
  lab.proxy.close()
  assert.is(lab.node.netfilter.ruleset(), '')
})

test('connections are spread by chance: a chi-square below its bound for p = 0.001', () => {
  for (const [endpoints, connections, bound] of [
    [3, 600, 13.82],
    [7, 700, 22.46],
    [50, 1000, 85.35],
  ] as const) {
    const lab = new ProxyLab('nftables', endpoints)
    lab.applyService()
    const counted = counts(lab.answers(connections))
    assert.is(counted.get('nobody'), undefined)
    assert.ok(chiSquare(counted, endpoints) < bound, `${endpoints}: ${[...counted]}`)
  }
})

test('with ClientIP affinity a client stays until it was away for too long', () => {
  const lab = new ProxyLab('nftables', 7)
  lab.applyService({
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 3600 } },
  })
  const first = counts(lab.answers(200))
  assert.is(first.size, 1)
  lab.run(60 * MINUTE - 10 * SECOND)
  assert.equal([...counts(lab.answers(20)).keys()], [...first.keys()])
  const names = new Set<string>()
  for (let i = 0; i < 12; i++) {
    lab.run(60 * MINUTE)
    names.add([...counts(lab.answers(1)).keys()][0]!)
  }
  assert.ok(names.size > 1)
})

test('an endpoint that goes is not used, one that comes is; a change of affinity time makes the sets anew', () => {
  const lab = new ProxyLab('nftables', 3)
  lab.applyService()
  lab.apply(lab.endpointsOf(lab.servers.slice(1)))
  assert.equal([...counts(lab.answers(60)).keys()].sort(), ['10.36.1.2', '10.36.1.3'])
  lab.apply(lab.endpointsOf(lab.servers))
  assert.is(counts(lab.answers(60)).size, 3)
  for (const timeoutSeconds of [100, 200]) {
    lab.applyService({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds } } })
    assert.match(lab.node.netfilter.ruleset(), timeoutSeconds === 100 ? /timeout 1m40s/ : /timeout 3m20s/)
    assert.is(counts(lab.answers(10)).size, 1)
  }
})

test('node ports: masqueraded from outside, from the node and from pods; not on 127.0.0.1', () => {
  const lab = new ProxyLab('nftables', 1)
  lab.applyService({ type: 'NodePort', ports: [{ name: 'web', port: 80, nodePort: 30080 }] })
  const to = `${NODE_ADDRESS}:30080`
  assert.is(lab.connect(lab.outside, to).server, '10.36.1.1 for 10.36.0.1')
  assert.is(lab.connect(lab.node, to).server, '10.36.1.1 for 10.36.0.1')
  assert.is(lab.connect(lab.client, to).server, '10.36.1.1 for 10.36.0.1')
  assert.is(lab.connect(lab.node, '127.0.0.1:30080').socket.error?.code, 'ECONNREFUSED')
})

test('a pod that reaches itself is masqueraded', () => {
  const lab = new ProxyLab('nftables', 1)
  lab.applyService()
  assert.is(lab.connect(lab.servers[0]!).server, '10.36.1.1 for 10.36.0.1')
  assert.is(lab.connect(lab.client).server, '10.36.1.1 for 10.36.0.2')
  assert.equal(lab.lab.faults, [])
})

test('ports that no service has are rejected, free cluster IPs dropped, services without endpoints rejected', () => {
  const lab = new ProxyLab('nftables', 1)
  lab.applyService()
  lab.apply(service('empty', { clusterIP: '10.96.0.42', ports: [{ port: 80 }] }))
  assert.is(lab.connect(lab.client, `${CLUSTER_IP}:81`).socket.error?.code, 'ECONNREFUSED')
  assert.is(lab.connect(lab.client, '10.96.0.42:80').socket.error?.code, 'ECONNREFUSED')
  assert.is(lab.connect(lab.client, '10.96.0.43:80').socket.state, 'SYN-SENT')
  assert.ok(lab.node.stack.drops.total > 0)
})

test('of two services with one address the first has it, and the second when that goes', () => {
  const lab = new ProxyLab('nftables', 2)
  const [a, b] = lab.servers
  const make = (name: string, address: string) => [
    service(name, { clusterIP: CLUSTER_IP, ports: [{ port: 80 }] }),
    slice(name, [address], [{ name: '', port: 8080, protocol: 'TCP' }]),
  ]
  const first = make('first', a!.name)
  lab.apply(...first, ...make('second', b!.name))
  assert.equal([...counts(lab.answers(10)).keys()], [a!.name])
  lab.remove(...first)
  assert.equal([...counts(lab.answers(10)).keys()], [b!.name])
})

test('UDP is spread and affinity holds for it, too', () => {
  const lab = new ProxyLab('nftables', 3)
  lab.applyService()
  assert.is(counts(Array.from({ length: 60 }, () => lab.ask())).size, 3)
})

test.run()
