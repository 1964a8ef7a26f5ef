// EndpointSlices: what kube-proxy and DNS read. For Services with a selector they come from the pods, for others they
// mirror Endpoints made by hand (upstream has a controller for each).

import type { AddressFamily } from '../wire/address.js'
import type { ControllerContext } from './controller-context.js'
import { controllerReference } from './controller-context.js'
import { HEADLESS_LABEL } from './endpoints-controller.js'
import { equalJson, frozenJson } from './json.js'
import {
  type EndpointSlice,
  type Endpoints,
  type KubeObject,
  type Node,
  type Pod,
  SERVICE_NAME_LABEL,
  type Service,
  type SliceEndpoint,
} from './objects.js'
import { addressIn, type Backend, familiesOf, podReference } from './service-backends.js'
import type { ObjectStore } from './store.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

const ZONE_LABEL = 'topology.kubernetes.io/zone'
const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
const SKIP_MIRROR_LABEL = 'endpointslice.kubernetes.io/skip-mirror'
const FROM_PODS = 'endpointslice-controller.k8s.io'
const FROM_ENDPOINTS = 'endpointslicemirroring-controller.k8s.io'
/** Most endpoints in one slice, kube-controller-manager's default. */
const MAX_ENDPOINTS = 100

type SlicePorts = EndpointSlice['ports']

/** Endpoints of one family that have the same ports, and so may share a slice. */
interface SliceGroup {
  readonly family: AddressFamily
  readonly ports: SlicePorts
  /** By what tells endpoints apart: the address. */
  readonly endpoints: Map<string, SliceEndpoint>
}

export class SliceController implements Controller {
  readonly name = 'endpointslice'
  readonly #context: ControllerContext
  /** Endpoints as they were last written, while their backends and the nodes' zones stay the same. */
  #endpoints = new WeakMap<Backend, Map<AddressFamily, SliceEndpoint>>()

  constructor(context: ControllerContext) {
    this.#context = context
    const { store, loop, index } = context
    store.watch<Service>('services', ({ object }) => loop.add(this, keyOf(object)))
    store.watch<Endpoints>('endpoints', ({ object }) => loop.add(this, keyOf(object)))
    store.watch<Pod>('pods', ({ object, previous }) => {
      for (const service of index.servicesOf(object, previous)) loop.add(this, keyOf(service))
    })
    store.watch<Node>('nodes', ({ object, previous }) => {
      // A zone is rarely given to a node that has endpoints: all are looked at again.
      if (object.metadata.labels?.[ZONE_LABEL] === previous?.metadata.labels?.[ZONE_LABEL]) return
      this.#endpoints = new WeakMap()
      for (const service of store.list<Service>('services')) loop.add(this, keyOf(service))
    })
    store.watch<EndpointSlice>('endpointslices', ({ object, type }) => {
      const service = object.metadata.labels?.[SERVICE_NAME_LABEL]
      if (type !== 'ADDED' && service) loop.add(this, `${object.metadata.namespace}/${service}`)
    })
  }

