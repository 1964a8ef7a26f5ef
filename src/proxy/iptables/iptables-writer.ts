// kube-proxy in iptables mode, for one family (IPv6: the tables of ip6tables): keeps the rules of every service port and gives netfilter those that changed, one
// restore for each table. Read first: service-rules.ts, node-rules.ts. What the modes share is synced-proxy.ts.

import { type Micros, SECOND } from '../../base/time.js'
import { equalJson } from '../../cluster/json.js'
import type { HookName, Rule } from '../../netfilter/rule.js'
import { type AddressFamily, IPV4_LOOPBACK } from '../../wire/address.js'
import { NodePortAddresses } from '../node-port-addresses.js'
import type { PortState } from '../port-state.js'
import type { ProxyOptions } from '../service-proxy.js'
import type { RuleWriter } from '../synced-proxy.js'
import {
  EXTERNAL_SERVICES,
  FORWARD,
  KUBELET_FIREWALL,
  MARK_MASQ,
  NODE_PORTS,
  POSTROUTING,
  PROXY_FIREWALL,
  SERVICES,
} from './chain-names.js'
import {
  forwardRules,
  jumpRules,
  kubeletFirewallRules,
  markMasqRules,
  nodePortRules,
  postroutingRules,
} from './node-rules.js'
import { type RuleSettings, type ServiceRules, serviceRules } from './service-rules.js'

const TABLES = ['filter', 'nat'] as const
/** The chains of each table that are there whatever the service ports are. */
const CHAINS: Readonly<Record<(typeof TABLES)[number], readonly string[]>> = {
  filter: [SERVICES, EXTERNAL_SERVICES, NODE_PORTS, PROXY_FIREWALL, FORWARD, KUBELET_FIREWALL],
  nat: [SERVICES, NODE_PORTS, POSTROUTING, MARK_MASQ],
}

export class IptablesWriter implements RuleWriter {
  readonly mode = 'iptables'
  /** kube-proxy's default for iptables mode. */
  readonly minSyncPeriod: Micros = SECOND
  readonly #options: ProxyOptions
  readonly #family: AddressFamily
  /** ::1 never has node ports: nothing like route_localnet is there for IPv6. */
  readonly #localhostNodePorts: boolean
  readonly #settings: RuleSettings
  readonly #services = new Map<string, ServiceRules>()
  #installed = false

