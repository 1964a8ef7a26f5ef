// The part of kube-proxy's nftables table that is the same whatever the services are: base chains, the ways between
// chains, sets and maps, masquerading. Names, order, priorities and comments are those of setupNFTables in
// pkg/proxy/nftables/proxier.go of Kubernetes.

import type { NftBase, NftDataType, NftRule, NftStatement } from '../../netfilter/nft.js'
import type { NftTable } from '../../netfilter/nft-tables.js'
import type { Cidr, IpAddress } from '../../wire/address.js'
import {
  CLUSTER_IPS,
  CLUSTER_IPS_CHECK,
  FIREWALL_CHECK,
  FIREWALL_IPS,
  MARK_FOR_MASQUERADE,
  MASQUERADING,
  NO_ENDPOINT_NODE_PORTS,
  NO_ENDPOINT_SERVICES,
  NODE_PORT_ENDPOINTS_CHECK,
  NODE_PORT_IPS,
  REJECT,
  SERVICE_ENDPOINTS_CHECK,
  SERVICE_IPS,
  SERVICE_NODE_PORTS,
  SERVICES,
} from './names.js'
import {
  commented,
  DESTINATION_PORT,
  drop,
  type FamilyWords,
  is,
  isNew,
  isNot,
  jump,
  lookUp,
  reject,
  rule,
  serviceDestination,
} from './statements.js'

export const MASQUERADE_MARK = 0x4000

const BASE_CHAINS: Readonly<Record<string, NftBase>> = {
  // Source ranges are for the addresses that clients used: before they are translated.
  'filter-prerouting-pre-dnat': { type: 'filter', hook: 'PREROUTING', priority: -110 },
  'filter-output-pre-dnat': { type: 'filter', hook: 'OUTPUT', priority: -110 },
  'filter-input': { type: 'filter', hook: 'INPUT', priority: 0 },
  'filter-forward': { type: 'filter', hook: 'FORWARD', priority: 0 },
  'filter-output': { type: 'filter', hook: 'OUTPUT', priority: 0 },
  'nat-prerouting': { type: 'nat', hook: 'PREROUTING', priority: -100 },
  'nat-output': { type: 'nat', hook: 'OUTPUT', priority: -100 },
  'nat-postrouting': { type: 'nat', hook: 'POSTROUTING', priority: 100 },
}

/** From a base chain to another one, in the order of the rules. */
const JUMPS: readonly (readonly [from: string, to: string, ...conditions: NftStatement[]])[] = [
  ['filter-input', NODE_PORT_ENDPOINTS_CHECK, isNew],
  ['filter-input', SERVICE_ENDPOINTS_CHECK, isNew],
  ['filter-forward', SERVICE_ENDPOINTS_CHECK, isNew],
  ['filter-output', SERVICE_ENDPOINTS_CHECK, isNew],
  ['filter-prerouting-pre-dnat', FIREWALL_CHECK, isNew],
  ['filter-output-pre-dnat', FIREWALL_CHECK, isNew],
  ['nat-output', SERVICES],
  ['nat-prerouting', SERVICES],
  ['nat-postrouting', MASQUERADING],
  ['filter-forward', CLUSTER_IPS_CHECK, isNew],
  ['filter-output', CLUSTER_IPS_CHECK, isNew],
]

const NODE_PORT_KEY: readonly NftDataType[] = ['inet_proto', 'inet_service']

export interface FrameSettings {
  readonly words: FamilyWords
  /** Addresses with node ports; undefined: all of the node but 127.0.0.0/8 or ::1. */
  readonly nodePortAddresses: readonly IpAddress[] | undefined
  /** Where cluster IPs come from; empty: not known. */
  readonly serviceCIDRs: readonly Cidr[]
}

/** Fills an empty table. */
export function writeFrame(table: NftTable, settings: FrameSettings): void {
  for (const [name, base] of Object.entries(BASE_CHAINS)) table.addChain(name, { base })
  for (const [, to] of JUMPS) table.addChain(to)
  table.addChain(MARK_FOR_MASQUERADE)
  table.addChain(REJECT, { comment: 'helper for @no-endpoint-services / @no-endpoint-nodeports' })
  addSets(table, settings)
  for (const name of Object.keys(BASE_CHAINS)) {
    const jumps = JUMPS.filter(([from]) => from === name)
    table.replaceRules(
      name,
      jumps.map(([, to, ...conditions]) => rule(...conditions, jump(to))),
    )
  }
  for (const [chain, rules] of rulesOf(settings)) table.replaceRules(chain, rules)
}

