// Where 30,000 connections go. SYNs enter a node one after the other; what conntrack made of each is counted. With a
// fixed seed a run is the same every time, and chance shows in the bound only: chi-square at p = 0.001.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import type { Service } from '../../src/cluster/objects.js'
import { StubHosts } from '../../src/conformance/stub-hosts.js'
import type { ProxyMode } from '../../src/proxy/proxy-mode.js'
import { formatEndpoint, ipv4 } from '../../src/wire/address.js'
import { service, slice } from '../support/cluster-objects.js'
import { proxyNode } from '../support/proxy-node.js'

const test = suite('distribution over endpoints')
const MODES = ['iptables', 'nftables'] as const satisfies readonly ProxyMode[]
const CONNECTIONS = 30_000
const SERVICE = { address: ipv4('172.30.0.41'), port: 80 }
const PORTS = [{ name: '', port: 80, protocol: 'TCP' as const }]

/** Chi-square quantiles at p = 0.001 by number of endpoints (one more than the degrees of freedom). */
const BOUNDS = { 3: 13.816, 7: 22.458, 50: 85.351 } as const

function balancer(mode: ProxyMode, endpoints: number, spec: Partial<Service['spec']> = {}) {
  const node = proxyNode(mode)
  const { stack, netfilter } = node.host
  const addresses = Array.from({ length: endpoints }, (_, i) => `10.181.0.${i + 1}`)
  node.apply(service('web', { clusterIP: '172.30.0.41', ports: PORTS, ...spec }))
  node.apply(slice('web', addresses, PORTS))
  const eth0 = stack.interfaces().find(({ name }) => name === 'eth0')!
  const wire = new StubHosts(0x5254_0000_0002, eth0.mac, (address) => stack.isLocal(address))
  let chosen = ''
  netfilter.onNewFlow = ({ reply }) => {
    chosen = formatEndpoint({ address: reply.source, port: reply.sourcePort })
  }
  let now = 0
  return {
    wait(duration: number) {
      now += duration
      stack.advance(now)
      netfilter.flushConntrack()
    },
    /** The endpoint that a new connection is sent to. */
    connect(client: string, port: number): string {
      now += 1_000
      wire.open('TCP', { address: ipv4(client), port }, SERVICE)
      chosen = ''
      stack.receive(eth0.index, wire.transmit()!.frame, now)
      while (stack.transmit() !== undefined);
      return chosen
    },
    forget: () => netfilter.flushConntrack(),
  }
}

function chiSquare(counts: Iterable<number>, expected: number): number {
  return [...counts].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

for (const mode of MODES) {
  for (const endpoints of [3, 7, 50] as const) {
    test(`${mode} mode spreads 30,000 connections over ${endpoints} endpoints as chance would`, () => {
      const lab = balancer(mode, endpoints)
      const counts = new Map<string, number>()
      for (let i = 0; i < CONNECTIONS; i++) {
        if (i % 5_000 === 0) lab.forget()
        const endpoint = lab.connect('203.0.113.2', 10_000 + (i % 50_000))
        counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1)
      }
      assert.is(counts.size, endpoints)
      const statistic = chiSquare(counts.values(), CONNECTIONS / endpoints)
      assert.ok(statistic < BOUNDS[endpoints], `chi-square ${statistic}`)
    })
  }

  test(`${mode} mode keeps every client at its endpoint while its affinity lasts`, () => {
    const timeoutSeconds = 100
    const config = { clientIP: { timeoutSeconds } }
    const lab = balancer(mode, 7, { sessionAffinity: 'ClientIP', sessionAffinityConfig: config })
    const clients = Array.from({ length: 40 }, (_, i) => `203.0.113.${i + 1}`)
    const first = new Map(clients.map((client) => [client, lab.connect(client, 9_999)]))
    assert.ok(new Set(first.values()).size > 3)
    for (let i = 0; i < 50; i++) {
      for (const client of clients) assert.is(lab.connect(client, 10_000 + i), first.get(client))
      lab.wait((timeoutSeconds / 2) * SECOND)
    }
    lab.wait((timeoutSeconds + 1) * SECOND)
    assert.ok(clients.some((client) => lab.connect(client, 20_000) !== first.get(client)))
  })
}

test.run()
