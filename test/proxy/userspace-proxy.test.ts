import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { NEVER, SECOND } from '../../src/base/time.js'
import type { EndpointSlice, Service } from '../../src/cluster/objects.js'
import type { Rule } from '../../src/netfilter/rule.js'
import type { ProxyFlow } from '../../src/proxy/forwarder.js'
import { UserspaceProxy } from '../../src/proxy/userspace-proxy.js'
import { type Endpoint, formatAddress, formatEndpoint, ipv4 } from '../../src/wire/address.js'
import { change, service, slice } from '../support/cluster-objects.js'
import { FakeSockets, type FakeTcp, NODE } from '../support/fake-sockets.js'

const test = suite('userspace proxy')

const CLIENT: Endpoint = { address: ipv4('10.36.0.7'), port: 50_000 }
const THREE = ['10.36.0.0', '10.36.0.1', '10.39.0.1']

function world(seed = '1') {
  const sockets = new FakeSockets()
  const chains = new Map<string, Rule[]>()
  const flows: ProxyFlow[] = []
  let writes = 0
  const proxy = new UserspaceProxy({
    nodeName: 'k8s-node1',
    nodeAddress: NODE.address,
    sockets,
    netfilter: {
      replaceChain(table, chain, rules) {
        assert.is(table, 'nat')
        chains.set(chain, rules)
        writes++
      },
      chains: () => [...chains].map(([name, rules]) => ({ name, rules: rules.map((rule) => ({ rule })) })),
    },
    random: new Random(seed),
    onFlow: (flow) => flows.push(flow),
  })
  let clientPort = CLIENT.port
  return {
    sockets,
    chains,
    flows,
    proxy,
    writes: () => writes,
    apply(...objects: (Service | EndpointSlice)[]) {
      for (const object of objects) proxy.apply(change(object))
      proxy.sync(sockets.now)
    },
    /** A new connection of a client through the first (or named) service port. */
    connect(address = CLIENT.address, name?: string): FakeTcp {
      const portal = proxy.portals().find((row) => name === undefined || row.service === name)!
      const socket = sockets.clientTo(portal.localPort, { address, port: clientPort++ })
      sockets.run()
      return socket
    },
    wait(duration: number) {
      sockets.setNow(sockets.now + duration)
      proxy.advance(sockets.now)
      sockets.run()
    },
    endpoints: () => flows.map((flow) => flow.endpoint && formatAddress(flow.endpoint.address)),
  }
}

function clusterIP(extra: Partial<Service['spec']> = {}): Service {
  return service('sidecar-svc', { clusterIP: '10.97.98.36', ports: [{ port: 8080 }], ...extra })
}

test('nine connections over three endpoints are three rounds in the same order', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', THREE))
  for (let i = 0; i < 9; i++) it.connect()
  const order = it.endpoints()
  assert.equal([...new Set(order.slice(0, 3))].sort(), THREE)
  assert.equal(order, [...order.slice(0, 3), ...order.slice(0, 3), ...order.slice(0, 3)])
  assert.equal(
    it.sockets.dials,
    it.flows.map((flow) => formatEndpoint(flow.endpoint!)),
  )
})

test('a changed set is shuffled by the seed and starts anew; an unchanged one keeps its turn', () => {
  const orders = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const it = world(`seed ${seed}`)
    it.apply(clusterIP(), slice('sidecar-svc', THREE))
    orders.add(it.proxy.portals()[0]!.endpoints.map(formatEndpoint).join(' '))
  }
  assert.is(orders.size, 6)

  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', THREE))
  it.connect()
  const turn = it.proxy.portals()[0]!.endpoints
  it.apply(slice('sidecar-svc', [...THREE].reverse()))
  assert.equal(it.proxy.portals()[0]!.endpoints, turn)
  it.apply(slice('sidecar-svc', [...THREE, '10.39.0.2']))
  const next = it.proxy.portals()[0]!.endpoints
  assert.is(next.length, 4)
  for (let i = 0; i < 4; i++) it.connect()
  assert.equal(
    it.endpoints().slice(1),
    next.map((e) => formatAddress(e.address)),
  )
})

