// A node on the wire: its host (stack, bridge, netfilter), the kube-proxy that runs on it and the prober of its
// kubelet, as one Machine.
//
// A node sleeps until somebody needs it: the first packet that is sent to it, a shell or a pod on its stack, a look at
// its rules. Only then its kube-proxy is started, and writes all rules at once before the packet goes on. A thousand
// nodes that nobody talks to cost neither the time nor the memory of a thousand times the same rules; nobody can tell
// the difference, as a packet finds the rules that it would have found.

import { performance } from 'node:perf_hooks'
import type { Machine } from '../base/machine.js'
import type { Offload } from '../base/offload.js'
import type { Random } from '../base/random.js'
import type { Slab } from '../base/slab.js'
import { type Micros, NEVER } from '../base/time.js'
import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import type { ProbeResult } from '../cluster/prober.js'
import { type NodeHost, nodeHost } from '../host/node-host.js'
import type { PortMap } from '../host/port-map.js'
import { createProxy } from '../proxy/create-proxy.js'
import { DualStackProxy } from '../proxy/dual-stack-proxy.js'
import type { ProxyFlow } from '../proxy/forwarder.js'
import { ProxiedMachine, type TimedProgram } from '../proxy/proxied-machine.js'
import type { ProxySetting } from '../proxy/proxy-mode.js'
import type { ServiceProxy } from '../proxy/service-proxy.js'
import type { RouteTable } from '../stack/routes.js'
import {
  type AddressFamily,
  type Cidr,
  type InterfaceAddress,
  type IpAddress,
  type Mac,
  networkOf,
} from '../wire/address.js'
import { NodeProber } from './node-prober.js'
import { countRules, type ProxyStatistics } from './proxy-statistics.js'

/** What a node's kube-proxy of one family knows of addresses. */
export type NodeNetwork = Pick<ProxyNodeOptions, 'address' | 'bridge' | 'clusterCIDR' | 'serviceCIDR'>

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
  /** The same of IPv6, in a dual-stack cluster. */
  readonly ipv6?: NodeNetwork | undefined
  readonly routes: readonly { readonly destination: Cidr; readonly gateway: IpAddress }[]
  readonly sharedRoutes: RouteTable
  readonly offload: boolean
  readonly frames: Slab | undefined
  readonly random: Random
  readonly proxy: ProxySetting
  /** Tells a new kube-proxy all objects that there are. */
  readonly replay: (follower: ClusterFollower) => void
  readonly onFlow: (flow: ProxyFlow) => void
  readonly onProbeResult: (id: number, result: ProbeResult) => void
}

export class ProxyNode implements ClusterFollower {
  readonly machine: Machine
  /** Sends the probes of this node's kubelet. */
  readonly prober: NodeProber
  readonly #host: NodeHost
  readonly #options: ProxyNodeOptions
  #setting: ProxySetting
  /** Undefined while the node sleeps. */
  #proxy: ServiceProxy | undefined
  #syncs = 0
  #syncMillis = 0

