// One port of one Service as the proxy modes need it (kube-proxy's ServicePort): every address it is reached at and
// the policies that decide who serves it. Made from a Service object once, compared and read ever after. After
// pkg/proxy/serviceport.go of Kubernetes.

import { type Micros, SECOND } from '../base/time.js'
import type { Protocol, Service, ServicePort } from '../cluster/objects.js'
import { type Cidr, type IpAddress, type Port, parseIpv4, parseIpv4Cidr } from '../wire/address.js'

/** DefaultClientIPServiceAffinitySeconds: 3 hours. */
const DEFAULT_AFFINITY_SECONDS = 10_800

export interface ServicePortInfo {
  /** Identity: two ports of a Service differ in name or protocol. `namespace/service:port/TCP`. */
  readonly key: string
  /** ServicePortName: `namespace/service:port`, without the colon when the port has no name. */
  readonly name: string
  /** `namespace/service`. */
  readonly service: string
  readonly portName: string
  readonly protocol: Protocol
  readonly clusterIP: IpAddress
  readonly port: Port
  /** 0 when the service has none. */
  readonly nodePort: Port
  readonly externalIPs: readonly IpAddress[]
  /** Addresses of status.loadBalancer.ingress that the nodes answer for: not those with ipMode Proxy. */
  readonly loadBalancerVIPs: readonly IpAddress[]
  /** Empty: everybody may use the load balancer's addresses. */
  readonly loadBalancerSourceRanges: readonly Cidr[]
  readonly sessionAffinity: 'None' | 'ClientIP'
  readonly affinityTimeout: Micros
  readonly internalPolicyLocal: boolean
  readonly externalPolicyLocal: boolean
  /** 0 unless it is a LoadBalancer with externalTrafficPolicy Local. */
  readonly healthCheckNodePort: Port
  readonly publishNotReadyAddresses: boolean
}

/** The text form of kube-proxy's ServicePortName. */
export function servicePortName(service: string, portName: string): string {
  return portName === '' ? service : `${service}:${portName}`
}

/** `namespace/name`, as client-go's NamespacedName prints it. */
export function namespacedName(namespace: string | undefined, name: string): string {
  return `${namespace ?? 'default'}/${name}`
}

/** The first IPv4 cluster IP: headless Services (`None`) have none. Simplified: IPv6 is not served. */
export function clusterIPOf({ spec }: Service): IpAddress | undefined {
  for (const text of [spec.clusterIP ?? '', ...(spec.clusterIPs ?? [])]) {
    const address = parseIpv4(text)
    if (address !== undefined) return address
  }
  return undefined
}

/** `service` is the Service's `namespace/name`; it must have a cluster IP. */
export function servicePortInfo(service: string, object: Service, port: ServicePort): ServicePortInfo {
  const { spec } = object
  const protocol = port.protocol ?? 'TCP'
  const name = servicePortName(service, port.name ?? '')
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS
  const externalPolicyLocal = spec.externalTrafficPolicy === 'Local'
  const needsHealthCheck = spec.type === 'LoadBalancer' && externalPolicyLocal
  return {
    key: `${name}/${protocol}`,
    name,
    service,
    portName: port.name ?? '',
    protocol,
    clusterIP: clusterIPOf(object)!,
    port: port.port,
    nodePort: port.nodePort ?? 0,
    externalIPs: addresses(spec.externalIPs),
    loadBalancerVIPs: loadBalancerVIPs(object),
    loadBalancerSourceRanges: prefixes(spec.loadBalancerSourceRanges),
    sessionAffinity: spec.sessionAffinity ?? 'None',
    affinityTimeout: seconds * SECOND,
    internalPolicyLocal: spec.internalTrafficPolicy === 'Local',
    externalPolicyLocal,
    healthCheckNodePort: needsHealthCheck ? (spec.healthCheckNodePort ?? 0) : 0,
    publishNotReadyAddresses: spec.publishNotReadyAddresses ?? false,
  }
}

/** Whether anything but the cluster IP leads to it. */
export function externallyAccessible(info: ServicePortInfo): boolean {
  return info.nodePort !== 0 || info.loadBalancerVIPs.length > 0 || info.externalIPs.length > 0
}

/** Whether some traffic goes to the endpoints of all nodes: to externals, pods of this node count as that too. */
export function usesClusterEndpoints(info: ServicePortInfo): boolean {
  return !info.internalPolicyLocal || externallyAccessible(info)
}

/** Whether some traffic goes to this node's endpoints only. */
export function usesLocalEndpoints(info: ServicePortInfo): boolean {
  return info.internalPolicyLocal || (info.externalPolicyLocal && externallyAccessible(info))
}

/** Whether two records say the same. */
export function sameServicePort(a: ServicePortInfo, b: ServicePortInfo): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function loadBalancerVIPs({ status }: Service): IpAddress[] {
  const ingress = status?.loadBalancer?.ingress ?? []
  return addresses(ingress.filter(({ ipMode }) => ipMode !== 'Proxy').map(({ ip }) => ip ?? ''))
}

function addresses(texts: readonly string[] | undefined): IpAddress[] {
  return (texts ?? []).map(parseIpv4).filter((address) => address !== undefined)
}

/** Source ranges may carry spaces (kube-proxy trims them) and may be of the other family. */
function prefixes(texts: readonly string[] | undefined): Cidr[] {
  return (texts ?? []).map((text) => parseIpv4Cidr(text.trim())).filter((prefix) => prefix !== undefined)
}