  constructor(options: ProxyOptions) {
    const { masqueradeAll, localDetector, clusterCIDR, nodeAddresses } = options
    this.#options = options
    this.#family = options.family ?? 'IPv4'
    this.#localhostNodePorts = this.#family === 'IPv4' && (options.localhostNodePorts ?? true)
    this.#settings = {
      nodeAddress: nodeAddresses[0]!,
      masqueradeAll: masqueradeAll ?? false,
      podAddresses: (localDetector ?? true) ? clusterCIDR : undefined,
    }
  }

  write(states: ReadonlyMap<string, PortState>, changed: ReadonlySet<string>): void {
    const chains = new Map<string, readonly Rule[]>()
    const gone = new Set<string>()
    let shared = !this.#installed
    for (const key of changed) {
      const before = this.#services.get(key)
      const state = states.get(key)
      const after = state && serviceRules(state, this.#settings)
      for (const chain of before?.chains.keys() ?? []) if (!after?.chains.has(chain)) gone.add(chain)
      for (const [chain, rules] of after?.chains ?? []) chains.set(chain, rules)
      shared ||= !equalJson(sharedOf(before), sharedOf(after))
      if (after === undefined) this.#services.delete(key)
      else this.#services.set(key, after)
    }
    if (shared) this.#addSharedChains(chains)
    // A chain may have gone with one service port and come with another.
    for (const chain of gone) if (chains.has(chain)) gone.delete(chain)
    if (!this.#installed) this.#install()
    this.#restore('nat', chains, [...gone])
    if (shared) this.#restore('filter', this.#filterChains(), [])
  }

  close(): void {
    if (!this.#installed) return
    const { netfilter } = this.#options
    for (const table of TABLES) {
      this.#unhook(table)
      const own =
        table === 'nat' ? [...this.#services.values()].flatMap(({ chains }) => [...chains.keys()]) : []
      const names = [...CHAINS[table], ...own]
      const chains = new Map(names.map((name): [string, Rule[]] => [name, []]))
      netfilter.restore({ family: this.#family, table, chains, remove: names })
    }
    this.#services.clear()
    this.#installed = false
  }

  /** Chains of the nat table that gather the rules of all service ports. */
  #addSharedChains(chains: Map<string, readonly Rule[]>): void {
    const { nodePortAddresses, stack } = this.#options
    const addresses = new NodePortAddresses(nodePortAddresses, this.#family)
    const services = [...this.#services.values()]
    const nodePorts = nodePortRules(
      this.#family,
      addresses.matchAll ? undefined : addresses.nodeAddresses(stack),
      this.#localhostNodePorts,
    )
    chains.set(SERVICES, [...services.flatMap(({ natServices }) => natServices), ...nodePorts])
    chains.set(
      NODE_PORTS,
      services.flatMap(({ natNodePorts }) => natNodePorts),
    )
  }

  #filterChains(): Map<string, readonly Rule[]> {
    const services = [...this.#services.values()]
    return new Map<string, readonly Rule[]>([
      [SERVICES, services.flatMap(({ filterServices }) => filterServices)],
      [EXTERNAL_SERVICES, services.flatMap(({ filterExternalServices }) => filterExternalServices)],
      [NODE_PORTS, services.flatMap(({ filterNodePorts }) => filterNodePorts)],
      [PROXY_FIREWALL, services.flatMap(({ filterFirewall }) => filterFirewall)],
    ])
  }

  #restore(table: 'filter' | 'nat', chains: Map<string, readonly Rule[]>, remove: readonly string[]): void {
    if (chains.size === 0 && remove.length === 0) return
    // Chains that go may still jump to each other: they are emptied first.
    for (const name of remove) chains.set(name, [])
    this.#options.netfilter.restore({ family: this.#family, table, chains, remove })
  }

  /** What does not depend on Services. The way in comes first, while there are few chains to look through. */
  #install(): void {
    const { nodePortAddresses, stack } = this.#options
    const none: Rule[] = []
    const nat = { [SERVICES]: none, [NODE_PORTS]: none, [POSTROUTING]: postroutingRules() }
    this.#restore('nat', new Map(Object.entries({ ...nat, [MARK_MASQ]: markMasqRules() })), [])
    const filter = { [SERVICES]: none, [EXTERNAL_SERVICES]: none, [NODE_PORTS]: none }
    const fixed = {
      [PROXY_FIREWALL]: none,
      [FORWARD]: forwardRules(),
      [KUBELET_FIREWALL]: kubeletFirewallRules(this.#localhostNodePorts),
    }
    this.#restore('filter', new Map(Object.entries({ ...filter, ...fixed })), [])
    for (const table of TABLES) this.#hook(table)
    const reachable = new NodePortAddresses(nodePortAddresses, this.#family).contains(IPV4_LOOPBACK)
    if (this.#localhostNodePorts && reachable) stack.routeLocalnet = true
    this.#installed = true
  }

  /** Puts the way into our chains before what the built-in chains have. */
  #hook(table: 'filter' | 'nat'): void {
    for (const [hook, rules] of jumpRules(table)) {
      const all = [...rules, ...this.#others(table, hook)]
      this.#options.netfilter.replaceChain(table, hook, all, this.#family)
    }
  }

  #unhook(table: 'filter' | 'nat'): void {
    for (const hook of jumpRules(table).keys()) {
      this.#options.netfilter.replaceChain(table, hook, this.#others(table, hook), this.#family)
    }
  }

  /** Rules of a built-in chain that are not ours. */
  #others(table: 'filter' | 'nat', hook: HookName): Rule[] {
    const chain = this.#options.netfilter.chains(table, this.#family).find(({ name }) => name === hook)
    const rules = chain?.rules.map(({ rule }) => rule) ?? []
    return rules.filter(({ target }) => target.target !== 'jump' || !CHAINS[table].includes(target.chain))
  }
}

/** The rules of a service port outside its own chains, to see whether they changed. */
function sharedOf(rules: ServiceRules | undefined): unknown {
  if (rules === undefined) return undefined
  const { chains: _own, ...shared } = rules
  return shared
}
