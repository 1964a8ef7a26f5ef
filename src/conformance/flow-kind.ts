// What a flow of a third-party case is about: which address of which Service, from where. Only to know which flows a
// mode treats in its own way (mode-differences.ts); what becomes of a flow is observed, not derived.

import type { Service } from '../cluster/objects.js'
import { sourceRangesOf } from '../proxy/service-port.js'
import { cidrContains, familyOf, type IpAddress, ip, parseAddress } from '../wire/address.js'
import type { FlowLab } from './flow-lab.js'
import type { FlowKind } from './mode-differences.js'
import type { FlowCase } from './proxy-flows.js'

export function flowKind(flow: FlowCase, services: readonly Service[], lab: FlowLab): FlowKind {
  const { destPort } = flow
  const destIP = ip(flow.destIP)
  const protocol = flow.protocol ?? 'TCP'
  const hasPort = ({ spec }: Service) =>
    spec.ports?.some(({ port, protocol: own }) => port === destPort && (own ?? 'TCP') === protocol) ?? false
  const atAddress = services.filter((service) => addressesOf(service).includes(destIP))
  const served = atAddress.find(hasPort)
  const byNodePort = services.find(({ spec }) => spec.ports?.some(({ nodePort }) => nodePort === destPort))
  const byHealthCheck = services.some(({ spec }) => spec.healthCheckNodePort === destPort)
  const service = served ?? (byNodePort && !atAddress.includes(byNodePort) ? byNodePort : undefined)
  const sourceIP = ip(flow.sourceIP)
  const ranges = service ? sourceRangesOf(service.spec, familyOf(sourceIP)) : []
  const to =
    served !== undefined ? kindOfAddress(served, destIP) : service !== undefined ? 'nodePort' : undefined
  return {
    protocol,
    verdict: flow.verdict,
    masqueraded: flow.masq ?? false,
    to: to ?? (byHealthCheck ? 'healthCheck' : undefined),
    unknownPortOf:
      served === undefined && atAddress[0] && !lab.nodeAddresses.includes(destIP)
        ? kindOfAddress(atAddress[0], destIP)
        : undefined,
    source: lab.sourceKind(sourceIP),
    internalPolicyLocal: service?.spec.internalTrafficPolicy === 'Local',
    externalPolicyLocal: service?.spec.externalTrafficPolicy === 'Local',
    sourceRanges: ranges.length > 0,
    outsideRanges: ranges.length > 0 && !ranges.some((range) => cidrContains(range, sourceIP)),
    ownVip: sourceIP === destIP && served !== undefined,
  }
}

/** Addresses that proxies serve: not those that a load balancer keeps to itself. */
function addressesOf({ spec, status }: Service): (IpAddress | undefined)[] {
  const ingress = (status?.loadBalancer?.ingress ?? []).filter(({ ipMode }) => ipMode !== 'Proxy')
  return parsed([...clusterIPsOf(spec), ...(spec.externalIPs ?? []), ...ingress.map(({ ip }) => ip ?? '')])
}

function clusterIPsOf(spec: Service['spec']): string[] {
  return [spec.clusterIP ?? '', ...(spec.clusterIPs ?? [])]
}

function parsed(texts: readonly string[]): (IpAddress | undefined)[] {
  return texts.map(parseAddress).filter((address) => address !== undefined)
}

function kindOfAddress(
  { spec }: Service,
  address: IpAddress | undefined,
): 'clusterIP' | 'externalIP' | 'loadBalancer' {
  if (parsed(clusterIPsOf(spec)).includes(address)) return 'clusterIP'
  return parsed(spec.externalIPs ?? []).includes(address) ? 'externalIP' : 'loadBalancer'
}
