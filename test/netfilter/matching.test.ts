// Each match and target on packets that really pass: marks, sets, lists, counts, address types, refusals, and what
// conntrack shall not see.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MILLISECOND, SECOND } from '../../src/base/time.js'
import { RecentLists } from '../../src/netfilter/recent.js'
import type { Match, Rule, Target } from '../../src/netfilter/rule.js'
import { ipv4 } from '../../src/wire/address.js'
import { endpoint, Lab } from '../support/hosts.js'

const test = suite('matching')

/** A pod behind a node, another host behind the node too. */
function lab() {
  const hosts = new Lab()
  const node = hosts.node('node', '192.168.56.11/24', '10.36.0.1/24')
  const outside = hosts.pod('outside', '192.168.56.100/24', '192.168.56.11')
  hosts.cable(node, outside)
  const pod = hosts.pod('pod', '10.36.0.2/24', '10.36.0.1')
  hosts.plug(pod, node)
  const { netfilter } = node
  /** Takes what is sent to port 9, and does not refuse it. */
  const server = outside.stack.udpBind({ port: 9 })
  /** Packets that the rules of a chain counted, after a datagram from the pod to `to`. */
  const counted = (table: 'raw' | 'mangle' | 'nat' | 'filter', chain: string, to = '192.168.56.100:9') => {
    pod.stack.udpBind({ port: 5000 }).send(Uint8Array.of(1), endpoint(to))
    hosts.run(10 * MILLISECOND)
    return netfilter
      .chains(table)
      .find(({ name }) => name === chain)!
      .rules.map(({ packets }) => packets)
  }
  return { hosts, node, outside, server, pod, netfilter, counted }
}

const pass = (...matches: Match[]): Rule => ({ matches, target: { target: 'none' } })
const does = (target: Target): Rule => ({ matches: [], target })

test('marks: set, or, xor with masks, matched with masks; they end with the packet', () => {
  const { netfilter, counted } = lab()
  netfilter.replaceChain('mangle', 'PREROUTING', [
    does({ target: 'MARK', operation: 'set', value: 0x15 }),
    does({ target: 'MARK', operation: 'or', value: 0x4000 }),
    does({ target: 'MARK', operation: 'xor', value: 0x1 }),
    does({ target: 'MARK', operation: 'set', value: 0x20, mask: 0xf0 }),
  ])
  netfilter.replaceChain('mangle', 'FORWARD', [
    pass({ match: 'mark', value: 0x4024 }),
    pass({ match: 'mark', value: 0x4000, mask: 0x4000 }),
    pass({ match: 'mark', value: 0x4000, mask: 0x4000, invert: true }),
    pass({ match: 'mark', value: 0x15 }),
  ])
  assert.equal(counted('mangle', 'FORWARD'), [1, 1, 0, 0])
})

test('connmark: a flow remembers the mark of its first packet, for answers too', () => {
  const { hosts, netfilter, pod, server: answers } = lab()
  answers.onReady = () => {
    for (let got = answers.receive(); got !== undefined; got = answers.receive()) {
      answers.send(got.bytes, got.source)
    }
  }
  netfilter.replaceChain('mangle', 'PREROUTING', [
    does({ target: 'CONNMARK', action: 'restore' }),
    {
      matches: [{ match: 'mark', value: 0 }],
      target: { target: 'MARK', operation: 'set', value: 7 },
    },
    does({ target: 'CONNMARK', action: 'save' }),
  ])
  netfilter.replaceChain('mangle', 'FORWARD', [
    pass({ match: 'connmark', value: 7 }),
    pass({ match: 'mark', value: 7 }),
  ])
  pod.stack.udpBind().send(Uint8Array.of(1), endpoint('192.168.56.100:9'))
  hosts.run(SECOND)
  const forward = netfilter.chains('mangle').find(({ name }) => name === 'FORWARD')!
  assert.equal(
    forward.rules.map(({ packets }) => packets),
    [2, 2],
  )
  assert.is(netfilter.flows()[0]!.mark, 7)
  assert.match(netfilter.flowsText(), / mark=7 use=1\n$/)
})

