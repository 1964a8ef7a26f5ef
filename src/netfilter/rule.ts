// Rules of iptables as data: what iptables and kube-proxy call a match, a target, a chain. Only what is listed here
// exists; netfilter/traversal.ts gives it its meaning, netfilter/save.ts its text. Names follow iptables(8) and
// iptables-extensions(8); rules of ip6tables are the same with addresses of IPv6. The rules of nftables are in nft.ts.

import type { Micros } from '../base/time.js'
import type { AddressFamily, Cidr, Endpoint, Port } from '../wire/address.js'

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter'
export type { HookName } from '../stack/hooks.js'
export type TransportProtocol = 'tcp' | 'udp' | 'sctp' | 'icmp' | 'ipv6-icmp'

export type Match =
  | { readonly match: 'protocol'; readonly protocol: TransportProtocol; readonly invert?: boolean }
  | { readonly match: 'source'; readonly cidr: Cidr; readonly invert?: boolean }
  | { readonly match: 'destination'; readonly cidr: Cidr; readonly invert?: boolean }
  | { readonly match: 'source-port'; readonly port: Port; readonly invert?: boolean }
  | { readonly match: 'destination-port'; readonly port: Port; readonly invert?: boolean }
  /** multiport: any of up to 15 ports. */
  | { readonly match: 'destination-ports'; readonly ports: readonly Port[]; readonly invert?: boolean }
  | { readonly match: 'in-interface'; readonly name: string; readonly invert?: boolean }
  | { readonly match: 'out-interface'; readonly name: string; readonly invert?: boolean }
  | AddressTypeMatch
  | { readonly match: 'state'; readonly states: readonly StateWord[]; readonly invert?: boolean }
  | { readonly match: 'comment'; readonly text: string }
  /** The match extension of a protocol with nothing asked of it (`-m tcp` alone): it always holds. */
  | { readonly match: 'extension'; readonly protocol: TransportProtocol }
  | MarkMatch
  /** Each packet by chance, from the seed. `probability` 0..1, kept in steps of 2^-31 as the kernel does. */
  | { readonly match: 'statistic-random'; readonly probability: number; readonly invert?: boolean }
  /** Every `every`th packet that comes to this rule, beginning with number `packet` (0 .. every - 1). */
  | {
      readonly match: 'statistic-nth'
      readonly every: number
      readonly packet: number
      readonly invert?: boolean
    }
  | RecentMatch
  | SetMatch
  | IpvsMatch

/** addrtype: what the source, the destination or both are to this host. `invert` turns each that is given. */
export interface AddressTypeMatch {
  readonly match: 'address-type'
  readonly source?: AddressType
  readonly destination?: AddressType
  readonly invert?: boolean
}

export type AddressType = 'LOCAL' | 'UNICAST' | 'BROADCAST' | 'MULTICAST'

/** `mark` is the packet's, `connmark` its flow's. `mask` defaults to all bits. */
export interface MarkMatch {
  readonly match: 'mark' | 'connmark'
  readonly value: number
  readonly mask?: number
  readonly invert?: boolean
}

/**
 * A list of addresses and when they were seen last, by the name of the list. `set` adds the address and always matches;
 * `rcheck` matches one that was seen within `seconds`; `update` also notes that it was seen; `remove` takes it away.
 */
export interface RecentMatch {
  readonly match: 'recent'
  readonly name: string
  readonly action: 'set' | 'rcheck' | 'update' | 'remove'
  readonly seconds?: number
  /** Also forgets the oldest address of the list when it was not seen within `seconds`. */
  readonly reap?: boolean
  /** The packet's source (--rsource); false: its destination (--rdest). */
  readonly source: boolean
  readonly invert?: boolean
}

/** An ipset (ip-sets.ts) by name; one direction for each dimension of its type. */
export interface SetMatch {
  readonly match: 'set'
  readonly set: string
  readonly directions: readonly ('src' | 'dst')[]
  readonly invert?: boolean
}

/** A packet that IPVS sends on: the virtual service that it was sent to. */
export interface IpvsMatch {
  readonly match: 'ipvs'
  readonly address: Endpoint['address']
  readonly protocol: TransportProtocol
  readonly port: Port
  readonly invert?: boolean
}

