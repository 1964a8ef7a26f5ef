// kube-proxy in userspace mode, as an ordinary program on its node's own stack: it listens for every service
// port, has the node's nat rules send the cluster IPs' traffic there, and carries each connection to an endpoint
// itself. Read first: portal-rules.ts, round-robin.ts, tcp-forwarder.ts, udp-forwarder.ts.
//
// Endpoint changes count from the next connection on; Services take effect at the next `sync`. Headless Services
// have no cluster IP and so no rule at all. Not here: node ports, external IPs and load balancer addresses.

import type { Random } from '../base/random.js'
import { MILLISECOND, type Micros } from '../base/time.js'
import { TimerHeap } from '../base/timer-heap.js'
import type { ClusterChange } from '../cluster/feed.js'
import type { SocketApi } from '../stack/socket.js'
import { type Endpoint, familyOf, type IpAddress, type Port } from '../wire/address.js'
import { EndpointMap } from './endpoint-map.js'
import type { Forwarder, Forwarding, ProxyFlow, Timed } from './forwarder.js'
import { hookPortals, type RuleTables, removePortals, writePortals } from './portal-rules.js'
import { RoundRobin } from './round-robin.js'
import { ServiceMap } from './service-map.js'
import type { ServicePortInfo } from './service-port.js'
import type { ServiceProxy, ServiceRow } from './service-proxy.js'
import { TcpForwarder } from './tcp-forwarder.js'
import type { TcpRelay } from './tcp-relay.js'
import { UdpForwarder } from './udp-forwarder.js'

/** kube-proxy's --udp-timeout. */
const DEFAULT_UDP_TIMEOUT: Micros = 250 * MILLISECOND

export interface UserspaceProxyOptions {
  readonly nodeName: string
  /** Services and endpoints of its family are served. */
  readonly nodeAddress: IpAddress
  /** The node's stack. */
  readonly sockets: SocketApi
  /** The node's rules; nobody else writes PREROUTING and OUTPUT of its nat table. */
  readonly netfilter: RuleTables
  readonly random: Random
  /** Idle time after which a UDP client is forgotten; default 250 ms. */
  readonly udpTimeout?: Micros
  /** Hears of every connection and datagram association, when its endpoint is reached or it is given up. */
  readonly onFlow?: (flow: ProxyFlow) => void
}

/** A service port as it is served now. */
export interface PortalRow extends ServiceRow {
  readonly localPort: Port
  /** In the order of their turns, the next one first. */
  readonly endpoints: readonly Endpoint[]
}

interface OpenPortal {
  info: ServicePortInfo
  readonly forwarder: Forwarder
  readonly balancer: RoundRobin
}

export class UserspaceProxy implements ServiceProxy {
  readonly mode = 'userspace'
  readonly #options: UserspaceProxyOptions
  readonly #services: ServiceMap
  readonly #endpoints: EndpointMap
  readonly #portals = new Map<string, OpenPortal>()
  readonly #relays = new Set<TcpRelay>()
  readonly #timers = new TimerHeap<Timed>()
  #hooked = false
  /** Something was applied since the last `sync`. */
  #pending = true

  constructor(options: UserspaceProxyOptions) {
    const family = familyOf(options.nodeAddress)
    this.#options = options
    this.#services = new ServiceMap(family)
    this.#endpoints = new EndpointMap(family)
  }

  /** Takes a change of Services or EndpointSlices; others are ignored. */
  apply(change: ClusterChange): void {
    this.#pending = true
    this.#services.apply(change)
    this.#endpoints.apply(change)
    for (const service of this.#endpoints.takeChanged()) {
      for (const key of this.#services.keysOf(service)) {
        const portal = this.#portals.get(key)
        if (portal !== undefined) this.#setEndpoints(portal)
      }
    }
  }

  get synced(): boolean {
    return !this.#pending
  }

