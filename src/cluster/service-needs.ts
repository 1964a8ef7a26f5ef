// What a Service of each type needs of the cluster; its defaults, its validation and its allocations all go by it.

import type { Service } from './objects.js'

export function needsClusterIP({ spec }: Service): boolean {
  return spec.type !== 'ExternalName'
}

/** Whether its ports have node ports; a LoadBalancer may say that it wants none. */
export function needsNodePorts({ spec }: Service): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer'
}

/** A load balancer must know which nodes have endpoints when only those take its traffic. */
export function needsHealthCheckPort({ spec }: Service): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
}

/** Whether it can be reached from outside, so that externalTrafficPolicy means something. */
export function isExternallyAccessible(service: Service): boolean {
  return needsNodePorts(service) || (service.spec.type === 'ClusterIP' && !!service.spec.externalIPs?.length)
}
