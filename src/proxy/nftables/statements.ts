// Short words for the statements that kube-proxy's nftables rules are made of.

import type {
  NftDataType,
  NftField,
  NftRule,
  NftStatement,
  NftValue,
  NftVerdict,
} from '../../netfilter/nft.js'
import {
  type AddressFamily,
  type Cidr,
  cidr,
  type Endpoint,
  IPV6_LOOPBACK,
  type IpAddress,
} from '../../wire/address.js'

/** The words in which the rules of the families differ. */
export interface FamilyWords {
  readonly source: NftField
  readonly destination: NftField
  readonly address: NftDataType
  /** Addresses of the host to itself. */
  readonly loopback: NftValue
}

export const FAMILY_WORDS: Readonly<Record<AddressFamily, FamilyWords>> = {
  IPv4: { source: 'ip saddr', destination: 'ip daddr', address: 'ipv4_addr', loopback: cidr('127.0.0.0/8') },
  IPv6: { source: 'ip6 saddr', destination: 'ip6 daddr', address: 'ipv6_addr', loopback: IPV6_LOOPBACK },
}

/** What a packet is sent to: a service's address, protocol and port. */
export function serviceDestination({ destination }: FamilyWords): readonly NftField[] {
  return [destination, 'meta l4proto', 'th dport']
}

export const DESTINATION_PORT: readonly NftField[] = ['meta l4proto', 'th dport']

export function rule(...statements: NftStatement[]): NftRule {
  return { statements }
}

export function commented(comment: string, ...statements: NftStatement[]): NftRule {
  return { statements, comment }
}

export function is(field: NftField, value: NftValue): NftStatement {
  return { statement: 'match', field, value }
}

export function isNot(field: NftField, value: NftValue): NftStatement {
  return { statement: 'match', field, operator: '!=', value }
}

export function from(words: FamilyWords, source: IpAddress | Cidr): NftStatement {
  return is(words.source, source)
}

export const fromLocal: NftStatement = is('fib saddr type', 'LOCAL')
export const isNew: NftStatement = { statement: 'match-state', states: ['NEW'] }

export function jumpTo(chain: string): NftVerdict {
  return { verdict: 'jump', chain }
}

export function goTo(chain: string): NftVerdict {
  return { verdict: 'goto', chain }
}

export const DROP: NftVerdict = { verdict: 'drop' }

export function jump(chain: string): NftStatement {
  return { statement: 'verdict', verdict: jumpTo(chain) }
}

export function goto(chain: string): NftStatement {
  return { statement: 'verdict', verdict: goTo(chain) }
}

export const drop: NftStatement = { statement: 'verdict', verdict: DROP }
export const reject: NftStatement = { statement: 'reject' }

export function lookUp(key: readonly NftField[], map: string): NftStatement {
  return { statement: 'vmap', key, map }
}

export function dnat(to: Endpoint): NftStatement {
  return { statement: 'dnat', to: { address: to.address, port: to.port } }
}