test('ipsets: addresses, services, prefixes, ports; a match asks for its directions', () => {
  const { netfilter, counted } = lab()
  const { sets } = netfilter
  const [pod, outside] = [ipv4('10.36.0.2'), ipv4('192.168.56.100')]
  sets.create('hosts', 'hash:ip').add({ address: outside })
  sets.create('nets', 'hash:net').add({ network: { network: ipv4('192.168.0.0'), prefixLength: 16 } })
  sets.create('services', 'hash:ip,port').add({ address: outside, protocol: 'udp', port: 9 })
  sets.create('loops', 'hash:ip,port,ip').add({ address: outside, protocol: 'udp', port: 9, second: pod })
  const network = { network: ipv4('10.36.0.0'), prefixLength: 24 }
  sets.create('ranges', 'hash:ip,port,net').add({ address: outside, protocol: 'udp', port: 9, network })
  sets.create('ports', 'bitmap:port').add({ port: 9 })
  sets.create('tcp', 'hash:ip,port').add({ address: outside, protocol: 'tcp', port: 9 })
  netfilter.replaceChain('filter', 'FORWARD', [
    pass({ match: 'set', set: 'hosts', directions: ['dst'] }),
    pass({ match: 'set', set: 'hosts', directions: ['src'] }),
    pass({ match: 'set', set: 'nets', directions: ['dst'] }),
    pass({ match: 'set', set: 'services', directions: ['dst', 'dst'] }),
    pass({ match: 'set', set: 'services', directions: ['dst', 'src'] }),
    pass({ match: 'set', set: 'loops', directions: ['dst', 'dst', 'src'] }),
    pass({ match: 'set', set: 'loops', directions: ['dst', 'dst', 'dst'] }),
    pass({ match: 'set', set: 'ranges', directions: ['dst', 'dst', 'src'] }),
    pass({ match: 'set', set: 'ports', directions: ['dst'] }),
    pass({ match: 'set', set: 'tcp', directions: ['dst', 'dst'] }),
    pass({ match: 'set', set: 'tcp', directions: ['dst', 'dst'], invert: true }),
  ])
  assert.equal(counted('filter', 'FORWARD'), [1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1])
  assert.throws(() => sets.destroy('tcp'), /in use/)
  assert.throws(() => sets.create('tcp', 'hash:ip'), /is of type hash:ip,port/)
  sets.get('hosts')!.replace([{ address: pod }])
  assert.match(
    netfilter.setsText(),
    /^Name: hosts\nType: hash:ip\nRevision: 6\nHeader: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x[0-9a-f]{8}\nSize in memory: 256\nReferences: 2\nNumber of entries: 1\nMembers:\n10\.36\.0\.2\n\nName: nets\n/,
  )
  assert.ok(netfilter.setsText().includes('\n192.168.56.100,udp:9,10.36.0.0/24\n'))
})

test('address types of source and destination, both or one, inverted each', () => {
  const { netfilter, counted } = lab()
  netfilter.replaceChain('mangle', 'PREROUTING', [
    pass({ match: 'address-type', destination: 'LOCAL' }),
    pass({ match: 'address-type', source: 'UNICAST', destination: 'LOCAL' }),
    pass({ match: 'address-type', destination: 'LOCAL', invert: true }),
    pass({ match: 'address-type', source: 'LOCAL', destination: 'LOCAL', invert: true }),
    pass({ match: 'address-type', source: 'LOCAL', destination: 'UNICAST', invert: true }),
  ])
  assert.equal(counted('mangle', 'PREROUTING', '192.168.56.11:9'), [1, 1, 0, 0, 1])
})

