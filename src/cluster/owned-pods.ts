// Pods by the owner that manages them, kept up with the store, so that no controller need look at every pod.

import { controllerOf } from './controller-context.js'
import type { Pod } from './objects.js'
import type { ObjectStore, WatchEvent } from './store.js'
import { keyOf } from './work-loop.js'

export class OwnedPods {
  /** Owner's uid to key to pod. */
  readonly #owned = new Map<string, Map<string, Pod>>()
  /** Namespace to key to pod: those that nobody manages. */
  readonly #orphans = new Map<string, Map<string, Pod>>()

  constructor(store: ObjectStore) {
    store.watch<Pod>('pods', (event) => this.#apply(event))
  }

  /** Pods managed by the owner with this uid. */
  of(uid: string): Pod[] {
    return [...(this.#owned.get(uid)?.values() ?? [])]
  }

  /** Pods of a namespace that nobody manages. */
  orphans(namespace: string): Pod[] {
    return [...(this.#orphans.get(namespace)?.values() ?? [])]
  }

  #apply({ type, object, previous }: WatchEvent<Pod>): void {
    const key = keyOf(object)
    if (previous !== undefined) {
      const [map, name] = this.#placeOf(previous)
      map.get(name)?.delete(key)
      if (map.get(name)?.size === 0) map.delete(name)
    }
    if (type === 'DELETED') return
    const [map, name] = this.#placeOf(object)
    const pods = map.get(name) ?? new Map<string, Pod>()
    map.set(name, pods.set(key, object))
  }

  #placeOf(pod: Pod): [map: Map<string, Map<string, Pod>>, name: string] {
    const owner = controllerOf(pod)
    return owner ? [this.#owned, owner.uid] : [this.#orphans, pod.metadata.namespace!]
  }
}
