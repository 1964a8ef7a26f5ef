// Tables as data and as text: what iptables-save prints, and changes that iptables refuses.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { Netfilter } from '../../src/netfilter/netfilter.js'
import type { Rule } from '../../src/netfilter/rule.js'
import { ruleText } from '../../src/netfilter/save.js'
import { tcpTransition } from '../../src/netfilter/tcp-tracking.js'
import { Stack } from '../../src/stack/stack.js'
import { cidr, ipv4 } from '../../src/wire/address.js'
import { ACK, FIN, RST, SYN } from '../../src/wire/tcp.js'
import { inNamespace, missing } from '../support/kernel-tools.js'

const test = suite('tables')

function netfilter(): Netfilter {
  const random = new Random('tables')
  return new Netfilter(new Stack({ name: 'node', random }), random)
}

test('iptables-save of kube-proxy’s portals', () => {
  const tables = netfilter()
  tables.replaceChain('nat', 'KUBE-PORTALS-HOST', [])
  tables.replaceChain('nat', 'KUBE-PORTALS-CONTAINER', [
    {
      matches: [
        { match: 'comment', text: 'default/kubernetes:https' },
        { match: 'protocol', protocol: 'tcp' },
        { match: 'destination', cidr: cidr('10.96.0.1/32') },
        { match: 'destination-port', port: 443 },
      ],
      target: { target: 'REDIRECT', port: 41247 },
    },
  ])
  tables.appendRule('nat', 'PREROUTING', {
    matches: [{ match: 'comment', text: 'handle ClusterIPs; NOTE: this must be before the NodePort rules' }],
    target: { target: 'jump', chain: 'KUBE-PORTALS-CONTAINER' },
  })
  assert.is(
    tables.save('nat'),
    `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-PORTALS-CONTAINER - [0:0]
:KUBE-PORTALS-HOST - [0:0]
-A PREROUTING -m comment --comment "handle ClusterIPs; NOTE: this must be before the NodePort rules" -j KUBE-PORTALS-CONTAINER
-A KUBE-PORTALS-CONTAINER -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https" -m tcp --dport 443 -j REDIRECT --to-ports 41247
COMMIT
`,
  )
})

test('every kind of match and target as iptables-save writes it', () => {
  const texts: [Rule, string][] = [
    [{ matches: [], target: { target: 'DROP' } }, ' -j DROP'],
    [
      {
        matches: [
          { match: 'source', cidr: cidr('10.0.0.0/8'), invert: true },
          { match: 'in-interface', name: 'cni0' },
          { match: 'out-interface', name: 'eth0', invert: true },
        ],
        target: { target: 'ACCEPT' },
      },
      ' ! -s 10.0.0.0/8 -i cni0 ! -o eth0 -j ACCEPT',
    ],
    [
      {
        matches: [
          { match: 'protocol', protocol: 'udp' },
          { match: 'destination-port', port: 53 },
          { match: 'source-port', port: 1024 },
        ],
        target: { target: 'DNAT', to: { address: ipv4('10.0.0.1'), port: 5353 } },
      },
      ' -p udp -m udp --sport 1024 --dport 53 -j DNAT --to-destination 10.0.0.1:5353',
    ],
    [
      {
        matches: [
          { match: 'address-type', destination: 'LOCAL', invert: true },
          { match: 'state', states: ['ESTABLISHED', 'RELATED'] },
          { match: 'comment', text: 'plain' },
          { match: 'comment', text: 'a "b" \\' },
        ],
        target: { target: 'RETURN' },
      },
      ' -m addrtype ! --dst-type LOCAL -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment plain -m comment --comment "a \\"b\\" \\\\" -j RETURN',
    ],
  ]
  for (const [rule, expected] of texts) assert.is(ruleText(rule, 'IPv4'), expected)
})