  constructor(options: ProxyNodeOptions) {
    const random = options.random.fork('host')
    this.#host = nodeHost({ ...options, secondary: options.ipv6, random })
    this.prober = new NodeProber(this.#host.stack, options.onProbeResult)
    this.#options = options
    this.#setting = options.proxy
    this.machine = new NodeMachine(this.#host, options.mac, {
      wake: () => void this.proxy,
      advance: (now) => {
        this.#advanceProxy(now)
        this.prober.advance(now)
      },
      deadline: () => Math.min(this.#proxy?.deadline() ?? NEVER, this.prober.deadline()),
    })
  }

  /** The node's host, awake: whoever asks is going to use or to look at it. */
  get host(): NodeHost {
    void this.proxy
    return this.#host
  }

  /** What is there of the host while it sleeps, too. */
  get kernel(): Pick<NodeHost, 'netfilter' | 'stack'> {
    return this.#host
  }

  /** The node's end of a new pod's wire: a port of `machine`. */
  addPod(name: string): number {
    return this.#host.addPod(name)
  }

  removePod(port: number): void {
    this.#host.removePod(port)
  }

  /** Ports of the node that lead to pods. */
  get portMap(): PortMap {
    return this.#host.portMap
  }

  /** A change of the cluster; its rules are written when the machine is next advanced, or when the mode allows. */
  apply(change: ClusterChange): void {
    this.#proxy?.apply(change)
  }

  /** Of the kube-proxy that runs now. */
  statistics(): ProxyStatistics {
    return { rules: countRules(this.host), syncs: this.#syncs, syncMillis: this.#syncMillis }
  }

  /** The node's kube-proxy; a node that sleeps wakes up for it, with all rules written. */
  get proxy(): ServiceProxy {
    if (this.#proxy !== undefined) return this.#proxy
    const proxy = this.#start(this.#setting)
    this.#proxy = proxy
    this.#options.replay(proxy)
    const start = performance.now()
    proxy.sync(this.#host.stack.now)
    this.#syncs++
    this.#syncMillis += performance.now() - start
    return proxy
  }

  /** Whether the rules say all that `apply` brought, as far as anybody can see. */
  get synced(): boolean {
    return this.#proxy === undefined || this.#proxy.synced
  }

  get proxySetting(): ProxySetting {
    return this.#setting
  }

  /** Ends the kube-proxy that runs, its rules removed, and starts another. */
  setProxy(setting: ProxySetting): void {
    this.#setting = setting
    this.#syncs = 0
    this.#syncMillis = 0
    if (this.#proxy === undefined) return
    const next = this.#start(setting)
    this.#proxy.close()
    this.#proxy = next
    this.#options.replay(next)
  }

  #advanceProxy(now: Micros): void {
    const proxy = this.#proxy
    if (proxy === undefined) return
    if (proxy.synced) return proxy.advance(now)
    const start = performance.now()
    proxy.advance(now)
    if (!proxy.synced) return
    this.#syncs++
    this.#syncMillis += performance.now() - start
  }

  #start(setting: ProxySetting): ServiceProxy {
    const { ipv6 } = this.#options
    const primary = this.#startFamily('IPv4', this.#options, setting)
    if (ipv6 === undefined) return primary
    const secondary = this.#startFamily('IPv6', ipv6, setting)
    return new DualStackProxy([primary, secondary])
  }

  #startFamily(family: AddressFamily, network: NodeNetwork, { mode, scheduler }: ProxySetting): ServiceProxy {
    const { name, onFlow } = this.#options
    const { address, bridge, clusterCIDR, serviceCIDR } = network
    const purpose = family === 'IPv4' ? 'kube-proxy' : 'kube-proxy/IPv6'
    return createProxy(mode, {
      nodeName: name,
      family,
      nodeAddresses: [address.address, bridge.address],
      podCIDR: networkOf(bridge),
      clusterCIDR,
      serviceCIDRs: [serviceCIDR],
      stack: this.#host.stack,
      netfilter: this.#host.netfilter,
      random: this.#options.random.fork(purpose),
      ...(mode === 'ipvs' && { ipvs: { kernel: this.#host.ipvs, ...(scheduler && { scheduler }) } }),
      onFlow,
    })
  }
}

/** Port of eth0. */
const ETH0_PORT = 0

interface NodeProgram extends TimedProgram {
  /** Before the first packet. */
  wake(): void
}

/** Wakes its node up for the first packet that is sent to it: what is broadcast, as ARP's requests are, is none. */
class NodeMachine extends ProxiedMachine {
  readonly #program: NodeProgram
  readonly #mac: Mac
  #sleeps = true

  /** `mac` is that of eth0. */
  constructor(host: NodeHost, mac: Mac, program: NodeProgram) {
    super(host, program)
    this.#program = program
    this.#mac = mac
  }

  override receive(port: number, frame: Uint8Array, now: Micros, offload?: Offload): void {
    if (this.#sleeps && this.#isPacket(port, frame)) {
      this.#sleeps = false
      this.#program.wake()
    }
    super.receive(port, frame, now, offload)
  }

  /** The switch floods frames for others when it does not know them yet; a pod's frames are its node's business. */
  #isPacket(port: number, frame: Uint8Array): boolean {
    if (((frame[0] ?? 1) & 1) === 1) return false
    if (port !== ETH0_PORT) return true
    for (let byte = 0, mac = this.#mac; byte < 6; byte++, mac %= 2 ** (48 - 8 * byte))
      if (frame[byte] !== Math.floor(mac / 2 ** (40 - 8 * byte))) return false
    return true
  }
}
