// What a flow of a third-party case is about: which address of which Service, from where. Only to know which flows a
// mode treats in its own way (mode-differences.ts); what becomes of a flow is observed, not derived.

import type { Service } from '../cluster/objects.js'
import type { FlowKind } from './mode-differences.js'
import type { FlowCase } from './proxy-flows.js'

export function flowKind(flow: FlowCase, services: readonly Service[]): FlowKind {
  const { destIP, destPort, sourceIP } = flow
  const protocol = flow.protocol ?? 'TCP'
  const hasPort = ({ spec }: Service) =>
    spec.ports?.some(({ port, protocol: own }) => port === destPort && (own ?? 'TCP') === protocol) ?? false
  const atAddress = services.filter((service) => addressesOf(service).includes(destIP))
  const served = atAddress.find(hasPort)
  const byNodePort = services.find(({ spec }) => spec.ports?.some(({ nodePort }) => nodePort === destPort))
  const byHealthCheck = services.some(({ spec }) => spec.healthCheckNodePort === destPort)
  const service = served ?? (byNodePort && !atAddress.includes(byNodePort) ? byNodePort : undefined)
  const to =
    served !== undefined ? kindOfAddress(served, destIP) : service !== undefined ? 'nodePort' : undefined
  return {
    protocol,
    verdict: flow.verdict,
    masqueraded: flow.masq ?? false,
    to: to ?? (byHealthCheck ? 'healthCheck' : undefined),
    unknownPortOf: served === undefined && atAddress[0] ? kindOfAddress(atAddress[0], destIP) : undefined,
    source: sourceKind(sourceIP),
    internalPolicyLocal: service?.spec.internalTrafficPolicy === 'Local',
    externalPolicyLocal: service?.spec.externalTrafficPolicy === 'Local',
    sourceRanges: (service?.spec.loadBalancerSourceRanges?.length ?? 0) > 0,
    ownVip: sourceIP === destIP && served !== undefined,
  }
}

/** Addresses that proxies serve: not those that a load balancer keeps to itself. */
function addressesOf({ spec, status }: Service): string[] {
  const ingress = (status?.loadBalancer?.ingress ?? []).filter(({ ipMode }) => ipMode !== 'Proxy')
  return [spec.clusterIP ?? '', ...(spec.externalIPs ?? []), ...ingress.map(({ ip }) => ip ?? '')]
}

function kindOfAddress(service: Service, address: string): 'clusterIP' | 'externalIP' | 'loadBalancer' {
  if (service.spec.clusterIP === address) return 'clusterIP'
  return service.spec.externalIPs?.includes(address) ? 'externalIP' : 'loadBalancer'
}

function sourceKind(address: string): FlowKind['source'] {
  if (address.startsWith('127.')) return 'localhost'
  if (address.startsWith('10.')) return 'pod'
  return address.startsWith('192.168.') ? 'node' : 'external'
}
