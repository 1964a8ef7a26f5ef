// A node with a kube-proxy of any mode and nothing around it, for tests of rules and of what the node's own stack does.

import { Random } from '../../src/base/random.js'
import type { EndpointSlice, KubeObject, Service } from '../../src/cluster/objects.js'
import { nodeHost } from '../../src/host/node-host.js'
import { createProxy } from '../../src/proxy/create-proxy.js'
import type { ProxyMode } from '../../src/proxy/proxy-mode.js'
import type { ProxyOptions } from '../../src/proxy/service-proxy.js'
import { cidr, ipv4 } from '../../src/wire/address.js'
import { change } from './cluster-objects.js'

export function proxyNode(mode: ProxyMode, options: Partial<ProxyOptions> = {}) {
  const host = nodeHost({
    name: 'test-node',
    mac: 0x5254_0000_0001,
    address: { address: ipv4('192.168.0.2'), prefixLength: 24 },
    bridge: { address: ipv4('10.180.2.254'), prefixLength: 24 },
    routes: [{ destination: cidr('0.0.0.0/0'), gateway: ipv4('192.168.0.1') }],
    random: new Random('host'),
  })
  const proxy = createProxy(mode, {
    nodeName: 'test-node',
    nodeAddresses: [ipv4('192.168.0.2')],
    clusterCIDR: cidr('10.0.0.0/8'),
    stack: host.stack,
    netfilter: host.netfilter,
    random: new Random('kube-proxy'),
    minSyncPeriod: 0,
    ...options,
  })
  const tell = (type: 'ADDED' | 'DELETED', objects: readonly KubeObject[]) => {
    for (const object of objects) proxy.apply(change(object, type))
    proxy.sync(host.stack.now)
  }
  return {
    host,
    proxy,
    apply: (...objects: (Service | EndpointSlice)[]) => tell('ADDED', objects),
    remove: (...objects: (Service | EndpointSlice)[]) => tell('DELETED', objects),
    /** Lines of iptables-save that begin with `-A CHAIN `, without that. */
    rules(table: 'nat' | 'filter', chain: string): string[] {
      const prefix = `-A ${chain} `
      const lines = host.netfilter.save(table).split('\n')
      return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length))
    },
  }
}
