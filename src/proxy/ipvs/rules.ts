// The iptables rules of ipvs mode. There is none for a service: IPVS knows the services, and rules ask ipsets whether
// a packet is to be masqueraded, filtered or accepted. Which there are depends only on what sets are empty. Chains,
// order and comments are those of pkg/proxy/ipvs/proxier.go of Kubernetes.
//
// Simplified: the rule that accepts what is sent to external IPs from off the machine (`physdev`) is left out; the one
// behind it accepts the same packets, because external IPs are addresses of the node here.

import type { Protocol } from '../../cluster/objects.js'
import type { HookName, Match, Rule, TableName, Target } from '../../netfilter/rule.js'
import { type AddressFamily, type Cidr, type Endpoint, hostCidr } from '../../wire/address.js'
import { LOOPBACK, markMasqRules, postroutingRules } from '../iptables/node-rules.js'
import {
  CLUSTER_IP,
  commentOf,
  EXTERNAL_IP,
  EXTERNAL_IP_LOCAL,
  HEALTH_CHECK_NODE_PORT,
  IPVS_IPS,
  LOAD_BALANCER,
  LOAD_BALANCER_FW,
  LOAD_BALANCER_LOCAL,
  LOAD_BALANCER_SOURCE_CIDR,
  LOAD_BALANCER_SOURCE_IP,
  LOOP_BACK,
  NODE_PORT,
  NODE_PORT_LOCAL,
  setName,
} from './set-names.js'

const SERVICES = 'KUBE-SERVICES'
const POSTROUTING = 'KUBE-POSTROUTING'
const MARK_MASQ = 'KUBE-MARK-MASQ'
const NODE_PORT_CHAIN = 'KUBE-NODE-PORT'
const LOAD_BALANCER_CHAIN = 'KUBE-LOAD-BALANCER'
const FORWARD = 'KUBE-FORWARD'
const PROXY_FIREWALL = 'KUBE-PROXY-FIREWALL'
const SOURCE_RANGES_FIREWALL = 'KUBE-SOURCE-RANGES-FIREWALL'
const IPVS_FILTER = 'KUBE-IPVS-FILTER'
const IPVS_OUT_FILTER = 'KUBE-IPVS-OUT-FILTER'

/** The chains of each table. */
export const CHAINS: Readonly<Record<'nat' | 'filter', readonly string[]>> = {
  nat: [SERVICES, POSTROUTING, NODE_PORT_CHAIN, LOAD_BALANCER_CHAIN, MARK_MASQ],
  filter: [FORWARD, NODE_PORT_CHAIN, PROXY_FIREWALL, SOURCE_RANGES_FIREWALL, IPVS_FILTER, IPVS_OUT_FILTER],
}

interface Jump {
  readonly table: TableName
  readonly from: HookName
  readonly to: string
  readonly comment: string
}

/** kube-proxy puts each before what the chain has, so that the last one listed comes first. */
const JUMPS: readonly Jump[] = [
  { table: 'nat', from: 'OUTPUT', to: SERVICES, comment: 'kubernetes service portals' },
  { table: 'nat', from: 'PREROUTING', to: SERVICES, comment: 'kubernetes service portals' },
  { table: 'nat', from: 'POSTROUTING', to: POSTROUTING, comment: 'kubernetes postrouting rules' },
  { table: 'filter', from: 'FORWARD', to: FORWARD, comment: 'kubernetes forwarding rules' },
  { table: 'filter', from: 'INPUT', to: NODE_PORT_CHAIN, comment: 'kubernetes health check rules' },
  { table: 'filter', from: 'INPUT', to: PROXY_FIREWALL, comment: 'kube-proxy firewall rules' },
  { table: 'filter', from: 'FORWARD', to: PROXY_FIREWALL, comment: 'kube-proxy firewall rules' },
  { table: 'filter', from: 'INPUT', to: IPVS_FILTER, comment: 'kubernetes ipvs access filter' },
  { table: 'filter', from: 'OUTPUT', to: IPVS_OUT_FILTER, comment: 'kubernetes ipvs access filter' },
]

