// ip6tables and nftables' family ip6: apart from IPv4's, their text as the real tools take it, ICMPv6 in conntrack.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { SECOND } from '../../src/base/time.js'
import { Netfilter } from '../../src/netfilter/netfilter.js'
import type { RejectWith, Rule } from '../../src/netfilter/rule.js'
import { Stack } from '../../src/stack/stack.js'
import { cidr, ip } from '../../src/wire/address.js'
import { endpoint, Lab } from '../support/hosts.js'
import { inNamespace, missing } from '../support/kernel-tools.js'

const test = suite('ip6tables')

const TCP = { match: 'protocol', protocol: 'tcp' } as const
const REJECTIONS: readonly RejectWith[] = [
  'icmp6-no-route',
  'icmp6-adm-prohibited',
  'icmp6-addr-unreachable',
  'icmp6-port-unreachable',
]

function filterRules(): Rule[] {
  return [
    { matches: [{ match: 'source', cidr: cidr('fd00::1/128') }], target: { target: 'ACCEPT' } },
    { matches: [{ match: 'protocol', protocol: 'ipv6-icmp' }], target: { target: 'ACCEPT' } },
    {
      matches: [{ match: 'recent', name: 'seen', action: 'rcheck', seconds: 60, source: true }],
      target: { target: 'DROP' },
    },
    ...REJECTIONS.map((how): Rule => ({ matches: [TCP], target: { target: 'REJECT', with: how } })),
    { matches: [TCP], target: { target: 'REJECT', with: 'tcp-reset' } },
    { matches: [], target: { target: 'REJECT' } },
  ]
}

function natRules(): Rule[] {
  return [
    {
      matches: [{ match: 'destination', cidr: cidr('fd00:10:96::/112') }, TCP],
      target: { target: 'DNAT', to: endpoint('[fd00:10::5]:8080') },
    },
    { matches: [TCP], target: { target: 'REDIRECT', port: 8080 } },
  ]
}

function netfilter(): Netfilter {
  const made = new Netfilter(new Stack({ name: 'node', random: new Random('ip6') }), new Random('ip6'))
  made.replaceChain('filter', 'INPUT', filterRules(), 'IPv6')
  made.restore({ family: 'IPv6', table: 'nat', chains: new Map([['PREROUTING', natRules()]]) })
  return made
}

test('the families have tables of their own', () => {
  const made = netfilter()
  assert.not.match(made.save(), '-A ')
  assert.is(made.chains('filter', 'IPv6').find(({ name }) => name === 'INPUT')?.rules.length, 9)
  made.nft.add('one', { family: 'IPv6' }).addChain('chain')
  assert.is(made.nft.get('one'), undefined)
  assert.match(made.ruleset(), 'table ip6 one {')
  made.nft.delete('one')
  assert.match(made.ruleset(), 'table ip6 one {')
  made.nft.delete('one', 'IPv6')
  assert.is(made.ruleset(), '')
})

const reason = missing('ip6tables-restore')
const real = reason === undefined ? test : test.skip
real(`every word is the real ip6tables-save's${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const made = netfilter()
  for (const table of ['filter', 'nat'] as const) {
    const text = made.save(table, { family: 'IPv6' })
    const saved = inNamespace(`ip6tables-restore && ip6tables-save -t ${table}`, text)
    const rules = (all: string) => all.split('\n').filter((line) => line.startsWith('-A'))
    assert.equal(rules(saved), rules(text))
  }
})

const realNft = missing('nft')
const nft = realNft === undefined ? test : test.skip
nft(`nft takes rejections and sets of ip6${realNft === undefined ? '' : ` (skipped: ${realNft})`}`, () => {
  const made = netfilter()
  const table = made.nft.add('t', { family: 'IPv6' })
  table.addSet('prefixes', { type: ['ipv6_addr'], flags: ['interval'] })
  table.addElement('prefixes', [cidr('fd00:1::/64')])
  table.addElement('prefixes', [cidr('fd00::/96')])
  table.addMap('services', { type: ['ipv6_addr', 'inet_proto', 'inet_service'] })
  for (const address of ['fd00::2:1', 'fd00::1:2', '2001:db8::1'])
    table.addElement('services', [ip(address), 'tcp', 80], { verdict: { verdict: 'drop' } })
  table.addChain('input', { base: { type: 'filter', hook: 'INPUT', priority: 0 } })
  table.replaceRules('input', [
    ...REJECTIONS.map((how) => ({ statements: [{ statement: 'reject', with: how } as const] })),
    { statements: [{ statement: 'match-set', key: ['ip6 saddr'], set: 'prefixes' } as const] },
    {
      statements: [
        { statement: 'vmap', key: ['ip6 daddr', 'meta l4proto', 'th dport'], map: 'services' } as const,
      ],
    },
    {
      statements: [
        { statement: 'match-any', field: 'ip6 saddr', values: [ip('fd00::9'), cidr('fd00:8::/32')] } as const,
        { statement: 'verdict', verdict: { verdict: 'accept' } } as const,
      ],
    },
  ])
  const text = made.ruleset()
  assert.is(inNamespace('nft -f - && nft list ruleset', text), text)
})

test('ping over IPv6 is a flow, the search for neighbours is none', () => {
  const lab = new Lab()
  const node = lab.node('node', '2001:db8::1/64', 'fd00:36::1/64', { '::/0': '2001:db8::2' })
  const other = lab.node('other', '2001:db8::2/64', 'fd00:39::1/64', { 'fd00:36::/64': '2001:db8::1' })
  lab.cable(node, other)
  const pod = lab.pod('pod', 'fd00:36::2/64', 'fd00:36::1')
  lab.plug(pod, node)
  node.netfilter.appendRule(
    'nat',
    'POSTROUTING',
    { matches: [{ match: 'out-interface', name: 'eth0' }], target: { target: 'MASQUERADE' } },
    'IPv6',
  )
  const socket = pod.stack.ping()
  socket.send(ip('2001:db8::2'), 1, new Uint8Array(8))
  lab.run(SECOND)
  assert.ok(socket.receive() !== undefined)
  assert.equal(lab.faults, [])
  const flows = node.netfilter.flowsText().trim().split('\n')
  assert.is(flows.length, 1, flows.join('\n'))
  assert.match(
    flows[0]!,
    /^icmpv6 {3}58 29 src=fd00:36::2 dst=2001:db8::2 type=128 code=0 id=\d+ src=2001:db8::2 dst=2001:db8::1 type=129 code=0 id=\d+ mark=0 use=1$/,
  )
})

test.run()
