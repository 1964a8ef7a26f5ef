// What the DNS server knows of the cluster, kept from its changes and indexed by what questions ask for: names
// of services, addresses of services and endpoints, pods, namespaces. Not here: how questions are written
// (query.ts) and answered (answer.ts).

import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import { type EndpointSlice, type Pod, SERVICE_NAME_LABEL, type Service } from '../cluster/objects.js'
import { reverseName } from './name.js'

/** A port that SRV records name; `number` undefined stands for "no port at all" and gives addresses only. */
export interface RecordPort {
  readonly name: string
  /** `tcp`, `udp`, `sctp`. */
  readonly protocol: string
  readonly number: number | undefined
}

export interface ServiceRecord {
  readonly namespace: string
  readonly name: string
  readonly kind: 'ClusterIP' | 'headless' | 'ExternalName'
  readonly clusterIPs: readonly string[]
  readonly externalName: string
  readonly ports: readonly RecordPort[]
  readonly publishNotReadyAddresses: boolean
}

/** One address behind a service, whether ready or not. */
export interface EndpointRecord {
  readonly namespace: string
  readonly service: string
  readonly address: string
  readonly ready: boolean
  readonly hostname: string | undefined
  /** Name of the pod, when the endpoint is one. */
  readonly pod: string | undefined
  readonly ports: readonly RecordPort[]
}

/** The annotation that came before publishNotReadyAddresses. */
const TOLERATE_UNREADY = 'service.alpha.kubernetes.io/tolerate-unready-endpoints'

/** Stands where a service or slice has no ports: its names still have addresses. */
const NO_PORT: RecordPort = { name: '', protocol: '', number: undefined }

export class Records implements ClusterFollower {
  readonly #namespaces = new Set<string>()
  readonly #services = new Map<string, ServiceRecord>()
  /** Service key -> slice key -> endpoints. */
  readonly #endpoints = new Map<string, Map<string, SliceEndpoints>>()
  readonly #serviceOfSlice = new Map<string, string>()
  readonly #podsByKey = new Map<string, readonly string[]>()
  /** Reverse name -> what has that address. */
  readonly #servicesByAddress = new Index<ServiceRecord>()
  readonly #podsByAddress = new Index<string>()
  #serial = 1
  #generation = 0

  /** Another number after every change. */
  get generation(): number {
    return this.#generation
  }

  /** Serial of the zones: the date of the last change in seconds, or one more than before where that is not told. */
  get serial(): number {
    return this.#serial
  }

  /** Takes changes of namespaces, services, endpointslices and pods; others are ignored. `at`: seconds since 1970. */
  apply(change: ClusterChange, at?: number): void {
    const object = change.type === 'DELETED' ? undefined : change.object
    const { namespace = 'default', name } = change.object.metadata
    const key = `${namespace}/${name}`
    if (change.resource === 'namespaces') this.#setNamespace(name, object !== undefined)
    else if (change.resource === 'services') this.#setService(key, object as Service | undefined)
    else if (change.resource === 'endpointslices') this.#setSlice(key, object as EndpointSlice | undefined)
    else if (change.resource === 'pods') this.#setPod(key, namespace, object as Pod | undefined)
    else return
    this.#serial = at ?? this.#serial + 1
    this.#generation++
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.has(name)
  }

  service(namespace: string, name: string): ServiceRecord | undefined {
    return this.#services.get(`${namespace}/${name}`)
  }

  /** Endpoints that may be told of: the ready ones, or all when the service publishes those not ready. */
  endpoints(namespace: string, service: string): EndpointRecord[] {
    const slices = this.#endpoints.get(`${namespace}/${service}`)
    if (slices === undefined) return []
    return [...slices.values()].flatMap(({ records }) => records).filter((one) => this.#isPublished(one))
  }

  /** Services whose cluster IP has this reverse name. */
  servicesAt(reverse: string): readonly ServiceRecord[] {
    return this.#servicesByAddress.get(reverse)
  }

  /** Published endpoints whose address has this reverse name. */
  endpointsAt(reverse: string): EndpointRecord[] {
    return [...this.#endpoints.values()]
      .flatMap((slices) => [...slices.values()].flatMap((slice) => slice.at(reverse)))
      .filter((one) => this.#isPublished(one))
  }

  /** Namespaces of the pods whose address has this reverse name. */
  podNamespacesAt(reverse: string): readonly string[] {
    return this.#podsByAddress.get(reverse)
  }

  #isPublished(endpoint: EndpointRecord): boolean {
    if (endpoint.ready) return true
    return this.service(endpoint.namespace, endpoint.service)?.publishNotReadyAddresses === true
  }

  #setNamespace(name: string, exists: boolean): void {
    if (exists) this.#namespaces.add(name)
    else this.#namespaces.delete(name)
  }

  #setService(key: string, service: Service | undefined): void {
    const before = this.#services.get(key)
    for (const address of before?.clusterIPs ?? []) this.#servicesByAddress.remove(address, before!)
    if (service === undefined) return void this.#services.delete(key)
    const record = serviceRecord(service)
    this.#services.set(key, record)
    for (const address of record.clusterIPs) this.#servicesByAddress.add(address, record)
  }

