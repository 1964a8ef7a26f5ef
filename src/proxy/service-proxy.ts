// What every mode of kube-proxy is to its node: something that follows Services and EndpointSlices, writes rules
// for them, and needs time now and then. Which modes there are is create-proxy.ts.

import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { ClusterFollower } from '../cluster/feed.js'
import type { Protocol } from '../cluster/objects.js'
import type { Ipvs } from '../ipvs/ipvs.js'
import type { Netfilter } from '../netfilter/netfilter.js'
import type { Stack } from '../stack/stack.js'
import type { AddressFamily, Cidr, Endpoint, IpAddress, Port } from '../wire/address.js'
import type { ProxyFlow } from './forwarder.js'
import type { IpvsScheduler, ProxyMode } from './proxy-mode.js'

/**
 * KubeProxyConfiguration, as far as it exists here, and the node that the proxy runs on. A proxy serves one family, and
 * addresses and prefixes are of that one; a node with both has two proxies (dual-stack-proxy.ts).
 */
export interface ProxyOptions {
  readonly nodeName: string
  /** Default IPv4. */
  readonly family?: AddressFamily
  /** The node's own addresses, its primary one first. */
  readonly nodeAddresses: readonly IpAddress[]
  /** Addresses of this node's pods. */
  readonly podCIDR?: Cidr
  /** Addresses of all pods: what is not from there comes from outside the cluster. */
  readonly clusterCIDR?: Cidr
  /** Where cluster IPs are taken from (ServiceCIDR objects); nftables mode drops what is sent to the free ones. */
  readonly serviceCIDRs?: readonly Cidr[]
  /** Zone of the node until a Node object says otherwise. */
  readonly zone?: string
  readonly stack: Stack
  readonly netfilter: Netfilter
  readonly random: Random
  /** Masquerade everything that is sent to a cluster IP; default false. */
  readonly masqueradeAll?: boolean
  /** Whether pods are told from the outside by `clusterCIDR`; default true. */
  readonly localDetector?: boolean
  /** Prefixes, of both families, of the node addresses that answer for node ports; default: all of them. */
  readonly nodePortAddresses?: readonly string[]
  /** Whether node ports answer on 127.0.0.1 (iptables mode only; never on ::1); default true. */
  readonly localhostNodePorts?: boolean
  /** At least this long between two writings of rules; default: the mode's. */
  readonly minSyncPeriod?: Micros
  /** Rules are written again after this long even when nothing changed; default NEVER: nobody else changes them. */
  readonly maxSyncPeriod?: Micros
  readonly ipvs?: IpvsOptions
  /** Hears of every connection and datagram association that the proxy itself takes on. */
  readonly onFlow?: (flow: ProxyFlow) => void
}

export interface IpvsOptions {
  /** Default rr. */
  readonly scheduler?: IpvsScheduler
  /** The node's; without it the proxy loads one for its own time. */
  readonly kernel?: Ipvs
}

/** One service port as it is served. */
export interface ServiceRow {
  /** `namespace/service:port`. */
  readonly service: string
  readonly protocol: Protocol
  readonly clusterIP: IpAddress
  readonly port: Port
  /** Those that this node sends new connections for the cluster IP to. */
  readonly endpoints: readonly Endpoint[]
}

export interface ServiceProxy extends ClusterFollower {
  readonly mode: ProxyMode
  /** Writes what `apply` brought at once, whatever the minimum period says; cheap when that is nothing. */
  sync(now: Micros): void
  /** Does what is due: a sync, time-outs. */
  advance(now: Micros): void
  deadline(): Micros
  /** Whether all that `apply` brought is in the rules. */
  readonly synced: boolean
  rows(): ServiceRow[]
  /** Service ports that are not served, with the reason. */
  readonly skipped: ReadonlyMap<string, string>
  /** The program ends: its rules, listeners and connections go. */
  close(): void
}