  reconcile(key: string): void {
    const { store } = this.#context
    const [namespace, name] = splitKey(key)
    const service = store.get<Service>('services', namespace, name)
    const slices = this.#context.index.slicesOf(namespace, name)
    // Slices that were handed in stand as they are, whatever their labels say.
    if (this.#context.lenient && slices.some((slice) => !isOwned(slice))) return
    const ours = (manager: string) =>
      slices.filter(({ metadata: { labels } }) => labels?.[MANAGED_BY_LABEL] === manager)
    const selects = Object.keys(service?.spec.selector ?? {}).length > 0
    if (service === undefined || service.spec.type === 'ExternalName' || !selects)
      for (const slice of ours(FROM_PODS)) this.#remove(slice)
    else this.#reconcileSlices(service, service, FROM_PODS, this.#groupBackends(service), ours(FROM_PODS))

    const endpoints = store.get<Endpoints>('endpoints', namespace, name)
    const mirrored = !selects && endpoints?.metadata.labels?.[SKIP_MIRROR_LABEL] !== 'true'
    if (service === undefined || endpoints === undefined || !mirrored)
      for (const slice of ours(FROM_ENDPOINTS)) this.#remove(slice)
    else
      this.#reconcileSlices(service, endpoints, FROM_ENDPOINTS, groupSubsets(endpoints), ours(FROM_ENDPOINTS))
  }

  /**
   * Brings the slices to what `groups` say with few changes: endpoints stay in the slice they are in, new ones
   * fill slices with room. Without any endpoint one empty slice stays for those who list them.
   */
  #reconcileSlices(
    service: Service,
    owner: KubeObject,
    manager: string,
    groups: readonly SliceGroup[],
    existing: readonly EndpointSlice[],
  ): void {
    const template = sliceTemplate(service, owner, manager)
    const families =
      manager === FROM_PODS ? familiesOf(service) : [...new Set(groups.map(({ family }) => family))]
    const kept = new Set<EndpointSlice>()
    for (const group of groups) {
      const waiting = new Map(group.endpoints)
      const slices = existing.filter(({ addressType, ports }) => {
        return addressType === group.family && equalJson(ports, group.ports)
      })
      const contents = slices.map((slice) => {
        const stay = slice.endpoints.flatMap(({ addresses }) => waiting.get(addresses[0]!) ?? [])
        for (const { addresses } of stay) waiting.delete(addresses[0]!)
        return stay
      })
      const rest = [...waiting.values()]
      for (const [i, slice] of slices.entries()) {
        const endpoints = contents[i]!
        if (rest.length > 0) endpoints.push(...rest.splice(0, MAX_ENDPOINTS - endpoints.length))
        if (endpoints.length === 0) continue
        kept.add(slice)
        this.#write(slice, template, group.family, endpoints, group.ports)
      }
      while (rest.length > 0)
        this.#write(undefined, template, group.family, rest.splice(0, MAX_ENDPOINTS), group.ports)
    }
    const spare = existing.filter((slice) => !kept.has(slice))
    for (const family of families.length === 0 ? ['IPv4' as const] : families) {
      if (groups.some((group) => group.family === family && group.endpoints.size > 0)) continue
      const placeholder = spare.find(({ addressType }) => addressType === family)
      if (placeholder !== undefined) kept.add(placeholder)
      this.#write(placeholder, template, family, [], [])
    }
    for (const slice of spare) if (!kept.has(slice)) this.#remove(slice)
  }

  #groupBackends(service: Service): SliceGroup[] {
    return familiesOf(service).flatMap((family) => this.#groupBackendsOf(service, family))
  }

  #groupBackendsOf(service: Service, family: AddressFamily): SliceGroup[] {
    const groups = new Map<string, SliceGroup>()
    for (const backend of this.#context.backends.of(service)) {
      const address = addressIn(backend, family)
      if (address === undefined) continue
      if (service.spec.ports?.length && backend.ports.length === 0) continue
      let group = groups.get(backend.portsKey)
      if (group === undefined) {
        const ports = backend.ports.map(({ name, port, protocol, appProtocol }) => ({
          name,
          port,
          protocol,
          ...(appProtocol && { appProtocol }),
        }))
        groups.set(backend.portsKey, (group = { family, ports, endpoints: new Map() }))
      }
      group.endpoints.set(address, this.#endpointOf(backend, service, family, address))
    }
    return [...groups.values()]
  }

  #endpointOf(backend: Backend, service: Service, family: AddressFamily, address: string): SliceEndpoint {
    const known = this.#endpoints.get(backend) ?? new Map<AddressFamily, SliceEndpoint>()
    let endpoint = known.get(family)
    if (endpoint === undefined) {
      endpoint = frozenJson(endpointOf(backend, address, service, this.#context.store))
      known.set(family, endpoint)
      this.#endpoints.set(backend, known)
    }
    return endpoint
  }

  #write(
    slice: EndpointSlice | undefined,
    template: EndpointSlice,
    addressType: AddressFamily,
    endpoints: SliceEndpoint[],
    ports: SlicePorts,
  ): void {
    const { store } = this.#context
    if (slice === undefined) {
      store.create({ ...template, addressType, endpoints, ports })
      return
    }
    const { labels } = template.metadata
    // Most slices of a large Service stay as they are.
    if (equalJson([slice.endpoints, slice.ports, slice.metadata.labels], [endpoints, ports, labels])) return
    store.update({ ...slice, metadata: { ...slice.metadata, labels: labels! }, endpoints, ports })
  }