test('the same seed gives the same order on one node and its own on another service port', () => {
  const order = (it: ReturnType<typeof world>) => it.proxy.portals().map((row) => row.endpoints)
  const both = [clusterIP(), slice('sidecar-svc', THREE)]
  const alone = world()
  alone.apply(...both)
  const crowded = world()
  crowded.apply(service('other', { clusterIP: '10.96.0.9', ports: [{ port: 1 }] }), slice('other', THREE))
  crowded.apply(...both)
  assert.equal(order(crowded)[1], order(alone)[0])
})

test('rules send the cluster IP to the local port: REDIRECT for pods, DNAT for the node itself', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', THREE))
  const { localPort } = it.proxy.portals()[0]!
  assert.ok(localPort >= 32768 && localPort <= 60999)
  const matches = [
    { match: 'destination', cidr: { network: ipv4('10.97.98.36'), prefixLength: 32 } },
    { match: 'protocol', protocol: 'tcp' },
    { match: 'comment', text: 'default/sidecar-svc' },
    { match: 'destination-port', port: 8080 },
  ]
  assert.equal(it.chains.get('KUBE-PORTALS-CONTAINER'), [
    { matches, target: { target: 'REDIRECT', port: localPort } },
  ])
  assert.equal(it.chains.get('KUBE-PORTALS-HOST'), [
    { matches, target: { target: 'DNAT', to: { address: NODE.address, port: localPort } } },
  ])
  assert.equal(it.chains.get('PREROUTING')![0]!.target, { target: 'jump', chain: 'KUBE-PORTALS-CONTAINER' })
  assert.equal(it.chains.get('OUTPUT')![0]!.target, { target: 'jump', chain: 'KUBE-PORTALS-HOST' })
})

test('headless and ExternalName services get no rule; SCTP ports are noted', () => {
  const it = world()
  it.apply(
    service('headless', { clusterIP: 'None', ports: [{ port: 8080 }] }),
    service('external', { type: 'ExternalName', externalName: 'example.org' }),
    service('media', { clusterIP: '10.96.0.7', ports: [{ name: 's', port: 9, protocol: 'SCTP' }] }),
    slice('headless', THREE),
  )
  assert.equal(it.chains.get('KUBE-PORTALS-CONTAINER'), [])
  assert.is(it.sockets.listeners.size, 0)
  assert.equal([...it.proxy.skipped.keys()], ['default/media:s'])
})

test('rules are written once for many changes, and not at all for changed endpoints', () => {
  const it = world()
  it.apply(
    clusterIP(),
    service('b', { clusterIP: '10.96.0.7', ports: [{ port: 1 }, { name: 'x', port: 2 }] }),
  )
  const writes = it.writes()
  assert.is(writes, 4)
  it.apply(slice('sidecar-svc', THREE))
  it.apply(slice('sidecar-svc', ['10.36.0.0']))
  assert.is(it.writes(), writes)
})

test('a refused dial moves on to the next endpoint', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', THREE))
  const [first, second] = it.proxy.portals()[0]!.endpoints
  it.sockets.servers.set(formatEndpoint(first!), 'refuses')
  it.connect()
  assert.equal(it.sockets.dials, [formatEndpoint(first!), formatEndpoint(second!)])
  assert.equal(it.endpoints(), [formatAddress(second!.address)])
})

test('silent endpoints are given 250 ms, 500 ms, 1 s and 2 s; then the client is closed', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', THREE))
  for (const endpoint of it.proxy.portals()[0]!.endpoints) {
    it.sockets.servers.set(formatEndpoint(endpoint), 'silent')
  }
  const client = it.connect()
  for (const timeout of [250_000, 500_000, 1_000_000, 2_000_000]) {
    assert.is(it.proxy.deadline(), it.sockets.now + timeout)
    assert.is(client.ended, false)
    it.wait(timeout - 1)
    assert.is(it.proxy.deadline(), it.sockets.now + 1)
    it.wait(1)
  }
  assert.is(it.sockets.dials.length, 4)
  assert.ok(client.ended)
  assert.equal(it.endpoints(), [undefined])
  assert.is(it.proxy.deadline(), NEVER)
})

test('a port serves its clients one after the other while a dial is under way', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', ['10.36.0.0', '10.36.0.1']))
  const [first] = it.proxy.portals()[0]!.endpoints
  it.sockets.servers.set(formatEndpoint(first!), 'silent')
  it.connect()
  it.connect()
  assert.is(it.sockets.dials.length, 1)
  it.wait(250_000)
  assert.is(it.flows.length, 1)
  assert.is(it.sockets.dials.length, 3)
})