/** What kube-proxy puts before a table's built-in chains, by chain. */
export function jumpRules(table: TableName): Map<HookName, Rule[]> {
  const rules = new Map<HookName, Rule[]>()
  for (const { from, to, comment: text } of JUMPS.filter((jump) => jump.table === table)) {
    const own = rules.get(from) ?? []
    own.unshift({ matches: [comment(text)], target: jump(to) })
    rules.set(from, own)
  }
  return rules
}

/** What the rules depend on. */
export interface RuleContext {
  readonly family: AddressFamily
  /** By the set's name in IPv4, as everywhere in this file. */
  readonly isEmpty: (set: string) => boolean
  readonly masqueradeAll: boolean
  /** Addresses of the cluster's pods; undefined when they cannot be told from others. */
  readonly podAddresses: Cidr | undefined
  /** Load balancer addresses that the node itself may not use: its address is in none of their source ranges. */
  readonly closedToNode: readonly (Endpoint & { readonly protocol: Protocol })[]
}

export function natChains(context: RuleContext): Map<string, Rule[]> {
  const { isEmpty, family } = context
  const services: Rule[] = [
    { matches: [{ match: 'source', cidr: LOOPBACK[family] }], target: { target: 'RETURN' } },
  ]
  if (!isEmpty(LOAD_BALANCER)) services.push(lookup(LOAD_BALANCER, jump(LOAD_BALANCER_CHAIN)))
  if (!isEmpty(CLUSTER_IP)) services.push(masqueradeClusterIPs(context))
  if (!isEmpty(EXTERNAL_IP)) {
    services.push(lookup(EXTERNAL_IP, jump(MARK_MASQ)), acceptLocal(EXTERNAL_IP))
  }
  if (!isEmpty(EXTERNAL_IP_LOCAL)) services.push(acceptLocal(EXTERNAL_IP_LOCAL))
  services.push({ matches: [toLocal()], target: jump(NODE_PORT_CHAIN) })
  // Nothing else may translate what IPVS shall see.
  for (const set of [CLUSTER_IP, LOAD_BALANCER]) {
    if (!isEmpty(set)) services.push({ matches: [inSet(set)], target: { target: 'ACCEPT' } })
  }
  const loadBalancer: Rule[] = [{ matches: [], target: jump(MARK_MASQ) }]
  if (!isEmpty(LOAD_BALANCER_LOCAL)) {
    loadBalancer.unshift(lookup(LOAD_BALANCER_LOCAL, { target: 'RETURN' }))
  }
  const postrouting = postroutingRules()
  if (!isEmpty(LOOP_BACK)) {
    postrouting.unshift(lookup(LOOP_BACK, { target: 'MASQUERADE' }, ['dst', 'dst', 'src']))
  }
  return chainsOf(family, [
    [SERVICES, services],
    [POSTROUTING, postrouting],
    [NODE_PORT_CHAIN, nodePorts(isEmpty)],
    [LOAD_BALANCER_CHAIN, loadBalancer],
    [MARK_MASQ, markMasqRules()],
  ])
}

export function filterChains({ family, isEmpty, closedToNode }: RuleContext): Map<string, Rule[]> {
  const firewall = isEmpty(LOAD_BALANCER_FW) ? [] : [lookup(LOAD_BALANCER_FW, jump(SOURCE_RANGES_FIREWALL))]
  const ranges: Rule[] = [LOAD_BALANCER_SOURCE_CIDR, LOAD_BALANCER_SOURCE_IP]
    .filter((set) => !isEmpty(set))
    .map((set) => lookup(set, { target: 'RETURN' }, ['dst', 'dst', 'src']))
  ranges.push({ matches: [], target: { target: 'DROP' } })
  const healthChecks = lookup(HEALTH_CHECK_NODE_PORT, { target: 'ACCEPT' }, ['dst'])
  return chainsOf(family, [
    [FORWARD, forwardRules()],
    [NODE_PORT_CHAIN, [healthChecks]],
    [PROXY_FIREWALL, firewall],
    [SOURCE_RANGES_FIREWALL, ranges],
    [IPVS_FILTER, accessFilter()],
    [IPVS_OUT_FILTER, closedToNode.map(closed)],
  ])
}

