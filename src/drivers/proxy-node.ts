// A node on the wire: its host (stack, bridge, netfilter), the kube-proxy that runs on it and the prober of its
// kubelet, as one Machine.

import { performance } from 'node:perf_hooks'
import type { Machine } from '../base/machine.js'
import type { Random } from '../base/random.js'
import type { Micros } from '../base/time.js'
import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import type { ProbeResult } from '../cluster/prober.js'
import { type NodeHost, nodeHost } from '../host/node-host.js'
import { createProxy } from '../proxy/create-proxy.js'
import type { ProxyFlow } from '../proxy/forwarder.js'
import { ProxiedMachine } from '../proxy/proxied-machine.js'
import type { ProxySetting } from '../proxy/proxy-mode.js'
import type { ServiceProxy } from '../proxy/service-proxy.js'
import { type Cidr, type InterfaceAddress, type IpAddress, type Mac, networkOf } from '../wire/address.js'
import { NodeProber } from './node-prober.js'
import { countRules, type ProxyStatistics } from './proxy-statistics.js'

export interface ProxyNodeOptions {
  readonly name: string
  readonly mac: Mac
  /** eth0, on the nodes' network. */
  readonly address: InterfaceAddress
  /** cni0, gateway of the node's pods. */
  readonly bridge: InterfaceAddress
  /** Addresses of all nodes' pods. */
  readonly clusterCIDR: Cidr
  /** Where cluster IPs are taken from. */
  readonly serviceCIDR: Cidr
  readonly routes: readonly { readonly destination: Cidr; readonly gateway: IpAddress }[]
  readonly random: Random
  readonly proxy: ProxySetting
  /** Tells a new kube-proxy all objects that there are. */
  readonly replay: (follower: ClusterFollower) => void
  readonly onFlow: (flow: ProxyFlow) => void
  readonly onProbeResult: (id: number, result: ProbeResult) => void
}

export class ProxyNode implements ClusterFollower {
  readonly host: NodeHost
  readonly machine: Machine
  /** Sends the probes of this node's kubelet. */
  readonly prober: NodeProber
  readonly #options: ProxyNodeOptions
  #setting: ProxySetting
  #proxy: ServiceProxy
  #syncs = 0
  #syncMillis = 0

  constructor(options: ProxyNodeOptions) {
    this.host = nodeHost({ ...options, random: options.random.fork('host') })
    this.prober = new NodeProber(this.host.stack, options.onProbeResult)
    this.#options = options
    this.#setting = options.proxy
    this.#proxy = this.#start(options.proxy)
    this.machine = new ProxiedMachine(this.host, {
      advance: (now) => {
        this.#advanceProxy(now)
        this.prober.advance(now)
      },
      deadline: () => Math.min(this.#proxy.deadline(), this.prober.deadline()),
    })
  }

  /** A change of the cluster; its rules are written when the machine is next advanced, or when the mode allows. */
  apply(change: ClusterChange): void {
    this.#proxy.apply(change)
  }

  /** Of the kube-proxy that runs now. */
  statistics(): ProxyStatistics {
    return { rules: countRules(this.host), syncs: this.#syncs, syncMillis: this.#syncMillis }
  }

  get proxy(): ServiceProxy {
    return this.#proxy
  }

  get proxySetting(): ProxySetting {
    return this.#setting
  }

  /** Ends the kube-proxy that runs, its rules removed, and starts another. */
  setProxy(setting: ProxySetting): void {
    const next = this.#start(setting)
    this.#proxy.close()
    this.#proxy = next
    this.#setting = setting
    this.#syncs = 0
    this.#syncMillis = 0
    this.#options.replay(next)
  }

  #advanceProxy(now: Micros): void {
    if (this.#proxy.synced) return this.#proxy.advance(now)
    const start = performance.now()
    this.#proxy.advance(now)
    if (!this.#proxy.synced) return
    this.#syncs++
    this.#syncMillis += performance.now() - start
  }

  #start({ mode, scheduler }: ProxySetting): ServiceProxy {
    const { name, address, bridge, clusterCIDR, serviceCIDR, random, onFlow } = this.#options
    return createProxy(mode, {
      nodeName: name,
      nodeAddresses: [address.address, bridge.address],
      podCIDR: networkOf(bridge),
      clusterCIDR,
      serviceCIDRs: [serviceCIDR],
      stack: this.host.stack,
      netfilter: this.host.netfilter,
      random: random.fork('kube-proxy'),
      ...(mode === 'ipvs' && { ipvs: { kernel: this.host.ipvs, ...(scheduler && { scheduler }) } }),
      onFlow,
    })
  }
}
