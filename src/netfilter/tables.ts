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
  /**
   * Chains with a rule that jumps or goes here, and how many such rules they have: one by itself, which is all that most
   * chains have, and the others.
   */
  referrer: Chain | undefined
  referrals: number
  otherReferrers: Map<Chain, number> | undefined
}

/** The built-in chains of each table, in the order in which packets meet them. */
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
  readonly #hasSet: (set: string) => boolean
  readonly #chains = new Map<string, Chain>()

  /** `hasSet`: whether there is an ipset of that name. */
  constructor(name: TableName, hasSet: (set: string) => boolean) {
    this.name = name
    this.#hasSet = hasSet
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
    const known = this.#chains.get(name)
    this.#check(name, known, rules)
    const replacement = replacementOf(known ?? this.#create(name, undefined), rules)
    this.#referAll(replacement, 'before', -1)
    this.#install(replacement)
  }

  /**
   * What `iptables-restore --noflush` does: makes the chains that are missing, replaces rules, removes chains - all of
   * it or, when it throws ChainError, nothing.
   */
  restore(chains: ReadonlyMap<string, readonly Rule[]>, remove: readonly string[] = []): void {
    const created: string[] = []
    const begun: Replacement[] = []
    let installed = 0
    try {
      for (const [name, rules] of chains) {
        let chain = this.#chains.get(name)
        if (chain === undefined) {
          chain = this.#create(name, undefined)
          created.push(name)
        }
        begun.push(replacementOf(chain, rules))
      }
      // Old jumps are taken away first: rules that turn around who jumps to whom are no circle.
      for (const replacement of begun) this.#referAll(replacement, 'before', -1)
      for (const replacement of begun) {
        const { chain, after } = replacement
        this.#check(chain.name, chain, after)
        this.#install(replacement)
        installed++
      }
      this.#removeAll(remove)
    } catch (error) {
      for (const replacement of begun.slice(0, installed)) this.#referAll(replacement, 'after', -1)
      for (const replacement of begun) {
        this.#referAll(replacement, 'before', 1)
        replacement.chain.rules = replacement.entries
      }
      for (const name of created) this.#chains.delete(name)
      throw error
    }
  }

  /** Removes a chain of the user. Throws ChainError when it is built in or something jumps to it. */
  remove(name: string): void {
    const chain = this.#chains.get(name)
    if (chain === undefined) return
    this.#removeAll([name])
  }

  setPolicy(name: string, policy: Policy): void {
    const chain = this.#chains.get(name)
    if (chain?.policy === undefined) throw new ChainError(`${this.name}: ${name} is not built in`)
    chain.policy = policy
  }

  #create(name: string, policy: Policy | undefined): Chain {
    const chain: Chain = {
      name,
      policy,
      packets: 0,
      bytes: 0,
      rules: [],
      referrer: undefined,
      referrals: 0,
      otherReferrers: undefined,
    }
    this.#chains.set(name, chain)
    return chain
  }

  /** The old jumps are counted no more. */
  #install(replacement: Replacement): void {
    const { chain, entries, rules } = replacement
    chain.rules = keepCounters(entries, rules)
    this.#referAll(replacement, 'after', 1)
  }

  #referAll(replacement: Replacement, which: 'before' | 'after', by: number): void {
    for (const rule of replacement[which]) this.#refer(replacement.chain, rule, by)
  }

  /** Chains of the user that jump to none but each other go together. */
  #removeAll(names: readonly string[]): void {
    const gone = new Set(names.map((name) => this.#chains.get(name)).filter((chain) => chain !== undefined))
    for (const chain of gone) this.#checkRemoval(chain, gone)
    for (const chain of gone) {
      for (const { rule } of chain.rules) this.#refer(chain, rule, -1)
      this.#chains.delete(chain.name)
    }
  }

  #checkRemoval(chain: Chain, gone: ReadonlySet<Chain>): void {
    const { name, policy } = chain
    if (policy !== undefined) throw new ChainError(`${this.name}: ${name} is built in`)
    for (const referrer of referrersOf(chain)) {
      if (!gone.has(referrer)) throw new ChainError(`${this.name}: ${referrer.name} jumps to ${name}`)
    }
  }

  #check(name: string, chain: Chain | undefined, rules: readonly Rule[]): void {
    // Looked for once, and only upwards: most chains have few above them and many below.
    let above: ReadonlySet<string> | undefined
    for (const { matches, target } of rules) {
      for (const match of matches) {
        if (match.match === 'set' && !this.#hasSet(match.set)) {
          throw new ChainError(`${this.name}: no set ${match.set}`)
        }
      }
      if (target.target !== 'jump' && target.target !== 'goto') continue
      const to = target.chain
      const next = this.#chains.get(to)
      if (to !== name && next === undefined) throw new ChainError(`${this.name}: no chain ${to}`)
      // Most jumps lead to a chain that leads nowhere.
      if (to !== name && !next!.rules.some(({ rule }) => leadsOn(rule))) continue
      above ??= namesAbove(name, chain)
      if (above.has(to)) throw new ChainError(`${this.name}: ${name} and ${to} go in a circle`)
    }
  }

  #refer(from: Chain, { target }: Rule, by: number): void {
    if (target.target !== 'jump' && target.target !== 'goto') return
    const to = this.#chains.get(target.chain)
    if (to !== undefined) countReferral(to, from, by)
  }
}