test('without a ready endpoint a client is accepted and closed', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', ['!10.36.0.0']))
  const client = it.connect()
  assert.ok(client.ended)
  assert.is(client.error, undefined)
  assert.equal(it.endpoints(), [undefined])
})

test('publishNotReadyAddresses takes the others too', () => {
  const it = world()
  it.apply(clusterIP({ publishNotReadyAddresses: true }), slice('sidecar-svc', ['!10.36.0.0']))
  it.connect()
  assert.equal(it.endpoints(), ['10.36.0.0'])
})

test('session affinity binds a client address until its timeout, and anew after a failed dial', () => {
  const it = world()
  const affinity = {
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
  }
  it.apply(clusterIP(affinity as Partial<Service['spec']>), slice('sidecar-svc', THREE))
  const other = ipv4('10.39.0.9')
  for (let i = 0; i < 4; i++) it.connect()
  it.connect(other)
  it.connect()
  const [mine, , , , theirs] = it.endpoints()
  assert.equal(it.endpoints(), [mine, mine, mine, mine, theirs, mine])
  assert.is.not(mine, theirs)

  it.wait(60 * SECOND)
  it.connect()
  const rebound = it.endpoints().at(-1)
  assert.is.not(rebound, mine)
  it.connect()
  assert.is(it.endpoints().at(-1), rebound)

  it.sockets.servers.set(`${rebound}:80`, 'refuses')
  it.connect()
  const next = it.endpoints().at(-1)
  assert.is.not(next, rebound)
  it.connect()
  assert.is(it.endpoints().at(-1), next)
  assert.is(it.sockets.dials.length, it.flows.length + 1)
})

test('an endpoint that goes takes the affinity of its clients along, not their connections', () => {
  const it = world()
  it.apply(clusterIP({ sessionAffinity: 'ClientIP' }), slice('sidecar-svc', THREE))
  const client = it.connect()
  const [bound] = it.endpoints()
  it.apply(
    slice(
      'sidecar-svc',
      THREE.filter((address) => address !== bound),
    ),
  )
  client.send('still here')
  it.sockets.run()
  assert.is(it.sockets.accepted[0]!.text(), 'still here')
  it.connect()
  assert.is.not(it.endpoints()[1], bound)
})

test('bytes go both ways, and each side may end on its own', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', THREE))
  const client = it.connect()
  const server = it.sockets.accepted[0]!
  client.send('GET /date.txt')
  client.shutdown()
  it.sockets.run()
  assert.is(server.text(), 'GET /date.txt')
  assert.ok(server.ended)
  server.send('Mon Sep 13')
  it.sockets.run()
  assert.is(client.text(), 'Mon Sep 13')
  assert.is(client.ended, false)
  assert.is(it.proxy.connections, 1)
  server.shutdown()
  it.sockets.run()
  assert.ok(client.ended)
  assert.is(it.proxy.connections, 0)
  assert.ok(client.peer!.closed && server.peer!.closed)
})

test('a reader that stalls stops the writer; nothing is held in between', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', THREE))
  const client = it.connect()
  const server = it.sockets.accepted[0]!
  const text = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
  let sent = 0
  const push = () => {
    while (sent < text.length && server.writable > 0) {
      const part = text.slice(sent, sent + server.writable)
      server.send(part)
      sent += part.length
    }
  }
  server.onReady = push
  push()
  it.sockets.run()
  assert.is(sent, 2 * it.sockets.bufferBytes)
  let got = ''
  for (let part = client.text(); part !== ''; part = client.text()) {
    got += part
    it.sockets.run()
  }
  assert.is(got, text)
  assert.is(client.highWater, it.sockets.bufferBytes)
})

test('a reset of either side resets the other', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', THREE))
  const first = it.connect()
  it.sockets.accepted[0]!.abort()
  it.sockets.run()
  assert.is(first.error?.code, 'ECONNRESET')
  const second = it.connect()
  second.abort()
  it.sockets.run()
  assert.is(it.sockets.accepted[1]!.error?.code, 'ECONNRESET')
  assert.is(it.proxy.connections, 0)
})

