// The flows that kube-proxy's iptables and nftables modes make, with the rules they matched: cluster IPs from pods of
// this and another node, from the node itself, hairpins, node ports, affinity, refusals. One body, two kinds of rules.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MILLISECOND, MINUTE, SECOND } from '../../src/base/time.js'
import type { Netfilter } from '../../src/netfilter/netfilter.js'
import type { SocketApi } from '../../src/stack/socket.js'
import { type Endpoint, formatAddress, formatEndpoint, ipv4 } from '../../src/wire/address.js'
import { endpoint, Lab } from '../support/hosts.js'
import { type RuleMode, type TestService, writeService } from '../support/service-rules.js'

const VIP = '10.96.0.20'
const text = (value: string) => Uint8Array.from(value, (c) => c.charCodeAt(0))
const string = (bytes: Uint8Array | undefined) => bytes && String.fromCharCode(...bytes)

/** Two nodes and a host on one LAN; `a` and `b` are pods of node1, `c` of node2. */
function cluster(mode: RuleMode, service: Partial<TestService> & { endpoints: readonly Endpoint[] }) {
  const lab = new Lab()
  const node1 = lab.node('node1', '192.168.56.11/24', '10.36.0.1/24', {
    '10.39.0.0/24': '192.168.56.12',
    '0.0.0.0/0': '192.168.56.100',
  })
  const node2 = lab.node('node2', '192.168.56.12/24', '10.39.0.1/24', { '10.36.0.0/24': '192.168.56.11' })
  const outside = lab.pod('outside', '192.168.56.100/24', '192.168.56.11')
  const other = lab.pod('other', '192.168.56.101/24', '192.168.56.11')
  lab.lan(node1, node2, outside, other)
  const a = lab.pod('a', '10.36.0.2/24', '10.36.0.1')
  const b = lab.pod('b', '10.36.0.3/24', '10.36.0.1')
  const c = lab.pod('c', '10.39.0.2/24', '10.39.0.1')
  lab.plug(a, node1)
  lab.plug(b, node1)
  lab.plug(c, node2)
  const whole: TestService = { protocol: 'tcp', clusterIP: ipv4(VIP), port: 80, nodePort: 30080, ...service }
  for (const node of [node1, node2]) writeService(mode, node.netfilter, whole)
  return { lab, node1, node2, outside, other, a, b, c, whole }
}

/** Answers every connection and datagram to port 8080 with its name and who asked. */
function greet(stack: SocketApi, name: string): void {
  const answer = (from: Endpoint) => text(`${name} sees ${formatAddress(from.address)}`)
  const listener = stack.tcpListen({ address: 0, port: 8080 })
  listener.onReady = () => {
    for (let socket = listener.accept(); socket !== undefined; socket = listener.accept()) {
      socket.write(answer(socket.remote))
      socket.close()
    }
  }
  const server = stack.udpBind({ port: 8080 })
  server.onReady = () => {
    for (let got = server.receive(); got !== undefined; got = server.receive()) {
      server.send(answer(got.source), got.source)
    }
  }
}

/** What a new connection is told, or the code of its failure. */
function ask(lab: Lab, stack: SocketApi, to: string, from?: Partial<Endpoint>): string | undefined {
  const client = stack.tcpConnect(endpoint(to), from)
  lab.run(SECOND)
  const answer = string(client.read()) ?? client.error?.code
  client.close()
  return answer
}

/** Chains and numbers of the rules that packets of new flows matched, with verdicts and translations. */
function watch(netfilter: Netfilter): string[] {
  const seen: string[] = []
  netfilter.trace((event, hook) => {
    if (event.event === 'rule') seen.push(`${hook} ${event.chain} ${event.text} -> ${event.verdict}`)
    else if (event.event === 'end') seen.push(`${hook} ${event.verdict}`)
    else if (event.event === 'nat') {
      seen.push(`${hook} ${event.part} ${formatEndpoint(event.before)} -> ${formatEndpoint(event.after)}`)
    }
  })
  return seen
}

const A = endpoint('10.36.0.2:8080')
const B = endpoint('10.36.0.3:8080')
const C = endpoint('10.39.0.2:8080')