function countReferral(to: Chain, from: Chain, by: number): void {
  const count = to.otherReferrers?.get(from)
  if (count === undefined && (to.referrer === undefined || to.referrer === from)) {
    to.referrals += by
    to.referrer = to.referrals === 0 ? undefined : from
    return
  }
  to.otherReferrers ??= new Map()
  const next = (count ?? 0) + by
  if (next === 0) to.otherReferrers.delete(from)
  else to.otherReferrers.set(from, next)
}

function referrersOf({ referrer, otherReferrers }: Chain): Chain[] {
  const others = otherReferrers === undefined ? [] : [...otherReferrers.keys()]
  return referrer === undefined ? others : [referrer, ...others]
}

/** New rules of a chain, and those of them that differ from what it had. */
interface Replacement {
  readonly chain: Chain
  /** What the chain had. */
  readonly entries: RuleEntry[]
  readonly rules: readonly Rule[]
  readonly before: readonly Rule[]
  readonly after: readonly Rule[]
}

/** Long chains change in one place: what is the same before and behind it needs no look. */
function replacementOf(chain: Chain, rules: readonly Rule[]): Replacement {
  const entries = chain.rules
  if (entries.length === 0) return { chain, entries, rules, before: [], after: rules }
  const shorter = Math.min(entries.length, rules.length)
  let start = 0
  while (start < shorter && entries[start]!.rule === rules[start]) start++
  let tail = 0
  while (tail < shorter - start && entries.at(-1 - tail)!.rule === rules.at(-1 - tail)) tail++
  return {
    chain,
    entries,
    rules,
    before: entries.slice(start, entries.length - tail).map(({ rule }) => rule),
    after: rules.slice(start, rules.length - tail),
  }
}

function leadsOn({ target }: Rule): boolean {
  return target.target === 'jump' || target.target === 'goto'
}

/** The chain itself and all from which packets come to it. */
function namesAbove(name: string, chain: Chain | undefined): ReadonlySet<string> {
  const names = new Set([name])
  const chains = chain === undefined ? [] : [chain]
  for (const each of chains) {
    for (const referrer of referrersOf(each)) {
      if (names.has(referrer.name)) continue
      names.add(referrer.name)
      chains.push(referrer)
    }
  }
  return names
}

function keepCounters(before: readonly RuleEntry[], rules: readonly Rule[]): RuleEntry[] {
  if (before.length === 0) return rules.map((rule) => ({ rule, packets: 0, bytes: 0 }))
  let known: Map<Rule, RuleEntry> | undefined
  return rules.map((rule, index) => {
    if (before[index]?.rule === rule) return before[index]
    known ??= new Map(before.map((entry) => [entry.rule, entry]))
    return known.get(rule) ?? { rule, packets: 0, bytes: 0 }
  })
}
