// kube-proxy for IPv6: every mode on packets, its rules as the real ip6tables-restore, ipset and nft take them, and both
// families side by side on one node.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { SECOND } from '../../src/base/time.js'
import { listText } from '../../src/ipvs/ipvsadm.js'
import { createProxy } from '../../src/proxy/create-proxy.js'
import { DualStackProxy } from '../../src/proxy/dual-stack-proxy.js'
import type { ProxyOptions } from '../../src/proxy/service-proxy.js'
import { cidr, formatAddress, formatEndpoint, ip } from '../../src/wire/address.js'
import { change, inIpv6, service, slice } from '../support/cluster-objects.js'
import { endpoint } from '../support/hosts.js'
import { inNamespace, missing } from '../support/kernel-tools.js'
import { counts, ProxyLab } from '../support/proxy-lab.js'
import { UPSTREAM_CLUSTER } from '../support/upstream-cluster.js'

const test = suite('kube-proxy and IPv6')
const MODES = ['iptables', 'ipvs', 'nftables'] as const
const NODE_PORT = 30_080

function lab(mode: (typeof MODES)[number], endpoints: number, options: Partial<ProxyOptions> = {}): ProxyLab {
  return new ProxyLab(mode, endpoints, { family: 'IPv6', ...options })
}

function nodePorts() {
  return {
    type: 'NodePort' as const,
    ports: [
      { name: 'web', port: 80, nodePort: NODE_PORT, protocol: 'TCP' as const },
      { name: 'dns', port: 53, protocol: 'UDP' as const },
    ],
  }
}

/** Rules without what packets have counted. */
const uncounted = (rules: string) => rules.replace(/\[\d+:\d+\]/g, '')

