// What one service port needs in kube-proxy's nftables table: elements of the maps, chains of its own, affinity sets.
// Only what it needs, as data; nftables-writer.ts makes it so. Rules, their order and comments are those of
// syncProxyRules in pkg/proxy/nftables/proxier.go of Kubernetes.

import type { NftKey, NftRule, NftSetOptions, NftStatement, NftVerdict } from '../../netfilter/nft.js'
import type { TransportProtocol } from '../../netfilter/rule.js'
import { type Cidr, cidrContains, familyOf, type IpAddress } from '../../wire/address.js'
import type { EndpointInfo } from '../endpoint-map.js'
import type { PortState } from '../port-state.js'
import { externallyAccessible, type ServicePortInfo } from '../service-port.js'
import {
  affinitySet,
  CLUSTER_IPS,
  endpointChain,
  FIREWALL_IPS,
  MARK_FOR_MASQUERADE,
  NO_ENDPOINT_NODE_PORTS,
  NO_ENDPOINT_SERVICES,
  REJECT,
  SERVICE_IPS,
  SERVICE_NODE_PORTS,
  type ServiceChains,
  serviceChains,
} from './names.js'
import {
  commented,
  DROP,
  dnat,
  drop,
  FAMILY_WORDS,
  type FamilyWords,
  from,
  fromLocal,
  goTo,
  goto,
  is,
  isNot,
  jump,
  rule,
} from './statements.js'

/** Statements that are the same in very many rules. */
const MASQUERADE = jump(MARK_FOR_MASQUERADE)
const OF_PROTOCOL: Readonly<Record<TransportProtocol, NftStatement>> = {
  tcp: is('meta l4proto', 'tcp'),
  udp: is('meta l4proto', 'udp'),
  sctp: is('meta l4proto', 'sctp'),
  icmp: is('meta l4proto', 'icmp'),
  'ipv6-icmp': is('meta l4proto', 'ipv6-icmp'),
}

/** An element of a shared set or map. */
export interface PlannedElement {
  readonly set: string
  readonly key: NftKey
  /** Of a map. */
  readonly verdict?: NftVerdict
  readonly comment?: string
}

export interface ServicePlan {
  /** By set and key, as text. */
  readonly elements: ReadonlyMap<string, PlannedElement>
  readonly chains: ReadonlyMap<string, readonly NftRule[]>
  /** Affinity sets. */
  readonly sets: ReadonlyMap<string, NftSetOptions>
}

/** What of the node and its settings plans depend on. */
export interface PlanSettings {
  readonly nodeAddress: IpAddress
  readonly masqueradeAll: boolean
  /** Addresses of the cluster's pods; undefined when they cannot be told from others. */
  readonly podAddresses: Cidr | undefined
}

export function planOf(state: PortState, settings: PlanSettings): ServicePlan {
  return new Planner(state, settings).plan()
}

class Planner {
  readonly #info: ServicePortInfo
  readonly #settings: PlanSettings
  readonly #state: PortState
  readonly #chains: ServiceChains
  readonly #words: FamilyWords
  readonly #protocol: TransportProtocol
  readonly #cluster: readonly EndpointInfo[]
  readonly #local: readonly EndpointInfo[]
  /** Whether traffic to the cluster IP, or from outside the cluster, finds an endpoint. */
  readonly #hasInternal: boolean
  readonly #hasExternal: boolean
  readonly #elements = new Map<string, PlannedElement>()
  readonly #rules = new Map<string, NftRule[]>()
  readonly #sets = new Map<string, NftSetOptions>()
  readonly #endpointChains = new Map<EndpointInfo, string>()