  #remove(slice: EndpointSlice): void {
    this.#context.store.remove('endpointslices', slice.metadata.namespace, slice.metadata.name)
  }
}

function isOwned(slice: EndpointSlice): boolean {
  return slice.metadata.ownerReferences?.some(({ controller }) => controller) === true
}

function sliceTemplate(service: Service, owner: KubeObject, manager: string): EndpointSlice {
  const { namespace, name, labels } = service.metadata
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: `${name}-`,
      namespace: namespace!,
      labels: {
        ...labels,
        ...(service.spec.clusterIP === 'None' && { [HEADLESS_LABEL]: '' }),
        [SERVICE_NAME_LABEL]: name,
        [MANAGED_BY_LABEL]: manager,
      },
      ownerReferences: [controllerReference(owner)],
    },
    addressType: 'IPv4',
    endpoints: [],
    ports: [],
  }
}

/** `serving` is the pod's readiness; `ready` is that too, unless the pod terminates. */
function endpointOf(backend: Backend, address: string, { spec }: Service, store: ObjectStore): SliceEndpoint {
  const { pod, ready, terminating, hostname } = backend
  const { nodeName } = pod.spec
  const node = nodeName ? store.get<Node>('nodes', undefined, nodeName) : undefined
  const zone = node?.metadata.labels?.[ZONE_LABEL]
  const isReady = spec.publishNotReadyAddresses === true || (ready && !terminating)
  const hints = isReady ? hintsOf(spec.trafficDistribution, nodeName, zone) : undefined
  return {
    addresses: [address],
    conditions: { ready: isReady, serving: ready, terminating },
    ...(hostname && { hostname }),
    targetRef: podReference(pod),
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
    ...(hints && { hints }),
  }
}

/** For whom an endpoint is by the Service's trafficDistribution (KEP-4444, KEP-3015). */
function hintsOf(
  distribution: string | undefined,
  node: string | undefined,
  zone: string | undefined,
): SliceEndpoint['hints'] {
  const forZones = zone ? [{ name: zone }] : undefined
  switch (distribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return forZones && { forZones }
    case 'PreferSameNode':
      // Who knows nothing of node hints still has those of the zone.
      return node ? { ...(forZones && { forZones }), forNodes: [{ name: node }] } : undefined
    default:
      return undefined
  }
}

/** A subset with addresses of both families becomes slices of each. */
function groupSubsets(endpoints: Endpoints): SliceGroup[] {
  return (endpoints.subsets ?? []).flatMap((subset) =>
    (['IPv4', 'IPv6'] as const)
      .map((family) => groupSubset(subset, family))
      .filter((group) => group.endpoints.size > 0),
  )
}

function groupSubset(
  { addresses = [], notReadyAddresses = [], ports = [] }: NonNullable<Endpoints['subsets']>[number],
  family: AddressFamily,
): SliceGroup {
  const group = new Map<string, SliceEndpoint>()
  for (const [list, ready] of [
    [addresses, true],
    [notReadyAddresses, false],
  ] as const)
    for (const { ip, hostname, nodeName, targetRef } of list) {
      if (ip.includes(':') !== (family === 'IPv6')) continue
      group.set(ip, {
        addresses: [ip],
        conditions: { ready },
        ...(hostname && { hostname }),
        ...(targetRef && { targetRef }),
        ...(nodeName && { nodeName }),
      })
    }
  return {
    family,
    ports: ports.map(({ name, port, protocol }) => ({
      name: name ?? '',
      port,
      protocol: protocol ?? 'TCP',
    })),
    endpoints: group,
  }
}
