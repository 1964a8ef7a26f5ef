// Who selects whom, kept up with the store: the Services of a pod, the pods of a Service, the EndpointSlices of a
// Service. So that the controllers of endpoints need not look at a whole namespace for every pod that changes.

import { type EndpointSlice, type KubeObject, type Pod, SERVICE_NAME_LABEL, type Service } from './objects.js'
import { matchesLabels } from './selector.js'
import type { ObjectStore } from './store.js'

/** Objects by a key that many may share, each under its name. */
class Buckets<Obj extends KubeObject> {
  readonly #buckets = new Map<string, Map<string, Obj>>()

  get(key: string): ReadonlyMap<string, Obj> | undefined {
    return this.#buckets.get(key)
  }

  put(key: string, object: Obj): void {
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) this.#buckets.set(key, new Map([[object.metadata.name, object]]))
    else bucket.set(object.metadata.name, object)
  }

  remove(key: string, object: Obj): void {
    const bucket = this.#buckets.get(key)
    bucket?.delete(object.metadata.name)
    if (bucket?.size === 0) this.#buckets.delete(key)
  }
}

export class ServiceIndex {
  /** Under each of a pod's labels. */
  readonly #pods = new Buckets<Pod>()
  /** Under the first label of the Service's selector, in order of the names. */
  readonly #services = new Buckets<Service>()
  /** Under the Service's name. */
  readonly #slices = new Buckets<EndpointSlice>()

  constructor(store: ObjectStore) {
    store.watch<Pod>('pods', ({ type, object, previous }) => {
      for (const key of previous ? podKeys(previous) : []) this.#pods.remove(key, previous!)
      if (type !== 'DELETED') for (const key of podKeys(object)) this.#pods.put(key, object)
    })
    store.watch<Service>('services', ({ type, object, previous }) => {
      const before = previous && serviceKeys(previous)[0]
      if (before !== undefined) this.#services.remove(before, previous!)
      const after = type === 'DELETED' ? undefined : serviceKeys(object)[0]
      if (after !== undefined) this.#services.put(after, object)
    })
    store.watch<EndpointSlice>('endpointslices', ({ type, object, previous }) => {
      if (previous !== undefined) this.#slices.remove(sliceKey(previous), previous)
      if (type !== 'DELETED') this.#slices.put(sliceKey(object), object)
    })
  }

  /** The Services whose selector matches a pod as it is, or was before a change; in order of their names. */
  servicesOf(pod: Pod, previous?: Pod): Service[] {
    const found = new Map<string, Service>()
    for (const version of previous === undefined ? [pod] : [pod, previous])
      for (const key of podKeys(version))
        for (const service of this.#services.get(key)?.values() ?? [])
          if (matchesLabels(service.spec.selector!, version.metadata.labels))
            found.set(service.metadata.name, service)
    return byName(found.values())
  }

  /** The pods that a Service selects, in order of their names; none without a selector. */
  podsOf(service: Service): Pod[] {
    let smallest: ReadonlyMap<string, Pod> | undefined
    for (const key of serviceKeys(service)) {
      const pods = this.#pods.get(key)
      if (pods === undefined) return []
      if (smallest === undefined || pods.size < smallest.size) smallest = pods
    }
    const candidates = [...(smallest?.values() ?? [])]
    return byName(candidates.filter((pod) => matchesLabels(service.spec.selector!, pod.metadata.labels)))
  }

  /** The EndpointSlices that name a Service, in order of their names. */
  slicesOf(namespace: string, service: string): EndpointSlice[] {
    return byName(this.#slices.get(`${namespace}/${service}`)?.values() ?? [])
  }
}

function podKeys({ metadata: { namespace, labels = {} } }: Pod): string[] {
  return Object.keys(labels).map((name) => `${namespace}/${name}=${labels[name]}`)
}

function serviceKeys({ metadata: { namespace }, spec }: Service): string[] {
  const selector = spec?.selector ?? {}
  return Object.keys(selector)
    .sort()
    .map((name) => `${namespace}/${name}=${selector[name]}`)
}

function sliceKey({ metadata: { namespace, labels } }: EndpointSlice): string {
  return `${namespace}/${labels?.[SERVICE_NAME_LABEL] ?? ''}`
}

function byName<Obj extends KubeObject>(objects: Iterable<Obj>): Obj[] {
  return [...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}