  constructor(state: PortState, settings: PlanSettings) {
    const { info, hasAny } = state
    this.#info = info
    this.#state = state
    this.#settings = settings
    this.#chains = serviceChains(info)
    this.#words = FAMILY_WORDS[familyOf(info.clusterIP)]
    this.#protocol = info.protocol.toLowerCase() as TransportProtocol
    this.#cluster = state.cluster ?? []
    this.#local = state.local ?? []
    this.#hasInternal = hasAny && !(info.internalPolicyLocal && this.#local.length === 0)
    this.#hasExternal = hasAny && !(info.externalPolicyLocal && this.#local.length === 0)
  }

  plan(): ServicePlan {
    const { hasAny, reachable } = this.#state
    const { clusterIP, externalIPs, loadBalancerVIPs, nodePort } = this.#info
    const isExternal = hasAny && externallyAccessible(this.#info)
    for (const endpoint of reachable) {
      this.#endpointChains.set(endpoint, endpointChain(this.#info, endpoint))
    }
    this.#captureClusterIP(clusterIP)
    for (const address of externalIPs) this.#captureExternal(address)
    for (const address of loadBalancerVIPs) this.#captureExternal(address)
    if (this.#usesFirewall) this.#writeFirewall(loadBalancerVIPs)
    if (nodePort !== 0) this.#captureNodePort()
    if (this.#hasInternal) this.#masqueradeInternal(clusterIP)
    if (isExternal) this.#writeExternalChain()
    if (this.#info.sessionAffinity === 'ClientIP') {
      for (const endpoint of reachable) this.#addAffinitySet(endpoint)
    }
    if (this.#cluster.length > 0) this.#balance(this.#chains.cluster, this.#cluster)
    if (this.#local.length > 0) this.#balance(this.#chains.local, this.#local)
    for (const endpoint of reachable) this.#writeEndpointChain(endpoint)
    return { elements: this.#elements, chains: this.#rules, sets: this.#sets }
  }

  // ---- what leads to the service port

  #captureClusterIP(address: IpAddress): void {
    this.#add({ set: CLUSTER_IPS, key: [address] })
    const key = this.#destination(address)
    if (this.#hasInternal) this.#add({ set: SERVICE_IPS, key, verdict: goTo(this.#internalChain()) })
    else this.#refuse(NO_ENDPOINT_SERVICES, key)
  }

  #captureExternal(address: IpAddress): void {
    const key = this.#destination(address)
    if (this.#state.hasAny) this.#add({ set: SERVICE_IPS, key, verdict: goTo(this.#chains.external) })
    // A pod's or the node's own traffic may still find endpoints of other nodes.
    if (!this.#hasExternal) this.#refuse(NO_ENDPOINT_SERVICES, key)
  }

  #captureNodePort(): void {
    const key: NftKey = [this.#protocol, this.#info.nodePort]
    if (this.#state.hasAny) {
      this.#add({ set: SERVICE_NODE_PORTS, key, verdict: goTo(this.#chains.external) })
    }
    if (!this.#hasExternal) this.#refuse(NO_ENDPOINT_NODE_PORTS, key)
  }

  /** What is refused says so when there is no endpoint anywhere; others may be reached through other nodes. */
  #refuse(set: string, key: NftKey): void {
    const verdict = this.#state.hasAny ? DROP : goTo(REJECT)
    this.#add({ set, key, verdict, comment: this.#info.name })
  }

  /** Unlike in iptables mode also without endpoints: who is outside the ranges is dropped before others are rejected. */
  get #usesFirewall(): boolean {
    const { loadBalancerVIPs, loadBalancerSourceRanges } = this.#info
    return loadBalancerVIPs.length > 0 && loadBalancerSourceRanges.length > 0
  }

  #writeFirewall(addresses: readonly IpAddress[]): void {
    const { loadBalancerSourceRanges } = this.#info
    for (const address of addresses) {
      const verdict = goTo(this.#chains.firewall)
      this.#add({ set: FIREWALL_IPS, key: this.#destination(address), verdict })
    }
    const values: (Cidr | IpAddress)[] = [...loadBalancerSourceRanges]
    // Where the load balancer's address is one of the node's own, the node's traffic to it comes from it.
    if (loadBalancerSourceRanges.some((range) => cidrContains(range, this.#settings.nodeAddress))) {
      values.push(...addresses)
    }
    this.#append(
      this.#chains.firewall,
      rule({ statement: 'match-any', field: this.#words.source, operator: '!=', values }, drop),
    )
  }

  // ---- the service port's own chains

  /** Traffic to a cluster IP from outside comes back by the same node only when it seems to come from there. */
  #masqueradeInternal(address: IpAddress): void {
    const { masqueradeAll, podAddresses } = this.#settings
    const statements: NftStatement[] = [is(this.#words.destination, address)]
    if (!masqueradeAll) {
      if (podAddresses === undefined) return
      statements.push(isNot(this.#words.source, podAddresses))
    }
    this.#append(this.#internalChain(), rule(...statements, MASQUERADE))
  }

  #writeExternalChain(): void {
    const { external, cluster } = this.#chains
    const { podAddresses } = this.#settings
    const { externalPolicyLocal } = this.#info
    if (!externalPolicyLocal) {
      // The endpoint may be on another node.
      this.#append(external, rule(MASQUERADE))
    } else {
      // Pods and the node itself are subject to no external policy: as if they had gone out and come back in.
      if (podAddresses !== undefined) {
        const fromPods = from(this.#words, podAddresses)
        this.#append(external, commented('short-circuit pod traffic', fromPods, goto(cluster)))
      }
      this.#append(external, commented('masquerade local traffic', fromLocal, MASQUERADE))
      this.#append(external, commented('short-circuit local traffic', fromLocal, goto(cluster)))
    }
    if (this.#hasExternal) this.#append(external, rule(goto(this.#policyChain(externalPolicyLocal))))
    // Named by a rule above, even when all its endpoints are gone.
    if (externalPolicyLocal) this.#append(cluster)
  }

  #addAffinitySet(endpoint: EndpointInfo): void {
    this.#sets.set(affinitySet(this.#endpointChains.get(endpoint)!), {
      type: [this.#words.address],
      flags: ['dynamic', 'timeout'],
      timeout: this.#info.affinityTimeout,
    })
  }

  #balance(chain: string, endpoints: readonly EndpointInfo[]): void {
    const chains = endpoints.map((endpoint) => this.#endpointChains.get(endpoint)!)
    if (this.#info.sessionAffinity === 'ClientIP') {
      for (const to of chains) {
        this.#append(
          chain,
          rule({ statement: 'match-set', key: [this.#words.source], set: affinitySet(to) }, goto(to)),
        )
      }
    }
    const verdicts = chains.map(goTo)
    this.#append(chain, rule({ statement: 'numgen-vmap', verdicts }))
  }

  #writeEndpointChain(endpoint: EndpointInfo): void {
    const chain = this.#endpointChains.get(endpoint)!
    // A pod that reaches itself through the service must not see its own address answer.
    this.#append(chain, rule(from(this.#words, endpoint.address), MASQUERADE))
    if (this.#info.sessionAffinity === 'ClientIP') {
      this.#append(chain, rule({ statement: 'update', set: affinitySet(chain), key: [this.#words.source] }))
    }
    this.#append(chain, rule(OF_PROTOCOL[this.#protocol], dnat(endpoint)))
  }

  // ---- parts

  #destination(address: IpAddress): NftKey {
    return [address, this.#protocol, this.#info.port]
  }

  #policyChain(local: boolean): string {
    return local ? this.#chains.local : this.#chains.cluster
  }

  #internalChain(): string {
    return this.#policyChain(this.#info.internalPolicyLocal)
  }

  #add(element: PlannedElement): void {
    this.#elements.set(`${element.set} ${element.key.join(' ')}`, element)
  }

  #append(chain: string, ...rules: NftRule[]): void {
    const own = this.#rules.get(chain)
    if (own === undefined) this.#rules.set(chain, rules)
    else own.push(...rules)
  }
}
