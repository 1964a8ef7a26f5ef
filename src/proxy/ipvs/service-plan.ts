// What one service port needs in ipvs mode: virtual servers with their endpoints, elements of ipsets, addresses on
// kube-ipvs0. Only what it needs, as data; ipvs-writer.ts makes it so. After syncProxyRules in
// pkg/proxy/ipvs/proxier.go of Kubernetes.

import { SECOND } from '../../base/time.js'
import type { Protocol } from '../../cluster/objects.js'
import type { VirtualServiceOptions } from '../../ipvs/service.js'
import { elementText, type IpSetElement } from '../../netfilter/ip-sets.js'
import type { TransportProtocol } from '../../netfilter/rule.js'
import { cidrContains, type Endpoint, formatEndpoint, type IpAddress } from '../../wire/address.js'
import type { EndpointInfo } from '../endpoint-map.js'
import type { PortState } from '../port-state.js'
import type { IpvsScheduler } from '../proxy-mode.js'
import {
  CLUSTER_IP,
  EXTERNAL_IP,
  EXTERNAL_IP_LOCAL,
  HEALTH_CHECK_NODE_PORT,
  LOAD_BALANCER,
  LOAD_BALANCER_FW,
  LOAD_BALANCER_LOCAL,
  LOAD_BALANCER_SOURCE_CIDR,
  LOAD_BALANCER_SOURCE_IP,
  LOOP_BACK,
  NODE_PORT,
  NODE_PORT_LOCAL,
  SETS,
} from './set-names.js'

export interface VirtualServerPlan extends Endpoint {
  readonly protocol: Protocol
  readonly options: VirtualServiceOptions
  readonly endpoints: readonly Endpoint[]
}

export interface ServicePlan {
  /** By `protocol address:port`. */
  readonly servers: Map<string, VirtualServerPlan>
  /** By `set element`; sets by their names in IPv4. */
  readonly elements: Map<string, { readonly set: string; readonly element: IpSetElement }>
  /** To be on kube-ipvs0. */
  readonly addresses: Set<IpAddress>
  /** Load balancer addresses that the node itself may not use. */
  readonly closedToNode: readonly (Endpoint & { readonly protocol: Protocol })[]
}

/** What of the node and its settings plans depend on. */
export interface PlanSettings {
  readonly nodeName: string
  readonly nodeAddress: IpAddress
  readonly scheduler: IpvsScheduler
  /** Addresses with node ports. */
  readonly nodePortAddresses: readonly IpAddress[]
  /** Whether an address is on another interface than kube-ipvs0. */
  readonly isNodeAddress: (address: IpAddress) => boolean
}

export function planOf(state: PortState, settings: PlanSettings): ServicePlan {
  return new Planner(state, settings).plan()
}

class Planner {
  readonly #state: PortState
  readonly #settings: PlanSettings
  readonly #protocol: TransportProtocol
  readonly #servers = new Map<string, VirtualServerPlan>()
  readonly #elements = new Map<string, { set: string; element: IpSetElement }>()
  readonly #addresses = new Set<IpAddress>()
  readonly #closedToNode: (Endpoint & { protocol: Protocol })[] = []

  constructor(state: PortState, settings: PlanSettings) {
    this.#state = state
    this.#settings = settings
    this.#protocol = state.info.protocol.toLowerCase() as TransportProtocol
  }

