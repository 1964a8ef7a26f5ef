// The rules of one service port in iptables mode. Which there are, their order and their comments are those of
// pkg/proxy/iptables/proxier.go of Kubernetes. Simplified: the comments stay in clusters of more than 1,000 endpoints.
//
// nat   KUBE-SERVICES, KUBE-NODEPORTS -> [KUBE-FW-] -> [KUBE-EXT-] -> KUBE-SVC- or KUBE-SVL- -> KUBE-SEP- -> DNAT
// filter KUBE-SERVICES, KUBE-EXTERNAL-SERVICES, KUBE-PROXY-FIREWALL refuse what nat has not translated

import type { Match, Rule, Target } from '../../netfilter/rule.js'
import {
  type Cidr,
  cidrContains,
  formatEndpoint,
  hostCidr,
  type IpAddress,
  type Port,
} from '../../wire/address.js'
import type { EndpointInfo } from '../endpoint-map.js'
import type { PortState } from '../port-state.js'
import { externallyAccessible, type ServicePortInfo } from '../service-port.js'
import { endpointChain, MARK_MASQ, type ServiceChains, serviceChains } from './chain-names.js'

/** What of the node and its settings the rules depend on. */
export interface RuleSettings {
  readonly nodeAddress: IpAddress
  readonly masqueradeAll: boolean
  /** Addresses of the cluster's pods; undefined when they cannot be told from others. */
  readonly podAddresses: Cidr | undefined
}

/** Rules for the chains that all service ports share, and the service port's own chains. */
export interface ServiceRules {
  readonly natServices: Rule[]
  readonly natNodePorts: Rule[]
  readonly filterServices: Rule[]
  readonly filterExternalServices: Rule[]
  readonly filterNodePorts: Rule[]
  readonly filterFirewall: Rule[]
  /** Of the nat table. */
  readonly chains: Map<string, Rule[]>
}

export function serviceRules(state: PortState, settings: RuleSettings): ServiceRules {
  return new ServiceRuleBuilder(state, settings).build()
}

