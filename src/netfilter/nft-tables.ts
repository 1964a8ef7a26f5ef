// Tables of nftables: chains, rules, sets and maps, and who refers to whom, so that nothing is deleted that is in use.
// What a rule means is nft-evaluation.ts.

import type { Micros } from '../base/time.js'
import type { AddressFamily } from '../wire/address.js'
import type {
  NftBase,
  NftElementRow,
  NftKey,
  NftRule,
  NftSetOptions,
  NftStatement,
  NftVerdict,
} from './nft.js'
import { NftError, NftSet } from './nft-sets.js'

export { NftError } from './nft-sets.js'

export interface NftRuleEntry<Compiled> {
  readonly rule: NftRule
  /** Made when the first packet comes to the rule: most rules of a node never see one. */
  compiled: Compiled | undefined
  /** Packets and bytes that matched. */
  packets: number
  bytes: number
}

export interface NftChain<Compiled = unknown> {
  readonly name: string
  readonly base: NftBase | undefined
  readonly comment: string | undefined
  rules: NftRuleEntry<Compiled>[]
  /** Rules and map elements that jump or go here. */
  references: number
  /** Ends its registration at a hook. */
  leave: (() => void) | undefined
}

/** What tables need of the evaluation. */
export interface NftHooks<Compiled> {
  readonly now: Micros
  /** Rules are others now. */
  changed(): void
  /** Lets packets of a hook enter a base chain until what is given back is called. */
  enter(table: NftTable<Compiled>, chain: NftChain<Compiled>): () => void
}

/** Which table: two of one name are different ones in different families (`ip`, `ip6`). Default IPv4. */
export interface NftTableOptions {
  readonly family?: AddressFamily
  readonly comment?: string
}

/** All tables of a host (`nft list tables`), of the families ip and ip6. */
export class NftTables<Compiled = unknown> {
  readonly #hooks: NftHooks<Compiled>
  readonly #tables = new Map<string, NftTable<Compiled>>()

  constructor(hooks: NftHooks<Compiled>) {
    this.#hooks = hooks
  }