  /** Opens and closes listeners and writes the rules for what `apply` brought; cheap when that is nothing. */
  sync(now: Micros): void {
    const { netfilter, nodeAddress, sockets } = this.#options
    sockets.setNow(now)
    for (const { balancer } of this.#portals.values()) balancer.dropExpired(now)
    let dirty = !this.#hooked
    this.#pending = false
    for (const key of this.#services.takeChanged()) dirty = this.#update(key) || dirty
    if (!dirty) return
    const portals = [...this.#portals.values()].map(({ info, forwarder }) => {
      return { info, localPort: forwarder.port }
    })
    writePortals(netfilter, nodeAddress, portals)
    if (!this.#hooked) hookPortals(netfilter, familyOf(nodeAddress))
    this.#hooked = true
  }

  /** Syncs when there is something to, and lets dials and UDP clients time out. */
  advance(now: Micros): void {
    if (this.#pending) this.sync(now)
    if (this.#timers.next() > now) return
    this.#options.sockets.setNow(now)
    for (let timer = this.#timers.due(now); timer !== undefined; timer = this.#timers.due(now)) {
      timer.owner.due(now)
    }
  }

  /** When `advance` wants to be called; it may come nearer with every frame that the node's stack handles. */
  deadline(): Micros {
    return this.#pending ? 0 : this.#timers.next()
  }

  /** The service ports that are served, in the order of their rules. */
  portals(): PortalRow[] {
    return [...this.#portals.values()].map(({ info, forwarder, balancer }) => ({
      service: info.name,
      protocol: info.protocol,
      clusterIP: info.clusterIP,
      port: info.port,
      localPort: forwarder.port,
      endpoints: balancer.order,
    }))
  }

  rows(): ServiceRow[] {
    return this.portals()
  }

  /** SCTP ports: nodes here have no SCTP to listen with, as kube-proxy had none. */
  get skipped(): ReadonlyMap<string, string> {
    const skipped = [...this.#services.values()].filter(({ protocol }) => protocol === 'SCTP')
    return new Map(skipped.map(({ name }) => [name, 'protocol SCTP is not supported']))
  }

  /** Number of TCP connections that are being carried. */
  get connections(): number {
    return this.#relays.size
  }

  /** The program ends: listeners, connections and rules go. */
  close(): void {
    for (const { forwarder } of this.#portals.values()) forwarder.abort()
    this.#portals.clear()
    for (const relay of this.#relays) relay.abort()
    this.#relays.clear()
    if (this.#hooked) removePortals(this.#options.netfilter, familyOf(this.#options.nodeAddress))
    this.#hooked = false
  }

  /** Brings one service port in line with its Service; whether the rules change. */
  #update(key: string): boolean {
    const info = this.#services.get(key)
    const open = this.#portals.get(key)
    if (info === undefined || info.protocol === 'SCTP') {
      open?.forwarder.close()
      return this.#portals.delete(key)
    }
    if (open !== undefined && sameForwarding(open.info, info)) {
      open.info = info
      this.#configure(open)
      return false
    }
    open?.forwarder.close()
    const balancer = open?.balancer ?? new RoundRobin(this.#randomOf(info.name, 'balancer'))
    const portal = this.#open(info, balancer)
    this.#portals.set(key, portal)
    this.#configure(portal)
    return true
  }

  #open(info: ServicePortInfo, balancer: RoundRobin): OpenPortal {
    const forwarding: Forwarding = {
      info,
      balancer,
      sockets: this.#options.sockets,
      timers: this.#timers,
      random: this.#randomOf(info.name, 'port'),
      udpTimeout: this.#options.udpTimeout ?? DEFAULT_UDP_TIMEOUT,
      onFlow: this.#options.onFlow,
    }
    const forwarder =
      info.protocol === 'TCP' ? new TcpForwarder(forwarding, this.#relays) : new UdpForwarder(forwarding)
    return { info, forwarder, balancer }
  }

  #configure(portal: OpenPortal): void {
    const { sessionAffinity, affinityTimeout } = portal.info
    portal.balancer.setAffinity(sessionAffinity === 'ClientIP' ? affinityTimeout : undefined)
    this.#setEndpoints(portal)
  }

  #setEndpoints({ info, balancer }: OpenPortal): void {
    const { service, portName, protocol, publishNotReadyAddresses } = info
    const endpoints = this.#endpoints.endpoints(service, portName, protocol)
    balancer.setEndpoints(endpoints.filter((endpoint) => endpoint.ready || publishNotReadyAddresses))
  }

  /** Each service port draws from a stream of its own, on each node another. */
  #randomOf(name: string, purpose: string): Random {
    return this.#options.random.fork(`${this.#options.nodeName}/${name}/${purpose}`)
  }
}

/** Whether a listener and rules made for `a` serve `b` as well. */
function sameForwarding(a: ServicePortInfo, b: ServicePortInfo): boolean {
  return (
    a.protocol === b.protocol &&
    a.clusterIP === b.clusterIP &&
    a.port === b.port &&
    a.sessionAffinity === b.sessionAffinity
  )
}