class ServiceRuleBuilder {
  readonly #info: ServicePortInfo
  readonly #settings: RuleSettings
  readonly #chains: ServiceChains
  readonly #protocol: Match
  readonly #comment: Match
  readonly #extension: Match
  /** What every endpoint's DNAT rule asks for. */
  readonly #translated: Match[]
  readonly #cluster: readonly NamedEndpoint[]
  readonly #local: readonly NamedEndpoint[]
  readonly #reachable: readonly NamedEndpoint[]
  readonly #hasAny: boolean
  /** Whether traffic to the cluster IP, or from outside the cluster, finds an endpoint. */
  readonly #hasInternal: boolean
  readonly #hasExternal: boolean
  readonly #usesFirewall: boolean
  readonly #rules: ServiceRules = {
    natServices: [],
    natNodePorts: [],
    filterServices: [],
    filterExternalServices: [],
    filterNodePorts: [],
    filterFirewall: [],
    chains: new Map(),
  }

  constructor(state: PortState, settings: RuleSettings) {
    const { info, hasAny } = state
    this.#info = info
    this.#settings = settings
    this.#chains = serviceChains(info)
    const protocol = info.protocol.toLowerCase() as 'tcp' | 'udp' | 'sctp'
    this.#protocol = { match: 'protocol', protocol }
    this.#extension = { match: 'extension', protocol }
    this.#comment = comment(info.name)
    this.#translated = [this.#protocol, this.#comment, this.#extension]
    this.#reachable = named(info, state.reachable)
    this.#cluster = this.#those(state.cluster)
    this.#local = this.#those(state.local)
    this.#hasAny = hasAny
    this.#hasInternal = hasAny && !(info.internalPolicyLocal && this.#local.length === 0)
    this.#hasExternal = hasAny && !(info.externalPolicyLocal && this.#local.length === 0)
    this.#usesFirewall =
      hasAny && info.loadBalancerVIPs.length > 0 && info.loadBalancerSourceRanges.length > 0
  }

  build(): ServiceRules {
    this.#captureClusterIP()
    for (const address of this.#info.externalIPs) this.#captureExternal(address, 'external IP')
    for (const address of this.#info.loadBalancerVIPs) this.#captureLoadBalancer(address)
    if (this.#info.nodePort !== 0) this.#captureNodePort(this.#info.nodePort)
    if (this.#info.healthCheckNodePort !== 0) this.#acceptHealthChecks(this.#info.healthCheckNodePort)
    if (this.#hasInternal) this.#masqueradeInternal()
    if (this.#hasAny && externallyAccessible(this.#info)) this.#writeExternalChain()
    if (this.#usesFirewall) this.#writeFirewallChain()
    if (this.#cluster.length > 0) this.#balance(this.#chains.cluster, this.#cluster)
    if (this.#local.length > 0) this.#balance(this.#chains.local, this.#local)
    for (const endpoint of this.#reachable) this.#writeEndpointChain(endpoint)
    return this.#rules
  }

  // ---- what leads to the service port

  #captureClusterIP(): void {
    const { clusterIP } = this.#info
    if (this.#hasInternal) {
      const matches = this.#to(clusterIP, 'cluster IP')
      this.#rules.natServices.push({ matches, target: jump(this.#internalChain()) })
    } else {
      this.#rules.filterServices.push(this.#refuse(this.#to(clusterIP, this.#whyNone())))
    }
  }

  #captureExternal(address: IpAddress, comment: string): void {
    const chain = this.#usesFirewall && comment !== 'external IP' ? 'firewall' : 'external'
    if (this.#hasAny) {
      const matches = this.#to(address, comment)
      this.#rules.natServices.push({ matches, target: jump(this.#chains[chain]) })
    }
    // A pod's or the node's own traffic may still have been sent on by KUBE-EXT-.
    if (!this.#hasExternal)
      this.#rules.filterExternalServices.push(this.#refuse(this.#to(address, this.#whyNone())))
  }

  #captureLoadBalancer(address: IpAddress): void {
    this.#captureExternal(address, 'loadbalancer IP')
    if (!this.#usesFirewall) return
    const matches = this.#to(address, `traffic not accepted by ${this.#chains.firewall}`)
    this.#rules.filterFirewall.push({ matches, target: { target: 'DROP' } })
  }

  /** Node ports are not subject to the load balancer's source ranges. */
  #captureNodePort(port: Port): void {
    const protocol = this.#protocol
    if (this.#hasAny)
      this.#rules.natNodePorts.push({
        matches: [protocol, this.#comment, destinationPort(port)],
        target: jump(this.#chains.external),
      })
    if (!this.#hasExternal)
      this.#rules.filterExternalServices.push(
        this.#refuse([
          protocol,
          comment(`${this.#info.name} ${this.#whyNone()}`),
          { match: 'address-type', destination: 'LOCAL' },
          destinationPort(port),
        ]),
      )
  }

  #acceptHealthChecks(port: Port): void {
    this.#rules.filterNodePorts.push({
      matches: [
        { match: 'protocol', protocol: 'tcp' },
        comment(`${this.#info.name} health check node port`),
        destinationPort(port),
      ],
      target: { target: 'ACCEPT' },
    })
  }

  // ---- the service port's own chains

  /** Traffic to a cluster IP from outside comes back by the same node only when it seems to come from there. */
  #masqueradeInternal(): void {
    const { masqueradeAll, podAddresses } = this.#settings
    const matches = this.#to(this.#info.clusterIP, 'cluster IP')
    if (!masqueradeAll) {
      if (podAddresses === undefined) return
      matches.unshift({ match: 'source', cidr: podAddresses, invert: true })
    }
    this.#append(this.#internalChain(), { matches, target: TO_MARK_MASQ })
  }

  #writeExternalChain(): void {
    const { name, externalPolicyLocal } = this.#info
    const chain = this.#chains.external
    const { podAddresses } = this.#settings
    if (!externalPolicyLocal) {
      // The endpoint may be on another node.
      const matches = [comment(`masquerade traffic for ${name} external destinations`)]
      this.#append(chain, { matches, target: TO_MARK_MASQ })
    } else {
      // Pods and the node itself are subject to no external policy: as if they had gone out and come back in.
      if (podAddresses !== undefined) {
        const why = comment(`pod traffic for ${name} external destinations`)
        const matches: Match[] = [{ match: 'source', cidr: podAddresses }, why]
        this.#append(chain, { matches, target: jump(this.#chains.cluster) })
      }
      const local: Match = { match: 'address-type', source: 'LOCAL' }
      const masquerade = comment(`masquerade LOCAL traffic for ${name} external destinations`)
      this.#append(chain, { matches: [masquerade, local], target: TO_MARK_MASQ })
      const route = comment(`route LOCAL traffic for ${name} external destinations`)
      this.#append(chain, { matches: [route, local], target: jump(this.#chains.cluster) })
    }
    if (!this.#hasExternal) this.#append(chain)
    else this.#append(chain, { matches: [], target: jump(this.#policyChain(externalPolicyLocal)) })
  }

  #writeFirewallChain(): void {
    const { name, loadBalancerSourceRanges, loadBalancerVIPs } = this.#info
    const { external, firewall } = this.#chains
    const accept = (cidr: Cidr) => {
      const matches: Match[] = [{ match: 'source', cidr }, comment(`${name} loadbalancer IP`)]
      this.#append(firewall, { matches, target: jump(external) })
    }
    for (const range of loadBalancerSourceRanges) accept(range)
    // Where the load balancer's address is one of the node's own, the node's traffic to it comes from it.
    if (loadBalancerSourceRanges.some((range) => cidrContains(range, this.#settings.nodeAddress)))
      for (const address of loadBalancerVIPs) accept(hostCidr(address))
    const rest = comment(`other traffic to ${name} will be dropped by KUBE-PROXY-FIREWALL`)
    this.#append(firewall, { matches: [rest], target: { target: 'none' } })
  }

  /** Each rule takes its share of what those before it have left. */
  #balance(chain: string, endpoints: readonly NamedEndpoint[]): void {
    const { sessionAffinity, affinityTimeout } = this.#info
    if (sessionAffinity === 'ClientIP')
      for (const { chain: list, why } of endpoints) {
        const seconds = affinityTimeout / 1_000_000
        const recent: Match = {
          match: 'recent',
          name: list,
          action: 'rcheck',
          seconds,
          reap: true,
          source: true,
        }
        this.#append(chain, { matches: [why, recent], target: jump(list) })
      }
    const rules = endpoints.map(({ chain: to, why }, index): Rule => {
      const left = endpoints.length - index
      const matches: Match[] =
        left > 1 ? [why, { match: 'statistic-random', probability: probability(left) }] : [why]
      return { matches, target: jump(to) }
    })
    this.#append(chain, ...rules)
  }

  #writeEndpointChain({ chain, endpoint: { address, port } }: NamedEndpoint): void {
    const { sessionAffinity } = this.#info
    // A pod that reaches itself through the service must not see its own address answer.
    const hairpin: Match[] = [{ match: 'source', cidr: hostCidr(address) }, this.#comment]
    const matches: Match[] =
      sessionAffinity === 'ClientIP'
        ? [
            this.#protocol,
            this.#comment,
            { match: 'recent', name: chain, action: 'set', source: true },
            this.#extension,
          ]
        : this.#translated
    this.#rules.chains.set(chain, [
      { matches: hairpin, target: TO_MARK_MASQ },
      { matches, target: { target: 'DNAT', to: { address, port } } },
    ])
  }

  // ---- parts

  #append(chain: string, ...rules: Rule[]): void {
    const own = this.#rules.chains.get(chain)
    if (own === undefined) this.#rules.chains.set(chain, rules)
    else own.push(...rules)
  }

  /** Of the reachable endpoints. */
  #those(endpoints: readonly EndpointInfo[] | undefined): readonly NamedEndpoint[] {
    if (endpoints === undefined || endpoints.length === 0) return []
    if (endpoints.length === this.#reachable.length) return this.#reachable
    const wanted = new Set(endpoints)
    return this.#reachable.filter(({ endpoint }) => wanted.has(endpoint))
  }

  #policyChain(local: boolean): string {
    return local ? this.#chains.local : this.#chains.cluster
  }

  #internalChain(): string {
    return this.#policyChain(this.#info.internalPolicyLocal)
  }

  /** What is refused says so when there is no endpoint anywhere; others may be reached through other nodes. */
  #refuse(matches: Match[]): Rule {
    return { matches, target: { target: this.#hasAny ? 'DROP' : 'REJECT' } }
  }

  #whyNone(): string {
    return this.#hasAny ? 'has no local endpoints' : 'has no endpoints'
  }

  #to(address: IpAddress, why: string): Match[] {
    const destination: Match = { match: 'destination', cidr: hostCidr(address) }
    const name = comment(`${this.#info.name} ${why}`)
    return [destination, this.#protocol, name, destinationPort(this.#info.port)]
  }
}

/** An endpoint with what is said of it more than once: names cost a hash each. */
interface NamedEndpoint {
  readonly endpoint: EndpointInfo
  /** `address:port`. */
  readonly text: string
  readonly chain: string
  /** The comment of the rules that lead to its chain. */
  readonly why: Match
}

/** In the order of their text, as kube-proxy sorts them. */
function named(info: ServicePortInfo, endpoints: readonly EndpointInfo[]): readonly NamedEndpoint[] {
  const all = endpoints.map((endpoint): NamedEndpoint => {
    const text = formatEndpoint(endpoint)
    return { endpoint, text, chain: endpointChain(info, text), why: comment(`${info.name} -> ${text}`) }
  })
  return all.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
}

/** One of `count`, as kube-proxy prints it: ten decimals. */
function probability(count: number): number {
  return Math.round(1e10 / count) / 1e10
}

const jump = (chain: string): Target => ({ target: 'jump', chain })
const TO_MARK_MASQ = jump(MARK_MASQ)
const comment = (text: string): Match => ({ match: 'comment', text })
const destinationPort = (port: Port): Match => ({ match: 'destination-port', port })
