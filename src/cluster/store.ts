// The object store: objects by resource, namespace and name, one resourceVersion counter, watches. What etcd and
// the API server's registry are to Kubernetes, without defaults and validation (those are admission's).

import type { Random } from '../base/random.js'
import type { ClusterClock } from './clock.js'
import { equalJson, frozenJson } from './json.js'
import { generatedName, uuid } from './names.js'
import type { KubeObject, ObjectMeta } from './objects.js'
import { knownResource, type ResourceType, resourceOf } from './resources.js'
import { alreadyExists, badRequest, conflict, notFound } from './status.js'

/** What the store calls a collection: `group` is '' for the core API. */
export interface ResourceKey {
  readonly group: string
  readonly resource: string
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED'

export interface WatchEvent<Obj extends KubeObject = KubeObject> {
  readonly type: WatchEventType
  readonly object: Obj
  /** The object before the change; undefined for ADDED. */
  readonly previous: Obj | undefined
}

/**
 * Stored objects are frozen, and copied on the way in: nobody changes what the store handed out (cloneJson makes
 * a copy that may be changed); `update` takes a new object.
 */
export interface ObjectStore {
  /** Of the last change anywhere in the store. */
  readonly resourceVersion: string
  get<Obj extends KubeObject>(resource: string, namespace: string | undefined, name: string): Obj | undefined
  /** In the order of etcd's keys, `namespace/name`. */
  list<Obj extends KubeObject>(resource: string, namespace?: string): Obj[]
  /** Watchers run synchronously, in the order in which they came, after the store has changed. */
  watch<Obj extends KubeObject>(resource: string, onEvent: (event: WatchEvent<Obj>) => void): () => void
  /** A uid for an object that must know its own before it is created. */
  newUid(): string
  /** Sets uid (unless it has one), creationTimestamp, resourceVersion, generation, and the name when only generateName is there. ApiError AlreadyExists. */
  create<Obj extends KubeObject>(object: Obj): Obj
  /** ApiError NotFound, or Conflict when metadata.resourceVersion or uid is given and is not the stored one. No change, no new version. */
  update<Obj extends KubeObject>(object: Obj): Obj
  remove(resource: string, namespace: string | undefined, name: string): KubeObject | undefined
}

export type { ObjectMeta }

interface Collection {
  readonly type: ResourceType
  /** By namespace, '' for cluster scope. */
  readonly spaces: Map<string, Space>
  readonly watchers: Set<(event: WatchEvent) => void>
}

interface Space {
  readonly objects: Map<string, KubeObject>
  /** Names in order; undefined when one came or went since they were sorted. */
  names: string[] | undefined
}

interface PendingEvent {
  readonly collection: Collection
  readonly event: WatchEvent
}

/** The type of `object`; ApiError BadRequest for an unknown kind. */
function typeOf(object: KubeObject): ResourceType {
  const type = resourceOf(object)
  if (type === undefined)
    throw badRequest(`no kind "${object.kind}" is registered for version "${object.apiVersion}"`)
  return type
}

/** The store in memory. */
export class MemoryStore implements ObjectStore {
  readonly #collections = new Map<string, Collection>()
  readonly #clock: ClusterClock
  readonly #uids: Random
  readonly #names: Random
  /** Changes whose watchers have not all run: a watcher that writes queues its change behind the current one. */
  readonly #pending: PendingEvent[] = []
  #notifying = false
  #version = 0

  constructor(clock: ClusterClock, random: Random) {
    this.#clock = clock
    this.#uids = random.fork('uid')
    this.#names = random.fork('name')
  }