for (const mode of MODES) {
  test(`${mode}: pods reach every endpoint of a cluster IP under their own address`, () => {
    const cluster = lab(mode, 3)
    cluster.applyService()
    const answers = cluster.answers(60)
    assert.equal(
      new Set(answers),
      new Set(['::1:1', '::1:2', '::1:3'].map((to) => `fd00:36${to} for fd00:36::2`)),
    )
    assert.is(cluster.ask()?.split(' ')[2], 'fd00:36::2')
    assert.equal(cluster.lab.faults, [])
  })

  test(`${mode}: a pod that reaches itself through the service is masqueraded`, () => {
    const cluster = lab(mode, 1)
    cluster.applyService()
    assert.is(cluster.connect(cluster.servers[0]).server, 'fd00:36::1:1 for fd00:36::1')
    assert.equal(cluster.lab.faults, [])
  })

  test(`${mode}: node ports answer the outside, masqueraded, and the node itself`, () => {
    const cluster = lab(mode, 2)
    cluster.applyService(nodePorts())
    const to = formatEndpoint({ address: ip(cluster.addresses.node), port: NODE_PORT })
    const answers = cluster.answers(40, cluster.outside, to)
    assert.is(counts(answers).size, 2, JSON.stringify(answers))
    assert.ok(answers.every((answer) => answer?.endsWith('for fd00:36::1')))
    assert.ok(cluster.answers(4, cluster.node, to).every((answer) => answer !== undefined))
    assert.equal(cluster.lab.faults, [])
  })

  test(`${mode}: a service without endpoints is refused by ICMPv6`, () => {
    const cluster = lab(mode, 0)
    cluster.applyService()
    const { socket } = cluster.connect()
    cluster.run(SECOND)
    assert.is(socket.error?.code, 'ECONNREFUSED')
    const datagrams = cluster.client.stack.udpBind()
    datagrams.connect(endpoint(cluster.serviceAt(53)))
    datagrams.send(new Uint8Array([1]))
    cluster.run(SECOND)
    assert.is(datagrams.takeError()?.code, 'ECONNREFUSED')
    assert.equal(cluster.lab.faults, [])
  })

  test(`${mode}: an error about a translated packet comes from the address that was asked`, () => {
    const cluster = lab(mode, 1)
    cluster.applyService({ ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] })
    // Nobody listens on the endpoint's port: it answers with an ICMPv6 error, which is translated back.
    cluster.apply({
      ...slice('svc', ['fd00:36::1:1'], [{ name: 'dns', port: 9, protocol: 'UDP' }]),
      addressType: 'IPv6',
    })
    const socket = cluster.client.stack.udpBind()
    socket.connect(endpoint(cluster.serviceAt(53)))
    socket.send(new Uint8Array([1]))
    cluster.run(SECOND)
    assert.is(socket.takeError()?.code, 'ECONNREFUSED')
    assert.equal(cluster.lab.faults, [])
  })

  test(`${mode}: session affinity binds a client to one endpoint`, () => {
    const cluster = lab(mode, 5)
    cluster.applyService({ sessionAffinity: 'ClientIP' })
    assert.is(counts(cluster.answers(20)).size, 1)
  })

  test(`${mode}: beside IPv4 on one node, and gone without a trace of its own`, () => {
    const cluster = lab(mode, 1)
    const { node } = cluster
    const options: ProxyOptions = {
      nodeName: 'test-node',
      nodeAddresses: [ip('192.168.0.2')],
      clusterCIDR: cidr('10.36.0.0/16'),
      stack: node.stack,
      netfilter: node.netfilter,
      random: new Random('IPv4'),
      minSyncPeriod: 0,
      ipvs: { kernel: node.ipvs },
    }
    const ipv4Proxy = createProxy(mode, options)
    const both = new DualStackProxy([ipv4Proxy, cluster.proxy])
    const text = () => {
      const { netfilter } = node
      const own = netfilter.ruleset().split('table ip6 ')[0]!
      const sets = netfilter.sets.list().filter(({ family }) => family === 'inet')
      const addresses = node.stack.interfaces().flatMap((each) => each.addresses)
      const bound = addresses
        .map(({ address }) => formatAddress(address))
        .filter((each) => !each.includes(':'))
      const servers = node.ipvs
        .services()
        .filter(({ id }) => 'address' in id && typeof id.address === 'number')
      return [
        netfilter.save(),
        own,
        sets.map(({ name, size }) => `${name} ${size}`),
        bound,
        listText(servers),
      ]
    }
    for (const object of UPSTREAM_CLUSTER) ipv4Proxy.apply(change(object))
    ipv4Proxy.sync(cluster.now)
    const before = text()
    cluster.applyService()
    for (const object of UPSTREAM_CLUSTER) both.apply(change(object))
    for (const object of UPSTREAM_CLUSTER) both.apply(change(inIpv6(object)))
    both.sync(cluster.now)
    assert.is(cluster.connect().server, 'fd00:36::1:1 for fd00:36::2')
    assert.is(both.rows().length > UPSTREAM_CLUSTER.length / 2, true)
    cluster.proxy.close()
    // IPv6's objects carry the same names: IPv4's proxy has forgotten what it had of them.
    for (const object of UPSTREAM_CLUSTER) ipv4Proxy.apply(change(object))
    ipv4Proxy.sync(cluster.now)
    assert.equal(text(), before)
    assert.is(
      uncounted(node.netfilter.save(undefined, { family: 'IPv6' })),
      uncounted(lab(mode, 0).node.netfilter.save(undefined, { family: 'IPv6' })),
    )
    assert.equal(
      node.netfilter.sets.list().filter(({ family }) => family === 'inet6'),
      [],
    )
    ipv4Proxy.close()
    assert.is(node.netfilter.ruleset(), '')
    assert.is(
      node.stack.interfaces().some(({ name }) => name === 'kube-ipvs0'),
      false,
    )
  })
}

test('node ports of IPv6 do not answer on ::1, whatever IPv4 does', () => {
  for (const mode of MODES) {
    const cluster = lab(mode, 1, { localhostNodePorts: true })
    cluster.applyService(nodePorts())
    const { socket } = cluster.connect(cluster.node, `[::1]:${NODE_PORT}`)
    assert.is(socket.error?.code, 'ECONNREFUSED', mode)
  }
})

