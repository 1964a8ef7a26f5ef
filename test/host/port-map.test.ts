// The rules of host ports, as iptables-save prints them, and their neighbours in the built-in chains.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { type NodeHost, nodeHost } from '../../src/host/node-host.js'
import { hookPortals, removePortals, writePortals } from '../../src/proxy/portal-rules.js'
import { ipv4, parseInterfaceAddress } from '../../src/wire/address.js'

const test = suite('port map')

const POD = parseInterfaceAddress('10.36.0.5/16')!
const HTTP = { protocol: 'tcp', hostPort: 8080, containerPort: 80, hostAddress: undefined } as const

function node(): NodeHost {
  return nodeHost({
    name: 'k8s-node1',
    mac: 0x02_00_00_00_00_01,
    address: parseInterfaceAddress('192.168.56.11/24')!,
    bridge: parseInterfaceAddress('10.36.255.254/16')!,
    random: new Random('port map'),
  })
}

/** The rules of the nat table, with the pod's chain called CNI-DN-x. */
function rules({ netfilter }: NodeHost): string[] {
  const lines = netfilter.save('nat').split('\n')
  return lines
    .filter((line) => line.startsWith('-A'))
    .map((line) => line.replace(/CNI-DN-[0-9a-f]{21}/, 'CNI-DN-x'))
}

const SHARED = [
  '-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
  '-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
  '-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ',
  '-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE',
  '-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000',
]

test('a mapping is what the plugin portmap writes, and goes without a trace but for the shared chains', () => {
  const host = node()
  const dns = {
    protocol: 'udp',
    hostPort: 53,
    containerPort: 5353,
    hostAddress: ipv4('192.168.56.11'),
  } as const
  host.portMap.add('pod-1', POD, [HTTP, { ...HTTP, hostPort: 8443, containerPort: 443 }, dns])
  const told = rules(host)
  const byText = (a: string, b: string) => (a < b ? -1 : 1)
  assert.equal(
    [...told].sort(byText),
    [
      ...SHARED,
      String.raw`-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"podwire\" id: \"pod-1\"" -m multiport --dports 8080,8443 -j CNI-DN-x`,
      String.raw`-A CNI-HOSTPORT-DNAT -p udp -m comment --comment "dnat name: \"podwire\" id: \"pod-1\"" -m multiport --dports 53 -j CNI-DN-x`,
      '-A CNI-DN-x -s 10.36.0.0/16 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN-x -s 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN-x -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.36.0.5:80',
      '-A CNI-DN-x -s 10.36.0.0/16 -p tcp -m tcp --dport 8443 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN-x -s 127.0.0.1/32 -p tcp -m tcp --dport 8443 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN-x -p tcp -m tcp --dport 8443 -j DNAT --to-destination 10.36.0.5:443',
      '-A CNI-DN-x -s 10.36.0.0/16 -d 192.168.56.11/32 -p udp -m udp --dport 53 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN-x -s 127.0.0.1/32 -d 192.168.56.11/32 -p udp -m udp --dport 53 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN-x -d 192.168.56.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.36.0.5:5353',
    ].sort(byText),
  )
  // Behind DNAT a chain is left: the marks come before it.
  const ofPod = told.filter((line) => line.startsWith('-A CNI-DN-x'))
  assert.equal(
    ofPod.map((line) => / -j (\S+)/.exec(line)![1]),
    ['SETMARK', 'SETMARK', 'DNAT', 'SETMARK', 'SETMARK', 'DNAT', 'SETMARK', 'SETMARK', 'DNAT'].map((name) =>
      name === 'DNAT' ? name : `CNI-HOSTPORT-${name}`,
    ),
  )
  host.portMap.remove('pod-1')
  assert.equal(rules(host).sort(byText), [...SHARED].sort(byText))
  assert.not.match(host.netfilter.save('nat'), /CNI-DN-/)
})

test('pods have chains of their own; sixteen ports need two rules', () => {
  const host = node()
  host.portMap.add('a', POD, [HTTP])
  const many = Array.from({ length: 16 }, (_, i) => ({ ...HTTP, hostPort: 9000 + i }))
  host.portMap.add('b', parseInterfaceAddress('10.36.0.6/16')!, many)
  const entries = rules(host).filter((line) => line.startsWith('-A CNI-HOSTPORT-DNAT'))
  assert.equal(
    entries.map((line) => /--dports (\S+)/.exec(line)![1]!.split(',').length),
    [1, 15, 1],
  )
  host.portMap.remove('b')
  const left = rules(host).filter((line) => line.includes('DNAT --to'))
  assert.equal(left, ['-A CNI-DN-x -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.36.0.5:80'])
})

test('a pod without host ports leaves the tables as they are', () => {
  const host = node()
  host.portMap.add('a', POD, [])
  host.portMap.remove('a')
  assert.equal(rules(host), [])
})

test("userspace mode's rules come and go before those of host ports, which stay", () => {
  const host = node()
  host.portMap.add('a', POD, [HTTP])
  const before = rules(host)
  const targets = (hook: string) =>
    rules(host)
      .filter((line) => line.startsWith(`-A ${hook} `))
      .map((line) => / -j (\S+)/.exec(line)![1])
  writePortals(host.netfilter, ipv4('192.168.56.11'), [])
  hookPortals(host.netfilter, 'IPv4')
  hookPortals(host.netfilter, 'IPv4')
  assert.equal(targets('PREROUTING'), ['KUBE-PORTALS-CONTAINER', 'CNI-HOSTPORT-DNAT'])
  assert.equal(targets('OUTPUT'), ['KUBE-PORTALS-HOST', 'CNI-HOSTPORT-DNAT'])
  removePortals(host.netfilter, 'IPv4')
  assert.equal(rules(host), before)
})

test.run()