  plan(): ServicePlan {
    const { info, endpoints } = this.#state
    const { clusterIP, port, externalIPs, loadBalancerVIPs, externalPolicyLocal } = info
    // A pod that reaches itself through the service.
    for (const { address, port: endpointPort, nodeName } of endpoints) {
      if (nodeName !== this.#settings.nodeName) continue
      this.#add(LOOP_BACK, { address, port: endpointPort, second: address })
    }
    this.#add(CLUSTER_IP, { address: clusterIP, port })
    this.#serve({ address: clusterIP, port }, info.internalPolicyLocal)
    this.#addresses.add(clusterIP)
    for (const address of externalIPs) {
      this.#add(externalPolicyLocal ? EXTERNAL_IP_LOCAL : EXTERNAL_IP, { address, port })
      this.#serveExternal(address)
    }
    for (const address of loadBalancerVIPs) this.#addLoadBalancer(address)
    if (info.nodePort !== 0) this.#addNodePort()
    if (info.healthCheckNodePort !== 0) this.#add(HEALTH_CHECK_NODE_PORT, { port: info.healthCheckNodePort })
    return {
      servers: this.#servers,
      elements: this.#elements,
      addresses: this.#addresses,
      closedToNode: this.#closedToNode,
    }
  }

  #addLoadBalancer(address: IpAddress): void {
    const { port, protocol, externalPolicyLocal, loadBalancerSourceRanges } = this.#state.info
    this.#add(LOAD_BALANCER, { address, port })
    if (externalPolicyLocal) this.#add(LOAD_BALANCER_LOCAL, { address, port })
    if (loadBalancerSourceRanges.length > 0) {
      this.#add(LOAD_BALANCER_FW, { address, port })
      for (const network of loadBalancerSourceRanges) {
        this.#add(LOAD_BALANCER_SOURCE_CIDR, { address, port, network })
      }
      // The node's own packets come from the load balancer's address, which is on kube-ipvs0.
      if (loadBalancerSourceRanges.some((range) => cidrContains(range, this.#settings.nodeAddress))) {
        this.#add(LOAD_BALANCER_SOURCE_IP, { address, port, second: address })
      } else {
        this.#closedToNode.push({ address, port, protocol })
      }
    }
    this.#serveExternal(address)
  }

  #addNodePort(): void {
    const { nodePort, protocol, externalPolicyLocal } = this.#state.info
    const { nodePortAddresses } = this.#settings
    if (nodePortAddresses.length === 0) return
    const elements: IpSetElement[] =
      protocol === 'SCTP'
        ? nodePortAddresses.map((address) => ({ address, port: nodePort }))
        : [{ port: nodePort }]
    for (const element of elements) {
      this.#add(NODE_PORT[protocol], element)
      if (externalPolicyLocal) this.#add(NODE_PORT_LOCAL[protocol], element)
    }
    for (const address of nodePortAddresses) this.#serve({ address, port: nodePort }, externalPolicyLocal)
  }

  #serveExternal(address: IpAddress): void {
    const { port, externalPolicyLocal } = this.#state.info
    this.#serve({ address, port }, externalPolicyLocal)
    if (!this.#settings.isNodeAddress(address)) this.#addresses.add(address)
  }

  #serve({ address, port }: Endpoint, localOnly: boolean): void {
    const { info } = this.#state
    const { scheduler } = this.#settings
    const { protocol, sessionAffinity, affinityTimeout } = info
    const endpoints = this.#destinations(localOnly)
    const options: VirtualServiceOptions = {
      scheduler,
      // kube-proxy sets the flag that it calls FlagSourceHash: of mh it is mh-port.
      ...(scheduler === 'mh' && { schedulerFlags: ['mh-port'] }),
      ...(sessionAffinity === 'ClientIP' && { persistence: { timeoutSeconds: affinityTimeout / SECOND } }),
    }
    this.#servers.set(`${protocol} ${formatEndpoint({ address, port })}`, {
      protocol,
      address,
      port,
      options,
      endpoints,
    })
  }

  /** Unlike the other modes: where no endpoint is local, those of other nodes are taken, unless none may be inside. */
  #destinations(localOnly: boolean): readonly EndpointInfo[] {
    const { info, local = [], cluster = [], hasAny } = this.#state
    if (!localOnly) return cluster
    if (local.length > 0) return local
    return hasAny && info.internalPolicyLocal ? [] : cluster
  }

  #add(set: string, element: IpSetElement): void {
    const full = { ...element, protocol: this.#protocol }
    const type = SETS.find(({ name }) => name === set)!.type
    this.#elements.set(`${set} ${elementText(type, full)}`, { set, element: full })
  }
}
