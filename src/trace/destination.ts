// What a destination is in the cluster: which Service port, which kind of address, and what to look out for.

import type { Api } from '../api/request.js'
import type { Service, ServicePort } from '../cluster/objects.js'
import { formatAddress, type IpAddress } from '../wire/address.js'
import type { Transport } from './probe.js'

/** How a service is reached by an address. */
export type AddressKind = 'cluster IP' | 'external IP' | 'load balancer' | 'node port' | 'endpoints'

export interface ServiceInfo {
  /** `default/web`. */
  readonly name: string
  readonly type: string
  readonly clusterIP: string
  /** `http 8080/TCP -> 80`. */
  readonly port: string
  readonly reachedBy: AddressKind
  readonly affinitySeconds: number | undefined
  /** The traffic policy that holds for this address, when it is Local. */
  readonly localOnly: boolean
  readonly headless: boolean
}

const DEFAULT_AFFINITY_SECONDS = 10_800

/** All Services of the cluster. */
export function servicesOf(api: Api): Service[] {
  const response = api.request({ method: 'GET', path: '/api/v1/services' })
  return (response.body as { items: Service[] }).items
}

/** The service port behind an address and port; undefined when there is none. */
export function serviceAt(
  services: readonly Service[],
  address: IpAddress,
  port: number,
  transport: Transport,
  isNode: boolean,
): ServiceInfo | undefined {
  const text = formatAddress(address)
  for (const service of services) {
    for (const servicePort of service.spec.ports ?? []) {
      if ((servicePort.protocol ?? 'TCP').toLowerCase() !== transport) continue
      const kind = kindOf(service, servicePort, text, port, isNode)
      if (kind !== undefined) return serviceInfo(service, servicePort, kind)
    }
  }
  return undefined
}

/** The Service with this cluster IP and the ports that it has: `default/web has 80/TCP, 90/SCTP`. */
export function portsAt(services: readonly Service[], address: IpAddress): string | undefined {
  const text = formatAddress(address)
  const service = services.find(({ spec }) => spec.clusterIP === text || spec.clusterIPs?.includes(text))
  if (service === undefined) return undefined
  const ports = (service.spec.ports ?? []).map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`)
  return `${service.metadata.namespace}/${service.metadata.name} has ${ports.join(', ')}`
}

/** A Service by the name that somebody used: `web`, `web.ns`, with or without the rest. */
export function serviceNamed(services: readonly Service[], name: string): Service | undefined {
  const [service, namespace = 'default'] = name.replace(/\.$/, '').split('.')
  return services.find(
    ({ metadata }) => metadata.name === service && (metadata.namespace ?? 'default') === namespace,
  )
}

/** The port that a Service of one port has; undefined when there is a choice. */
export function onlyPort(service: Service, transport: Transport): ServicePort | undefined {
  const ports = (service.spec.ports ?? []).filter(
    ({ protocol = 'TCP' }) => protocol.toLowerCase() === transport,
  )
  return ports.length === 1 ? ports[0] : undefined
}

export function isHeadless(service: Service): boolean {
  return service.spec.clusterIP === 'None'
}

export function serviceInfo(service: Service, servicePort: ServicePort, reachedBy: AddressKind): ServiceInfo {
  const { spec, metadata } = service
  const { name, port, protocol = 'TCP', targetPort = port, nodePort } = servicePort
  const affinity = spec.sessionAffinity === 'ClientIP'
  const inside = reachedBy === 'cluster IP'
  return {
    name: `${metadata.namespace}/${metadata.name}`,
    type: spec.type ?? 'ClusterIP',
    clusterIP: spec.clusterIP ?? '',
    port: `${name ? `${name} ` : ''}${port}/${protocol} -> ${targetPort}${nodePort ? `, node port ${nodePort}` : ''}`,
    reachedBy,
    affinitySeconds: affinity
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS)
      : undefined,
    localOnly: (inside ? spec.internalTrafficPolicy : spec.externalTrafficPolicy) === 'Local',
    headless: isHeadless(service),
  }
}

function kindOf(
  { spec, status }: Service,
  servicePort: ServicePort,
  address: string,
  port: number,
  isNode: boolean,
): AddressKind | undefined {
  if (servicePort.port === port) {
    if (spec.clusterIP === address || spec.clusterIPs?.includes(address)) return 'cluster IP'
    if (spec.externalIPs?.includes(address)) return 'external IP'
    if (status?.loadBalancer?.ingress?.some(({ ip }) => ip === address)) return 'load balancer'
  }
  return isNode && servicePort.nodePort === port ? 'node port' : undefined
}
