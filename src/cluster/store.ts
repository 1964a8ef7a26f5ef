// (contract; the body comes with the module) The object store: objects by resource, namespace and name, one resourceVersion counter, watches.

import type { KubeObject, ObjectMeta } from './objects.js'

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

/** Stored objects are frozen in meaning: nobody changes what the store handed out; `update` takes a new object. */
export interface ObjectStore {
  readonly resourceVersion: string
  get<Obj extends KubeObject>(resource: string, namespace: string | undefined, name: string): Obj | undefined
  list<Obj extends KubeObject>(resource: string, namespace?: string): Obj[]
  /** Watchers run synchronously, in the order in which they came, after the store has changed. */
  watch<Obj extends KubeObject>(resource: string, onEvent: (event: WatchEvent<Obj>) => void): () => void
  create<Obj extends KubeObject>(object: Obj): Obj
  update<Obj extends KubeObject>(object: Obj): Obj
  remove(resource: string, namespace: string | undefined, name: string): KubeObject | undefined
}

export type { ObjectMeta }
