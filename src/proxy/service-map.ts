// What kube-proxy knows of Services: one entry for each port that has a cluster IP, kept from the cluster's
// changes, with the names of the entries that changed since they were last asked for. Not here: endpoints
// (endpoint-map.ts), and what a mode makes of it all. After pkg/proxy/servicechangetracker.go of Kubernetes.

import { type Micros, SECOND } from '../base/time.js'
import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import type { Service, ServicePort } from '../cluster/objects.js'
import { type Ipv4, type Port, parseIpv4 } from '../wire/address.js'

/** DefaultClientIPServiceAffinitySeconds: 3 hours. */
const DEFAULT_AFFINITY_SECONDS = 10_800

/** Labels of Services that another proxy serves, or none. */
const OTHER_PROXY_LABELS = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless']

/** One port of one Service, as a proxy mode needs it. */
export interface ServicePortInfo {
  /** ServicePortName: `namespace/service:port`, without the colon when the port has no name. */
  readonly name: string
  /** `namespace/service`. */
  readonly service: string
  readonly portName: string
  readonly protocol: 'TCP' | 'UDP'
  readonly clusterIP: Ipv4
  readonly port: Port
  /** 0 when the service has none. */
  readonly nodePort: Port
  readonly sessionAffinity: 'None' | 'ClientIP'
  readonly affinityTimeout: Micros
  readonly publishNotReadyAddresses: boolean
}

/** What became of one Service. */
interface ServiceEntry {
  readonly ports: readonly string[]
  readonly skipped: readonly string[]
}

/** The text form of kube-proxy's ServicePortName. */
export function servicePortName(service: string, portName: string): string {
  return portName === '' ? service : `${service}:${portName}`
}

/** `namespace/name`, as client-go's NamespacedName prints it. */
export function namespacedName(namespace: string | undefined, name: string): string {
  return `${namespace ?? 'default'}/${name}`
}

export class ServiceMap implements ClusterFollower {
  readonly #ports = new Map<string, ServicePortInfo>()
  readonly #services = new Map<string, ServiceEntry>()
  readonly #changed = new Set<string>()
  readonly #skipped = new Map<string, string>()

  /** Takes a change of a Service; changes of anything else are ignored. */
  apply(change: ClusterChange): void {
    if (change.resource !== 'services') return
    const service = change.object as Service
    const key = namespacedName(service.metadata.namespace, service.metadata.name)
    const before = this.#services.get(key)
    for (const name of before?.skipped ?? []) this.#skipped.delete(name)
    const ports = change.type === 'DELETED' ? [] : servedPorts(service)
    const infos: ServicePortInfo[] = []
    const skipped: string[] = []
    for (const port of ports) {
      const name = servicePortName(key, port.name ?? '')
      const protocol = port.protocol ?? 'TCP'
      if (protocol !== 'SCTP') infos.push(infoOf(name, key, service, port, protocol))
      else skipped.push(name)
    }
    for (const name of skipped) this.#skipped.set(name, 'protocol SCTP is not supported')
    for (const info of infos) this.#set(info)
    const names = infos.map((info) => info.name)
    for (const name of before?.ports ?? []) {
      if (!names.includes(name) && this.#ports.delete(name)) this.#changed.add(name)
    }
    if (ports.length === 0) this.#services.delete(key)
    else this.#services.set(key, { ports: names, skipped })
  }

  get(name: string): ServicePortInfo | undefined {
    return this.#ports.get(name)
  }

  values(): IterableIterator<ServicePortInfo> {
    return this.#ports.values()
  }

  /** Names of the entries of one Service (`namespace/service`). */
  namesOf(service: string): readonly string[] {
    return this.#services.get(service)?.ports ?? []
  }

  /** Names of entries that came, changed or went since the last call. */
  takeChanged(): string[] {
    const names = [...this.#changed]
    this.#changed.clear()
    return names
  }

  /** Ports that no mode serves, with the reason: SCTP, for which nodes here have no transport. */
  get skipped(): ReadonlyMap<string, string> {
    return this.#skipped
  }

  #set(info: ServicePortInfo): void {
    const old = this.#ports.get(info.name)
    if (old !== undefined && sameInfo(old, info)) return
    this.#ports.set(info.name, info)
    this.#changed.add(info.name)
  }
}

/** The first IPv4 cluster IP: headless Services (`None`) have none. Simplified: IPv6 is not served. */
function clusterIPOf({ spec }: Service): Ipv4 | undefined {
  for (const text of [spec.clusterIP ?? '', ...(spec.clusterIPs ?? [])]) {
    const address = parseIpv4(text)
    if (address !== undefined) return address
  }
  return undefined
}

function servedPorts(service: Service): readonly ServicePort[] {
  const { spec, metadata } = service
  if (spec.type === 'ExternalName' || clusterIPOf(service) === undefined) return []
  if (OTHER_PROXY_LABELS.some((label) => metadata.labels?.[label] !== undefined)) return []
  return spec.ports ?? []
}

function infoOf(
  name: string,
  key: string,
  service: Service,
  port: ServicePort,
  protocol: 'TCP' | 'UDP',
): ServicePortInfo {
  const { spec } = service
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS
  return {
    name,
    service: key,
    portName: port.name ?? '',
    protocol,
    clusterIP: clusterIPOf(service)!,
    port: port.port,
    nodePort: port.nodePort ?? 0,
    sessionAffinity: spec.sessionAffinity ?? 'None',
    affinityTimeout: seconds * SECOND,
    publishNotReadyAddresses: spec.publishNotReadyAddresses ?? false,
  }
}

function sameInfo(a: ServicePortInfo, b: ServicePortInfo): boolean {
  return (
    sameForwarding(a, b) &&
    a.nodePort === b.nodePort &&
    a.affinityTimeout === b.affinityTimeout &&
    a.publishNotReadyAddresses === b.publishNotReadyAddresses
  )
}

/** Whether a listener and rules made for `a` serve `b` as well. */
export function sameForwarding(a: ServicePortInfo, b: ServicePortInfo): boolean {
  return (
    a.protocol === b.protocol &&
    a.clusterIP === b.clusterIP &&
    a.port === b.port &&
    a.sessionAffinity === b.sessionAffinity
  )
}