/** One rule for each match and target that there is, in chains where the kernel takes them. */
function everyWord(): Netfilter {
  const tables = netfilter()
  const jump = (chain: string): Rule['target'] => ({ target: 'jump', chain })
  const tcp = { match: 'protocol', protocol: 'tcp' } as const
  const comment = (text: string) => ({ match: 'comment', text }) as const
  const recent = { match: 'recent', name: 'KUBE-SEP-X', source: true } as const
  tables.sets.create('KUBE-CLUSTER-IP', 'hash:ip,port')
  tables.sets.create('KUBE-LOOP-BACK', 'hash:ip,port,ip')
  tables.restore({
    table: 'nat',
    chains: new Map<string, Rule[]>([
      ['PREROUTING', [{ matches: [comment('kubernetes service portals')], target: jump('KUBE-SERVICES') }]],
      [
        'KUBE-SERVICES',
        [
          {
            matches: [
              { match: 'destination', cidr: cidr('10.96.0.10/32') },
              { match: 'protocol', protocol: 'udp' },
              comment('kube-system/kube-dns:dns cluster IP'),
              { match: 'destination-port', port: 53 },
            ],
            target: jump('KUBE-SVC-A'),
          },
          {
            matches: [comment('node ports, "last"'), { match: 'address-type', destination: 'LOCAL' }],
            target: { target: 'goto', chain: 'KUBE-SVC-A' },
          },
          {
            matches: [{ match: 'set', set: 'KUBE-CLUSTER-IP', directions: ['dst', 'dst'] }],
            target: { target: 'ACCEPT' },
          },
          {
            matches: [
              { match: 'address-type', source: 'LOCAL', destination: 'UNICAST', invert: true },
              { match: 'set', set: 'KUBE-LOOP-BACK', directions: ['dst', 'dst', 'src'], invert: true },
              { match: 'protocol', protocol: 'icmp', invert: true },
            ],
            target: { target: 'RETURN' },
          },
        ],
      ],
      [
        'KUBE-SVC-A',
        [
          {
            matches: [
              comment('kube-dns -> 10.0.0.1:53'),
              { ...recent, action: 'rcheck', seconds: 10800, reap: true },
            ],
            target: jump('KUBE-SEP-X'),
          },
          {
            matches: [{ match: 'statistic-random', probability: 0.3333333333 }],
            target: jump('KUBE-SEP-X'),
          },
          { matches: [{ match: 'statistic-nth', every: 3, packet: 1 }], target: { target: 'none' } },
        ],
      ],
      [
        'KUBE-SEP-X',
        [
          { matches: [{ match: 'source', cidr: cidr('10.0.0.1/32') }], target: jump('KUBE-MARK-MASQ') },
          {
            matches: [tcp, comment('plain_Word-1'), { ...recent, action: 'set' }],
            target: { target: 'DNAT', to: { address: ipv4('10.0.0.1'), port: 53 } },
          },
          {
            matches: [
              tcp,
              { match: 'source-port', port: 1 },
              { match: 'destination-port', port: 2, invert: true },
            ],
            target: { target: 'REDIRECT', port: 99 },
          },
          {
            matches: [{ ...recent, action: 'update', seconds: 5, invert: true }],
            target: { target: 'DNAT', to: { address: ipv4('10.0.0.1'), port: 0 } },
          },
        ],
      ],
      [
        'KUBE-MARK-MASQ',
        [
          { matches: [], target: { target: 'MARK', operation: 'or', value: 0x4000 } },
          { matches: [], target: { target: 'MARK', operation: 'set', value: 1 } },
          { matches: [], target: { target: 'MARK', operation: 'set', value: 0x10, mask: 0xf0 } },
        ],
      ],
      ['POSTROUTING', [{ matches: [], target: jump('KUBE-POSTROUTING') }]],
      [
        'KUBE-POSTROUTING',
        [
          {
            matches: [{ match: 'mark', value: 0x4000, mask: 0x4000, invert: true }],
            target: { target: 'RETURN' },
          },
          {
            matches: [{ match: 'mark', value: 7 }],
            target: { target: 'MARK', operation: 'xor', value: 0x4000 },
          },
          {
            matches: [comment('kubernetes service traffic requiring SNAT')],
            target: { target: 'MASQUERADE', fullyRandom: true },
          },
          { matches: [], target: { target: 'MASQUERADE' } },
          { matches: [], target: { target: 'SNAT', to: { address: ipv4('1.2.3.4'), port: 0 } } },
          {
            matches: [tcp],
            target: { target: 'SNAT', to: { address: ipv4('1.2.3.4'), port: 9 }, fullyRandom: true },
          },
        ],
      ],
    ]),
  })
  const state = (states: readonly ('INVALID' | 'ESTABLISHED' | 'RELATED' | 'DNAT')[], invert: boolean) =>
    ({ match: 'state', states, invert }) as const
  tables.restore({
    table: 'filter',
    chains: new Map<string, Rule[]>([
      [
        'FORWARD',
        [
          { matches: [state(['INVALID'], false)], target: { target: 'DROP' } },
          { matches: [comment('x/y has no endpoints')], target: { target: 'REJECT' } },
          { matches: [tcp], target: { target: 'REJECT', with: 'tcp-reset' } },
          { matches: [], target: { target: 'REJECT', with: 'icmp-admin-prohibited' } },
          {
            matches: [
              { match: 'source', cidr: cidr('127.0.0.0/8'), invert: true },
              { match: 'destination', cidr: cidr('127.0.0.0/8') },
              { match: 'in-interface', name: 'cni+', invert: true },
              { match: 'out-interface', name: 'eth0' },
              comment('block incoming localnet connections'),
              state(['RELATED', 'ESTABLISHED', 'DNAT'], true),
            ],
            target: { target: 'DROP' },
          },
        ],
      ],
    ]),
  })
  tables.restore({
    table: 'mangle',
    chains: new Map<string, Rule[]>([
      [
        'PREROUTING',
        [
          {
            matches: [{ match: 'connmark', value: 1, mask: 3 }],
            target: { target: 'CONNMARK', action: 'restore' },
          },
          { matches: [], target: { target: 'CONNMARK', action: 'save' } },
          { matches: [], target: { target: 'CONNMARK', action: 'set', value: 5, mask: 0xff } },
        ],
      ],
    ]),
  })
  tables.restore({
    table: 'raw',
    chains: new Map([['OUTPUT', [{ matches: [], target: { target: 'NOTRACK' } }]]]),
  })
  return tables
}

