// What a traversal tells about itself: which rules a packet matched, at which hook, with which verdict, and what was
// translated. The listener is called while the packet passes; nothing of this is computed when nobody listens.

import type { HookName } from '../stack/hooks.js'
import type { Endpoint } from '../wire/address.js'
import type { ConntrackState } from './rule.js'

/** A packet as it was at one moment. Ports are 0 where the protocol has none. */
export interface TracedPacket {
  readonly protocol: number
  readonly source: Endpoint
  readonly destination: Endpoint
  readonly mark: number
  readonly input: string | undefined
  readonly output: string | undefined
}

export type TraceEvent =
  /** conntrack has said what the packet is. */
  | { readonly event: 'track'; readonly state: ConntrackState; readonly reply: boolean }
  /** A rule matched. `text`: the rule as iptables-save or nft list print it, without `-A CHAIN`. */
  | {
      readonly event: 'rule'
      readonly family: 'iptables' | 'nft'
      readonly table: string
      readonly chain: string
      /** From 1. */
      readonly number: number
      readonly text: string
      /** `ACCEPT`, `DROP`, `REJECT`, `DNAT`, `jump KUBE-SVC-...`, `MARK`, `continue` ... */
      readonly verdict: string
    }
  /** No rule of a base chain decided. */
  | {
      readonly event: 'policy'
      readonly family: 'iptables' | 'nft'
      readonly table: string
      readonly chain: string
      readonly policy: 'ACCEPT' | 'DROP'
    }
  /** The packet was translated: its source or destination before and after. */
  | {
      readonly event: 'nat'
      /** Who did it: a rule's target through conntrack, or IPVS. */
      readonly by: 'netfilter' | 'ipvs'
      readonly part: 'source' | 'destination'
      readonly before: Endpoint
      readonly after: Endpoint
    }
  /** The packet has passed INPUT: it goes up to this host's sockets. */
  | { readonly event: 'deliver' }
  /** The packet ends here, by a rule, a policy or a full table. */
  | { readonly event: 'end'; readonly verdict: 'DROP' | 'REJECT' }

export type TraceListener = (event: TraceEvent, hook: HookName, packet: TracedPacket) => void
