// Deletes objects whose owners are all gone (metadata.ownerReferences): in the background first the owner, then what it
// owned; in the foreground the other way round, the owner waiting for those that hold it up (blockOwnerDeletion).

import { FOREGROUND_FINALIZER } from './admission.js'
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
          this.#wakeOwners(object)
          return
        }
        if (isWaiting(object)) context.loop.add(this, key)
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
    if (object !== undefined && isWaiting(object)) return this.#deleteDependents(object)
    const owners = object?.metadata.ownerReferences
    if (!object || !owners?.length || object.metadata.deletionTimestamp) return
    if (owners.some((owner) => this.#exists(owner, namespace))) return
    admission.delete(resource, namespace, name)
  }

  /** What an owner that waits owns; the owner itself, when nothing of that holds it up any more. */
  #deleteDependents(owner: KubeObject): void {
    const { store, admission } = this.#context
    const { uid, namespace, name } = owner.metadata
    let blocking = 0
    for (const key of [...(this.#dependents.get(uid!) ?? [])]) {
      const [resource, space, dependent] = parseKey(key)
      const object = store.get(resource, space, dependent)
      const references = object?.metadata.ownerReferences ?? []
      if (object === undefined) continue
      if (references.some((other) => other.uid !== uid && this.#exists(other, space))) {
        store.update({
          ...object,
          metadata: { ...object.metadata, ownerReferences: references.filter((other) => other.uid !== uid) },
        })
        continue
      }
      const blocks = references.some((reference) => reference.uid === uid && reference.blockOwnerDeletion)
      if (!object.metadata.deletionTimestamp) {
        const owns = this.#dependents.has(object.metadata.uid!) && object.kind !== 'Pod'
        admission.delete(resource, space, dependent, {
          propagationPolicy: owns ? 'Foreground' : 'Background',
        })
      }
      if (blocks && store.get(resource, space, dependent) !== undefined) blocking++
    }
    const { plural } = resourceOf(owner)!
    const current = store.get(plural, namespace, name)
    if (blocking > 0 || current?.metadata.uid !== uid) return
    const finalizers = current!.metadata.finalizers?.filter((text) => text !== FOREGROUND_FINALIZER) ?? []
    if (finalizers.length === 0) store.remove(plural, namespace, name)
    else store.update({ ...current!, metadata: { ...current!.metadata, finalizers } })
  }

  #wakeOwners({ metadata }: KubeObject): void {
    for (const owner of metadata.ownerReferences ?? []) {
      const type = resourceOf(owner)
      if (type === undefined) continue
      const namespace = type.namespaced ? `${metadata.namespace}/` : ''
      this.#context.loop.add(this, `${type.plural} ${namespace}${owner.name}`)
    }
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

/** Whether it is being deleted in the foreground. */
function isWaiting({ metadata }: KubeObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(FOREGROUND_FINALIZER) === true
  )
}

function parseKey(key: string): [resource: string, namespace: string | undefined, name: string] {
  const [resource, path] = key.split(' ') as [string, string]
  const [first, second] = path.split('/') as [string, string | undefined]
  return second === undefined ? [resource, undefined, first] : [resource, first, second]
}
