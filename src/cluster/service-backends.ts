// Which pods are behind a Service and on which ports: what the Endpoints and the EndpointSlice controllers have in
// common.

import type { AddressFamily } from '../wire/address.js'
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
  /** Its addresses in the order of its status, the primary one first. */
  readonly addresses: readonly string[]
  /** The condition Ready. */
  readonly ready: boolean
  readonly terminating: boolean
  /** The pod's own DNS name under the Service, when its subdomain is the Service. */
  readonly hostname: string | undefined
  /** Ports of the Service that this pod has; a named target port that it lacks is not there. */
  readonly ports: readonly BackendPort[]
  /** Equal for backends with the same ports. */
  readonly portsKey: string
}

/**
 * Backends of Services. What was found of a pod is kept as long as neither the pod nor the Service changes: of a
 * thousand pods behind a Service, one changes at a time.
 */
export class ServiceBackends {
  readonly #index: ServiceIndex
  /** Stored objects are never changed, so the same object means the same backend. */
  readonly #known = new WeakMap<Service, WeakMap<Pod, Backend>>()

  constructor(index: ServiceIndex) {
    this.#index = index
  }

  /** The pods that `service`, as it is stored, selects and that have an address, in order of their names. */
  of(service: Service): Backend[] {
    let known = this.#known.get(service)
    if (known === undefined) this.#known.set(service, (known = new WeakMap()))
    const backends: Backend[] = []
    for (const pod of this.#index.podsOf(service)) {
      let backend = known.get(pod)
      if (backend === undefined) {
        backend = backendOf(service, pod)
        if (backend === undefined) continue
        known.set(pod, backend)
      }
      backends.push(backend)
    }
    return backends
  }
}

function backendOf(service: Service, pod: Pod): Backend | undefined {
  const { podIP, podIPs, phase } = pod.status ?? {}
  if (!podIP || phase === 'Succeeded' || phase === 'Failed') return undefined
  const ports = (service.spec.ports ?? []).flatMap((port) => resolvePort(pod, port))
  return {
    pod,
    addresses: [...new Set([podIP, ...(podIPs ?? []).map(({ ip }) => ip)])],
    ready: isPodReady(pod),
    terminating: pod.metadata.deletionTimestamp !== undefined,
    hostname: pod.spec.subdomain === service.metadata.name ? pod.spec.hostname : undefined,
    ports,
    portsKey: JSON.stringify(ports),
  }
}

/** The backend's address in a family; undefined when it has none. */
export function addressIn({ addresses }: Backend, family: AddressFamily): string | undefined {
  return addresses.find((text) => text.includes(':') === (family === 'IPv6'))
}

/** Families in which a Service has endpoints. */
export function familiesOf({ spec }: Service): readonly AddressFamily[] {
  return spec.ipFamilies?.length ? spec.ipFamilies : ['IPv4']
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
