// Rules of nftables as data (nft(8)): tables of their own beside those of iptables, with base chains, regular chains,
// sets, maps and verdict maps. Only the expressions that are listed here exist. nft-tables.ts keeps them,
// nft-evaluation.ts gives them their meaning, nft-text.ts prints them as `nft list ruleset` does.

import type { Micros } from '../base/time.js'
import type { HookName } from '../stack/hooks.js'
import type { Cidr, Endpoint, IpAddress, Port } from '../wire/address.js'
import type { AddressType, RejectWith, StateWord, TransportProtocol } from './rule.js'

/** What of a packet is looked at. `tcp dport`, `udp dport` and `sctp dport` imply the protocol. */
export type NftField =
  | 'ip saddr'
  | 'ip daddr'
  | 'ip6 saddr'
  | 'ip6 daddr'
  | 'meta l4proto'
  | 'th sport'
  | 'th dport'
  | 'tcp dport'
  | 'udp dport'
  | 'sctp dport'
  | 'iifname'
  | 'oifname'
  | 'fib saddr type'
  | 'fib daddr type'

/** Value of one field: an address or prefix, a protocol's name, a port, an interface's name, an address type. */
export type NftValue = IpAddress | Cidr | Port | TransportProtocol | string

export type NftDataType = 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service'

/** One value for each field of a concatenation (`ip daddr . meta l4proto . th dport`). */
export type NftKey = readonly NftValue[]

export type NftVerdict =
  | { readonly verdict: 'accept' | 'drop' | 'return' | 'continue' }
  | { readonly verdict: 'jump' | 'goto'; readonly chain: string }

/** Statements of a rule from left to right; the first that does not match ends the rule. */
export type NftStatement =
  /** `ip saddr != 10.0.0.0/8`, `ip daddr 10.96.0.1`, `fib daddr type local`. */
  | {
      readonly statement: 'match'
      readonly field: NftField
      readonly operator?: '==' | '!='
      readonly value: NftValue | AddressType
    }
  /** `ip daddr . meta l4proto . th dport @set`: the key is an element of a named set. */
  | {
      readonly statement: 'match-set'
      readonly key: readonly NftField[]
      readonly operator?: '==' | '!='
      readonly set: string
    }
  /** `ip saddr != { 10.0.0.0/8, 192.168.1.1 }`: one field, an anonymous set. */
  | {
      readonly statement: 'match-any'
      readonly field: NftField
      readonly operator?: '==' | '!='
      readonly values: readonly NftValue[]
    }
  | { readonly statement: 'match-state'; readonly operator?: '!='; readonly states: readonly StateWord[] }
  /** `meta mark & mask == value`. */
  | {
      readonly statement: 'match-mark'
      readonly mask?: number
      readonly operator?: '==' | '!='
      readonly value: number
    }
  /** `meta mark set mark or VALUE`, `xor`; `set`: `meta mark set VALUE`. */
  | { readonly statement: 'mark'; readonly operation: 'set' | 'or' | 'xor' | 'and'; readonly value: number }
  /** `KEY vmap @map`: one lookup, whatever the size of the map. */
  | { readonly statement: 'vmap'; readonly key: readonly NftField[]; readonly map: string }
  /** `numgen random mod N vmap { 0 : ..., 1 : ... }` with N the number of verdicts. */
  | { readonly statement: 'numgen-vmap'; readonly verdicts: readonly NftVerdict[] }
  /** `update @set { KEY }`: adds the key or prolongs its time-out. `add` leaves the time-out of one that is there. */
  | { readonly statement: 'update' | 'add'; readonly set: string; readonly key: readonly NftField[] }
  | { readonly statement: 'dnat'; readonly to: Endpoint }
  | { readonly statement: 'snat'; readonly to: Endpoint }
  | { readonly statement: 'masquerade'; readonly fullyRandom?: boolean }
  | { readonly statement: 'redirect'; readonly port: Port }
  | { readonly statement: 'reject'; readonly with?: RejectWith }
  | { readonly statement: 'counter' }
  | { readonly statement: 'verdict'; readonly verdict: NftVerdict }

export interface NftRule {
  readonly statements: readonly NftStatement[]
  readonly comment?: string
}

/** What makes a chain a base chain: where packets enter it. */
export interface NftBase {
  readonly type: 'filter' | 'nat' | 'route'
  readonly hook: HookName
  /** Lower ones first; -110, -100 (dstnat), 0 (filter), 100 (srcnat). */
  readonly priority: number
  readonly policy?: 'accept' | 'drop'
}

export interface NftSetOptions {
  readonly type: readonly NftDataType[]
  readonly flags?: readonly ('interval' | 'dynamic' | 'timeout')[]
  /** How long an element stays; only with the flag timeout. */
  readonly timeout?: Micros
  readonly comment?: string
}

/** An element that an evaluated rule or a user put into a set. */
export interface NftElementRow {
  readonly key: NftKey
  /** Of a verdict map. */
  readonly verdict: NftVerdict | undefined
  readonly expiresAt: Micros | undefined
  readonly comment: string | undefined
}
