// A lookup on packets: the stub resolver of one pod asks the cluster IP of kube-dns, its node's kube-proxy carries
// that to the CoreDNS program in another pod, and the answer comes back the same way.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import type { Micros } from '../../src/base/time.js'
import type { ClusterFollower } from '../../src/cluster/feed.js'
import { dnsCodec } from '../../src/drivers/dns-codec.js'
import { type MachineId, Network } from '../../src/fabric/network.js'
import { type Host, podHost } from '../../src/host/host.js'
import { nodeHost } from '../../src/host/node-host.js'
import { corednsProgram } from '../../src/pod/images/coredns.js'
import { abortable, Wakeup } from '../../src/posix/abort.js'
import type { Net } from '../../src/posix/net.js'
import { ProcessNet } from '../../src/posix/net-over-stack.js'
import type { PodNetwork } from '../../src/posix/pod-network.js'
import type { Clock, Process } from '../../src/posix/process.js'
import { StubResolver } from '../../src/posix/resolver.js'
import { ProxiedMachine } from '../../src/proxy/proxied-machine.js'
import { UserspaceProxy } from '../../src/proxy/userspace-proxy.js'
import { cidr, formatAddress, ipv4, parseInterfaceAddress } from '../../src/wire/address.js'
import { change, namespace, service, slice } from '../support/cluster-objects.js'

const test = suite('DNS through the proxy')

const DNS_PORTS = [
  { name: 'dns', port: 53, protocol: 'UDP' as const },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' as const },
]
const OBJECTS = [
  namespace('default'),
  namespace('kube-system'),
  service('kube-dns', { clusterIP: '10.96.0.10', ports: DNS_PORTS }, 'kube-system'),
  slice('kube-dns', ['10.36.0.9'], DNS_PORTS, 'kube-system'),
  service('sidecar-svc', { clusterIP: '10.97.98.36', ports: [{ port: 8080 }] }),
  slice('sidecar-svc', ['10.36.0.0', '10.36.0.1', '10.39.0.1']),
  service('big', { clusterIP: 'None' }),
  slice(
    'big',
    Array.from({ length: 60 }, (_, i) => `10.50.0.${i}`),
  ),
]
const FILES: Record<string, string> = {
  '/etc/resolv.conf':
    'nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n',
}

