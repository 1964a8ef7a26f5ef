// The flows that kube-proxy's userspace mode makes: REDIRECT of what pods send to a cluster IP, DNAT of what the node
// sends, answers translated back by conntrack, ICMP errors translated inside.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MILLISECOND, MINUTE, SECOND } from '../../src/base/time.js'
import type { Rule } from '../../src/netfilter/rule.js'
import type { SocketApi, TcpSocket } from '../../src/stack/socket.js'
import { cidr, formatAddress, formatEndpoint, ipv4 } from '../../src/wire/address.js'
import { endpoint, Lab } from '../support/hosts.js'

const test = suite('nat')

const VIP = '10.99.130.31'
const PROXY_PORT = 40123

/** Rules for one service port, in the chains that kube-proxy has. */
function portals(protocol: 'tcp' | 'udp'): { container: Rule; host: Rule } {
  const matches: Rule['matches'] = [
    { match: 'destination', cidr: cidr(`${VIP}/32`) },
    { match: 'protocol', protocol },
    { match: 'comment', text: 'default/sidecar-svc:http-port' },
    { match: 'destination-port', port: 8080 },
  ]
  return {
    container: { matches, target: { target: 'REDIRECT', port: PROXY_PORT } },
    host: { matches, target: { target: 'DNAT', to: { address: ipv4('192.168.56.11'), port: PROXY_PORT } } },
  }
}

function cluster(protocol: 'tcp' | 'udp' = 'tcp') {
  const lab = new Lab()
  const node = lab.node('node', '192.168.56.11/24', '10.36.0.1/16', { '0.0.0.0/0': '192.168.56.12' })
  const other = lab.node('other', '192.168.56.12/24', '10.39.0.1/16', { '10.36.0.0/16': '192.168.56.11' })
  lab.cable(node, other)
  const pod = lab.pod('pod', '10.36.0.0/16', '10.36.0.1')
  lab.plug(pod, node)
  const { netfilter } = node
  const rules = portals(protocol)
  netfilter.replaceChain('nat', 'KUBE-PORTALS-CONTAINER', [rules.container])
  netfilter.replaceChain('nat', 'KUBE-PORTALS-HOST', [rules.host])
  netfilter.replaceChain('nat', 'PREROUTING', [jump('KUBE-PORTALS-CONTAINER')])
  netfilter.replaceChain('nat', 'OUTPUT', [jump('KUBE-PORTALS-HOST')])
  return { lab, node, other, pod }
}

function jump(chain: string): Rule {
  return { matches: [], target: { target: 'jump', chain } }
}

const text = (value: string) => Uint8Array.from(value, (c) => c.charCodeAt(0))
const string = (bytes: Uint8Array | undefined) => bytes && String.fromCharCode(...bytes)

/** Accepts on the proxy's port, answers each request with who asked, and closes after the peer. */
function greet(stack: SocketApi): { accepted: TcpSocket[] } {
  const listener = stack.tcpListen({ address: 0, port: PROXY_PORT })
  const accepted: TcpSocket[] = []
  listener.onReady = () => {
    for (let socket = listener.accept(); socket !== undefined; socket = listener.accept()) {
      const server = socket
      accepted.push(server)
      server.onReady = () => {
        if (server.read() !== undefined) server.write(text(`you are ${formatEndpoint(server.remote)}`))
        if (server.ended) server.close()
      }
    }
  }
  return { accepted }
}

test('a pod connects to a cluster IP: REDIRECT to the proxy, answers come from the cluster IP', () => {
  const { lab, node, pod } = cluster()
  const { accepted } = greet(node.stack)
  const client = pod.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(SECOND)
  assert.is(client.state, 'ESTABLISHED')
  client.write(text('hello'))
  lab.run(SECOND)
  assert.is(string(client.read()), `you are ${formatEndpoint(client.local)}`)
  assert.is(formatEndpoint(accepted[0]!.local), `10.36.0.1:${PROXY_PORT}`)
  client.close()
  lab.run(SECOND)
  assert.equal(lab.faults, [])
  const onPodLink = lab.frames.filter((line) => line.includes('10.36.0.0') && /Flags|\bIP\b/.test(line))
  assert.ok(onPodLink.length >= 8)
  assert.not.ok(
    onPodLink.some((line) => line.includes(String(PROXY_PORT))),
    onPodLink.join('\n'),
  )
})