/** The first packet's way through the rules of its node. */
const HAIRPIN: Record<RuleMode, string[]> = {
  iptables: [
    'PREROUTING PREROUTING -j KUBE-SERVICES -> jump KUBE-SERVICES',
    'PREROUTING KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m tcp --dport 80 -j KUBE-SVC -> jump KUBE-SVC',
    'PREROUTING KUBE-SVC -j KUBE-SEP-0 -> jump KUBE-SEP-0',
    'PREROUTING KUBE-SEP-0 -s 10.36.0.2/32 -j KUBE-MARK-MASQ -> jump KUBE-MARK-MASQ',
    'PREROUTING KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000 -> MARK',
    'PREROUTING KUBE-SEP-0 -p tcp -j DNAT --to-destination 10.36.0.2:8080 -> DNAT',
    'PREROUTING destination 10.96.0.20:80 -> 10.36.0.2:8080',
    'FORWARD FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES -> jump KUBE-SERVICES',
    'POSTROUTING POSTROUTING -j KUBE-POSTROUTING -> jump KUBE-POSTROUTING',
    'POSTROUTING KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0 -> MARK',
    'POSTROUTING KUBE-POSTROUTING -j MASQUERADE --random-fully -> MASQUERADE',
    'POSTROUTING source 10.36.0.2:* -> 10.36.0.1:*',
  ],
  nft: [
    'PREROUTING nat-prerouting jump services -> jump services',
    'PREROUTING services ip daddr . meta l4proto . th dport vmap @service-ips -> goto service',
    'PREROUTING service numgen random mod 1 vmap { 0 : goto endpoint-10.36.0.2/8080 } -> goto endpoint-10.36.0.2/8080',
    'PREROUTING endpoint-10.36.0.2/8080 ip saddr 10.36.0.2 jump mark-for-masquerade -> jump mark-for-masquerade',
    'PREROUTING mark-for-masquerade meta mark set meta mark | 0x00004000 -> continue',
    'PREROUTING endpoint-10.36.0.2/8080 meta l4proto tcp dnat to 10.36.0.2:8080 -> DNAT',
    'PREROUTING destination 10.96.0.20:80 -> 10.36.0.2:8080',
    'POSTROUTING nat-postrouting jump masquerading -> jump masquerading',
    'POSTROUTING masquerading meta mark set meta mark ^ 0x00004000 -> continue',
    'POSTROUTING masquerading masquerade fully-random -> MASQUERADE',
    'POSTROUTING source 10.36.0.2:* -> 10.36.0.1:*',
  ],
}