/** Rules with the names that the sets have in the family. */
function chainsOf(
  family: AddressFamily,
  chains: readonly (readonly [chain: string, rules: readonly Rule[]])[],
): Map<string, Rule[]> {
  const named = (match: Match): Match =>
    match.match === 'set' ? { ...match, set: setName(match.set, family) } : match
  const rulesOf = (rules: readonly Rule[]) =>
    rules.map(({ matches, target }): Rule => ({ matches: matches.map(named), target }))
  return new Map(chains.map(([chain, rules]) => [chain, rulesOf(rules)]))
}

/** Other ports of the addresses on kube-ipvs0 must not lead to programs of the node. */
function accessFilter(): Rule[] {
  const rules: Rule[] = [LOAD_BALANCER, CLUSTER_IP, EXTERNAL_IP, EXTERNAL_IP_LOCAL].map((set) => ({
    matches: [inSet(set)],
    target: { target: 'RETURN' },
  }))
  rules.push({ matches: [inSet(HEALTH_CHECK_NODE_PORT, ['dst'])], target: { target: 'RETURN' } })
  rules.push({
    matches: [{ match: 'state', states: ['NEW'] }, inSet(IPVS_IPS, ['dst'])],
    target: { target: 'REJECT' },
  })
  return rules
}

function forwardRules(): Rule[] {
  return [
    {
      matches: [comment('kubernetes forwarding rules'), { match: 'mark', value: 0x4000, mask: 0x4000 }],
      target: { target: 'ACCEPT' },
    },
    {
      matches: [
        comment('kubernetes forwarding conntrack rule'),
        { match: 'state', states: ['RELATED', 'ESTABLISHED'] },
      ],
      target: { target: 'ACCEPT' },
    },
  ]
}

function masqueradeClusterIPs({ masqueradeAll, podAddresses }: RuleContext): Rule {
  if (masqueradeAll) return lookup(CLUSTER_IP, jump(MARK_MASQ))
  // Nobody can be told from a pod: at least the node's own packets, whose source is the service's address.
  if (podAddresses === undefined) return lookup(CLUSTER_IP, jump(MARK_MASQ), ['src', 'dst'])
  const { matches, target } = lookup(CLUSTER_IP, jump(MARK_MASQ))
  return { matches: [{ match: 'source', cidr: podAddresses, invert: true }, ...matches], target }
}

function nodePorts(isEmpty: (set: string) => boolean): Rule[] {
  const rules: Rule[] = []
  for (const protocol of ['TCP', 'UDP', 'SCTP'] as const) {
    const directions: ('src' | 'dst')[] = protocol === 'SCTP' ? ['dst', 'dst'] : ['dst']
    // Local ones first: they keep their source.
    for (const [set, target] of [
      [NODE_PORT_LOCAL[protocol], { target: 'RETURN' }],
      [NODE_PORT[protocol], jump(MARK_MASQ)],
    ] as const) {
      if (isEmpty(set)) continue
      const { matches } = lookup(set, target, directions)
      rules.push({ matches: [protocolIs(protocol), ...matches], target })
    }
  }
  return rules
}

function closed({ address, port, protocol }: RuleContext['closedToNode'][number]): Rule {
  const name = protocol.toLowerCase() as 'tcp' | 'udp' | 'sctp'
  return {
    matches: [
      { match: 'source', cidr: hostCidr(address) },
      { match: 'ipvs', address, protocol: name, port },
    ],
    target: { target: 'DROP' },
  }
}

function acceptLocal(set: string): Rule {
  return { matches: [comment(commentOf(set)), inSet(set), toLocal()], target: { target: 'ACCEPT' } }
}

/** A rule for what is in `set`, with the set's comment. */
function lookup(set: string, target: Target, directions?: readonly ('src' | 'dst')[]): Rule {
  return { matches: [comment(commentOf(set)), inSet(set, directions)], target }
}

function inSet(set: string, directions: readonly ('src' | 'dst')[] = ['dst', 'dst']): Match {
  return { match: 'set', set, directions }
}

const comment = (text: string): Match => ({ match: 'comment', text })
const jump = (chain: string): Target => ({ target: 'jump', chain })
const toLocal = (): Match => ({ match: 'address-type', destination: 'LOCAL' })

function protocolIs(protocol: Protocol): Match {
  return { match: 'protocol', protocol: protocol.toLowerCase() as 'tcp' | 'udp' | 'sctp' }
}
