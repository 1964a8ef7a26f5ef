// kube-proxy in ipvs mode, for one family: keeps the kernel's virtual servers, the addresses of kube-ipvs0, ipsets and a fixed number
// of iptables rules in line with the service ports. Only what a changed service port needs differently is touched.
// Read first: service-plan.ts, rules.ts, graceful-termination.ts. What the modes share is synced-proxy.ts.

import type { Micros } from '../../base/time.js'
import { equalJson } from '../../cluster/json.js'
import { Ipvs } from '../../ipvs/ipvs.js'
import type { VirtualService } from '../../ipvs/service.js'
import type { IpSet } from '../../netfilter/ip-sets.js'
import type { HookName, Rule } from '../../netfilter/rule.js'
import type { Interface } from '../../stack/interface.js'
import {
  type AddressFamily,
  addressBits,
  familyOf,
  formatEndpoint,
  type IpAddress,
  isLoopback,
} from '../../wire/address.js'
import { NodePortAddresses } from '../node-port-addresses.js'
import type { PortState } from '../port-state.js'
import type { ProxyOptions } from '../service-proxy.js'
import type { RuleWriter } from '../synced-proxy.js'
import { GracefulTermination } from './graceful-termination.js'
import { CHAINS, filterChains, jumpRules, natChains, type RuleContext } from './rules.js'
import { type PlanSettings, planOf, type ServicePlan, type VirtualServerPlan } from './service-plan.js'
import { IPVS_IPS, SETS, setName } from './set-names.js'

/** The dummy interface with the services' addresses, of both families, so that packets for them are for this host. */
const DUMMY_INTERFACE = 'kube-ipvs0'
/** Locally administered; nothing is ever sent through it. */
const DUMMY_MAC = 0x02_00_00_69_70_76
const TABLES = ['nat', 'filter'] as const

export class IpvsWriter implements RuleWriter {
  readonly mode = 'ipvs'
  readonly minSyncPeriod: Micros = 0
  readonly #options: ProxyOptions
  readonly #family: AddressFamily
  readonly #ipvs: Ipvs
  readonly #ownsIpvs: boolean
  readonly #termination: GracefulTermination
  readonly #plans = new Map<string, ServicePlan>()
  /** Plans for each virtual server by service port, the one that is applied first: addresses may clash. */
  readonly #claims = new Map<string, Map<string, VirtualServerPlan>>()
  /** The virtual servers that are there. */
  readonly #services = new Map<string, VirtualService>()
  /** How many service ports need an element of a set, an address. */
  readonly #elementUsers = new Map<string, number>()
  readonly #addressUsers = new Map<IpAddress, number>()
  /** Simplified: the node's addresses are looked at once, not at each sync. */
  #settings: PlanSettings | undefined
  #installed = false
  /** What the rules were written for, to see whether they change. */
  #written: unknown

  constructor(options: ProxyOptions) {
    this.#options = options
    this.#family = options.family ?? 'IPv4'
    this.#ownsIpvs = options.ipvs?.kernel === undefined
    this.#ipvs = options.ipvs?.kernel ?? new Ipvs(options.stack, options.netfilter)
    this.#termination = new GracefulTermination(this.#ipvs)
  }

