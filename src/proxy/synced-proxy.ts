// The part that iptables, ipvs and nftables mode have in common: Services and EndpointSlices become service ports
// with categorised endpoints, the mode writes rules for those that changed, stale UDP flows are forgotten, and health
// check ports answer. What the rules are is the mode's RuleWriter.

import { type Micros, NEVER } from '../base/time.js'
import type { ClusterChange } from '../cluster/feed.js'
import type { AddressFamily, IpAddress } from '../wire/address.js'
import { EndpointMap } from './endpoint-map.js'
import { HealthCheckServer } from './health-check-server.js'
import { NodePortAddresses } from './node-port-addresses.js'
import { internalEndpoints, type PortState } from './port-state.js'
import type { ProxyMode } from './proxy-mode.js'
import { ServiceMap } from './service-map.js'
import type { ProxyOptions, ServiceProxy, ServiceRow } from './service-proxy.js'
import { deleteStaleFlows } from './stale-flows.js'
import { SyncRunner } from './sync-runner.js'
import { categorizeEndpoints } from './topology.js'

/** What a mode does with the service ports. */
export interface RuleWriter {
  readonly mode: ProxyMode
  /** How long at least between two calls of `write` unless the options say otherwise. */
  readonly minSyncPeriod: Micros
  /**
   * Makes rules for `states`, which are all service ports by their keys. `changed` are the keys of those that came,
   * changed or went since the last call; at the first call, of all.
   */
  write(states: ReadonlyMap<string, PortState>, changed: ReadonlySet<string>, now: Micros): void
  /** Time-outs of the mode's own. */
  advance?(now: Micros): void
  deadline?(): Micros
  /** Removes every rule. */
  close(): void
}

const ZONE_LABEL = 'topology.kubernetes.io/zone'
const NOTHING_SKIPPED: ReadonlyMap<string, string> = new Map()

export class SyncedProxy implements ServiceProxy {
  readonly #options: ProxyOptions
  readonly #writer: RuleWriter
  readonly #services: ServiceMap
  readonly #endpoints: EndpointMap
  readonly #states = new Map<string, PortState>()
  readonly #runner: SyncRunner
  readonly #healthChecks: HealthCheckServer
  readonly #nodePortAddresses: NodePortAddresses
  #zone: string | undefined
  #zoneChanged = false

  constructor(options: ProxyOptions, writer: RuleWriter) {
    const family: AddressFamily = options.family ?? 'IPv4'
    this.#options = options
    this.#writer = writer
    this.#services = new ServiceMap(family)
    this.#endpoints = new EndpointMap(family)
    this.#zone = options.zone
    this.#runner = new SyncRunner(
      options.minSyncPeriod ?? writer.minSyncPeriod,
      options.maxSyncPeriod ?? NEVER,
    )
    this.#nodePortAddresses = new NodePortAddresses(options.nodePortAddresses, family)
    this.#healthChecks = new HealthCheckServer(options.stack, this.#nodePortAddresses)
  }

  get synced(): boolean {
    return !this.#runner.requested
  }

  get mode(): ProxyMode {
    return this.#writer.mode
  }

  apply(change: ClusterChange): void {
    switch (change.resource) {
      case 'services':
        this.#services.apply(change)
        return this.#runner.request()
      case 'endpointslices':
        this.#endpoints.apply(change)
        return this.#runner.request()
      case 'nodes': {
        const { name, labels } = change.object.metadata
        const zone = labels?.[ZONE_LABEL]
        // Upstream does not look at deletions: a node that is gone has no traffic to route.
        if (change.type === 'DELETED' || name !== this.#options.nodeName || zone === this.#zone) return
        this.#zone = zone
        this.#zoneChanged = true
        return this.#runner.request()
      }
    }
  }

  sync(now: Micros): void {
    this.#options.stack.setNow(now)
    const changed = this.#takeChanged()
    for (const key of changed) this.#update(key)
    this.#runner.ran(now)
    this.#writer.write(this.#states, changed, now)
    const states = [...changed].map((key) => this.#states.get(key)).filter((state) => state !== undefined)
    deleteStaleFlows(this.#options.netfilter, states, (address) => this.#isNodeAddress(address))
    if (changed.size > 0) this.#healthChecks.sync(this.#states.values(), this.#options.nodeName)
  }

  advance(now: Micros): void {
    if (this.#runner.deadline() <= now) this.sync(now)
    this.#writer.advance?.(now)
  }

  deadline(): Micros {
    return Math.min(this.#runner.deadline(), this.#writer.deadline?.() ?? NEVER)
  }

  rows(): ServiceRow[] {
    return [...this.#states.values()].map((state) => ({
      service: state.info.name,
      protocol: state.info.protocol,
      clusterIP: state.info.clusterIP,
      port: state.info.port,
      endpoints: internalEndpoints(state).map(({ address, port }) => ({ address, port })),
    }))
  }

  get skipped(): ReadonlyMap<string, string> {
    return NOTHING_SKIPPED
  }

  close(): void {
    this.#healthChecks.close()
    this.#writer.close()
  }

  /** Keys of the service ports to look at again. */
  #takeChanged(): Set<string> {
    const changed = new Set(this.#services.takeChanged())
    for (const service of this.#endpoints.takeChanged()) {
      for (const key of this.#services.keysOf(service)) changed.add(key)
    }
    if (this.#zoneChanged) for (const key of this.#states.keys()) changed.add(key)
    this.#zoneChanged = false
    return changed
  }

  #update(key: string): void {
    const info = this.#services.get(key)
    if (info === undefined) {
      this.#states.delete(key)
      return
    }
    const endpoints = this.#endpoints.endpoints(info.service, info.portName, info.protocol)
    const node = { nodeName: this.#options.nodeName, zone: this.#zone }
    this.#states.set(key, { info, endpoints, ...categorizeEndpoints(endpoints, info, node) })
  }

  #isNodeAddress(address: IpAddress): boolean {
    return this.#options.stack.isLocal(address) && this.#nodePortAddresses.contains(address)
  }
}