function addSets(table: NftTable, { words, nodePortAddresses }: FrameSettings): void {
  const { address: type } = words
  const serviceKey: readonly NftDataType[] = [type, 'inet_proto', 'inet_service']
  table.addSet(CLUSTER_IPS, { type: [type], comment: 'Active ClusterIPs' })
  if (nodePortAddresses !== undefined) {
    table.addSet(NODE_PORT_IPS, { type: [type], comment: 'IPs that accept NodePort traffic' })
    for (const address of nodePortAddresses) table.addElement(NODE_PORT_IPS, [address])
  }
  table.addMap(NO_ENDPOINT_SERVICES, {
    type: serviceKey,
    comment: 'vmap to drop or reject packets to services with no endpoints',
  })
  table.addMap(NO_ENDPOINT_NODE_PORTS, {
    type: NODE_PORT_KEY,
    comment: 'vmap to drop or reject packets to service nodeports with no endpoints',
  })
  table.addMap(FIREWALL_IPS, {
    type: serviceKey,
    comment: 'destinations that are subject to LoadBalancerSourceRanges',
  })
  table.addMap(SERVICE_IPS, {
    type: serviceKey,
    comment: 'ClusterIP, ExternalIP and LoadBalancer IP traffic',
  })
  table.addMap(SERVICE_NODE_PORTS, { type: NODE_PORT_KEY, comment: 'NodePort traffic' })
}

function rulesOf({ words, nodePortAddresses, serviceCIDRs }: FrameSettings): [string, NftRule[]][] {
  const { destination, loopback } = words
  const toService = serviceDestination(words)
  const toNodePortAddress: NftStatement[] =
    nodePortAddresses === undefined
      ? [is('fib daddr type', 'LOCAL'), isNot(destination, loopback)]
      : [{ statement: 'match-set', key: [destination], set: NODE_PORT_IPS }]
  const clusterIPs: NftRule[] = [
    commented(
      'Reject traffic to invalid ports of ClusterIPs',
      { statement: 'match-set', key: [destination], set: CLUSTER_IPS },
      reject,
    ),
  ]
  if (serviceCIDRs.length > 0) {
    const unallocated: NftStatement = { statement: 'match-any', field: destination, values: serviceCIDRs }
    clusterIPs.push(commented('Drop traffic to unallocated ClusterIPs', unallocated, drop))
  }
  return [
    [MARK_FOR_MASQUERADE, [rule({ statement: 'mark', operation: 'or', value: MASQUERADE_MARK })]],
    [
      MASQUERADING,
      [
        rule(
          { statement: 'match-mark', mask: MASQUERADE_MARK, value: 0 },
          { statement: 'verdict', verdict: { verdict: 'return' } },
        ),
        // The mark goes, or a packet that passes again would be masqueraded twice.
        rule({ statement: 'mark', operation: 'xor', value: MASQUERADE_MARK }),
        rule({ statement: 'masquerade', fullyRandom: true }),
      ],
    ],
    [CLUSTER_IPS_CHECK, clusterIPs],
    [REJECT, [rule(reject)]],
    [SERVICE_ENDPOINTS_CHECK, [rule(lookUp(toService, NO_ENDPOINT_SERVICES))]],
    [
      NODE_PORT_ENDPOINTS_CHECK,
      [rule(...toNodePortAddress, lookUp(DESTINATION_PORT, NO_ENDPOINT_NODE_PORTS))],
    ],
    [FIREWALL_CHECK, [rule(lookUp(toService, FIREWALL_IPS))]],
    [
      SERVICES,
      [
        rule(lookUp(toService, SERVICE_IPS)),
        rule(...toNodePortAddress, lookUp(DESTINATION_PORT, SERVICE_NODE_PORTS)),
      ],
    ],
  ]
}
