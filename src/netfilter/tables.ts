// Tables and chains as data: which exist, which are built in, what rules are in them. Walking through them is
// traversal.ts; what a rule can say is rule.ts.

import type { HookName } from '../stack/hooks.js'
import type { Rule, TableName } from './rule.js'

export interface RuleEntry {
  readonly rule: Rule
  /** Packets and bytes that matched. */
  packets: number
  bytes: number
}

export type Policy = 'ACCEPT' | 'DROP'

export interface Chain {
  readonly name: string
  /** Of a built-in chain: what happens to packets that no rule decided. Undefined for a chain of the user. */
  policy: Policy | undefined
  /** Packets and bytes that reached the policy. */
  packets: number
  bytes: number
  rules: RuleEntry[]
}

/** The built-in chains of each table, in the order in which iptables-save prints them. */
const BUILT_IN: Readonly<Record<TableName, readonly HookName[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
}

export const TABLE_NAMES: readonly TableName[] = ['raw', 'mangle', 'nat', 'filter']

/** What iptables answers to a change that makes no sense. */
export class ChainError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ChainError'
  }
}

export class Table {
  readonly name: TableName
  readonly hooks: readonly HookName[]
  readonly #chains = new Map<string, Chain>()

  constructor(name: TableName) {
    this.name = name
    this.hooks = BUILT_IN[name]
    for (const hook of this.hooks) this.#create(hook, 'ACCEPT')
  }

  chain(name: string): Chain | undefined {
    return this.#chains.get(name)
  }

  /** Built-in chains first, then the user's by name, as iptables-save prints them. */
  chains(): Chain[] {
    const all = [...this.#chains.values()]
    const own = all.filter((chain) => chain.policy === undefined)
    own.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    return [...all.filter((chain) => chain.policy !== undefined), ...own]
  }

  /**
   * Puts `rules` in the place of what the chain had, and makes the chain when there is none. A rule that stays the
   * same object keeps its counters. Throws ChainError for a jump to a chain that does not exist, or a circle.
   */
  replace(name: string, rules: readonly Rule[]): void {
    const chain = this.#chains.get(name)
    for (const rule of rules) {
      if (rule.target.target !== 'jump') continue
      const to = rule.target.chain
      if (to !== name && !this.#chains.has(to)) throw new ChainError(`${this.name}: no chain ${to}`)
      if (this.#reaches(to, name)) throw new ChainError(`${this.name}: ${name} and ${to} go in a circle`)
    }
    const known = new Map(chain?.rules.map((entry) => [entry.rule, entry]))
    const entries = rules.map((rule) => known.get(rule) ?? { rule, packets: 0, bytes: 0 })
    const target = chain ?? this.#create(name, undefined)
    target.rules = entries
  }

  /** Removes a chain of the user. Throws ChainError when it is built in or something jumps to it. */
  remove(name: string): void {
    const chain = this.#chains.get(name)
    if (chain === undefined) return
    if (chain.policy !== undefined) throw new ChainError(`${this.name}: ${name} is built in`)
    for (const other of this.#chains.values()) {
      if (other !== chain && jumpsTo(other, name)) {
        throw new ChainError(`${this.name}: ${other.name} jumps to ${name}`)
      }
    }
    this.#chains.delete(name)
  }

  setPolicy(name: string, policy: Policy): void {
    const chain = this.#chains.get(name)
    if (chain?.policy === undefined) throw new ChainError(`${this.name}: ${name} is not built in`)
    chain.policy = policy
  }

  #create(name: string, policy: Policy | undefined): Chain {
    const chain: Chain = { name, policy, packets: 0, bytes: 0, rules: [] }
    this.#chains.set(name, chain)
    return chain
  }

  /** Whether packets in chain `from` can come to chain `to`. */
  #reaches(from: string, to: string): boolean {
    if (from === to) return true
    return (this.#chains.get(from)?.rules ?? []).some(
      ({ rule: { target } }) => target.target === 'jump' && this.#reaches(target.chain, to),
    )
  }
}

function jumpsTo(chain: Chain, name: string): boolean {
  return chain.rules.some(({ rule: { target } }) => target.target === 'jump' && target.chain === name)
}
