// nftables as data and as text: what `nft list ruleset` prints, taken by the real nft and printed by it the same; what
// is refused; and what an element of a map costs.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { MINUTE, SECOND } from '../../src/base/time.js'
import { Netfilter } from '../../src/netfilter/netfilter.js'
import type { NftStatement } from '../../src/netfilter/nft.js'
import { Stack } from '../../src/stack/stack.js'
import { cidr, ipv4 } from '../../src/wire/address.js'
import { inNamespace, missing } from '../support/kernel-tools.js'

const test = suite('nft')

function netfilter(): Netfilter {
  const random = new Random('nft')
  return new Netfilter(new Stack({ name: 'node', random }), random)
}

const jump = (chain: string): NftStatement => ({
  statement: 'verdict',
  verdict: { verdict: 'jump', chain },
})
const goto = (chain: string): NftStatement => ({
  statement: 'verdict',
  verdict: { verdict: 'goto', chain },
})
const SERVICE = ['ip daddr', 'meta l4proto', 'th dport'] as const

/** The tables of kube-proxy's nftables mode for one service with two endpoints and affinity, and every other word. */
function kubeProxy(host: Netfilter): void {
  const table = host.nft.add('kube-proxy', { comment: 'rules for kube-proxy' })
  table.addSet('cluster-ips', { type: ['ipv4_addr'], comment: 'Active ClusterIPs' })
  table.addSet('affinity-1', { type: ['ipv4_addr'], flags: ['dynamic', 'timeout'], timeout: 180 * MINUTE })
  table.addSet('ranges', { type: ['ipv4_addr'], flags: ['interval'] })
  const service = ['ipv4_addr', 'inet_proto', 'inet_service'] as const
  table.addMap('service-ips', { type: service, comment: 'ClusterIP traffic' })
  table.addMap('service-nodeports', { type: ['inet_proto', 'inet_service'] })
  for (const name of ['mark-for-masquerade', 'masquerading', 'services', 'reject-chain']) table.addChain(name)
  for (const name of ['endpoint-1', 'endpoint-2', 'service-1/ns/svc/tcp/p80']) table.addChain(name)
  table.addChain('nat-prerouting', { base: { type: 'nat', hook: 'PREROUTING', priority: -100 } })
  table.addChain('nat-output', { base: { type: 'nat', hook: 'OUTPUT', priority: -100 } })
  table.addChain('nat-postrouting', { base: { type: 'nat', hook: 'POSTROUTING', priority: 100 } })
  table.addChain('filter-prerouting', { base: { type: 'filter', hook: 'PREROUTING', priority: -110 } })
  table.addChain('filter-input', {
    base: { type: 'filter', hook: 'INPUT', priority: -110, policy: 'drop' },
    comment: 'a base chain',
  })
  for (const address of ['10.96.0.10', '10.96.0.2', '10.96.0.1']) {
    table.addElement('cluster-ips', [ipv4(address)])
  }
  for (const prefix of ['10.0.0.0/8', '1.2.3.4/32']) table.addElement('ranges', [cidr(prefix)])
  const verdict = { verdict: 'goto', chain: 'service-1/ns/svc/tcp/p80' } as const
  table.addElement('service-ips', [ipv4('10.96.0.10'), 'udp', 53], { verdict })
  table.addElement('service-ips', [ipv4('10.96.0.1'), 'tcp', 443], { verdict, comment: 'ns/svc:p80' })
  table.addElement('service-ips', [ipv4('10.96.0.2'), 'sctp', 80], { verdict: { verdict: 'drop' } })
  table.addElement('service-nodeports', ['tcp', 30080], { verdict })
  writeRules(table)
}

function writeRules(table: ReturnType<Netfilter['nft']['add']>): void {
  const rules = (chain: string, ...each: NftStatement[][]) =>
    table.replaceRules(
      chain,
      each.map((statements) => ({ statements })),
    )
  rules('mark-for-masquerade', [{ statement: 'mark', operation: 'or', value: 0x4000 }])
  rules(
    'masquerading',
    [
      { statement: 'match-mark', mask: 0x4000, value: 0 },
      { statement: 'verdict', verdict: { verdict: 'return' } },
    ],
    [{ statement: 'mark', operation: 'xor', value: 0x4000 }],
    [{ statement: 'masquerade', fullyRandom: true }],
  )
  rules(
    'services',
    [{ statement: 'vmap', key: SERVICE, map: 'service-ips' }],
    [
      { statement: 'match', field: 'fib daddr type', value: 'LOCAL' },
      { statement: 'match', field: 'ip daddr', operator: '!=', value: cidr('127.0.0.0/8') },
      { statement: 'vmap', key: ['meta l4proto', 'th dport'], map: 'service-nodeports' },
    ],
  )
  rules(
    'service-1/ns/svc/tcp/p80',
    [
      { statement: 'match', field: 'ip daddr', value: ipv4('10.96.0.1') },
      { statement: 'match', field: 'tcp dport', value: 443 },
      { statement: 'match', field: 'ip saddr', operator: '!=', value: cidr('10.0.0.0/8') },
      jump('mark-for-masquerade'),
    ],
    [{ statement: 'match-set', key: ['ip saddr'], set: 'affinity-1' }, goto('endpoint-1')],
    [
      {
        statement: 'numgen-vmap',
        verdicts: [
          { verdict: 'goto', chain: 'endpoint-1' },
          { verdict: 'goto', chain: 'endpoint-2' },
        ],
      },
    ],
  )
  rules(
    'endpoint-1',
    [{ statement: 'match', field: 'ip saddr', value: ipv4('10.180.0.1') }, jump('mark-for-masquerade')],
    [{ statement: 'update', set: 'affinity-1', key: ['ip saddr'] }],
    [
      { statement: 'match', field: 'meta l4proto', value: 'tcp' },
      { statement: 'dnat', to: { address: ipv4('10.180.0.1'), port: 80 } },
    ],
  )
  rules('reject-chain', [{ statement: 'reject' }], [{ statement: 'reject', with: 'icmp-admin-prohibited' }])
  table.addRule('reject-chain', {
    statements: [
      {
        statement: 'match-any',
        field: 'ip saddr',
        operator: '!=',
        values: [cidr('203.0.113.0/25'), ipv4('10.0.0.1')],
      },
      { statement: 'match-set', key: ['ip daddr'], operator: '!=', set: 'cluster-ips' },
      { statement: 'match', field: 'iifname', value: 'cni0' },
      { statement: 'counter' },
      { statement: 'verdict', verdict: { verdict: 'drop' } },
    ],
    comment: 'the rest',
  })
  table.addRule('reject-chain', {
    statements: [
      { statement: 'match-any', field: 'ip daddr', values: [cidr('172.30.0.0/16')] },
      goto('mark-for-masquerade'),
    ],
  })
  rules('filter-input', [{ statement: 'match-state', states: ['NEW', 'RELATED'] }, jump('reject-chain')])
  rules('nat-prerouting', [jump('services')])
  rules('nat-output', [jump('services')])
  rules('nat-postrouting', [jump('masquerading')])
}

