// The tables of one family: iptables has those of IPv4, ip6tables those of IPv6, and neither knows of the other's. Rules
// and chains are changed and printed here; packets walk through them in traversal.ts.

import type { AddressFamily } from '../wire/address.js'
import type { Restore, Rule, TableName } from './rule.js'
import { saveTable } from './save.js'
import { type Chain, type Policy, TABLE_NAMES, Table } from './tables.js'

export class Iptables {
  readonly family: AddressFamily
  readonly tables: Readonly<Record<TableName, Table>>

  /** `hasSet`: whether there is an ipset of that name. */
  constructor(family: AddressFamily, hasSet: (set: string) => boolean) {
    this.family = family
    this.tables = {
      raw: new Table('raw', hasSet),
      mangle: new Table('mangle', hasSet),
      nat: new Table('nat', hasSet),
      filter: new Table('filter', hasSet),
    }
  }

  replace(table: TableName, chain: string, rules: readonly Rule[]): void {
    this.tables[table].replace(chain, rules)
  }

  restore({ table, chains, remove }: Restore): void {
    this.tables[table].restore(chains, remove)
  }

  rules(table: TableName, chain: string): readonly Rule[] {
    return this.tables[table].chain(chain)?.rules.map(({ rule }) => rule) ?? []
  }

  remove(table: TableName, chain: string): void {
    this.tables[table].remove(chain)
  }

  setPolicy(table: TableName, chain: string, policy: Policy): void {
    this.tables[table].setPolicy(chain, policy)
  }

  chains(table: TableName): readonly Readonly<Chain>[] {
    return this.tables[table].chains()
  }

  /** One table as text, or all. */
  save(table: TableName | undefined, counters: boolean): string {
    const names = table === undefined ? TABLE_NAMES : [table]
    return names.map((name) => saveTable(this.tables[name], this.family, counters)).join('')
  }

  /** How many rules name the ipset. */
  referencesTo(set: string): number {
    let references = 0
    for (const name of TABLE_NAMES) {
      for (const chain of this.tables[name].chains()) {
        for (const { rule } of chain.rules) {
          for (const match of rule.matches) if (match.match === 'set' && match.set === set) references++
        }
      }
    }
    return references
  }
}
