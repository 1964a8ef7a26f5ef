// Endpoints objects of Services with a selector: the older form of EndpointSlices, what `kubectl get endpoints` shows.
// Services without a selector have Endpoints made by hand; those are not touched (but see slice-controller.ts).

import type { ControllerContext } from './controller-context.js'
import type { EndpointAddress, Endpoints, Pod, Service } from './objects.js'
import { addressIn, type Backend, type BackendPort, familiesOf, podReference } from './service-backends.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

type Subset = NonNullable<Endpoints['subsets']>[number]

/** Marks what belongs to a headless Service; kube-proxy leaves it alone. */
export const HEADLESS_LABEL = 'service.kubernetes.io/headless'

export class EndpointsController implements Controller {
  readonly name = 'endpoints'
  readonly #context: ControllerContext
  /** Uids of the Endpoints made here. */
  readonly #made = new Set<string>()

  constructor(context: ControllerContext) {
    this.#context = context
    const { store, loop, index } = context
    store.watch<Service>('services', ({ type, object }) => {
      // Endpoints go with their Service; those that never had one were made by hand, and stay.
      if (type === 'DELETED') store.remove('endpoints', object.metadata.namespace, object.metadata.name)
      else loop.add(this, keyOf(object))
    })
    store.watch<Endpoints>('endpoints', ({ type, object }) => {
      if (type === 'DELETED') this.#made.delete(object.metadata.uid!)
      loop.add(this, keyOf(object))
    })
    store.watch<Pod>('pods', ({ object, previous }) => {
      for (const service of index.servicesOf(object, previous)) loop.add(this, keyOf(service))
    })
  }

  reconcile(key: string): void {
    const { store } = this.#context
    const [namespace, name] = splitKey(key)
    const service = store.get<Service>('services', namespace, name)
    if (service === undefined) return
    const { selector, type } = service.spec
    if (!selector || Object.keys(selector).length === 0 || type === 'ExternalName') return
    const current = store.get<Endpoints>('endpoints', namespace, name)
    // Endpoints that were handed in stand as they are.
    if (this.#context.lenient && current && !this.#made.has(current.metadata.uid!)) return
    const labels = { ...service.metadata.labels }
    if (service.spec.clusterIP === 'None') labels[HEADLESS_LABEL] = ''
    const subsets = subsetsOf(service, this.#context.backends.of(service))
    const next: Endpoints = {
      ...(current ?? { apiVersion: 'v1', kind: 'Endpoints' }),
      metadata: { ...(current?.metadata ?? { name, namespace }) },
    }
    if (Object.keys(labels).length > 0) next.metadata.labels = labels
    else delete next.metadata.labels
    if (subsets.length > 0) next.subsets = subsets
    else delete next.subsets
    if (current) store.update(next)
    else this.#made.add(store.create(next).metadata.uid!)
  }
}

/** Addresses of one port, while subsets are put together. */
interface PortAddresses {
  readonly port: BackendPort | undefined
  readonly ready: Map<string, EndpointAddress>
  readonly notReady: Map<string, EndpointAddress>
}

/**
 * Subsets as upstream packs them: ports that have the same addresses stand together, addresses in the order of
 * their text.
 */
function subsetsOf(service: Service, backends: readonly Backend[]): Subset[] {
  const evenUnready = service.spec.publishNotReadyAddresses === true
  const byPort = new Map<string, PortAddresses>()
  for (const backend of backends) {
    if (backend.terminating && !evenUnready) continue
    // Endpoints are of one family, the Service's primary one.
    const ip = addressIn(backend, familiesOf(service)[0]!)
    if (ip === undefined) continue
    const ports = service.spec.ports?.length ? backend.ports : [undefined]
    for (const port of ports) {
      const key = port === undefined ? '' : `${port.name}/${port.protocol}/${port.port}`
      let entry = byPort.get(key)
      if (entry === undefined) byPort.set(key, (entry = { port, ready: new Map(), notReady: new Map() }))
      const list = backend.ready || evenUnready ? entry.ready : entry.notReady
      list.set(ip, addressOf(backend, ip))
    }
  }
  const packed = new Map<string, PortAddresses[]>()
  for (const entry of byPort.values()) {
    const key = JSON.stringify([[...entry.ready.keys()].sort(), [...entry.notReady.keys()].sort()])
    packed.set(key, [...(packed.get(key) ?? []), entry])
  }
  return [...packed.values()].map(toSubset)
}

function toSubset(entries: readonly PortAddresses[]): Subset {
  const sorted = (addresses: Map<string, EndpointAddress>) =>
    [...addresses.values()].sort((a, b) => (a.ip < b.ip ? -1 : 1))
  const { ready, notReady } = entries[0]!
  const ports = entries.flatMap(({ port }) =>
    port === undefined
      ? []
      : [{ ...(port.name && { name: port.name }), port: port.port, protocol: port.protocol }],
  )
  return {
    ...(ready.size > 0 && { addresses: sorted(ready) }),
    ...(notReady.size > 0 && { notReadyAddresses: sorted(notReady) }),
    ...(ports.length > 0 && { ports }),
  }
}

function addressOf({ pod, hostname }: Backend, ip: string): EndpointAddress {
  return {
    ip,
    ...(hostname && { hostname }),
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: podReference(pod),
  }
}
