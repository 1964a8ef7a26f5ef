// kube-proxy in nftables mode, for one family: one table of its own, in which a packet finds its service by one look-up in a map, and
// its endpoint by another. Only what a changed service port needs differently is touched. Read first: table-frame.ts,
// service-plan.ts. What the modes share is synced-proxy.ts.
//
// Unlike kube-proxy, chains that are not needed any more are deleted at once: it waits a second, because of a fault of
// kernels before 6.2. Unlike kube-proxy, node ports answer on all addresses unless some are named, as in other modes.

import { type Micros, SECOND } from '../../base/time.js'
import { equalJson } from '../../cluster/json.js'
import type { NftRule } from '../../netfilter/nft.js'
import type { NftTable } from '../../netfilter/nft-tables.js'
import { type AddressFamily, isLoopback } from '../../wire/address.js'
import { NodePortAddresses } from '../node-port-addresses.js'
import type { PortState } from '../port-state.js'
import type { ProxyOptions } from '../service-proxy.js'
import type { RuleWriter } from '../synced-proxy.js'
import { TABLE } from './names.js'
import { type PlannedElement, type PlanSettings, planOf, type ServicePlan } from './service-plan.js'
import { FAMILY_WORDS } from './statements.js'
import { writeFrame } from './table-frame.js'

const NOTHING: ServicePlan = { elements: new Map(), chains: new Map(), sets: new Map() }

export class NftablesWriter implements RuleWriter {
  readonly mode = 'nftables'
  /** kube-proxy's default for nftables mode. */
  readonly minSyncPeriod: Micros = SECOND
  readonly #options: ProxyOptions
  readonly #family: AddressFamily
  readonly #settings: PlanSettings
  readonly #plans = new Map<string, ServicePlan>()
  /** Who wants each element of a shared set or map, the one that gets it first: addresses may clash. */
  readonly #claims = new Map<string, Claim[]>()
  #table: NftTable | undefined

  constructor(options: ProxyOptions) {
    const { masqueradeAll, localDetector, clusterCIDR, nodeAddresses } = options
    this.#options = options
    this.#family = options.family ?? 'IPv4'
    this.#settings = {
      nodeAddress: nodeAddresses[0]!,
      masqueradeAll: masqueradeAll ?? false,
      podAddresses: (localDetector ?? true) ? clusterCIDR : undefined,
    }
  }

  write(states: ReadonlyMap<string, PortState>, changed: ReadonlySet<string>): void {
    this.#table ??= this.#install()
    const table = this.#table
    const changes: Change[] = []
    for (const key of changed) {
      const state = states.get(key)
      const before = this.#plans.get(key) ?? NOTHING
      const after = state === undefined ? NOTHING : planOf(state, this.#settings)
      changes.push({ key, before, after })
      if (state === undefined) this.#plans.delete(key)
      else this.#plans.set(key, after)
    }
    // What is named has to be there first, and what goes must not be named any more.
    for (const change of changes) addNames(table, change)
    for (const { after } of changes) writeRules(table, after)
    for (const change of changes) this.#claim(table, change)
    const needed = changes.flatMap(({ after }) => [...after.chains.keys(), ...after.sets.keys()])
    removeNames(table, changes, new Set(needed))
  }

  close(): void {
    if (this.#table === undefined) return
    this.#options.netfilter.nft.delete(TABLE, this.#family)
    this.#table = undefined
    this.#plans.clear()
    this.#claims.clear()
  }

  #install(): NftTable {
    const { netfilter, nodePortAddresses, serviceCIDRs, stack } = this.#options
    const addresses = new NodePortAddresses(nodePortAddresses, this.#family)
    const table = netfilter.nft.add(TABLE, { family: this.#family, comment: 'rules for kube-proxy' })
    writeFrame(table, {
      words: FAMILY_WORDS[this.#family],
      nodePortAddresses: addresses.matchAll
        ? undefined
        : addresses.nodeAddresses(stack).filter((address) => !isLoopback(address)),
      serviceCIDRs: serviceCIDRs ?? [],
    })
    return table
  }

  #claim(table: NftTable, { key, before, after }: Change): void {
    for (const [name, element] of before.elements) {
      if (after.elements.has(name)) continue
      const claims = this.#claims.get(name)!
      const place = claims.findIndex((claim) => claim.key === key)
      claims.splice(place, 1)
      const [next] = claims
      if (next === undefined) {
        this.#claims.delete(name)
        table.deleteElement(element.set, element.key)
      } else if (place === 0) {
        addElement(table, next.element)
      }
    }
    for (const [name, element] of after.elements) {
      const claims = this.#claims.get(name)
      if (claims === undefined) {
        this.#claims.set(name, [{ key, element }])
        addElement(table, element)
        continue
      }
      const own = claims.find((claim) => claim.key === key)
      if (own === undefined) {
        claims.push({ key, element })
        continue
      }
      const same = sameElement(own.element, element)
      own.element = element
      if (!same && own === claims[0]) addElement(table, element)
    }
  }
}

/** A service port wants an element. */
interface Claim {
  readonly key: string
  element: PlannedElement
}

interface Change {
  readonly key: string
  readonly before: ServicePlan
  readonly after: ServicePlan
}

function addNames(table: NftTable, { before, after }: Change): void {
  for (const chain of after.chains.keys()) table.addChain(chain)
  for (const [name, options] of after.sets) {
    const known = before.sets.get(name)
    if (known !== undefined && known.timeout !== options.timeout) {
      // A set's time-out is fixed when it is made: another one takes its place, and nobody is bound any more.
      for (const chain of before.chains.keys()) table.replaceRules(chain, [])
      table.deleteSet(name)
    }
    table.addSet(name, options)
  }
}

function writeRules(table: NftTable, after: ServicePlan): void {
  for (const [chain, rules] of after.chains) {
    const known = table.chain(chain)!.rules
    if (!sameRules(known, rules)) table.replaceRules(chain, rules)
  }
}

function removeNames(table: NftTable, changes: readonly Change[], needed: ReadonlySet<string>): void {
  const chains = changes
    .flatMap(({ before }) => [...before.chains.keys()])
    .filter((name) => !needed.has(name))
  const sets = changes.flatMap(({ before }) => [...before.sets.keys()]).filter((name) => !needed.has(name))
  // They may name each other.
  for (const chain of chains) table.replaceRules(chain, [])
  for (const chain of chains) table.deleteChain(chain)
  for (const set of sets) table.deleteSet(set)
}

function addElement(table: NftTable, { set, key, verdict, comment }: PlannedElement): void {
  table.addElement(set, key, {
    ...(verdict && { verdict }),
    ...(comment !== undefined && { comment }),
  })
}

function sameElement(a: PlannedElement, b: PlannedElement): boolean {
  return equalJson(a, b)
}

function sameRules(known: readonly { readonly rule: NftRule }[], rules: readonly NftRule[]): boolean {
  if (known.length !== rules.length) return false
  return known.every(({ rule }, index) => equalJson(rule, rules[index]))
}