  write(states: ReadonlyMap<string, PortState>, changed: ReadonlySet<string>, now: Micros): void {
    if (!this.#installed) this.#install()
    this.#settings ??= this.#planSettings()
    this.#ipvs.expire()
    const touched = new Set<string>()
    let addressesChanged = false
    for (const key of changed) {
      const state = states.get(key)
      const before = this.#plans.get(key)
      const after = state && planOf(state, this.#settings)
      // What stays is counted up before it is counted down, so that it is never taken away between.
      addressesChanged = this.#use(after, before) || addressesChanged
      this.#claim(key, before, after, touched)
      if (after === undefined) this.#plans.delete(key)
      else this.#plans.set(key, after)
    }
    if (addressesChanged) this.#bindAddresses()
    this.#writeRules()
    for (const server of touched) this.#syncServer(server, now)
  }

  advance(now: Micros): void {
    this.#termination.advance(now)
  }

  deadline(): Micros {
    return this.#termination.deadline()
  }

  close(): void {
    const { stack, netfilter } = this.#options
    if (this.#ownsIpvs) this.#ipvs.close()
    else this.#ipvs.flush(this.#family)
    if (!this.#installed) return
    this.#installed = false
    const { index, addresses } = this.#dummy()
    const others = addresses.filter(({ address }) => !this.#isOwn(address))
    // The other family's proxy may still be there; it makes the interface again when it needs it.
    if (others.length > 0) stack.setAddresses(index, others)
    else stack.removeInterface(index)
    const family = this.#family
    for (const table of TABLES) {
      for (const hook of jumpRules(table).keys()) {
        netfilter.replaceChain(table, hook, this.#others(table, hook), family)
      }
      const chains = new Map(CHAINS[table].map((chain): [string, Rule[]] => [chain, []]))
      netfilter.restore({ family, table, chains, remove: CHAINS[table] })
    }
    for (const { name } of SETS) netfilter.sets.destroy(setName(name, family))
  }

  // ---- what is there once

  #install(): void {
    this.#installed = true
    this.#dummy()
    const family = this.#family === 'IPv6' ? 'inet6' : 'inet'
    const { sets } = this.#options.netfilter
    for (const { name, type } of SETS) sets.create(setName(name, this.#family), type, family)
  }

  /** The dummy interface, made when it is missing. */
  #dummy(): Interface {
    const { stack } = this.#options
    const known = stack.interfaces().find(({ name }) => name === DUMMY_INTERFACE)
    if (known !== undefined) return known
    // It stays down; its addresses are the host's all the same.
    const options = { mac: DUMMY_MAC, mtuBytes: 1500, addresses: [], up: false }
    stack.addInterface({ name: DUMMY_INTERFACE, ...options })
    return this.#dummy()
  }

  #isOwn(address: IpAddress): boolean {
    return familyOf(address) === this.#family
  }

  #set(name: string): IpSet {
    return this.#options.netfilter.sets.get(setName(name, this.#family))!
  }

  #planSettings(): PlanSettings {
    const { stack, nodeName, nodeAddresses, ipvs } = this.#options
    const others = stack.interfaces().filter(({ name }) => name !== DUMMY_INTERFACE)
    const own = new Set(others.flatMap(({ addresses }) => addresses.map(({ address }) => address)))
    const nodePorts = new NodePortAddresses(this.#options.nodePortAddresses, this.#family)
    return {
      nodeName,
      nodeAddress: nodeAddresses[0]!,
      scheduler: ipvs?.scheduler ?? 'rr',
      nodePortAddresses: [...own].filter((address) => !isLoopback(address) && nodePorts.contains(address)),
      isNodeAddress: (address) => own.has(address),
    }
  }

  // ---- sets and addresses

  /** Counts users of elements and addresses; whether the addresses change. */
  #use(after: ServicePlan | undefined, before: ServicePlan | undefined): boolean {
    for (const [key, { set, element }] of after?.elements ?? []) {
      if (count(this.#elementUsers, key, 1) === 1) this.#set(set).add(element)
    }
    for (const [key, { set, element }] of before?.elements ?? []) {
      if (count(this.#elementUsers, key, -1) === 0) this.#set(set).remove(element)
    }
    let changed = false
    for (const address of after?.addresses ?? []) {
      if (count(this.#addressUsers, address, 1) > 1) continue
      this.#set(IPVS_IPS).add({ address })
      changed = true
    }
    for (const address of before?.addresses ?? []) {
      if (count(this.#addressUsers, address, -1) > 0) continue
      this.#set(IPVS_IPS).remove({ address })
      changed = true
    }
    return changed
  }

  #bindAddresses(): void {
    const own = [...this.#addressUsers.keys()].map((address) => {
      return { address, prefixLength: addressBits(address) }
    })
    const { index, addresses } = this.#dummy()
    const others = addresses.filter(({ address }) => !this.#isOwn(address))
    this.#options.stack.setAddresses(index, [...others, ...own])
  }

  // ---- rules

  #writeRules(): void {
    const { netfilter, masqueradeAll, localDetector, clusterCIDR } = this.#options
    const context: RuleContext = {
      family: this.#family,
      isEmpty: (set) => this.#set(set).size === 0,
      masqueradeAll: masqueradeAll ?? false,
      podAddresses: (localDetector ?? true) ? clusterCIDR : undefined,
      closedToNode: [...this.#plans.values()].flatMap(({ closedToNode }) => closedToNode),
    }
    const empty = SETS.filter(({ name }) => context.isEmpty(name)).map(({ name }) => name)
    const written = { empty, closedToNode: context.closedToNode }
    if (this.#written !== undefined && equalJson(written, this.#written)) return
    const family = this.#family
    netfilter.restore({ family, table: 'nat', chains: natChains(context) })
    netfilter.restore({ family, table: 'filter', chains: filterChains(context) })
    if (this.#written === undefined) for (const table of TABLES) this.#hook(table)
    this.#written = written
  }

  /** Puts the way into our chains before what the built-in chains have. */
  #hook(table: 'nat' | 'filter'): void {
    for (const [hook, rules] of jumpRules(table)) {
      const all = [...rules, ...this.#others(table, hook)]
      this.#options.netfilter.replaceChain(table, hook, all, this.#family)
    }
  }

  /** Rules of a built-in chain that are not ours. */
  #others(table: 'nat' | 'filter', hook: HookName): Rule[] {
    const chain = this.#options.netfilter.chains(table, this.#family).find(({ name }) => name === hook)
    const rules = chain?.rules.map(({ rule }) => rule) ?? []
    return rules.filter(({ target }) => target.target !== 'jump' || !CHAINS[table].includes(target.chain))
  }

  // ---- virtual servers

  #claim(
    key: string,
    before: ServicePlan | undefined,
    after: ServicePlan | undefined,
    touched: Set<string>,
  ): void {
    for (const server of before?.servers.keys() ?? []) {
      if (after?.servers.has(server)) continue
      this.#claims.get(server)?.delete(key)
      touched.add(server)
    }
    for (const [server, plan] of after?.servers ?? []) {
      const claims = this.#claims.get(server) ?? new Map<string, VirtualServerPlan>()
      claims.set(key, plan)
      this.#claims.set(server, claims)
      touched.add(server)
    }
  }

  #syncServer(server: string, now: Micros): void {
    const [plan] = this.#claims.get(server)!.values()
    if (plan === undefined) {
      this.#claims.delete(server)
      return this.#removeService(server)
    }
    const { protocol, address, port, options } = plan
    const id = { protocol, address, port }
    let service = this.#ipvs.service(id)
    if (service === undefined) service = this.#ipvs.addService(id, options)
    else if (!hasOptions(service, plan)) this.#ipvs.editService(service, options)
    this.#services.set(server, service)
    this.#syncEndpoints(service, plan, now)
  }

  #removeService(server: string): void {
    const service = this.#services.get(server)
    if (service === undefined) return
    this.#services.delete(server)
    this.#termination.forget(service)
    this.#ipvs.removeService(service)
  }

  #syncEndpoints(service: VirtualService, { endpoints }: VirtualServerPlan, now: Micros): void {
    const current = new Map(service.servers.map((server) => [formatEndpoint(server), server]))
    const wanted = new Set<string>()
    for (const endpoint of endpoints) {
      const text = formatEndpoint(endpoint)
      wanted.add(text)
      const server = current.get(text)
      if (server !== undefined && !this.#termination.isTerminating(server)) continue
      if (server !== undefined) this.#termination.cancel(server)
      this.#ipvs.addServer(service, endpoint, 1)
    }
    for (const [text, server] of current) if (!wanted.has(text)) this.#termination.remove(server, now)
  }
}

function hasOptions(service: VirtualService, { options }: VirtualServerPlan): boolean {
  return (
    service.schedulerName === options.scheduler &&
    service.persistence?.timeoutSeconds === options.persistence?.timeoutSeconds
  )
}

/** Adds `by` to a count and forgets it at 0; the new count. */
function count<Key>(counts: Map<Key, number>, key: Key, by: 1 | -1): number {
  const next = (counts.get(key) ?? 0) + by
  if (next === 0) counts.delete(key)
  else counts.set(key, next)
  return next
}