test('the node itself connects to a cluster IP: DNAT in OUTPUT, over lo, answers from the cluster IP', () => {
  const { lab, node } = cluster()
  const { accepted } = greet(node.stack)
  const client = node.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(SECOND)
  client.write(text('hello'))
  lab.run(SECOND)
  assert.is(string(client.read()), `you are 192.168.56.11:${client.local.port}`)
  assert.is(formatEndpoint(accepted[0]!.local), `192.168.56.11:${PROXY_PORT}`)
  assert.is(formatEndpoint(client.remote), `${VIP}:8080`)
  assert.equal(
    lab.frames.filter((line) => line.includes(VIP)),
    [],
  )
  assert.is(node.netfilter.flows().length, 1)
})

test('one source port to the cluster IP and to the proxy itself: the second flow gets another source port', () => {
  const { lab, node, pod } = cluster()
  const { accepted } = greet(node.stack)
  const from = { port: 33333 }
  const first = pod.stack.tcpConnect(endpoint(`${VIP}:8080`), from)
  const second = pod.stack.tcpConnect(endpoint(`10.36.0.1:${PROXY_PORT}`), from)
  lab.run(SECOND)
  assert.equal([first.state, second.state], ['ESTABLISHED', 'ESTABLISHED'])
  assert.is(accepted[0]!.remote.port, 33333)
  assert.is.not(accepted[1]!.remote.port, 33333)
  second.write(text('x'))
  lab.run(SECOND)
  assert.is(string(second.read()), `you are ${formatEndpoint(accepted[1]!.remote)}`)
  assert.equal(lab.faults, [])
})

test('a flow keeps its translation when the rules change; only the next one sees them', () => {
  const { lab, node, pod } = cluster()
  greet(node.stack)
  const client = pod.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(SECOND)
  node.netfilter.replaceChain('nat', 'KUBE-PORTALS-CONTAINER', [])
  client.write(text('hello'))
  const next = pod.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(10 * SECOND)
  assert.ok(string(client.read())?.startsWith('you are'))
  assert.is(next.error?.code, 'ENETUNREACH')
})

test('UDP: answers and a refusal come from the cluster IP, the quoted packet inside is translated too', () => {
  const { lab, node, pod } = cluster('udp')
  const socket = pod.stack.udpBind()
  socket.connect(endpoint(`${VIP}:8080`))
  socket.send(text('anyone?'))
  lab.run(SECOND)
  assert.is(socket.takeError()?.code, 'ECONNREFUSED')
  assert.ok(
    lab.frames.some((line) => line.startsWith('node') && line.includes(VIP) && /unreachable/.test(line)),
  )
  const server = node.stack.udpBind({ port: PROXY_PORT })
  server.onReady = () => {
    const got = server.receive()
    if (got !== undefined) server.send(text('yes'), got.source)
  }
  socket.send(text('anyone?'))
  lab.run(SECOND)
  const answer = socket.receive()
  assert.is(string(answer?.bytes), 'yes')
  assert.is(formatEndpoint(answer!.source), `${VIP}:8080`)
  assert.equal(lab.faults, [])
})

test('DNAT to a host behind another router: its ICMP errors look as if they came from the cluster IP', () => {
  const { lab, node, pod } = cluster('udp')
  const dnat = portals('udp').host
  node.netfilter.replaceChain('nat', 'KUBE-PORTALS-CONTAINER', [
    { ...dnat, target: { target: 'DNAT', to: endpoint('10.39.0.77:53') } },
  ])
  const socket = pod.stack.udpBind()
  socket.connect(endpoint(`${VIP}:8080`))
  socket.send(text('x'))
  lab.run(5 * SECOND)
  assert.is(socket.takeError()?.code, 'EHOSTUNREACH')
  const seen = lab.frames.filter((line) => line.startsWith('node:1') && /unreachable/.test(line))
  assert.is(seen.length, 1)
  assert.ok(seen[0]!.includes(VIP) && !seen[0]!.includes('10.39.0.77'), seen[0])
  assert.equal(lab.faults, [])
})

test('the node’s own datagram, DNATed to a closed port, is refused in the name of the cluster IP', () => {
  const { lab, node } = cluster('udp')
  const socket = node.stack.udpBind()
  socket.connect(endpoint(`${VIP}:8080`))
  socket.send(text('x'))
  lab.run(SECOND)
  assert.is(socket.takeError()?.code, 'ECONNREFUSED')
})

