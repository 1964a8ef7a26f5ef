// UDP has no connections that end, so a flow that conntrack once sent to an endpoint goes there as long as the
// client keeps sending, even when the endpoint is gone. After its rules have changed kube-proxy therefore forgets
// the flows of its UDP services that lead elsewhere than to a serving endpoint. After
// pkg/proxy/conntrack/cleanup.go of Kubernetes.

import type { Netfilter } from '../netfilter/netfilter.js'
import { endpointKey, type IpAddress, type Port } from '../wire/address.js'
import { PROTOCOL_UDP } from '../wire/ip.js'
import type { EndpointInfo } from './endpoint-map.js'
import type { PortState } from './port-state.js'

/** Forgets the stale flows of the UDP ports among `states`; how many. `isNodeAddress` tells where node ports answer. */
export function deleteStaleFlows(
  netfilter: Netfilter,
  states: Iterable<PortState>,
  isNodeAddress: (address: IpAddress) => boolean,
): number {
  const byAddress = new Map<number | string, Set<number | string>>()
  const byNodePort = new Map<Port, Set<number | string>>()
  for (const { info, endpoints } of states) {
    if (info.protocol !== 'UDP') continue
    const serving = new Set(endpoints.filter(({ serving }) => serving).map(keyOf))
    for (const address of [info.clusterIP, ...info.externalIPs, ...info.loadBalancerVIPs]) {
      byAddress.set(keyOf({ address, port: info.port }), serving)
    }
    if (info.nodePort !== 0) byNodePort.set(info.nodePort, serving)
  }
  if (byAddress.size === 0) return 0
  return netfilter.flushConntrack(({ original, reply }) => {
    if (original.protocol !== PROTOCOL_UDP) return false
    const serving =
      byAddress.get(keyOf({ address: original.destination, port: original.destinationPort })) ??
      (isNodeAddress(original.destination) ? byNodePort.get(original.destinationPort) : undefined)
    // A flow from before there were endpoints is not translated: it "leads" to the service's own address.
    return serving !== undefined && !serving.has(keyOf({ address: reply.source, port: reply.sourcePort }))
  })
}

function keyOf({ address, port }: Pick<EndpointInfo, 'address' | 'port'>): number | string {
  return endpointKey({ address, port })
}