/** What conntrack says of a packet. */
export type ConntrackState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED'
/** Words of ctstate in iptables-extensions(8): SNAT and DNAT ask whether the flow is translated. */
export type StateWord = ConntrackState | 'SNAT' | 'DNAT'

export type Target =
  | { readonly target: 'ACCEPT' }
  | { readonly target: 'DROP' }
  | { readonly target: 'RETURN' }
  | { readonly target: 'jump'; readonly chain: string }
  /** As jump, but the end of `chain` returns to where this chain would have. */
  | { readonly target: 'goto'; readonly chain: string }
  /** No target: the rule counts and its matches have their effects. */
  | { readonly target: 'none' }
  /** Drops the packet and says so to who sent it; filter table. Default: port unreachable, of the packet's family. */
  | { readonly target: 'REJECT'; readonly with?: RejectWith }
  /** Rewrites the destination; nat table, PREROUTING and OUTPUT, first packet of a flow. Port 0: left alone. */
  | { readonly target: 'DNAT'; readonly to: Endpoint }
  /** DNAT to the incoming interface's primary address (OUTPUT: 127.0.0.1 or ::1), nat table. */
  | { readonly target: 'REDIRECT'; readonly port: Port }
  /** Rewrites the source; nat table, POSTROUTING and INPUT, first packet of a flow. Port 0: any. */
  | { readonly target: 'SNAT'; readonly to: Endpoint; readonly fullyRandom?: boolean }
  /** SNAT to the address of the interface where the packet leaves; nat table, POSTROUTING. */
  | { readonly target: 'MASQUERADE'; readonly fullyRandom?: boolean }
  | MarkTarget
  | ConnmarkTarget
  /** Packets that conntrack shall not see; raw table. */
  | { readonly target: 'NOTRACK' }

export type RejectWith =
  | 'icmp-net-unreachable'
  | 'icmp-host-unreachable'
  | 'icmp-port-unreachable'
  | 'icmp-proto-unreachable'
  | 'icmp-admin-prohibited'
  | 'icmp6-no-route'
  | 'icmp6-adm-prohibited'
  | 'icmp6-addr-unreachable'
  | 'icmp6-port-unreachable'
  | 'tcp-reset'

/** `set`: the bits of `mask` (default all) become those of `value`; `or`, `xor`: --or-mark, --xor-mark. */
export interface MarkTarget {
  readonly target: 'MARK'
  readonly operation: 'set' | 'or' | 'xor'
  readonly value: number
  readonly mask?: number
}

/** `save`: the packet's mark becomes the flow's; `restore`: the other way round; `set`: the flow's becomes `value`. */
export interface ConnmarkTarget {
  readonly target: 'CONNMARK'
  readonly action: 'save' | 'restore' | 'set'
  readonly value?: number
  readonly mask?: number
}

export interface Rule {
  readonly matches: readonly Match[]
  readonly target: Target
}

/** What `iptables-restore --noflush` (IPv6: `ip6tables-restore`) does to one table at once. */
export interface Restore {
  /** Default IPv4. */
  readonly family?: AddressFamily
  readonly table: TableName
  /** Chains that are made when they are missing, and whose rules are replaced. */
  readonly chains: ReadonlyMap<string, readonly Rule[]>
  /** Chains of the user that are removed afterwards (-X). */
  readonly remove?: readonly string[]
}

/** Which flows `deleteFlows` forgets: all that is given must hold (`conntrack -D`). */
export interface FlowFilter {
  readonly protocol?: TransportProtocol
  /** --orig-src, --orig-dst, --orig-port-dst. */
  readonly originalSource?: Endpoint['address']
  readonly originalDestination?: Endpoint['address']
  readonly originalDestinationPort?: Port
  /** --reply-src (--dst-nat), --reply-port-src. */
  readonly replySource?: Endpoint['address']
  readonly replySourcePort?: Port
  /** Only flows whose destination is translated. */
  readonly destinationTranslated?: boolean
}

/** One address of a recent list. */
export interface RecentRow {
  readonly list: string
  readonly address: Endpoint['address']
  readonly lastSeen: Micros
}
