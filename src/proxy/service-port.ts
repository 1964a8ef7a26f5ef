// One port of one Service as the proxy modes need it (kube-proxy's ServicePort): every address it is reached at and
// the policies that decide who serves it, in one family: a Service of both is two of these, each with its own
// proxy. Made from a Service object once, compared and read ever after. After
// pkg/proxy/serviceport.go of Kubernetes.

import { type Micros, SECOND } from '../base/time.js'
import { equalJson } from '../cluster/json.js'
import type { Protocol, Service, ServicePort } from '../cluster/objects.js'
import {
  type AddressFamily,
  type Cidr,
  familyOf,
  type IpAddress,
  type Port,
  parseAddress,
  parseCidr,
} from '../wire/address.js'

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

/** The cluster IP of a family: headless Services (`None`) have none. */
export function clusterIPOf({ spec }: Service, family: AddressFamily): IpAddress | undefined {
  return addresses([spec.clusterIP ?? '', ...(spec.clusterIPs ?? [])], family)[0]
}

/** `service` is the Service's `namespace/name`; it must have a cluster IP of the family. */
export function servicePortInfo(
  service: string,
  object: Service,
  port: ServicePort,
  family: AddressFamily,
): ServicePortInfo {
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
    clusterIP: clusterIPOf(object, family)!,
    port: port.port,
    nodePort: port.nodePort ?? 0,
    externalIPs: addresses(spec.externalIPs, family),
    loadBalancerVIPs: loadBalancerVIPs(object, family),
    loadBalancerSourceRanges: sourceRangesOf(spec, family),
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
  return equalJson(a, b)
}

function loadBalancerVIPs({ status }: Service, family: AddressFamily): IpAddress[] {
  const ingress = status?.loadBalancer?.ingress ?? []
  const texts = ingress.filter(({ ipMode }) => ipMode !== 'Proxy').map(({ ip }) => ip ?? '')
  return addresses(texts, family)
}

function addresses(texts: readonly string[] | undefined, family: AddressFamily): IpAddress[] {
  const all = (texts ?? []).map(parseAddress).filter((address) => address !== undefined)
  return all.filter((address) => familyOf(address) === family)
}

/** Source ranges may carry spaces (kube-proxy trims them) and may be of the other family. */
export function sourceRangesOf(spec: Service['spec'], family: AddressFamily): Cidr[] {
  const texts = spec.loadBalancerSourceRanges ?? []
  const all = texts.map((text) => parseCidr(text.trim())).filter((prefix) => prefix !== undefined)
  return all.filter(({ network }) => familyOf(network) === family)
}