/** One node with pods whose programs wait for packets and emulated time only. */
class World {
  readonly network = new Network(new Random('wires'))
  now: Micros = 0
  readonly #sleepers: { at: Micros; wakeup: Wakeup }[] = []
  readonly #random = new Random('dns through proxy')
  readonly #node = nodeHost({
    name: 'k8s-node1',
    mac: 0x02_00_00_00_00_01,
    address: parseInterfaceAddress('192.168.56.11/24')!,
    bridge: parseInterfaceAddress('10.36.255.254/16')!,
    random: this.#random.fork('node'),
    routes: [{ destination: cidr('0.0.0.0/0'), gateway: ipv4('192.168.56.1') }],
  })
  readonly proxy = new UserspaceProxy({
    nodeName: 'k8s-node1',
    nodeAddress: ipv4('192.168.56.11'),
    sockets: this.#node.stack,
    netfilter: this.#node.netfilter,
    random: this.#random.fork('proxy'),
  })
  readonly #nodeId: MachineId
  readonly clock: Clock = {
    now: () => this.now,
    unixMillis: () => this.now / 1000,
    spend: async () => {},
    sleep: (duration, signal) => {
      const sleeper = { at: this.now + duration, wakeup: new Wakeup() }
      this.#sleepers.push(sleeper)
      return abortable(sleeper.wakeup.wait(), signal).finally(() => this.#forget(sleeper))
    },
  }

  constructor() {
    this.#nodeId = this.network.add('k8s-node1', new ProxiedMachine(this.#node, this.proxy))
    for (const object of OBJECTS) this.proxy.apply(change(object))
    this.proxy.sync(0)
    this.network.touch(this.#nodeId)
  }

  pod(address: string): { host: Host; net: Net; resolver: StubResolver } {
    const host = podHost({
      name: address,
      mac: 0x02_00_00_00_01_00 + Number(address.split('.')[3]),
      address: parseInterfaceAddress(`${address}/16`)!,
      gateway: ipv4('10.36.255.254'),
      mtuBytes: 1500,
      random: this.#random.fork(address),
    })
    const id = this.network.add(address, host)
    this.network.connect(
      { machine: id, port: 0 },
      { machine: this.#nodeId, port: this.#node.addPod(address) },
      { delay: 50 },
    )
    const network: PodNetwork = {
      stack: host.stack,
      clock: this.clock,
      touched: () => this.network.touch(id),
    }
    const resolverOf = (net: Net) =>
      new StubResolver({
        net,
        files: { exists: (path) => path in FILES, readText: (path) => FILES[path]! },
        clock: this.clock,
        random: this.#random.fork(`${address}/resolver`),
        codec: dnsCodec,
      })
    const net = new ProcessNet(network, resolverOf)
    return { host, net, resolver: resolverOf(net) }
  }

  /** Lets packets fly and time pass until `work` settles. */
  async run<Value>(work: Promise<Value>): Promise<Value> {
    let settled = false
    const watched = work.finally(() => {
      settled = true
    })
    watched.catch(() => {})
    for (let steps = 0; steps < 100_000; steps++) {
      for (let turn = 0; turn < 30; turn++) await undefined
      if (settled) return watched
      const sleeper = this.#sleepers.reduce((first, next) => (next.at < first.at ? next : first), {
        at: Number.POSITIVE_INFINITY,
        wakeup: new Wakeup(),
      })
      const next = Math.min(this.network.deadline(), sleeper.at)
      assert.ok(next < Number.POSITIVE_INFINITY, 'everybody waits for ever')
      this.now = Math.max(this.now, next)
      if (sleeper.at <= this.now) {
        this.#forget(sleeper)
        sleeper.wakeup.wake()
      }
      this.network.run(this.now)
    }
    throw new Error('no end')
  }

  #forget(sleeper: { at: Micros; wakeup: Wakeup }): void {
    const position = this.#sleepers.indexOf(sleeper)
    if (position >= 0) this.#sleepers.splice(position, 1)
  }
}

function world() {
  const it = new World()
  const server = it.pod('10.36.0.9')
  const client = it.pod('10.36.0.5')
  const kill = new AbortController()
  const writer = { isTTY: false, write: async () => {} }
  const process = {
    argv: ['coredns'],
    stdout: writer,
    stderr: writer,
    signal: kill.signal,
    onSignal() {},
    system: { net: server.net, clock: it.clock, random: new Random('coredns') },
  } as unknown as Process
  const follow = (follower: ClusterFollower) => {
    for (const object of OBJECTS) follower.apply(change(object))
    return () => {}
  }
  const exited = corednsProgram({ codec: dnsCodec, follow })(process)
  exited.catch(() => {})
  return { it, client }
}

test('a name is resolved over UDP through the cluster IP', async () => {
  const { it, client } = world()
  const { canonicalName, addresses } = await it.run(client.resolver.resolve('sidecar-svc'))
  assert.is(canonicalName, 'sidecar-svc.default.svc.cluster.local')
  assert.equal(addresses.map(formatAddress), ['10.97.98.36'])
  assert.ok(it.now < 10_000, `it took ${it.now} us`)
})

test('addresses have names, as nslookup shows them', async () => {
  const { it, client } = world()
  const reverse = (address: string) => it.run(client.resolver.reverse(ipv4(address)))
  assert.is(await reverse('10.96.0.10'), 'kube-dns.kube-system.svc.cluster.local')
  assert.is(await reverse('10.36.0.0'), '10-36-0-0.sidecar-svc.default.svc.cluster.local')
})

test('a cut answer is fetched again over TCP, through the proxy as well', async () => {
  const { it, client } = world()
  const { addresses } = await it.run(client.resolver.resolve('big'))
  assert.is(new Set(addresses).size, 60)
})

test('an association ends after its idle time and leaves no socket on the node', async () => {
  const { it, client } = world()
  await it.run(client.resolver.resolve('sidecar-svc'))
  await it.run(it.clock.sleep(300_000))
  assert.is(it.proxy.deadline(), Number.POSITIVE_INFINITY)
  assert.is(it.proxy.connections, 0)
})

test.run()
