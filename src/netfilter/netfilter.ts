// Netfilter of one host: the four tables at the five hook points with Linux' priorities, connection tracking and
// address translation. Registers itself with a stack and is driven by its packets: it has no deadline of its own. Reading order: rule.ts,
// tables.ts, traversal.ts, conntrack.ts, nat.ts.

import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { HookName, HookVerdict, Packet } from '../stack/hooks.js'
import type { Stack } from '../stack/stack.js'
import { Conntrack, type Flow } from './conntrack.js'
import { Nat } from './nat.js'
import type { Rule, TableName } from './rule.js'
import { flowText, saveTable } from './save.js'
import { type Chain, type Policy, TABLE_NAMES, Table } from './tables.js'
import { type MatchedRule, Traversal } from './traversal.js'
import type { Tuple } from './tuple.js'

/** NF_IP_PRI_*: who sees a packet first. */
export const PRIORITIES = {
  raw: -300,
  conntrack: -200,
  mangle: -150,
  destinationNat: -100,
  filter: 0,
  sourceNat: 100,
  confirm: Number.MAX_SAFE_INTEGER,
} as const

/** A tracked flow, as conntrack shows it. */
export interface FlowRow {
  readonly original: Readonly<Tuple>
  readonly reply: Readonly<Tuple>
  /** Of TCP only. */
  readonly state: string | undefined
  readonly assured: boolean
  readonly seenReply: boolean
  /** When it is forgotten unless another packet comes. */
  readonly expiresAt: Micros
}

export class Netfilter {
  readonly #stack: Stack
  readonly #tables: Readonly<Record<TableName, Table>>
  readonly #traversal: Traversal
  readonly #conntrack: Conntrack
  readonly #nat: Nat

  constructor(stack: Stack, random: Random) {
    this.#stack = stack
    this.#tables = {
      raw: new Table('raw'),
      mangle: new Table('mangle'),
      nat: new Table('nat'),
      filter: new Table('filter'),
    }
    this.#traversal = new Traversal(stack)
    this.#conntrack = new Conntrack(random.fork('conntrack'))
    this.#nat = new Nat(this.#conntrack, random.fork('nat'), (packet, hook) =>
      this.#traversal.run(this.#tables.nat, hook, packet),
    )
    this.#register()
  }

  // ---- rules

  /**
   * Puts `rules` in the place of what a chain had; a chain that is not there is made. Takes effect with the next
   * packet, in the nat table with the next flow. Throws ChainError for a jump to a chain that is not there.
   */
  replaceChain(table: TableName, chain: string, rules: readonly Rule[]): void {
    this.#tables[table].replace(chain, rules)
  }

  /** Adds a rule to the end of a chain. */
  appendRule(table: TableName, chain: string, rule: Rule): void {
    this.#tables[table].replace(chain, [...this.#rules(table, chain), rule])
  }

  /** Puts a rule before the others of a chain. */
  insertRule(table: TableName, chain: string, rule: Rule): void {
    this.#tables[table].replace(chain, [rule, ...this.#rules(table, chain)])
  }

  /** Removes a chain of the user. Throws ChainError when it is built in or in use. */
  removeChain(table: TableName, chain: string): void {
    this.#tables[table].remove(chain)
  }

  setPolicy(table: TableName, chain: string, policy: Policy): void {
    this.#tables[table].setPolicy(chain, policy)
  }

  /** Chains with their rules and counters: built-in ones first, then by name. */
  chains(table: TableName): readonly Readonly<Chain>[] {
    return this.#tables[table].chains()
  }

  /** As iptables-save prints it, one table or all, without the comment lines that carry a date. */
  save(table?: TableName): string {
    const names = table === undefined ? TABLE_NAMES : [table]
    return names.map((name) => saveTable(this.#tables[name])).join('')
  }

  /** Hears of every rule that a packet matches (as the TRACE target would show it); undefined ends it. */
  set onMatch(listener: ((matched: MatchedRule, packet: Packet) => void) | undefined) {
    this.#traversal.onMatch = listener
  }

  // ---- flows

  /** Flows, the oldest first. */
  flows(): FlowRow[] {
    return [...this.#conntrack.flows(this.#stack.now)].map(rowOf)
  }

  /** As `conntrack -L` prints them. */
  flowsText(): string {
    const { now } = this.#stack
    return [...this.#conntrack.flows(now)].map((flow) => `${flowText(flow, now)}\n`).join('')
  }

  /** Forgets flows: all, or those for which `matches` holds (`conntrack -D`); how many. */
  flushConntrack(matches: (flow: FlowRow) => boolean = () => true): number {
    return this.#conntrack.flush((flow) => matches(rowOf(flow)))
  }

  /** What conntrack dropped or could not place. */
  get conntrackCounters(): { readonly full: number; readonly clash: number; readonly invalid: number } {
    return this.#conntrack.counters
  }

  // ---- hooks

  #register(): void {
    const { hooks } = this.#stack
    for (const name of ['raw', 'mangle', 'filter'] as const) {
      const table = this.#tables[name]
      for (const hook of table.hooks) {
        hooks.register(hook, PRIORITIES[name], (packet) => this.#filter(table, hook, packet))
      }
    }
    for (const hook of ['PREROUTING', 'OUTPUT'] as const) {
      hooks.register(hook, PRIORITIES.conntrack, (packet) => this.#conntrack.track(packet, this.#stack.now))
      hooks.register(hook, PRIORITIES.destinationNat, (packet) => this.#nat.run(packet, hook))
    }
    for (const hook of ['INPUT', 'POSTROUTING'] as const) {
      hooks.register(hook, PRIORITIES.sourceNat, (packet) => this.#nat.run(packet, hook))
      hooks.register(hook, PRIORITIES.confirm, (packet) => this.#conntrack.confirm(packet))
    }
  }

  #filter(table: Table, hook: HookName, packet: Packet): HookVerdict {
    return this.#traversal.run(table, hook, packet).target === 'DROP' ? 'DROP' : 'ACCEPT'
  }

  #rules(table: TableName, chain: string): readonly Rule[] {
    return this.#tables[table].chain(chain)?.rules.map(({ rule }) => rule) ?? []
  }
}

function rowOf(flow: Flow): FlowRow {
  return {
    original: flow.original,
    reply: flow.reply,
    state: flow.tcpState === 'NONE' ? undefined : flow.tcpState,
    assured: flow.assured,
    seenReply: flow.seenReply,
    expiresAt: flow.expiresAt,
  }
}
