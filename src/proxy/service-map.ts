// What kube-proxy knows of Services: one entry for each port that has a cluster IP of its family, kept from the cluster's
// changes, with the keys of the entries that changed since they were last asked for. Not here: endpoints
// (endpoint-map.ts), and what a mode makes of it all. After pkg/proxy/servicechangetracker.go of Kubernetes.

import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import type { Service, ServicePort } from '../cluster/objects.js'
import type { AddressFamily } from '../wire/address.js'
import {
  clusterIPOf,
  namespacedName,
  type ServicePortInfo,
  sameServicePort,
  servicePortInfo,
} from './service-port.js'

/** Labels of Services that another proxy serves, or none. */
const OTHER_PROXY_LABELS = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless']

export class ServiceMap implements ClusterFollower {
  readonly #ports = new Map<string, ServicePortInfo>()
  /** `namespace/service` -> keys of its ports. */
  readonly #services = new Map<string, readonly string[]>()
  readonly #changed = new Set<string>()
  readonly #family: AddressFamily

  constructor(family: AddressFamily) {
    this.#family = family
  }

  /** Takes a change of a Service; changes of anything else are ignored. */
  apply(change: ClusterChange): void {
    if (change.resource !== 'services') return
    const object = change.object as Service
    const service = namespacedName(object.metadata.namespace, object.metadata.name)
    const ports = change.type === 'DELETED' ? [] : servedPorts(object, this.#family)
    const infos = ports.map((port) => servicePortInfo(service, object, port, this.#family))
    for (const info of infos) this.#set(info)
    const keys = infos.map((info) => info.key)
    for (const key of this.keysOf(service)) {
      if (!keys.includes(key) && this.#ports.delete(key)) this.#changed.add(key)
    }
    if (keys.length === 0) this.#services.delete(service)
    else this.#services.set(service, keys)
  }

  get(key: string): ServicePortInfo | undefined {
    return this.#ports.get(key)
  }

  values(): IterableIterator<ServicePortInfo> {
    return this.#ports.values()
  }

  /** Keys of the entries of one Service (`namespace/service`). */
  keysOf(service: string): readonly string[] {
    return this.#services.get(service) ?? []
  }

  /** Keys of entries that came, changed or went since the last call. */
  takeChanged(): string[] {
    const keys = [...this.#changed]
    this.#changed.clear()
    return keys
  }

  #set(info: ServicePortInfo): void {
    const old = this.#ports.get(info.key)
    if (old !== undefined && sameServicePort(old, info)) return
    this.#ports.set(info.key, info)
    this.#changed.add(info.key)
  }
}

/** Ports of a Service that a proxy serves: none of headless and ExternalName ones. */
function servedPorts(service: Service, family: AddressFamily): readonly ServicePort[] {
  const { spec, metadata } = service
  if (spec.type === 'ExternalName' || clusterIPOf(service, family) === undefined) return []
  if (OTHER_PROXY_LABELS.some((label) => metadata.labels?.[label] !== undefined)) return []
  return spec.ports ?? []
}
