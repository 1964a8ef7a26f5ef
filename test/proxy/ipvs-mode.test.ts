// kube-proxy's ipvs mode on packets: who answers under which scheduler, what is masqueraded, how endpoints go away, and
// the text of rules, sets and virtual servers.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MILLISECOND, MINUTE, SECOND } from '../../src/base/time.js'
import { listText } from '../../src/ipvs/ipvsadm.js'
import type { IpvsScheduler } from '../../src/proxy/proxy-mode.js'
import { formatAddress } from '../../src/wire/address.js'
import { service, slice } from '../support/cluster-objects.js'
import { inNamespace, missing } from '../support/kernel-tools.js'
import { CLUSTER_IP, counts, NODE_ADDRESS, ProxyLab } from '../support/proxy-lab.js'
import { UPSTREAM_CLUSTER } from '../support/upstream-cluster.js'

const test = suite('ipvs mode')

const scheduled = (scheduler: IpvsScheduler, endpoints: number) =>
  new ProxyLab('ipvs', endpoints, { ipvs: { scheduler } })

function upstream(): ProxyLab {
  const lab = new ProxyLab('ipvs', 0, { clusterCIDR: { network: 0x0a000000, prefixLength: 8 } })
  lab.apply(...UPSTREAM_CLUSTER)
  return lab
}

test('round robin is exact', () => {
  for (const [endpoints, connections] of [
    [3, 300],
    [7, 350],
    [50, 500],
  ] as const) {
    const lab = scheduled('rr', endpoints)
    lab.applyService()
    const counted = counts(lab.answers(connections))
    assert.is(counted.size, endpoints)
    for (const count of counted.values()) assert.is(count, connections / endpoints)
  }
})

test('wrr, whose weights are all 1 here, is round robin; lc and wlc level what is connected', () => {
  const lab = scheduled('wrr', 3)
  lab.applyService()
  assert.equal([...counts(lab.answers(30)).values()], [10, 10, 10])
  for (const scheduler of ['lc', 'wlc', 'sed', 'nq'] as const) {
    const connected = scheduled(scheduler, 4)
    connected.applyService()
    const sockets = Array.from({ length: 20 }, () => connected.connect())
    assert.equal([...counts(sockets.map(({ server }) => server)).values()], [5, 5, 5, 5])
    // All connections of one endpoint end: the next ones are its.
    const gone = sockets.filter(({ server }) => server?.startsWith('10.36.1.3 '))
    for (const { socket } of gone) socket.abort()
    connected.lab.run(MILLISECOND)
    const next = Array.from({ length: 5 }, () => connected.connect().server)
    assert.equal([...counts(next).keys()], ['10.36.1.3'], scheduler)
  }
})

test('sh keeps a client, mh keeps a client and its port, dh the cluster IP', () => {
  for (const scheduler of ['sh', 'dh', 'lblc'] as const) {
    const lab = scheduled(scheduler, 7)
    lab.applyService()
    assert.is(counts(lab.answers(50)).size, 1, scheduler)
  }
  const mh = scheduled('mh', 7)
  mh.applyService()
  assert.match(listText(mh.node.ipvs.services()), /TCP {2}10\.96\.0\.41:80 mh \(mh-port\)/)
  const counted = counts(mh.answers(350))
  assert.is(counted.size, 7)
  assert.ok([...counted.values()].every((count) => count > 20))
})

test('with ClientIP affinity a client stays until it was away for too long', () => {
  const lab = scheduled('rr', 7)
  lab.applyService({
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
  })
  const [name] = counts(lab.answers(200)).keys()
  lab.run(9 * MINUTE)
  assert.equal([...counts(lab.answers(50)).keys()], [name])
  lab.run(11 * MINUTE)
  assert.is.not([...counts(lab.answers(1)).keys()][0], name)
})

test('pods keep their address; outside, the node and a pod that reaches itself are masqueraded', () => {
  const lab = scheduled('rr', 1)
  lab.applyService({
    type: 'NodePort',
    externalIPs: ['198.51.100.7'],
    ports: [{ name: 'web', port: 80, nodePort: 30080 }],
  })
  assert.is(lab.connect(lab.client).server, '10.36.1.1 for 10.36.0.2')
  assert.is(lab.connect(lab.servers[0]!).server, '10.36.1.1 for 10.36.0.1')
  for (const to of [`${CLUSTER_IP}:80`, `${NODE_ADDRESS}:30080`]) {
    assert.is(lab.connect(lab.outside, to).server, '10.36.1.1 for 10.36.0.1', to)
    assert.is(lab.connect(lab.node, to).server, '10.36.1.1 for 10.36.0.1', to)
  }
  assert.is(lab.connect(lab.client, '198.51.100.7:80').server, '10.36.1.1 for 10.36.0.1')
  assert.equal(lab.lab.faults, [])
})