test('REDIRECT in OUTPUT goes to 127.0.0.1', () => {
  const { lab, node } = cluster()
  const { accepted } = greet(node.stack)
  node.netfilter.replaceChain('nat', 'OUTPUT', [portals('tcp').container])
  const client = node.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(SECOND)
  assert.is(client.state, 'ESTABLISHED')
  assert.is(formatAddress(accepted[0]!.local.address), '127.0.0.1')
})

test('ping passes through conntrack and back', () => {
  const { lab, node, pod } = cluster()
  const socket = pod.stack.ping()
  socket.send(ipv4('192.168.56.12'), 3, text('abc'))
  lab.run(SECOND)
  assert.is(socket.receive()?.sequence, 3)
  assert.match(
    node.netfilter.flowsText(),
    /^icmp {5}1 29 src=10\.36\.0\.0 dst=192\.168\.56\.12 type=8 code=0 id=\d+ src=192\.168\.56\.12 dst=10\.36\.0\.0 type=0 code=0 id=\d+ mark=0 use=1\n$/,
  )
  lab.run(MINUTE)
  assert.equal(node.netfilter.flows(), [])
})

test('the TCP states of a flow and how long each lasts', () => {
  const { lab, node, pod } = cluster()
  greet(node.stack)
  const client = pod.stack.tcpConnect(endpoint(`${VIP}:8080`))
  const flow = () => node.netfilter.flows()[0]
  lab.run(100 * MILLISECOND)
  assert.is(flow()?.state, 'ESTABLISHED')
  assert.ok(flow()?.assured)
  assert.is(Math.round((flow()!.expiresAt - lab.now) / SECOND), 432_000)
  assert.match(
    node.netfilter.flowsText(),
    /^tcp {6}6 431999 ESTABLISHED src=10\.36\.0\.0 dst=10\.99\.130\.31 sport=\d+ dport=8080 src=10\.36\.0\.1 dst=10\.36\.0\.0 sport=40123 dport=\d+ \[ASSURED\] mark=0 use=1\n$/,
  )
  client.close()
  lab.run(100 * MILLISECOND)
  assert.is(flow()?.state, 'TIME_WAIT')
  lab.run(119 * SECOND)
  assert.ok(flow())
  lab.run(2 * SECOND)
  assert.is(flow(), undefined)
})

test('UDP flows last 30 s, and two minutes once they are answered for longer than two seconds', () => {
  const { lab, node, pod } = cluster('udp')
  const server = node.stack.udpBind({ port: PROXY_PORT })
  server.onReady = () => {
    for (let got = server.receive(); got !== undefined; got = server.receive())
      server.send(got.bytes, got.source)
  }
  const socket = pod.stack.udpBind()
  const left = () => Math.round(((node.netfilter.flows()[0]?.expiresAt ?? 0) - lab.now) / SECOND)
  socket.send(text('a'), endpoint(`${VIP}:8080`))
  lab.run(MILLISECOND)
  assert.equal([left(), node.netfilter.flows()[0]!.assured], [30, false])
  lab.run(3 * SECOND)
  socket.send(text('b'), endpoint(`${VIP}:8080`))
  lab.run(MILLISECOND)
  assert.equal([left(), node.netfilter.flows()[0]!.assured], [120, true])
  lab.run(121 * SECOND)
  assert.equal(node.netfilter.flows(), [])
})

test('damaged packets stay damaged through translation, and nothing wrong is ever read', () => {
  const { lab, node, pod } = cluster()
  lab.recording = false
  const listener = node.stack.tcpListen({ address: 0, port: PROXY_PORT })
  const client = pod.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(SECOND)
  const server = listener.accept()!
  const byteAt = (at: number) => (at * 13 + (at >> 8)) & 255
  const size = 200_000
  let sent = 0
  let received = 0
  let wrong = 0
  const write = () => {
    while (sent < size && client.writable > 0) {
      sent += client.write(
        Uint8Array.from({ length: Math.min(4096, size - sent) }, (_, i) => byteAt(sent + i)),
      )
    }
  }
  client.onReady = write
  server.onReady = () => {
    for (let bytes = server.read(); bytes !== undefined; bytes = server.read()) {
      for (const byte of bytes) if (byte !== byteAt(received++)) wrong++
    }
  }
  lab.setLink(pod, { corruptRatio: 0.05 })
  write()
  lab.runWhile(() => received < size, lab.now + 10 * MINUTE)
  assert.equal([received, wrong], [size, 0])
  assert.ok(node.stack.counters.TcpInCsumErrors > 0)
})

