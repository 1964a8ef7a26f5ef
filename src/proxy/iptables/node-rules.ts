// The rules of iptables mode that do not depend on Services: masquerading, forwarding, the way from the built-in
// chains into kube-proxy's, and the last rule of KUBE-SERVICES. Order and comments as in
// pkg/proxy/iptables/proxier.go of Kubernetes.

import type { HookName, Match, Rule, TableName } from '../../netfilter/rule.js'
import {
  type AddressFamily,
  type Cidr,
  cidr,
  hostCidr,
  type IpAddress,
  isLoopback,
} from '../../wire/address.js'
import {
  EXTERNAL_SERVICES,
  FORWARD,
  KUBELET_FIREWALL,
  NODE_PORTS,
  POSTROUTING,
  PROXY_FIREWALL,
  SERVICES,
} from './chain-names.js'

/** 1 << 14, the default of --iptables-masquerade-bit. */
export const MASQUERADE_MARK = 0x4000
/** Addresses of the host to itself. */
export const LOOPBACK: Readonly<Record<AddressFamily, Cidr>> = {
  IPv4: cidr('127.0.0.0/8'),
  IPv6: cidr('::1/128'),
}

interface Jump {
  readonly table: TableName
  readonly from: HookName
  readonly to: string
  readonly comment?: string
  /** Only the first packet of a flow. */
  readonly onlyNew?: boolean
}

/** kube-proxy puts each before what the chain has, so that the last one listed comes first. */
const JUMPS: readonly Jump[] = [
  ...portals('INPUT', EXTERNAL_SERVICES, 'kubernetes externally-visible service portals'),
  ...portals('FORWARD', EXTERNAL_SERVICES, 'kubernetes externally-visible service portals'),
  { table: 'filter', from: 'INPUT', to: NODE_PORTS, comment: 'kubernetes health check service ports' },
  ...portals('FORWARD', SERVICES, 'kubernetes service portals'),
  ...portals('OUTPUT', SERVICES, 'kubernetes service portals'),
  { table: 'filter', from: 'FORWARD', to: FORWARD, comment: 'kubernetes forwarding rules' },
  ...portals('INPUT', PROXY_FIREWALL, 'kubernetes load balancer firewall'),
  ...portals('OUTPUT', PROXY_FIREWALL, 'kubernetes load balancer firewall'),
  ...portals('FORWARD', PROXY_FIREWALL, 'kubernetes load balancer firewall'),
  { table: 'nat', from: 'OUTPUT', to: SERVICES, comment: 'kubernetes service portals' },
  { table: 'nat', from: 'PREROUTING', to: SERVICES, comment: 'kubernetes service portals' },
  { table: 'nat', from: 'POSTROUTING', to: POSTROUTING, comment: 'kubernetes postrouting rules' },
  { table: 'filter', from: 'INPUT', to: KUBELET_FIREWALL },
  { table: 'filter', from: 'OUTPUT', to: KUBELET_FIREWALL },
]

function portals(from: HookName, to: string, comment: string): Jump[] {
  return [{ table: 'filter', from, to, comment, onlyNew: true }]
}

/** What kube-proxy puts before a table's built-in chains, by chain. */
export function jumpRules(table: TableName): Map<HookName, Rule[]> {
  const rules = new Map<HookName, Rule[]>()
  for (const { from, to, comment, onlyNew } of JUMPS.filter((jump) => jump.table === table)) {
    const matches: Match[] = []
    if (onlyNew) matches.push({ match: 'state', states: ['NEW'] })
    if (comment !== undefined) matches.push({ match: 'comment', text: comment })
    const own = rules.get(from) ?? []
    own.unshift({ matches, target: { target: 'jump', chain: to } })
    rules.set(from, own)
  }
  return rules
}

/** KUBE-POSTROUTING. The mark goes, or a packet that passes again (through a tunnel) would be masqueraded twice. */
export function postroutingRules(): Rule[] {
  const comment: Match = { match: 'comment', text: 'kubernetes service traffic requiring SNAT' }
  return [
    {
      matches: [{ match: 'mark', value: MASQUERADE_MARK, mask: MASQUERADE_MARK, invert: true }],
      target: { target: 'RETURN' },
    },
    { matches: [], target: { target: 'MARK', operation: 'xor', value: MASQUERADE_MARK } },
    { matches: [comment], target: { target: 'MASQUERADE', fullyRandom: true } },
  ]
}

/** KUBE-MARK-MASQ. */
export function markMasqRules(): Rule[] {
  return [{ matches: [], target: { target: 'MARK', operation: 'or', value: MASQUERADE_MARK } }]
}

/** KUBE-FORWARD. */
export function forwardRules(): Rule[] {
  return [
    // Out of window after a NAT: the endpoint would answer it with a reset of the client's connection.
    { matches: [{ match: 'state', states: ['INVALID'] }], target: { target: 'DROP' } },
    {
      matches: [
        { match: 'comment', text: 'kubernetes forwarding rules' },
        { match: 'mark', value: MASQUERADE_MARK, mask: MASQUERADE_MARK },
      ],
      target: { target: 'ACCEPT' },
    },
    {
      matches: [
        { match: 'comment', text: 'kubernetes forwarding conntrack rule' },
        { match: 'state', states: ['RELATED', 'ESTABLISHED'] },
      ],
      target: { target: 'ACCEPT' },
    },
  ]
}

/** KUBE-FIREWALL: node ports on 127.0.0.1 need route_localnet, which would let neighbours in without this. IPv4 only. */
export function kubeletFirewallRules(localhostNodePorts: boolean): Rule[] {
  if (!localhostNodePorts) return []
  return [
    {
      matches: [
        { match: 'source', cidr: LOOPBACK.IPv4, invert: true },
        { match: 'destination', cidr: LOOPBACK.IPv4 },
        { match: 'comment', text: 'block incoming localnet connections' },
        { match: 'state', states: ['RELATED', 'ESTABLISHED', 'DNAT'], invert: true },
      ],
      target: { target: 'DROP' },
    },
  ]
}

/** The end of KUBE-SERVICES. `addresses` undefined: every local address has the node ports. */
export function nodePortRules(
  family: AddressFamily,
  addresses: readonly IpAddress[] | undefined,
  localhostNodePorts: boolean,
): Rule[] {
  const comment: Match = {
    match: 'comment',
    text: 'kubernetes service nodeports; NOTE: this must be the last rule in this chain',
  }
  const rule = (...matches: Match[]): Rule => ({ matches, target: { target: 'jump', chain: NODE_PORTS } })
  if (addresses !== undefined)
    return addresses
      .filter((address) => localhostNodePorts || !isLoopback(address))
      .map((address) => rule({ match: 'destination', cidr: hostCidr(address) }, comment))
  const local: Match = { match: 'address-type', destination: 'LOCAL' }
  if (localhostNodePorts) return [rule(comment, local)]
  return [rule({ match: 'destination', cidr: LOOPBACK[family], invert: true }, comment, local)]
}
