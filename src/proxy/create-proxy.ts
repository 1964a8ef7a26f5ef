// The modes of kube-proxy by their names.

import { IptablesWriter } from './iptables/iptables-writer.js'
import { IpvsWriter } from './ipvs/ipvs-writer.js'
import { NftablesWriter } from './nftables/nftables-writer.js'
import type { ProxyMode } from './proxy-mode.js'
import type { ProxyOptions, ServiceProxy } from './service-proxy.js'
import { SyncedProxy } from './synced-proxy.js'
import { UserspaceProxy } from './userspace-proxy.js'

/** Makes the proxy of a mode for one node; it writes its rules at its first `advance` or `sync`. */
export function createProxy(mode: ProxyMode, options: ProxyOptions): ServiceProxy {
  switch (mode) {
    case 'userspace':
      return new UserspaceProxy({
        nodeName: options.nodeName,
        nodeAddress: options.nodeAddresses[0]!,
        sockets: options.stack,
        netfilter: options.netfilter,
        random: options.random,
        ...(options.onFlow && { onFlow: options.onFlow }),
      })
    case 'iptables':
      return new SyncedProxy(options, new IptablesWriter(options))
    case 'ipvs':
      return new SyncedProxy(options, new IpvsWriter(options))
    case 'nftables':
      return new SyncedProxy(options, new NftablesWriter(options))
    default:
      throw new TypeError(`proxy mode ${mode} is not supported`)
  }
}