test('a service that goes takes its listener and rules along, not its connections', () => {
  const it = world()
  it.apply(clusterIP(), slice('sidecar-svc', THREE))
  const client = it.connect()
  it.proxy.apply(change(clusterIP(), 'DELETED'))
  it.proxy.sync(it.sockets.now)
  assert.is(it.sockets.listeners.size, 0)
  assert.equal(it.chains.get('KUBE-PORTALS-CONTAINER'), [])
  client.send('on')
  it.sockets.run()
  assert.is(it.sockets.accepted[0]!.text(), 'on')
})

const DNS = service('kube-dns', {
  clusterIP: '10.96.0.10',
  ports: [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ],
})
const DNS_SLICE = slice('kube-dns', ['10.36.0.2', '10.39.0.2'], [{ name: 'dns', port: 53, protocol: 'UDP' }])

function udpWorld() {
  const it = world()
  it.apply(DNS, DNS_SLICE)
  const [listener] = it.sockets.udp
  return { ...it, listener: listener!, backends: () => [...it.sockets.udp].slice(1) }
}

test('a UDP client keeps its endpoint until nothing has passed for 250 ms', () => {
  const it = udpWorld()
  const send = (text: string, port = CLIENT.port) => {
    it.listener.deliver(text, { ...CLIENT, port })
    it.sockets.run()
  }
  send('one')
  send('two')
  send('other', 50_001)
  const [first, second] = it.backends()
  assert.equal(
    first!.sent.map((d) => d.text),
    ['one', 'two'],
  )
  assert.equal(
    second!.sent.map((d) => d.text),
    ['other'],
  )
  assert.is.not(formatEndpoint(first!.remote!), formatEndpoint(second!.remote!))

  it.wait(200_000)
  first!.deliver('answer', first!.remote!)
  it.sockets.run()
  assert.equal(it.listener.sent, [{ text: 'answer', to: formatEndpoint(CLIENT) }])
  it.wait(200_000)
  assert.is(first!.closed, false)
  assert.is(second!.closed, true)
  it.wait(50_000)
  assert.is(first!.closed, true)
  assert.is(it.proxy.deadline(), NEVER)
  assert.is(it.flows.length, 2)
})

test('a refused UDP endpoint ends the association; the next datagram gets the next endpoint', () => {
  const it = udpWorld()
  it.listener.deliver('one', CLIENT)
  it.sockets.run()
  const [first] = it.backends()
  first!.refuse()
  it.sockets.run()
  assert.is(first!.closed, true)
  it.listener.deliver('two', CLIENT)
  it.sockets.run()
  const [second] = it.backends()
  assert.is.not(formatEndpoint(first!.remote!), formatEndpoint(second!.remote!))
})

test('a UDP endpoint without a route is passed over, without losing the datagram', () => {
  const it = udpWorld()
  const [first, second] = it.proxy.portals()[0]!.endpoints
  it.sockets.servers.set(formatEndpoint(first!), 'unreachable')
  it.listener.deliver('one', CLIENT)
  it.sockets.run()
  const [socket, ...others] = it.backends()
  assert.equal(socket!.sent, [{ text: 'one', to: formatEndpoint(second!) }])
  assert.equal(others, [])
  assert.equal(it.endpoints(), [formatAddress(second!.address)])
})

test('a UDP service that goes cuts its clients off', () => {
  const it = udpWorld()
  it.listener.deliver('one', CLIENT)
  it.sockets.run()
  it.proxy.apply(change(DNS, 'DELETED'))
  it.proxy.sync(it.sockets.now)
  assert.is(it.sockets.udp.size, 0)
  assert.is(it.proxy.deadline(), NEVER)
})

test('closing the proxy leaves no listener, connection, rule or deadline', () => {
  const it = world()
  it.apply(clusterIP(), DNS, slice('sidecar-svc', THREE), DNS_SLICE)
  const client = it.connect(CLIENT.address, 'default/sidecar-svc')
  for (const endpoint of THREE) it.sockets.servers.set(`${endpoint}:80`, 'silent')
  const waiting = it.connect(CLIENT.address, 'default/sidecar-svc')
  it.proxy.close()
  it.sockets.run()
  assert.is(client.error?.code, 'ECONNRESET')
  assert.is(waiting.error?.code, 'ECONNRESET')
  assert.is(it.sockets.listeners.size + it.sockets.udp.size, 0)
  assert.equal([...it.chains.values()].flat(), [])
  assert.is(it.proxy.deadline(), NEVER)
})

test.run()
