// What a node or a pod holds just now - rules, flows, routes, neighbours, sockets - as the tools of Linux print it:
// `podwire dump` and the step `dump`.

import type { DumpSection } from './format.js'

export const DUMP_FORMATS = ['iptables-save', 'ip6tables-save', 'nft', 'ipvs', 'ipset'] as const
export type DumpFormat = (typeof DUMP_FORMATS)[number]

const RULES: Readonly<Record<DumpFormat, string>> = {
  'iptables-save': 'iptables-save',
  'ip6tables-save': 'ip6tables-save',
  nft: 'nft list ruleset',
  ipvs: 'ipvsadm -Ln --stats',
  ipset: 'ipset list',
}

const COMMANDS = {
  routes: 'ip route',
  arp: 'ip neigh',
  sockets: 'ss -tan',
  conntrack: 'conntrack -L 2>/dev/null',
}

export const DUMP_SUBJECTS = ['rules', 'conntrack', 'routes', 'arp', 'sockets'] as const
export type DumpSubject = (typeof DUMP_SUBJECTS)[number]

/** The command that shows `what` on a node whose kube-proxy works in `proxyMode`. */
export function dumpCommand(what: DumpSubject, format: DumpFormat | undefined, proxyMode: string): string {
  if (what !== 'rules') return COMMANDS[what]
  return RULES[format ?? formatOf(proxyMode)]
}

/** Where a mode has its rules. */
function formatOf(proxyMode: string): DumpFormat {
  if (proxyMode.startsWith('ipvs')) return 'ipvs'
  return proxyMode === 'nftables' ? 'nft' : 'iptables-save'
}

/** A dump as one would type it. */
export function dumpText({ what, node, pod }: DumpSection): string {
  return `dump ${what} of ${node === undefined ? `pod ${pod}` : `node ${node}`}`
}