test('a refused connection is forgotten after ten seconds', () => {
  const { lab, node, pod } = cluster()
  const client = pod.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(SECOND)
  assert.is(client.error?.code, 'ECONNREFUSED')
  assert.is(node.netfilter.flows()[0]?.state, 'CLOSE')
  lab.run(10 * SECOND)
  assert.equal(node.netfilter.flows(), [])
})

test('flushed flows are picked up again, translated by the rules of that moment', () => {
  const { lab, node, pod } = cluster()
  greet(node.stack)
  const client = pod.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(SECOND)
  assert.is(
    node.netfilter.flushConntrack((flow) => flow.original.destination === ipv4(VIP)),
    1,
  )
  client.write(text('again'))
  lab.run(SECOND)
  assert.ok(string(client.read())?.startsWith('you are'))
})

test('without loose tracking a connection is not picked up in the middle', () => {
  const { lab, node, pod } = cluster()
  greet(node.stack)
  const client = pod.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(SECOND)
  node.netfilter.conntrackSettings.tcpLoose = false
  node.netfilter.flushConntrack()
  client.write(text('again'))
  lab.run(SECOND)
  assert.is(client.read(), undefined)
  assert.equal(node.netfilter.flows(), [])
  assert.ok(node.netfilter.conntrackCounters.invalid > 0)
})

test('time-outs are settings', () => {
  const { lab, node, pod } = cluster('udp')
  node.netfilter.conntrackSettings.udpTimeout = 5 * SECOND
  node.stack.udpBind({ port: PROXY_PORT })
  pod.stack.udpBind().send(text('a'), endpoint(`${VIP}:8080`))
  lab.run(4 * SECOND)
  assert.is(node.netfilter.flows().length, 1)
  lab.run(2 * SECOND)
  assert.equal(node.netfilter.flows(), [])
})

test('filter: DROP in FORWARD by state, policy and interface; the counters tell', () => {
  const { lab, node, pod } = cluster()
  const { netfilter } = node
  netfilter.setPolicy('filter', 'FORWARD', 'DROP')
  const socket = pod.stack.ping()
  socket.send(ipv4('192.168.56.12'), 1, text('a'))
  lab.run(SECOND)
  assert.is(socket.receive(), undefined)
  assert.equal(netfilter.flows(), [])
  netfilter.appendRule('filter', 'FORWARD', {
    matches: [
      { match: 'in-interface', name: 'cni+' },
      { match: 'state', states: ['NEW', 'ESTABLISHED'] },
    ],
    target: { target: 'ACCEPT' },
  })
  netfilter.appendRule('filter', 'FORWARD', {
    matches: [{ match: 'state', states: ['ESTABLISHED', 'RELATED'] }],
    target: { target: 'ACCEPT' },
  })
  socket.send(ipv4('192.168.56.12'), 2, text('a'))
  lab.run(SECOND)
  assert.is(socket.receive()?.sequence, 2)
  const forward = netfilter.chains('filter').find((chain) => chain.name === 'FORWARD')!
  assert.equal(
    forward.rules.map((entry) => entry.packets),
    [1, 1],
  )
  assert.is(forward.packets, 1)
})

test('rules that matched can be watched, in order', () => {
  const { lab, node, pod } = cluster()
  const seen: string[] = []
  node.netfilter.trace((event) => {
    if (event.event === 'rule') seen.push(`${event.table}:${event.chain}:${event.number} ${event.verdict}`)
    else if (event.event === 'nat') seen.push(`${event.part} ${formatEndpoint(event.after)}`)
  })
  const client = pod.stack.tcpConnect(endpoint(`${VIP}:8080`))
  lab.run(SECOND)
  assert.is(client.error?.code, 'ECONNREFUSED')
  assert.equal(seen, [
    'nat:PREROUTING:1 jump KUBE-PORTALS-CONTAINER',
    'nat:KUBE-PORTALS-CONTAINER:1 REDIRECT',
    'destination 10.36.0.1:40123',
    'source 10.99.130.31:8080',
  ])
})

test.run()