const reason = missing('iptables-restore')
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`
const real = reason === undefined ? test : test.skip

real(`the real iptables-restore takes every match and target, and saves them the same${skipped}`, () => {
  const tables = everyWord()
  const sets = 'ipset create KUBE-CLUSTER-IP hash:ip,port && ipset create KUBE-LOOP-BACK hash:ip,port,ip'
  for (const table of ['raw', 'mangle', 'nat', 'filter'] as const) {
    const text = tables.save(table)
    inNamespace(`${sets} && iptables-restore --test`, text)
    const saved = inNamespace(`${sets} && iptables-restore && iptables-save -t ${table}`, text)
    assert.is(saved.replace(/^#.*\n/gm, ''), text)
  }
  const counted = tables.save('nat', { counters: true })
  const saved = inNamespace(`${sets} && iptables-restore -c && iptables-save -c -t nat`, counted)
  assert.is(saved.replace(/^#.*\n/gm, ''), counted)
})

test('a jump to nowhere, a circle, and a chain in use are refused', () => {
  const tables = netfilter()
  const jump = (chain: string): Rule => ({ matches: [], target: { target: 'jump', chain } })
  assert.throws(() => tables.appendRule('nat', 'OUTPUT', jump('NOWHERE')), /no chain NOWHERE/)
  tables.replaceChain('nat', 'A', [])
  tables.replaceChain('nat', 'B', [jump('A')])
  assert.throws(() => tables.replaceChain('nat', 'A', [jump('B')]), /circle/)
  assert.throws(() => tables.replaceChain('nat', 'C', [jump('C')]), /circle/)
  assert.throws(() => tables.removeChain('nat', 'A'), /B jumps to A/)
  assert.throws(() => tables.removeChain('nat', 'OUTPUT'), /built in/)
  tables.removeChain('nat', 'B')
  tables.removeChain('nat', 'A')
  assert.is(tables.chains('nat').length, 4)
})

test('a restore is done whole or not at all, and rules that stay keep their counters', () => {
  const tables = netfilter()
  const jump = (chain: string): Rule => ({ matches: [], target: { target: 'jump', chain } })
  const accept: Rule = { matches: [], target: { target: 'ACCEPT' } }
  const [toA, toB] = [jump('A'), jump('B')]
  const chains = (rules: Record<string, Rule[]>) => new Map(Object.entries(rules))
  tables.restore({ table: 'nat', chains: chains({ OUTPUT: [toA], A: [toB], B: [accept] }) })
  const before = tables.save('nat')
  assert.throws(
    () => tables.restore({ table: 'nat', chains: chains({ C: [], A: [jump('D')] }) }),
    /no chain D/,
  )
  assert.throws(
    () => tables.restore({ table: 'nat', chains: chains({ B: [], N: [] }), remove: ['A'] }),
    /OUTPUT jumps to A/,
  )
  assert.is(tables.save('nat'), before)
  // Turned around: no circle when all is done.
  tables.restore({ table: 'nat', chains: chains({ OUTPUT: [toB], B: [toA], A: [accept] }) })
  tables.restore({ table: 'nat', chains: chains({ OUTPUT: [accept] }), remove: ['A', 'B', 'X'] })
  assert.is(tables.chains('nat').length, 4)
})

test('conntrack follows a TCP connection from outside', () => {
  const life: [number, boolean][] = [
    [SYN, false],
    [SYN | ACK, true],
    [ACK, false],
    [FIN | ACK, false],
    [ACK, true],
    [FIN | ACK, true],
    [ACK, false],
  ]
  let state = 'NONE' as Parameters<typeof tcpTransition>[0]
  const states = life.map(([flags, reply]) => (state = tcpTransition(state, reply, flags) as typeof state))
  assert.equal(states, [
    'SYN_SENT',
    'SYN_RECV',
    'ESTABLISHED',
    'FIN_WAIT',
    'CLOSE_WAIT',
    'LAST_ACK',
    'TIME_WAIT',
  ])
  assert.is(tcpTransition('ESTABLISHED', true, RST | ACK), 'CLOSE')
  assert.is(tcpTransition('NONE', false, ACK), 'ESTABLISHED')
  assert.is(tcpTransition('NONE', false, FIN | ACK), 'invalid')
  assert.is(tcpTransition('ESTABLISHED', false, SYN), 'ignore')
})

test.run()
