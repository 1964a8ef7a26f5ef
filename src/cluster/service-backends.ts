// Which pods are behind a Service and on which ports: what the Endpoints and the EndpointSlice controllers have in
// common.

import type { Pod, Service, ServicePort } from './objects.js'
import { isPodReady } from './pod-condition.js'
import type { ServiceIndex } from './service-index.js'

/** A port of a Service as one pod has it. */
export interface BackendPort {
  readonly name: string
  readonly port: number
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly appProtocol: string | undefined
}

/** A pod behind a Service. */
export interface Backend {
  readonly pod: Pod
  readonly ip: string
  /** The condition Ready. */
  readonly ready: boolean
  readonly terminating: boolean
  /** The pod's own DNS name under the Service, when its subdomain is the Service. */
  readonly hostname: string | undefined
  /** Ports of the Service that this pod has; a named target port that it lacks is not there. */
  readonly ports: readonly BackendPort[]
}

/** The pods that `service` selects and that have an address, in order of their names. */
export function backendsOf(service: Service, index: ServiceIndex): Backend[] {
  const { ports = [] } = service.spec
  const { name } = service.metadata
  const backends: Backend[] = []
  for (const pod of index.podsOf(service)) {
    const { podIP, phase } = pod.status ?? {}
    if (!podIP || phase === 'Succeeded' || phase === 'Failed') continue
    backends.push({
      pod,
      ip: podIP,
      ready: isPodReady(pod),
      terminating: pod.metadata.deletionTimestamp !== undefined,
      hostname: pod.spec.subdomain === name ? pod.spec.hostname : undefined,
      ports: ports.flatMap((port) => resolvePort(pod, port)),
    })
  }
  return backends
}

/** A named target port is looked up among the pod's container ports of the same protocol. */
function resolvePort(pod: Pod, port: ServicePort): BackendPort[] {
  const protocol = port.protocol ?? 'TCP'
  const make = (number: number): BackendPort[] => [
    { name: port.name ?? '', port: number, protocol, appProtocol: port.appProtocol },
  ]
  const target = port.targetPort ?? port.port
  if (typeof target === 'number') return make(target)
  for (const container of pod.spec.containers)
    for (const candidate of container.ports ?? [])
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === protocol)
        return make(candidate.containerPort)
  return []
}

/** The endpoint of an EndpointSlice or Endpoints refers to its pod. */
export function podReference(pod: Pod): { kind: string; namespace: string; name: string; uid: string } {
  const { namespace, name, uid } = pod.metadata
  return { kind: 'Pod', namespace: namespace!, name, uid: uid! }
}