  get resourceVersion(): string {
    return String(this.#version)
  }

  get<Obj extends KubeObject>(
    resource: string,
    namespace: string | undefined,
    name: string,
  ): Obj | undefined {
    return this.#collection(resource)
      .spaces.get(namespace ?? '')
      ?.objects.get(name) as Obj | undefined
  }

  list<Obj extends KubeObject>(resource: string, namespace?: string): Obj[] {
    const { spaces } = this.#collection(resource)
    const wanted = namespace === undefined ? [...spaces.keys()].sort(byKey) : [namespace]
    return wanted.flatMap((name) => {
      const space = spaces.get(name)
      if (space === undefined) return []
      space.names ??= [...space.objects.keys()].sort()
      return space.names.map((name) => space.objects.get(name)!)
    }) as Obj[]
  }

  watch<Obj extends KubeObject>(resource: string, onEvent: (event: WatchEvent<Obj>) => void): () => void {
    const { watchers } = this.#collection(resource)
    const watcher = (event: WatchEvent) => onEvent(event as WatchEvent<Obj>)
    watchers.add(watcher)
    return () => void watchers.delete(watcher)
  }

  newUid(): string {
    return uuid(this.#uids)
  }

  create<Obj extends KubeObject>(object: Obj): Obj {
    const type = typeOf(object)
    const copy = { ...object, metadata: { ...object.metadata } }
    const { metadata } = copy
    if (!metadata.name && metadata.generateName) metadata.name = this.#freeName(type, metadata)
    if (this.get(type.plural, metadata.namespace, metadata.name)) throw alreadyExists(type, metadata.name)
    metadata.uid ??= this.newUid()
    metadata.creationTimestamp = this.#clock.timestamp()
    if (type.generation) metadata.generation = 1
    return this.#put(type, copy, undefined)
  }

  update<Obj extends KubeObject>(object: Obj): Obj {
    const type = typeOf(object)
    const copy = { ...object, metadata: { ...object.metadata } }
    const { metadata } = copy
    const stored = this.get<Obj>(type.plural, metadata.namespace, metadata.name)
    if (stored === undefined) throw notFound(type, metadata.name)
    if (metadata.uid !== undefined && metadata.uid !== stored.metadata.uid)
      throw conflict(
        type,
        metadata.name,
        `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${stored.metadata.uid}`,
      )
    if (
      metadata.resourceVersion !== undefined &&
      metadata.resourceVersion !== stored.metadata.resourceVersion
    )
      throw conflict(
        type,
        metadata.name,
        'the object has been modified; please apply your changes to the latest version and try again',
      )
    metadata.uid = stored.metadata.uid!
    metadata.creationTimestamp = stored.metadata.creationTimestamp!
    metadata.resourceVersion = stored.metadata.resourceVersion!
    if (stored.metadata.generation !== undefined) metadata.generation = stored.metadata.generation
    if (equalJson(copy, stored)) return stored
    const generation = nextGeneration(type, copy, stored)
    if (generation !== undefined) metadata.generation = generation
    return this.#put(type, copy, stored)
  }

  remove(resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    const collection = this.#collection(resource)
    const space = collection.spaces.get(namespace ?? '')
    const previous = space?.objects.get(name)
    if (space === undefined || previous === undefined) return undefined
    space.objects.delete(name)
    space.names = undefined
    const resourceVersion = String(++this.#version)
    const object = frozenJson({ ...previous, metadata: { ...previous.metadata, resourceVersion } })
    this.#notify(collection, { type: 'DELETED', object, previous })
    return object
  }

  /** Stores a frozen copy of `draft`, whose metadata may be changed here. */
  #put<Obj extends KubeObject>(type: ResourceType, draft: Obj, previous: Obj | undefined): Obj {
    const collection = this.#collection(type.plural)
    draft.metadata.resourceVersion = String(++this.#version)
    const object = frozenJson(draft)
    const namespace = object.metadata.namespace ?? ''
    let space = collection.spaces.get(namespace)
    if (space === undefined)
      collection.spaces.set(namespace, (space = { objects: new Map(), names: undefined }))
    if (previous === undefined) space.names = undefined
    space.objects.set(object.metadata.name, object)
    this.#notify(collection, { type: previous === undefined ? 'ADDED' : 'MODIFIED', object, previous })
    return object
  }

  /** Every watcher hears every change in the order in which they were made, also of changes that watchers make. */
  #notify(collection: Collection, event: WatchEvent): void {
    this.#pending.push({ collection, event })
    if (this.#notifying) return
    this.#notifying = true
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift())
        for (const watcher of [...next.collection.watchers]) watcher(next.event)
    } finally {
      this.#notifying = false
    }
  }

  #freeName(type: ResourceType, metadata: ObjectMeta): string {
    for (;;) {
      const name = generatedName(metadata.generateName!, this.#names)
      if (!this.get(type.plural, metadata.namespace, name)) return name
    }
  }

  #collection(resource: string): Collection {
    let collection = this.#collections.get(resource)
    if (collection === undefined) {
      collection = { type: knownResource(resource), spaces: new Map(), watchers: new Set() }
      this.#collections.set(resource, collection)
    }
    return collection
  }
}

/** `a-b/x` comes before `a/x`. */
function byKey(a: string, b: string): number {
  return `${a}/` < `${b}/` ? -1 : 1
}

/** metadata.generation of an object that is to take the place of `stored`; undefined for kinds that have none. */
export function nextGeneration(type: ResourceType, next: KubeObject, stored: KubeObject): number | undefined {
  const { generation } = stored.metadata
  if (!type.generation || equalJson(specificationOf(next), specificationOf(stored))) return generation
  return (generation ?? 0) + 1
}

/** What metadata.generation counts the changes of: everything but metadata and status. */
function specificationOf(object: KubeObject): Record<string, unknown> {
  const { metadata: _metadata, status: _status, ...specification } = object
  return specification
}
