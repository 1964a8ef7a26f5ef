// How much a kube-proxy has made of a node's kernel, and how long that took: for comparing its modes.

import type { NodeHost } from '../host/node-host.js'
import { TABLE_NAMES } from '../netfilter/tables.js'

export interface ProxyStatistics {
  /** Rules of iptables and nftables, elements of sets and maps, virtual and real servers of IPVS. */
  readonly rules: number
  /** How often rules were written since this proxy was started. */
  readonly syncs: number
  /** Real milliseconds of computing that this took, all together. */
  readonly syncMillis: number
}

/** What is in the kernel of a node now. */
export function countRules({ netfilter, ipvs }: NodeHost): number {
  let count = 0
  for (const family of ['IPv4', 'IPv6'] as const) {
    for (const table of TABLE_NAMES)
      for (const chain of netfilter.chains(table, family)) count += chain.rules.length
  }
  for (const set of netfilter.sets.list()) count += set.size
  for (const table of netfilter.nft.list()) {
    for (const chain of table.chains()) count += chain.rules.length
    for (const set of table.sets()) count += set.size
  }
  for (const service of ipvs.services()) count += 1 + [...service.servers].length
  return count
}
