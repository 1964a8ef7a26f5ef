// Which endpoints of a service port this node sends traffic to, by traffic policy, readiness, termination and the
// hints of topology aware routing. After CategorizeEndpoints in pkg/proxy/topology.go of Kubernetes.

import type { EndpointInfo } from './endpoint-map.js'
import { type ServicePortInfo, usesClusterEndpoints, usesLocalEndpoints } from './service-port.js'

/** Where the categorising node is. */
export interface NodeTopology {
  readonly nodeName: string
  /** Label topology.kubernetes.io/zone; undefined or empty: unknown. */
  readonly zone?: string | undefined
}

export interface EndpointCategories {
  /** For traffic with policy Cluster; undefined when the service port has none. */
  readonly cluster: readonly EndpointInfo[] | undefined
  /** For traffic with policy Local; undefined when the service port has none. */
  readonly local: readonly EndpointInfo[] | undefined
  /** Both together, each once: those that this node needs rules for. */
  readonly reachable: readonly EndpointInfo[]
  /** Whether any node has a usable endpoint: without one traffic is rejected, with one elsewhere it is dropped. */
  readonly hasAny: boolean
}

type TopologyMode = 'PreferSameNode' | 'PreferSameZone' | ''

export function categorizeEndpoints(
  endpoints: readonly EndpointInfo[],
  info: ServicePortInfo,
  node: NodeTopology,
): EndpointCategories {
  const terminating = endpoints.filter((endpoint) => endpoint.serving && endpoint.terminating)
  const ready = endpoints.filter((endpoint) => endpoint.ready)
  const mode = topologyMode(ready, node)
  let cluster: EndpointInfo[] | undefined
  let hasAny = false
  if (usesClusterEndpoints(info)) {
    cluster = ready.filter((endpoint) => availableFor(mode, endpoint, node))
    // Everything that is left is going: better a pod that is about to end than none. Hints do not count then.
    if (cluster.length === 0) cluster = terminating
    hasAny = cluster.length > 0
  }
  if (!usesLocalEndpoints(info)) return { cluster, local: undefined, reachable: cluster ?? [], hasAny }

  const isLocal = (endpoint: EndpointInfo) => endpoint.nodeName === node.nodeName
  hasAny ||= ready.length > 0 || terminating.length > 0
  let local = ready.filter(isLocal)
  if (local.length === 0) local = terminating.filter(isLocal)
  if (cluster === undefined) return { cluster, local, reachable: local, hasAny }
  // Local may have what hints or readiness keep out of cluster.
  const chosen = new Set([...cluster, ...local])
  return { cluster, local, reachable: endpoints.filter((endpoint) => chosen.has(endpoint)), hasAny }
}

/** Hints count only when every ready endpoint has them and one of them is for here. */
function topologyMode(ready: readonly EndpointInfo[], { nodeName, zone }: NodeTopology): TopologyMode {
  if (ready.length === 0) return ''
  if (
    ready.every(({ nodeHints }) => nodeHints !== undefined && nodeHints.length > 0) &&
    ready.some(({ nodeHints }) => nodeHints?.includes(nodeName))
  )
    return 'PreferSameNode'
  if (
    zone !== undefined &&
    zone !== '' &&
    ready.every(({ zoneHints }) => zoneHints !== undefined && zoneHints.length > 0) &&
    ready.some(({ zoneHints }) => zoneHints?.includes(zone))
  )
    return 'PreferSameZone'
  return ''
}

function availableFor(mode: TopologyMode, endpoint: EndpointInfo, { nodeName, zone }: NodeTopology): boolean {
  switch (mode) {
    case 'PreferSameNode':
      return endpoint.nodeHints?.includes(nodeName) ?? false
    case 'PreferSameZone':
      return endpoint.zoneHints?.includes(zone ?? '') ?? false
    default:
      return true
  }
}