test('statistic nth counts in turns', () => {
  const { hosts, netfilter, pod } = lab()
  netfilter.replaceChain('mangle', 'PREROUTING', [
    pass({ match: 'statistic-nth', every: 3, packet: 0 }),
    pass({ match: 'statistic-nth', every: 3, packet: 2 }),
  ])
  const socket = pod.stack.udpBind()
  for (let i = 0; i < 7; i++) socket.send(Uint8Array.of(i), endpoint('192.168.56.100:9'))
  hosts.run(SECOND)
  const rules = netfilter.chains('mangle').find(({ name }) => name === 'PREROUTING')!.rules
  assert.equal(
    rules.map(({ packets }) => packets),
    [3, 2],
  )
})

test('recent: set, rcheck and update within seconds, remove, reap', () => {
  const { hosts, netfilter, pod } = lab()
  const recent = { match: 'recent', name: 'L', source: true } as const
  const matched = (action: 'set' | 'rcheck' | 'update' | 'remove', options: Partial<Match> = {}) => {
    netfilter.replaceChain('filter', 'FORWARD', [pass({ ...recent, ...options, action } as Match)])
    pod.stack.udpBind().send(Uint8Array.of(1), endpoint('192.168.56.100:9'))
    hosts.run(MILLISECOND)
    return netfilter.chains('filter').find(({ name }) => name === 'FORWARD')!.rules[0]!.packets === 1
  }
  assert.not.ok(matched('rcheck'))
  assert.not.ok(matched('update'))
  assert.ok(matched('set'))
  hosts.run(8 * SECOND)
  assert.ok(matched('rcheck', { seconds: 10 }))
  assert.ok(matched('update', { seconds: 10 }))
  hosts.run(8 * SECOND)
  assert.ok(matched('rcheck', { seconds: 10 }))
  hosts.run(8 * SECOND)
  assert.not.ok(matched('rcheck', { seconds: 10 }))
  assert.is(netfilter.recent().length, 1)
  assert.not.ok(matched('rcheck', { seconds: 10, reap: true }))
  assert.equal(netfilter.recent(), [])
  assert.ok(matched('set'))
  assert.ok(matched('remove'))
  assert.not.ok(matched('remove'))
})

test('a list holds a hundred addresses; the one that was away longest makes place', () => {
  const lists = new RecentLists()
  const match = { match: 'recent', name: 'L', source: true, action: 'set' } as const
  for (let i = 0; i < 100; i++) lists.matches(match, i, i)
  lists.matches(match, 0, 100)
  lists.matches(match, 1000, 101)
  const addresses = lists.rows().map(({ address }) => address)
  assert.is(addresses.length, 100)
  assert.equal([addresses.includes(0), addresses.includes(1)], [true, false])
})

test('TCP is reset in the name of who was asked, in the middle of a connection too', () => {
  const { hosts, netfilter, pod, outside } = lab()
  outside.stack.tcpListen({ address: 0, port: 80 })
  const established = pod.stack.tcpConnect(endpoint('192.168.56.100:80'))
  hosts.run(SECOND)
  netfilter.replaceChain('filter', 'FORWARD', [
    { matches: [{ match: 'in-interface', name: 'cni0' }], target: { target: 'REJECT', with: 'tcp-reset' } },
  ])
  const client = pod.stack.tcpConnect(endpoint('192.168.56.100:80'))
  established.write(Uint8Array.of(1))
  hosts.run(SECOND)
  assert.is(client.error?.code, 'ECONNREFUSED')
  assert.is(established.error?.code, 'ECONNRESET')
  assert.equal(hosts.faults, [])
})