test('an endpoint that goes keeps its connections and gets no new ones; it is gone when they are', () => {
  const lab = scheduled('rr', 3)
  lab.applyService()
  const open = Array.from({ length: 3 }, () => lab.connect())
  lab.apply(lab.endpointsOf(lab.servers.slice(1)))
  assert.match(listText(lab.node.ipvs.services()), /10\.36\.1\.1:8080 +Masq +0 +1 /)
  assert.equal([...counts(lab.answers(20)).keys()].sort(), ['10.36.1.2', '10.36.1.3'])
  const kept = open.find(({ server }) => server?.startsWith('10.36.1.1 '))!
  kept.socket.write(new Uint8Array(10))
  lab.run(5 * MINUTE)
  assert.is(kept.socket.state, 'ESTABLISHED')
  kept.socket.close()
  lab.run(5 * MINUTE)
  assert.not.match(listText(lab.node.ipvs.services()), /10\.36\.1\.1:8080/)
  assert.is(lab.proxy.deadline(), Number.POSITIVE_INFINITY)
})

test('an endpoint that comes back before it was gone takes connections again', () => {
  const lab = scheduled('rr', 2)
  lab.applyService()
  const open = Array.from({ length: 2 }, () => lab.connect())
  lab.apply(lab.endpointsOf(lab.servers.slice(1)))
  lab.apply(lab.endpointsOf(lab.servers))
  assert.is(counts(lab.answers(10)).size, 2)
  for (const { socket } of open) assert.is(socket.state, 'ESTABLISHED')
  lab.run(5 * MINUTE)
  assert.is(counts(lab.answers(10)).size, 2)
})

test('a UDP client whose endpoint goes gets another one', () => {
  const lab = scheduled('rr', 2)
  lab.applyService()
  const socket = lab.client.stack.udpBind()
  const ask = () => {
    socket.send(new Uint8Array([1]), { address: 0x0a600029, port: 53 })
    lab.lab.run(10 * MILLISECOND)
    const got = socket.receive()
    return got && String.fromCharCode(...got.bytes)
  }
  const first = ask()?.split(' ')[0]
  assert.is(ask()?.split(' ')[0], first)
  lab.apply(lab.endpointsOf(lab.servers.filter(({ name }) => name !== first)))
  // The packet that finds the endpoint gone may be lost with its flow.
  const next = ask() ?? ask()
  assert.is.not(next?.split(' ')[0], first)
  assert.ok(next)
})

test('other ports of cluster IPs do not lead to the node, services without endpoints reject', () => {
  const lab = scheduled('rr', 1)
  lab.applyService()
  lab.apply(service('empty', { clusterIP: '10.96.0.42', ports: [{ port: 80 }] }))
  lab.node.stack.tcpListen({ address: 0, port: 22 })
  assert.is(lab.connect(lab.client, `${CLUSTER_IP}:22`).socket.error?.code, 'ECONNREFUSED')
  assert.is(lab.connect(lab.client, '10.96.0.42:80').socket.error?.code, 'ECONNREFUSED')
  assert.is(lab.connect(lab.client, `${NODE_ADDRESS}:22`).socket.state, 'ESTABLISHED')
})

test('source ranges of a load balancer hold for the node, too', () => {
  for (const [range, node] of [
    ['203.0.113.0/25', 'SYN-SENT'],
    [`${NODE_ADDRESS}/32`, 'ESTABLISHED'],
  ] as const) {
    const lab = scheduled('rr', 1)
    const balanced = service('svc', {
      type: 'LoadBalancer',
      clusterIP: CLUSTER_IP,
      ports: [{ name: 'web', port: 80 }],
      loadBalancerSourceRanges: [range],
    })
    lab.apply(
      { ...balanced, status: { loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } } } as typeof balanced,
      slice('svc', ['10.36.1.1'], [{ name: 'web', port: 8080, protocol: 'TCP' }]),
    )
    assert.is(lab.connect(lab.node, '198.51.100.9:80').socket.state, node, range)
    assert.is(lab.connect(lab.client, '198.51.100.9:80').socket.state, 'SYN-SENT')
  }
})

test('kube-ipvs0 has the addresses of services and is down', () => {
  const { node } = upstream()
  const dummy = node.stack.interfaces().find(({ name }) => name === 'kube-ipvs0')!
  assert.is(dummy.up, false)
  assert.equal(dummy.addresses.map(({ address }) => formatAddress(address)).sort(), [
    '1.2.3.4',
    '172.30.0.41',
    '172.30.0.42',
    '172.30.0.43',
    '172.30.0.44',
    '172.30.0.45',
    '172.30.0.46',
    '192.168.99.22',
    '192.168.99.33',
    '5.6.7.8',
  ])
})