  #setSlice(key: string, slice: EndpointSlice | undefined): void {
    const before = this.#serviceOfSlice.get(key)
    if (before !== undefined) {
      this.#endpoints.get(before)?.delete(key)
      if (this.#endpoints.get(before)?.size === 0) this.#endpoints.delete(before)
      this.#serviceOfSlice.delete(key)
    }
    const service = slice?.metadata.labels?.[SERVICE_NAME_LABEL]
    if (slice === undefined || service === undefined || slice.addressType === 'FQDN') return
    const namespace = slice.metadata.namespace ?? 'default'
    const serviceKey = `${namespace}/${service}`
    const slices = this.#endpoints.get(serviceKey) ?? new Map<string, SliceEndpoints>()
    slices.set(key, new SliceEndpoints(endpointRecords(slice, namespace, service)))
    this.#endpoints.set(serviceKey, slices)
    this.#serviceOfSlice.set(key, serviceKey)
  }

  #setPod(key: string, namespace: string, pod: Pod | undefined): void {
    for (const address of this.#podsByKey.get(key) ?? []) this.#podsByAddress.remove(address, namespace)
    this.#podsByKey.delete(key)
    const phase = pod?.status?.phase
    if (pod === undefined || phase === 'Succeeded' || phase === 'Failed') return
    const { podIP, podIPs } = pod.status ?? {}
    const addresses = new Set([
      ...(podIP === undefined ? [] : [podIP]),
      ...(podIPs ?? []).map(({ ip }) => ip),
    ])
    this.#podsByKey.set(key, [...addresses])
    for (const address of addresses) this.#podsByAddress.add(address, namespace)
  }
}

/** The endpoints of one slice. A slice changes with each of them, and is seldom asked for addresses: then it has an index. */
class SliceEndpoints {
  readonly records: readonly EndpointRecord[]
  #byAddress: Index<EndpointRecord> | undefined

  constructor(records: readonly EndpointRecord[]) {
    this.records = records
  }

  at(reverse: string): readonly EndpointRecord[] {
    if (this.#byAddress === undefined) {
      this.#byAddress = new Index()
      for (const one of this.records) this.#byAddress.add(one.address, one)
    }
    return this.#byAddress.get(reverse)
  }
}

/** Lists by the reverse name of an address. */
class Index<Item> {
  readonly #items = new Map<string, Item[]>()

  get(reverse: string): readonly Item[] {
    return this.#items.get(reverse) ?? []
  }

  add(address: string, item: Item): void {
    const name = reverseName(address)
    if (name === undefined) return
    const items = this.#items.get(name)
    if (items === undefined) this.#items.set(name, [item])
    else items.push(item)
  }

  remove(address: string, item: Item): void {
    const name = reverseName(address)
    const items = name === undefined ? undefined : this.#items.get(name)
    const position = items?.indexOf(item) ?? -1
    if (items === undefined || position < 0) return
    items.splice(position, 1)
    if (items.length === 0) this.#items.delete(name!)
  }
}

function serviceRecord({ metadata, spec }: Service): ServiceRecord {
  const listed = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])
  const external = spec.type === 'ExternalName'
  const clusterIPs = external ? [] : listed.filter((address) => address !== 'None' && address !== '')
  const headless = spec.clusterIP === 'None' || listed.includes('None')
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name,
    kind: external ? 'ExternalName' : headless ? 'headless' : 'ClusterIP',
    clusterIPs,
    externalName: (spec.externalName ?? '').replace(/\.$/, ''),
    ports: recordPorts((spec.ports ?? []).map((port) => ({ ...port, number: port.port }))),
    publishNotReadyAddresses:
      spec.publishNotReadyAddresses === true || metadata.annotations?.[TOLERATE_UNREADY] === 'true',
  }
}

function endpointRecords(slice: EndpointSlice, namespace: string, service: string): EndpointRecord[] {
  const ports = recordPorts((slice.ports ?? []).map((port) => ({ ...port, number: port.port })))
  return (slice.endpoints ?? []).flatMap((endpoint) =>
    endpoint.addresses.map((address) => ({
      namespace,
      service,
      address,
      ready: endpoint.conditions?.ready ?? true,
      hostname: endpoint.hostname === '' ? undefined : endpoint.hostname,
      pod: endpoint.targetRef?.name,
      ports,
    })),
  )
}

function recordPorts(
  ports: readonly { name?: string; protocol?: string; number: number | undefined }[],
): readonly RecordPort[] {
  if (ports.length === 0) return [NO_PORT]
  return ports.map(({ name = '', protocol = 'TCP', number }) => {
    return { name: name.toLowerCase(), protocol: protocol.toLowerCase(), number }
  })
}
