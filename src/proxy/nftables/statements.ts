// Short words for the statements that kube-proxy's nftables rules are made of.

import type { NftField, NftRule, NftStatement, NftValue, NftVerdict } from '../../netfilter/nft.js'
import type { Cidr, Endpoint, IpAddress } from '../../wire/address.js'

/** What a packet is sent to: a service's address, protocol and port. */
export const DESTINATION: readonly NftField[] = ['ip daddr', 'meta l4proto', 'th dport']
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

export function from(source: IpAddress | Cidr): NftStatement {
  return is('ip saddr', source)
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
