// What a trace comes to, as data: the JSON of `podwire trace --output json`.

import type { ServiceInfo } from './destination.js'
import type { Journey } from './journey.js'
import type { NameResolution } from './resolution.js'

export type Verdict = 'DNAT' | 'ACCEPT' | 'REJECT' | 'DROP' | 'NO_MATCH'

export interface EndpointOdds {
  /** `10.36.0.0:80`. */
  readonly endpoint: string
  /** `default/web-5d8f`; undefined when no pod has that address. */
  readonly pod?: string
  readonly node?: string
  readonly connections: number
}

export interface Explanation {
  readonly verdict: Verdict
  /** All endpoints that a new connection may reach, from this client or one like it. */
  readonly endpoints: readonly string[]
  /** Whether the endpoint sees another source than the client's address. */
  readonly masquerade: boolean
  readonly from: string
  readonly to: string
  readonly protocol: 'tcp' | 'udp'
  /** The node whose kube-proxy sees the packet first, and how it works. */
  readonly node: string
  readonly proxyMode: string
  readonly resolution?: NameResolution
  readonly service?: ServiceInfo
  /** `ip route get` of the client. */
  readonly route: string
  /** Connections tried from the client itself, by what the client saw. */
  readonly connections: {
    readonly tried: number
    readonly answered: number
    readonly refused: number
    readonly unreachable: number
    readonly silent: number
  }
  /** Where the first connection went. */
  readonly chosen?: string
  /** The source that the endpoint saw. */
  readonly seenAs?: string
  /** How many connections each endpoint got, in the order of `endpoints`. */
  readonly odds: readonly EndpointOdds[]
  /** The first connection. */
  readonly journey: Journey
  /** The second one from the same client, when affinity made it match other rules. */
  readonly again?: Journey
  /** Entries of conntrack for the first connection, `node: entry`. */
  readonly conntrack: readonly string[]
  readonly notes: readonly string[]
}