for (const mode of ['iptables', 'nft'] as const) {
  const test = suite(`flows ${mode}`)

  test('a pod to a pod of the same node: the answer crosses the bridge and comes from the cluster IP', () => {
    const { lab, node1, a, b } = cluster(mode, { endpoints: [B] })
    greet(b.stack, 'b')
    const seen = watch(node1.netfilter)
    assert.is(ask(lab, a.stack, `${VIP}:80`), 'b sees 10.36.0.2', seen.join('\n'))
    assert.equal(lab.faults, [])
    assert.ok(seen.some((line) => line.includes(`destination ${VIP}:80 -> 10.36.0.3:8080`)))
    assert.ok(seen.some((line) => line.includes(`source 10.36.0.3:8080 -> ${VIP}:80`)))
  })

  test('pods of one node talk without a service, and conntrack sees it', () => {
    const { lab, node1, a, b } = cluster(mode, { endpoints: [] })
    greet(b.stack, 'b')
    assert.is(ask(lab, a.stack, '10.36.0.3:8080'), 'b sees 10.36.0.2')
    assert.is(node1.netfilter.flows().length, 1)
    const socket = a.stack.udpBind()
    socket.send(new Uint8Array(4000), B)
    lab.run(SECOND)
    assert.is(string(socket.receive()?.bytes), 'b sees 10.36.0.2')
  })

  test('a pod to a pod of another node keeps its source', () => {
    const { lab, a, c } = cluster(mode, { endpoints: [C] })
    greet(c.stack, 'c')
    assert.is(ask(lab, a.stack, `${VIP}:80`), 'c sees 10.36.0.2')
    assert.equal(lab.faults, [])
  })

  test('a pod to its own service: it sees the bridge, and the packet comes back through the same port', () => {
    const { lab, node1, a } = cluster(mode, { endpoints: [A] })
    greet(a.stack, 'a')
    const seen = watch(node1.netfilter)
    assert.is(ask(lab, a.stack, `${VIP}:80`), 'a sees 10.36.0.1')
    assert.equal(lab.faults, [])
    const first = seen.slice(0, seen.findIndex((line) => line.includes('source 10.36.0.2')) + 1)
    assert.equal(
      first.map((line) => line.replace(/:\d{5}/g, ':*')),
      HAIRPIN[mode],
    )
  })

  test('the node itself: its source is that of the route to the cluster IP, answers come from the cluster IP', () => {
    const { lab, node1, b, c } = cluster(mode, { endpoints: [B] })
    greet(b.stack, 'b')
    assert.is(ask(lab, node1.stack, `${VIP}:80`), 'b sees 192.168.56.11')
    greet(c.stack, 'c')
    assert.is(ask(lab, node1.stack, '10.39.0.2:8080'), 'c sees 192.168.56.11')
    assert.equal(lab.faults, [])
  })

  test('a node port from outside is masqueraded, on the node of the endpoint and on the other', () => {
    const { lab, node1, outside, c } = cluster(mode, { endpoints: [C] })
    greet(c.stack, 'c')
    const seen = watch(node1.netfilter)
    assert.is(ask(lab, outside.stack, '192.168.56.11:30080'), 'c sees 192.168.56.11', seen.join('\n'))
    assert.is(ask(lab, outside.stack, '192.168.56.12:30080'), 'c sees 10.39.0.1')
    assert.equal(lab.faults, [])
  })

  test('a node port on localhost works when route_localnet allows it', () => {
    const { lab, node1, b } = cluster(mode, { endpoints: [B] })
    greet(b.stack, 'b')
    node1.stack.routeLocalnet = false
    assert.is(ask(lab, node1.stack, '127.0.0.1:30080'), undefined)
    node1.stack.routeLocalnet = true
    assert.is(ask(lab, node1.stack, '127.0.0.1:30080'), 'b sees 10.36.0.1')
  })

  test('a service without endpoints refuses at once, pods and the node', () => {
    const { lab, node1, a } = cluster(mode, { endpoints: [] })
    const seen = watch(node1.netfilter)
    assert.is(ask(lab, a.stack, `${VIP}:80`), 'ECONNREFUSED', seen.join('\n'))
    assert.ok(seen.includes('FORWARD REJECT'))
    assert.is(ask(lab, node1.stack, `${VIP}:80`), 'ECONNREFUSED')
    assert.ok(seen.includes('OUTPUT REJECT'))
    assert.equal(node1.netfilter.flows(), [])
    assert.equal(lab.faults, [])
  })

  test('endpoints are chosen at random, each alike', () => {
    const { lab, node1, a, b, c } = cluster(mode, { endpoints: [A, B, C], protocol: 'udp' })
    lab.recording = false
    for (const [pod, name] of [
      [a, 'a'],
      [b, 'b'],
      [c, 'c'],
    ] as const) {
      greet(pod.stack, name)
    }
    const counts = new Map<string, number>()
    const total = 900
    for (let i = 0; i < total; i++) {
      const socket = a.stack.udpBind()
      socket.send(text('?'), endpoint(`${VIP}:80`))
      lab.run(20 * MILLISECOND)
      const name = string(socket.receive()?.bytes)?.[0] ?? '-'
      counts.set(name, (counts.get(name) ?? 0) + 1)
      socket.close()
    }
    const expected = total / 3
    const chiSquare = ['a', 'b', 'c'].reduce((sum, name) => {
      return sum + ((counts.get(name) ?? 0) - expected) ** 2 / expected
    }, 0)
    assert.ok(chiSquare < 13.8, `${[...counts]} chi-square ${chiSquare}`)
    assert.ok(node1.netfilter.flows().length > 0.9 * total)
  })

  test('affinity: a client stays with its endpoint until it was away for too long', () => {
    const { lab, node1, a, b, c } = cluster(mode, { endpoints: [B, C], affinity: 60 * SECOND })
    greet(b.stack, 'b')
    greet(c.stack, 'c')
    const first = ask(lab, a.stack, `${VIP}:80`)
    for (let i = 0; i < 12; i++) assert.is(ask(lab, a.stack, `${VIP}:80`), first)
    const answers = new Set<string | undefined>()
    for (let i = 0; i < 8; i++) {
      lab.run(61 * SECOND)
      answers.add(ask(lab, a.stack, `${VIP}:80`))
    }
    assert.is(answers.size, 2)
    if (mode === 'iptables') assert.is(node1.netfilter.recent()[0]!.address, ipv4('10.36.0.2'))
  })

  test('two clients with one source port: masquerading gives the second another one', () => {
    const { lab, node1, outside, other, c } = cluster(mode, { endpoints: [C], fullyRandom: false })
    greet(c.stack, 'c')
    const from = { port: 40000 }
    assert.is(ask(lab, outside.stack, '192.168.56.11:30080', from), 'c sees 192.168.56.11')
    assert.is(ask(lab, other.stack, '192.168.56.11:30080', from), 'c sees 192.168.56.11')
    const ports = node1.netfilter.flows().map((flow) => flow.reply.destinationPort)
    assert.is(ports[0], 40000)
    assert.is.not(ports[1], 40000)
    assert.ok(ports[1]! >= 1024)
  })

  test('fully random: the source port is never kept', () => {
    const { lab, node1, outside, c } = cluster(mode, { endpoints: [C] })
    greet(c.stack, 'c')
    for (let port = 40000; port < 40008; port++) ask(lab, outside.stack, '192.168.56.11:30080', { port })
    const flows = node1.netfilter.flows()
    assert.is(flows.length, 8)
    assert.ok(flows.filter((flow) => flow.reply.destinationPort === flow.original.sourcePort).length <= 1)
  })

  test('only the first packet of a flow passes the nat chains', () => {
    const { lab, node1, a, b } = cluster(mode, { endpoints: [B] })
    greet(b.stack, 'b')
    const seen = watch(node1.netfilter)
    ask(lab, a.stack, `${VIP}:80`)
    const services = seen.filter((line) => /^PREROUTING (KUBE-SERVICES|services) /.test(line))
    assert.is(services.length, 1, seen.join('\n'))
  })

  test('an ICMP error about a masqueraded flow reaches who began it, as if from the cluster IP', () => {
    const { lab, outside } = cluster(mode, { endpoints: [C], protocol: 'udp' })
    const socket = outside.stack.udpBind()
    socket.connect(endpoint('192.168.56.11:30080'))
    socket.send(text('?'))
    lab.run(SECOND)
    assert.is(socket.takeError()?.code, 'ECONNREFUSED')
    assert.equal(lab.faults, [])
  })

  test('UDP clients stay with an endpoint that is gone until their flows are deleted', () => {
    const { lab, node1, a, b, c, whole } = cluster(mode, { endpoints: [B], protocol: 'udp' })
    greet(b.stack, 'b')
    greet(c.stack, 'c')
    const socket = a.stack.udpBind()
    const query = () => {
      socket.send(text('?'), endpoint(`${VIP}:80`))
      lab.run(SECOND)
      return string(socket.receive()?.bytes)
    }
    assert.is(query(), 'b sees 10.36.0.2')
    writeService(mode, node1.netfilter, { ...whole, endpoints: [C] })
    assert.is(query(), 'b sees 10.36.0.2')
    const stale = { protocol: 'udp', originalDestination: ipv4(VIP), replySource: B.address } as const
    assert.is(node1.netfilter.deleteFlows({ ...stale, replySource: C.address }), 0)
    assert.is(node1.netfilter.deleteFlows({ ...stale, originalDestinationPort: 80 }), 1)
    assert.is(query(), 'c sees 10.36.0.2')
  })

  test('a full conntrack table drops new flows, unless one that is not in use makes place', () => {
    const { lab, node1, a, b } = cluster(mode, { endpoints: [B] })
    const { netfilter } = node1
    netfilter.conntrackSettings.max = 2
    b.stack.tcpListen({ address: 0, port: 8080 })
    const clients = [1, 2, 3].map(() => {
      const client = a.stack.tcpConnect(endpoint(`${VIP}:80`))
      lab.run(100 * MILLISECOND)
      return client
    })
    assert.equal(
      clients.map((client) => client.state),
      ['ESTABLISHED', 'ESTABLISHED', 'SYN-SENT'],
    )
    assert.ok(netfilter.conntrackCounters.full > 0)
    netfilter.conntrackSettings.max = 3
    lab.run(2 * MINUTE)
    assert.is(clients[2]!.state, 'ESTABLISHED')
  })

  test.run()
}