test('a refusal after translation looks as if from where the packet was sent to', () => {
  const { hosts, netfilter, pod } = lab()
  netfilter.replaceChain('nat', 'PREROUTING', [
    {
      matches: [{ match: 'destination', cidr: { network: ipv4('10.96.0.1'), prefixLength: 32 } }],
      target: { target: 'DNAT', to: endpoint('192.168.56.100:80') },
    },
  ])
  for (const how of ['tcp-reset', 'icmp-port-unreachable'] as const) {
    netfilter.replaceChain('filter', 'FORWARD', [does({ target: 'REJECT', with: how })])
    const client = pod.stack.tcpConnect(endpoint('10.96.0.1:443'))
    hosts.run(SECOND)
    assert.is(client.error?.code, 'ECONNREFUSED', how)
  }
  assert.equal(netfilter.flows(), [])
  assert.equal(hosts.faults, [])
  assert.not.ok(hosts.frames.some((line) => line.startsWith('node:1') && line.includes('192.168.56.100')))
})

test('INPUT: the node refuses for itself', () => {
  const { hosts, netfilter, node, pod } = lab()
  node.stack.tcpListen({ address: 0, port: 80 })
  netfilter.replaceChain('filter', 'INPUT', [does({ target: 'REJECT' })])
  const client = pod.stack.tcpConnect(endpoint('192.168.56.11:80'))
  hosts.run(SECOND)
  assert.is(client.error?.code, 'ECONNREFUSED')
})

test('what is not tracked has no flow and the state UNTRACKED', () => {
  const { netfilter, counted } = lab()
  netfilter.replaceChain('raw', 'PREROUTING', [does({ target: 'NOTRACK' })])
  netfilter.replaceChain('filter', 'FORWARD', [
    pass({ match: 'state', states: ['UNTRACKED'] }),
    pass({ match: 'state', states: ['NEW'] }),
    pass({ match: 'state', states: ['INVALID'], invert: true }),
  ])
  assert.equal(counted('filter', 'FORWARD'), [1, 0, 1])
  assert.equal(netfilter.flows(), [])
})

test('goto does not come back, a goto chain’s end is the end of the chain before it', () => {
  const { netfilter, counted } = lab()
  netfilter.replaceChain('filter', 'INNER', [pass()])
  netfilter.replaceChain('filter', 'OUTER', [
    does({ target: 'goto', chain: 'INNER' }),
    does({ target: 'DROP' }),
  ])
  netfilter.replaceChain('filter', 'FORWARD', [does({ target: 'jump', chain: 'OUTER' }), pass()])
  assert.equal(counted('filter', 'FORWARD'), [1, 1])
})

test('SNAT to a fixed address, and tables of both kinds decide in order of priority', () => {
  const { hosts, netfilter, pod, server } = lab()
  const to = endpoint('192.168.56.77:0')
  netfilter.replaceChain('nat', 'POSTROUTING', [does({ target: 'SNAT', to })])
  const table = netfilter.nft.add('later')
  table.addChain('post', { base: { type: 'nat', hook: 'POSTROUTING', priority: 110 } })
  table.addRule('post', { statements: [{ statement: 'masquerade' }] })
  table.addChain('first', { base: { type: 'filter', hook: 'FORWARD', priority: -1 } })
  table.addRule('first', { statements: [{ statement: 'counter' }] })
  const socket = pod.stack.udpBind()
  socket.send(Uint8Array.of(1), endpoint('192.168.56.100:9'))
  hosts.run(SECOND)
  assert.is(server.receive()?.source.address, to.address)
  netfilter.replaceChain('nat', 'POSTROUTING', [])
  pod.stack.udpBind().send(Uint8Array.of(1), endpoint('192.168.56.100:9'))
  hosts.run(SECOND)
  assert.is(server.receive()?.source.address, ipv4('192.168.56.11'))
  assert.is(table.chain('first')!.rules[0]!.packets, 2)
  netfilter.nft.delete('later')
  pod.stack.udpBind().send(Uint8Array.of(1), endpoint('192.168.56.100:9'))
  hosts.run(SECOND)
  assert.is(server.receive()?.source.address, ipv4('10.36.0.2'))
})

test.run()
