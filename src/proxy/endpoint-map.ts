// What kube-proxy knows of endpoints: for every service port the addresses of its EndpointSlices, kept from the
// cluster's changes. Which of them take traffic is decided by the mode (ready, serving, local, hints), so
// nothing is left out here but what is not of the proxy's family. After pkg/proxy/endpointschangetracker.go of Kubernetes.

import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import {
  type EndpointSlice,
  type Protocol,
  SERVICE_NAME_LABEL,
  type SliceEndpoint,
} from '../cluster/objects.js'
import {
  type AddressFamily,
  compareAddresses,
  endpointKey,
  familyOf,
  type IpAddress,
  type Port,
  parseAddress,
} from '../wire/address.js'
import { namespacedName } from './service-port.js'

/** One address and port behind a service port. */
export interface EndpointInfo {
  readonly address: IpAddress
  readonly port: Port
  /** Missing conditions mean ready and serving, and not terminating (discovery.k8s.io/v1 EndpointConditions). */
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly nodeName: string | undefined
  readonly zone: string | undefined
  /** Zones whose clients should use it; undefined when the slice has no hints. */
  readonly zoneHints: readonly string[] | undefined
  /** Nodes whose clients should use it, likewise. */
  readonly nodeHints: readonly string[] | undefined
}

export class EndpointMap implements ClusterFollower {
  /** `namespace/service` -> `namespace/slice` -> slice. */
  readonly #slices = new Map<string, Map<string, EndpointSlice>>()
  /** `namespace/slice` -> `namespace/service`: a slice may change its label. */
  readonly #serviceOfSlice = new Map<string, string>()
  readonly #changed = new Set<string>()
  readonly #family: AddressFamily

  constructor(family: AddressFamily) {
    this.#family = family
  }

  /** Takes a change of an EndpointSlice; changes of anything else are ignored. */
  apply(change: ClusterChange): void {
    if (change.resource !== 'endpointslices') return
    const slice = change.object as EndpointSlice
    const { namespace, name } = slice.metadata
    const sliceKey = namespacedName(namespace, name)
    const label = slice.metadata.labels?.[SERVICE_NAME_LABEL]
    const before = this.#serviceOfSlice.get(sliceKey)
    const after =
      change.type === 'DELETED' || label === undefined || slice.addressType !== this.#family
        ? undefined
        : namespacedName(namespace, label)
    if (before !== undefined && before !== after) this.#remove(before, sliceKey)
    if (after === undefined) return
    const slices = this.#slices.get(after) ?? new Map<string, EndpointSlice>()
    slices.set(sliceKey, slice)
    this.#slices.set(after, slices)
    this.#serviceOfSlice.set(sliceKey, after)
    this.#changed.add(after)
  }

  /**
   * Endpoints of a service port (`service` is `namespace/service`) in the order of address and port, each once:
   * slices may overlap while the controller moves endpoints between them, and then the ready one counts.
   */
  endpoints(service: string, portName: string, protocol: Protocol): EndpointInfo[] {
    const found = new Map<number | string, EndpointInfo>()
    for (const slice of this.#slices.get(service)?.values() ?? []) {
      for (const port of slice.ports ?? []) {
        if ((port.name ?? '') !== portName || (port.protocol ?? 'TCP') !== protocol) continue
        if (port.port === undefined) continue
        for (const endpoint of slice.endpoints ?? []) {
          const info = endpointInfo(endpoint, port.port, this.#family)
          if (info === undefined) continue
          const key = endpointKey(info)
          if (found.get(key)?.ready !== true) found.set(key, info)
        }
      }
    }
    return [...found.values()].sort((a, b) => compareAddresses(a.address, b.address) || a.port - b.port)
  }

  /** Services (`namespace/service`) whose slices changed since the last call. */
  takeChanged(): string[] {
    const services = [...this.#changed]
    this.#changed.clear()
    return services
  }

  #remove(service: string, sliceKey: string): void {
    const slices = this.#slices.get(service)
    slices?.delete(sliceKey)
    if (slices?.size === 0) this.#slices.delete(service)
    this.#serviceOfSlice.delete(sliceKey)
    this.#changed.add(service)
  }
}

function endpointInfo(endpoint: SliceEndpoint, port: Port, family: AddressFamily): EndpointInfo | undefined {
  // The addresses of one endpoint are fungible; consumers take the first (discovery.k8s.io/v1 Endpoint).
  const address = parseAddress(endpoint.addresses[0] ?? '')
  if (address === undefined || familyOf(address) !== family) return undefined
  return {
    address,
    port,
    ready: endpoint.conditions?.ready ?? true,
    serving: endpoint.conditions?.serving ?? true,
    terminating: endpoint.conditions?.terminating ?? false,
    nodeName: endpoint.nodeName,
    zone: endpoint.zone,
    zoneHints: endpoint.hints?.forZones?.map((zone) => zone.name),
    nodeHints: endpoint.hints?.forNodes?.map((node) => node.name),
  }
}