  /** The table `name`, made when it is missing. */
  add(name: string, options: NftTableOptions = {}): NftTable<Compiled> {
    const { family = 'IPv4', comment } = options
    const known = this.get(name, family)
    if (known !== undefined) return known
    const table = new NftTable(name, family, comment, this.#hooks)
    this.#tables.set(keyOf(name, family), table)
    return table
  }

  get(name: string, family: AddressFamily = 'IPv4'): NftTable<Compiled> | undefined {
    return this.#tables.get(keyOf(name, family))
  }

  /** Deletes a table with all that is in it. */
  delete(name: string, family: AddressFamily = 'IPv4'): void {
    this.get(name, family)?.leave()
    this.#tables.delete(keyOf(name, family))
  }

  list(): NftTable<Compiled>[] {
    return [...this.#tables.values()]
  }
}

function keyOf(name: string, family: AddressFamily): string {
  return `${family} ${name}`
}

export class NftTable<Compiled = unknown> {
  readonly name: string
  readonly family: AddressFamily
  readonly comment: string | undefined
  readonly #hooks: NftHooks<Compiled>
  readonly #chains = new Map<string, NftChain<Compiled>>()
  readonly #sets = new Map<string, NftSet>()

  constructor(name: string, family: AddressFamily, comment: string | undefined, hooks: NftHooks<Compiled>) {
    this.name = name
    this.family = family
    this.comment = comment
    this.#hooks = hooks
  }

  // ---- chains and rules

  /** Makes a chain unless it is there; with `base` packets enter it at that hook. */
  addChain(name: string, options: { readonly base?: NftBase; readonly comment?: string } = {}): void {
    if (this.#chains.has(name)) return
    const chain: NftChain<Compiled> = {
      name,
      base: options.base,
      comment: options.comment,
      rules: [],
      references: 0,
      leave: undefined,
    }
    this.#chains.set(name, chain)
    if (options.base !== undefined) chain.leave = this.#hooks.enter(this, chain)
  }

  /** Puts `rules` in the place of what the chain had. Throws NftError for names that are not there. */
  replaceRules(name: string, rules: readonly NftRule[]): void {
    const chain = this.#chain(name)
    const entries = rules.map((rule) => {
      for (const statement of rule.statements) this.#checkNames(statement)
      return { rule, compiled: undefined, packets: 0, bytes: 0 }
    })
    for (const entry of chain.rules) this.#refer(entry.rule, -1)
    for (const rule of rules) this.#refer(rule, 1)
    chain.rules = entries
    this.#hooks.changed()
  }

  /** Adds a rule to the end of a chain. */
  addRule(name: string, rule: NftRule): void {
    this.replaceRules(name, [...this.#chain(name).rules.map((entry) => entry.rule), rule])
  }

  /** Deletes a chain with its rules. Throws NftError while something refers to it. */
  deleteChain(name: string): void {
    const chain = this.#chains.get(name)
    if (chain === undefined) return
    if (chain.references > 0) throw new NftError(`${this.name}: chain ${name} is in use`)
    this.replaceRules(name, [])
    chain.leave?.()
    this.#chains.delete(name)
  }

  chain(name: string): NftChain<Compiled> | undefined {
    return this.#chains.get(name)
  }

  /** In the order in which they were made. */
  chains(): IterableIterator<NftChain<Compiled>> {
    return this.#chains.values()
  }

  // ---- sets and maps

  addSet(name: string, options: NftSetOptions): void {
    if (!this.#sets.has(name)) this.#sets.set(name, new NftSet(name, options, false))
  }

  /** A verdict map. */
  addMap(name: string, options: NftSetOptions): void {
    if (!this.#sets.has(name)) this.#sets.set(name, new NftSet(name, options, true))
  }

  /** Deletes a set or map. Throws NftError while rules name it. */
  deleteSet(name: string): void {
    const set = this.#sets.get(name)
    if (set === undefined) return
    if (set.references > 0) throw new NftError(`${this.name}: set ${name} is in use`)
    this.flushSet(name)
    this.#sets.delete(name)
  }

  /** Adds an element, or changes what the key is mapped to. Throws NftError for a chain that is not there. */
  addElement(
    name: string,
    key: NftKey,
    options: { readonly verdict?: NftVerdict; readonly comment?: string } = {},
  ): void {
    const set = this.#set(name)
    const { verdict, comment } = options
    if (set.isMap !== (verdict !== undefined)) {
      throw new NftError(`${this.name}: ${name} is ${set.isMap ? 'a map' : 'no map'}`)
    }
    this.#referVerdict(verdict, 1)
    const { timeout } = set.options
    const expiresAt = timeout === undefined ? undefined : this.#hooks.now + timeout
    const before = set.set({ key, verdict, comment, expiresAt })
    this.#referVerdict(before?.verdict, -1)
  }

  /** False when it was not there. */
  deleteElement(name: string, key: NftKey): boolean {
    const before = this.#set(name).delete(key)
    this.#referVerdict(before?.verdict, -1)
    return before !== undefined
  }

  /** Deletes all elements. */
  flushSet(name: string): void {
    const set = this.#set(name)
    for (const { key } of [...set.elements()]) this.deleteElement(name, key)
  }

  /** What is in a set or map. */
  elements(name: string): NftElementRow[] {
    return this.#set(name).rows(this.#hooks.now)
  }

  set(name: string): NftSet | undefined {
    return this.#sets.get(name)
  }

  /** Sets and maps, in the order in which they were made. */
  sets(): IterableIterator<NftSet> {
    return this.#sets.values()
  }

  /** Takes the base chains from their hooks. */
  leave(): void {
    for (const chain of this.#chains.values()) chain.leave?.()
  }

  // ---- names

  #chain(name: string): NftChain<Compiled> {
    const chain = this.#chains.get(name)
    if (chain === undefined) throw new NftError(`${this.name}: no chain ${name}`)
    return chain
  }

  #set(name: string): NftSet {
    const set = this.#sets.get(name)
    if (set === undefined) throw new NftError(`${this.name}: no set or map ${name}`)
    return set
  }

  #checkNames(statement: NftStatement): void {
    const set = setNamedBy(statement)
    if (set !== undefined) this.#set(set)
    for (const verdict of verdictsOf(statement)) if ('chain' in verdict) this.#chain(verdict.chain)
  }

  #refer(rule: NftRule, by: number): void {
    for (const statement of rule.statements) {
      const set = setNamedBy(statement)
      if (set !== undefined) this.#set(set).references += by
      for (const verdict of verdictsOf(statement)) this.#referVerdict(verdict, by)
    }
  }

  #referVerdict(verdict: NftVerdict | undefined, by: number): void {
    if (verdict !== undefined && 'chain' in verdict) this.#chain(verdict.chain).references += by
  }
}

function setNamedBy(statement: NftStatement): string | undefined {
  if ('set' in statement) return statement.set
  return statement.statement === 'vmap' ? statement.map : undefined
}

function verdictsOf(statement: NftStatement): readonly NftVerdict[] {
  if (statement.statement === 'verdict') return [statement.verdict]
  return statement.statement === 'numgen-vmap' ? statement.verdicts : []
}
