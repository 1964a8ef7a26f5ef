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
  for (const [rule, expected] of texts) assert.is(ruleText(rule), expected)
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