// ---- the real tools

/** The cluster of kube-proxy's own test, in IPv6. */
function upstream(mode: (typeof MODES)[number]): ProxyLab {
  const cluster = lab(mode, 0, {
    clusterCIDR: cidr('fd00:10::/64'),
    serviceCIDRs: [cidr('fd00:172:30::/112')],
    nodePortAddresses: ['192.168.0.0/24', '2001:db8::/64'],
  })
  cluster.apply(...UPSTREAM_CLUSTER.map(inIpv6))
  return cluster
}

function assertGolden(name: string, text: string): void {
  const file = fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url))
  if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, text)
  assert.fixture(text, readFileSync(file, 'utf8'))
}

const withoutTools = missing('ip6tables-restore') ?? missing('nft')
const real = withoutTools === undefined ? test : test.skip
const why = withoutTools === undefined ? '' : ` (skipped: ${withoutTools})`

function ip6tablesSave(cluster: ProxyLab): string {
  const { netfilter } = cluster.node
  return netfilter.save('nat', { family: 'IPv6' }) + netfilter.save('filter', { family: 'IPv6' })
}

test('iptables mode writes the golden ip6tables-save', () => {
  assertGolden('iptables/ipv6.rules', ip6tablesSave(upstream('iptables')))
})

real(`the real ip6tables-restore takes it and saves it the same${why}`, () => {
  const rules = ip6tablesSave(upstream('iptables'))
  const saved = inNamespace('ip6tables-restore && ip6tables-save -t nat && ip6tables-save -t filter', rules)
  const lines = (text: string) =>
    text.split('\n').filter((line) => line.startsWith('-A') || line.startsWith('*'))
  assert.equal(lines(saved).sort(), lines(rules).sort())
})

test('nftables mode writes the golden ruleset', () => {
  assertGolden('nftables-mode-ipv6.nft', upstream('nftables').node.netfilter.ruleset())
})

real(`the real nft takes it and lists it the same${why}`, () => {
  const rules = upstream('nftables').node.netfilter.ruleset()
  assert.is(inNamespace('nft -f - && nft list ruleset', rules), rules)
})

test('ipvs mode has sets and virtual servers of its own', () => {
  const { node } = upstream('ipvs')
  const sets = node.netfilter.sets.list()
  assert.ok(
    sets.every(({ name, family }) => name.startsWith('KUBE-6-') && name.length <= 31 && family === 'inet6'),
  )
  assert.ok(sets.some(({ name }) => name === 'KUBE-6-LOAD-BALANCER-SOURCE-CID'))
  assert.match(node.netfilter.setsText(), 'fd00:172:30::29,tcp:80')
  assert.match(listText(node.ipvs.services()), 'TCP  [fd00:172:30::29]:80 rr\n  -> [fd00:10:180::1]:80')
})

real(`the real ip6tables-restore and ipset take what ipvs mode writes${why}`, () => {
  const { netfilter } = upstream('ipvs').node
  const made = netfilter.sets.list().map(({ name, type, family }) => {
    const range = type === 'bitmap:port' ? ' range 0-65535' : ` family ${family}`
    return `ipset create ${name} ${type}${range}`
  })
  let usable = true
  try {
    inNamespace(made.join('\n'), '')
  } catch {
    // A kernel without ipset: then the rules that name sets cannot be tried.
    usable = false
  }
  const rules = netfilter.save('nat', { family: 'IPv6' }) + netfilter.save('filter', { family: 'IPv6' })
  if (usable) inNamespace(`${made.join('\n')}\nip6tables-restore --test`, rules)
  assert.is(made.length, 17)
})

test('a service of the other family is none of the proxy’s business', () => {
  const cluster = lab('iptables', 1)
  cluster.apply(service('four', { clusterIP: '10.96.0.9', ports: [{ port: 80 }] }))
  assert.equal(cluster.proxy.rows(), [])
  assert.not.match(ip6tablesSave(cluster), 'four')
})

test.run()