const reason = missing('nft')
const named = `the real nft takes the ruleset and lists it the same${reason === undefined ? '' : ` (skipped: ${reason})`}`
const real = reason === undefined ? test : test.skip

real(named, () => {
  const host = netfilter()
  kubeProxy(host)
  const text = host.ruleset()
  inNamespace('nft -c -f -', text)
  assert.is(inNamespace('nft -f - && nft list ruleset', text), text)
})

test('elements of a set are sorted by the last field first, expire, and are told how long they stay', () => {
  const random = new Random('nft')
  const stack = new Stack({ name: 'node', random })
  const host = new Netfilter(stack, random)
  const table = host.nft.add('t')
  table.addSet('s', { type: ['ipv4_addr', 'inet_service'], flags: ['timeout'], timeout: 90 * SECOND })
  table.addElement('s', [ipv4('10.0.0.2'), 80])
  table.addElement('s', [ipv4('10.0.0.9'), 53])
  assert.is(
    host.ruleset(),
    'table ip t {\n\tset s {\n\t\ttype ipv4_addr . inet_service\n\t\ttimeout 1m30s\n' +
      '\t\telements = { 10.0.0.9 . 53 expires 1m30s,\n\t\t\t     10.0.0.2 . 80 expires 1m30s }\n\t}\n}\n',
  )
  stack.setNow(90 * SECOND)
  assert.equal(table.elements('s'), [])
})

test('a new flow passes as few rules with a thousand services as with one, and finds the right one', () => {
  const random = new Random('nft')
  const stack = new Stack({ name: 'node', random })
  const host = new Netfilter(stack, random)
  const output = stack.addInterface({ name: 'eth0', mac: 2, mtuBytes: 1500, addresses: [] })
  stack.addRoute({ destination: { network: 0, prefixLength: 0 }, interfaceIndex: output, source: 1 })
  const table = host.nft.add('t')
  table.addMap('m', { type: ['ipv4_addr', 'inet_proto', 'inet_service'] })
  table.addChain('out', { base: { type: 'nat', hook: 'OUTPUT', priority: -100 } })
  table.addRule('out', { statements: [{ statement: 'vmap', key: SERVICE, map: 'm' }] })
  for (let i = 0; i < 1000; i++) {
    table.addChain(`service-${i}`)
    table.addElement('m', [ipv4('10.96.0.0') + i, 'udp', 53], {
      verdict: { verdict: 'goto', chain: `service-${i}` },
    })
  }
  const seen: string[] = []
  host.trace((event) => {
    if (event.event === 'rule') seen.push(event.verdict)
  })
  const socket = stack.udpBind()
  for (const to of [ipv4('10.96.0.0') + 77, ipv4('10.96.3.231'), ipv4('10.97.0.0')]) {
    socket.send(Uint8Array.of(1), { address: to, port: 53 })
  }
  socket.send(Uint8Array.of(1), { address: ipv4('10.96.0.7'), port: 54 })
  assert.equal(seen, ['goto service-77', 'goto service-999'])
})

test('chains and sets in use are not deleted, names that are not there are refused', () => {
  const host = netfilter()
  kubeProxy(host)
  const table = host.nft.get('kube-proxy')!
  assert.throws(() => table.deleteChain('endpoint-1'), /in use/)
  assert.throws(() => table.deleteChain('service-1/ns/svc/tcp/p80'), /in use/)
  assert.throws(() => table.deleteSet('service-ips'), /in use/)
  assert.throws(() => table.replaceRules('services', [{ statements: [jump('nowhere')] }]), /no chain nowhere/)
  assert.throws(() => table.addElement('service-ips', [1, 'tcp', 1]), /is a map/)
  table.replaceRules('services', [])
  table.flushSet('service-ips')
  table.flushSet('service-nodeports')
  table.deleteSet('service-ips')
  table.deleteChain('service-1/ns/svc/tcp/p80')
  table.deleteChain('endpoint-1')
  assert.is(table.set('affinity-1')!.references, 0)
  host.nft.delete('kube-proxy')
  assert.is(host.ruleset(), '')
})

test.run()
