// Rules as data: what iptables and kube-proxy call a match, a target, a chain. Only what is listed here exists;
// netfilter/traversal.ts gives it its meaning. Names follow iptables(8) and iptables-extensions(8).

import type { Cidr, Endpoint, Port } from '../wire/address.js'

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter'
export type { HookName } from '../stack/hooks.js'
export type TransportProtocol = 'tcp' | 'udp' | 'icmp'

export type Match =
  | { readonly match: 'protocol'; readonly protocol: TransportProtocol; readonly invert?: boolean }
  | { readonly match: 'source'; readonly cidr: Cidr; readonly invert?: boolean }
  | { readonly match: 'destination'; readonly cidr: Cidr; readonly invert?: boolean }
  | { readonly match: 'source-port'; readonly port: Port }
  | { readonly match: 'destination-port'; readonly port: Port }
  | { readonly match: 'in-interface'; readonly name: string; readonly invert?: boolean }
  | { readonly match: 'out-interface'; readonly name: string; readonly invert?: boolean }
  | {
      readonly match: 'destination-type'
      readonly type: 'LOCAL' | 'UNICAST' | 'BROADCAST'
      readonly invert?: boolean
    }
  | { readonly match: 'state'; readonly states: readonly ConntrackState[] }
  | { readonly match: 'comment'; readonly text: string }

/** Packet states of ctstate in iptables-extensions(8). */
export type ConntrackState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID'

export type Target =
  | { readonly target: 'ACCEPT' }
  | { readonly target: 'DROP' }
  | { readonly target: 'RETURN' }
  | { readonly target: 'jump'; readonly chain: string }
  /** Rewrites the destination; nat table, PREROUTING and OUTPUT, first packet of a flow. */
  | { readonly target: 'DNAT'; readonly to: Endpoint }
  /** DNAT to the incoming interface's primary address (OUTPUT: 127.0.0.1), nat table. */
  | { readonly target: 'REDIRECT'; readonly port: Port }

export interface Rule {
  readonly matches: readonly Match[]
  readonly target: Target
}
