// Deletes objects whose owners are all gone (metadata.ownerReferences), in the background: first the owner, then what
// it owned.

import type { ControllerContext } from './controller-context.js'
import type { KubeObject, OwnerReference } from './objects.js'
import { RESOURCE_TYPES, resourceOf } from './resources.js'
import { type Controller, keyOf } from './work-loop.js'

export class GarbageCollector implements Controller {
  readonly name = 'garbage-collector'
  readonly #context: ControllerContext
  /** Uid of an owner to the keys (`resource namespace/name`) of what it owns. */
  readonly #dependents = new Map<string, Set<string>>()

  constructor(context: ControllerContext) {
    this.#context = context
    for (const { plural } of RESOURCE_TYPES)
      context.store.watch(plural, ({ type, object, previous }) => {
        const key = `${plural} ${keyOf(object)}`
        if (previous !== undefined) this.#forget(previous, key)
        if (type === 'DELETED') {
          for (const dependent of this.#dependents.get(object.metadata.uid!) ?? [])
            context.loop.add(this, dependent)
          return
        }
        for (const { uid } of object.metadata.ownerReferences ?? []) {
          const keys = this.#dependents.get(uid) ?? new Set()
          this.#dependents.set(uid, keys.add(key))
        }
        // The owner may have gone before its dependent was made.
        if (type === 'ADDED' && object.metadata.ownerReferences?.length) context.loop.add(this, key)
      })
  }

  reconcile(key: string): void {
    const { store, admission } = this.#context
    const [resource, namespace, name] = parseKey(key)
    const object = store.get(resource, namespace, name)
    const owners = object?.metadata.ownerReferences
    if (!object || !owners?.length || object.metadata.deletionTimestamp) return
    if (owners.some((owner) => this.#exists(owner, namespace))) return
    admission.delete(resource, namespace, name)
  }

  /** Owners of kinds that Podwire does not have are taken to exist. */
  #exists(owner: OwnerReference, namespace: string | undefined): boolean {
    const type = resourceOf(owner)
    if (type === undefined) return true
    const found = this.#context.store.get(type.plural, type.namespaced ? namespace : undefined, owner.name)
    return found?.metadata.uid === owner.uid
  }

  #forget(object: KubeObject, key: string): void {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const keys = this.#dependents.get(uid)
      keys?.delete(key)
      if (keys?.size === 0) this.#dependents.delete(uid)
    }
  }
}

function parseKey(key: string): [resource: string, namespace: string | undefined, name: string] {
  const [resource, path] = key.split(' ') as [string, string]
  const [first, second] = path.split('/') as [string, string | undefined]
  return second === undefined ? [resource, undefined, first] : [resource, first, second]
}
