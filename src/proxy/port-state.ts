// A service port with the endpoints that its node may use, as the modes that write rules get it.

import type { EndpointInfo } from './endpoint-map.js'
import type { ServicePortInfo } from './service-port.js'
import type { EndpointCategories } from './topology.js'

export interface PortState extends EndpointCategories {
  readonly info: ServicePortInfo
  /** All there are, usable or not, in the order of address and port. */
  readonly endpoints: readonly EndpointInfo[]
}

/** Endpoints for the cluster IP; empty when the policy leaves none. */
export function internalEndpoints({ info, cluster, local }: PortState): readonly EndpointInfo[] {
  return (info.internalPolicyLocal ? local : cluster) ?? []
}

/** Endpoints for node port, external IPs and load balancer addresses; empty when the policy leaves none. */
export function externalEndpoints({ info, cluster, local }: PortState): readonly EndpointInfo[] {
  return (info.externalPolicyLocal ? local : cluster) ?? []
}