test('the rules are as many whatever the services, and those of kube-proxy', () => {
  const rules = upstream().node.netfilter.save('nat').split('\n')
  const comment = (text: string) => `-m comment --comment "${text}"`
  assert.equal(
    rules.filter((line) => line.startsWith('-A KUBE-SERVICES')),
    [
      '-A KUBE-SERVICES -s 127.0.0.0/8 -j RETURN',
      `-A KUBE-SERVICES ${comment('Kubernetes service lb portal')} -m set --match-set KUBE-LOAD-BALANCER dst,dst -j KUBE-LOAD-BALANCER`,
      `-A KUBE-SERVICES ! -s 10.0.0.0/8 ${comment('Kubernetes service cluster ip + port for masquerade purpose')} -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ`,
      `-A KUBE-SERVICES ${comment('Kubernetes service external ip + port for masquerade and filter purpose')} -m set --match-set KUBE-EXTERNAL-IP dst,dst -j KUBE-MARK-MASQ`,
      `-A KUBE-SERVICES ${comment('Kubernetes service external ip + port for masquerade and filter purpose')} -m set --match-set KUBE-EXTERNAL-IP dst,dst -m addrtype --dst-type LOCAL -j ACCEPT`,
      `-A KUBE-SERVICES ${comment('Kubernetes service external ip + port with externalTrafficPolicy=local')} -m set --match-set KUBE-EXTERNAL-IP-LOCAL dst,dst -m addrtype --dst-type LOCAL -j ACCEPT`,
      '-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT',
      '-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT',
      '-A KUBE-SERVICES -m set --match-set KUBE-LOAD-BALANCER dst,dst -j ACCEPT',
    ],
  )
  assert.equal(
    rules.filter((line) => line.startsWith('-A KUBE-NODE-PORT')),
    [
      `-A KUBE-NODE-PORT -p tcp ${comment('Kubernetes nodeport TCP port with externalTrafficPolicy=local')} -m set --match-set KUBE-NODE-PORT-LOCAL-TCP dst -j RETURN`,
      `-A KUBE-NODE-PORT -p tcp ${comment('Kubernetes nodeport TCP port for masquerade purpose')} -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ`,
    ],
  )
})

test('an internal policy Local leaves the cluster IP no endpoint of another node, its node port all of them', () => {
  const lab = new ProxyLab('ipvs', 0)
  const ports = [{ name: 'web', port: 80, nodePort: 30080, protocol: 'TCP' as const }]
  lab.apply(
    service('svc', { type: 'NodePort', clusterIP: CLUSTER_IP, internalTrafficPolicy: 'Local', ports }),
    slice('svc', [{ addresses: ['10.36.2.2'], nodeName: 'other' }], [{ name: 'web', port: 80 }]),
  )
  const servers = listText(lab.node.ipvs.services())
  assert.match(servers, /10\.96\.0\.41:80 rr\n(TCP|$)/)
  assert.match(servers, /192\.168\.0\.2:30080 rr\n {2}-> 10\.36\.2\.2:80/)
})

const reason = missing('iptables-restore')
const real = reason === undefined ? test : test.skip

real(
  `the real iptables-restore and ipset take what ipvs mode writes${reason ? ` (skipped: ${reason})` : ''}`,
  () => {
    const { netfilter } = upstream().node
    const sets = netfilter.sets.list()
    const made = sets.map(({ name, type }) => {
      const range = type === 'bitmap:port' ? ' range 0-65535' : ''
      return `ipset create ${name} ${type}${range}`
    })
    let usable = true
    try {
      inNamespace(made.join('\n'), '')
    } catch {
      // A kernel without ipset: then the rules that name sets cannot be tried.
      usable = false
    }
    const rules = netfilter.save('nat') + netfilter.save('filter')
    if (usable) inNamespace(`${made.join('\n')}\niptables-restore --test`, rules)
    assert.is(sets.length, 17)
  },
)

test('when the proxy ends nothing of it is left', () => {
  const lab = upstream()
  const clean = new ProxyLab('ipvs', 0)
  lab.proxy.close()
  assert.is(lab.node.netfilter.save('filter'), clean.node.netfilter.save('filter'))
  assert.is(lab.node.netfilter.save('nat'), clean.node.netfilter.save('nat'))
  assert.equal(lab.node.netfilter.sets.list(), [])
  assert.equal(lab.node.ipvs.services(), [])
  assert.is(
    lab.node.stack.interfaces().some(({ name }) => name === 'kube-ipvs0'),
    false,
  )
})

test('services that go take their virtual servers, set elements and addresses along', () => {
  const lab = upstream()
  lab.remove(...UPSTREAM_CLUSTER)
  lab.run(2 * SECOND)
  assert.equal(lab.node.ipvs.services(), [])
  for (const set of lab.node.netfilter.sets.list()) assert.is(set.size, 0, set.name)
  const dummy = lab.node.stack.interfaces().find(({ name }) => name === 'kube-ipvs0')!
  assert.equal(dummy.addresses, [])
})

test.run()
