// Ends a namespace: deletes all that is in it, and the namespace itself when nothing is left.

import type { ControllerContext } from './controller-context.js'
import type { Namespace } from './objects.js'
import { RESOURCE_TYPES } from './resources.js'
import type { Controller } from './work-loop.js'

/** What makes other objects goes before what it makes. */
const FIRST = [
  'deployments',
  'replicasets',
  'replicationcontrollers',
  'statefulsets',
  'daemonsets',
  'cronjobs',
  'jobs',
  'services',
]

export class NamespaceController implements Controller {
  readonly name = 'namespace'
  readonly #context: ControllerContext

  constructor(context: ControllerContext) {
    this.#context = context
    const { store, loop } = context
    store.watch<Namespace>('namespaces', ({ object }) => loop.add(this, object.metadata.name))
    for (const { plural, namespaced } of RESOURCE_TYPES)
      if (namespaced)
        store.watch(plural, ({ type, object }) => {
          const namespace = store.get('namespaces', undefined, object.metadata.namespace!)
          // What is made while the namespace ends goes too.
          if (namespace?.metadata.deletionTimestamp && type !== 'MODIFIED')
            loop.add(this, namespace.metadata.name)
        })
  }

  reconcile(name: string): void {
    const { store, admission } = this.#context
    const namespace = store.get<Namespace>('namespaces', undefined, name)
    if (!namespace?.metadata.deletionTimestamp) return
    const plurals = RESOURCE_TYPES.filter((type) => type.namespaced).map((type) => type.plural)
    const ordered = [...FIRST, ...plurals.filter((plural) => !FIRST.includes(plural))]
    let left = 0
    for (const plural of ordered)
      for (const { metadata } of store.list(plural, name)) {
        if (!metadata.deletionTimestamp) admission.delete(plural, name, metadata.name)
        if (store.get(plural, name, metadata.name)) left++
      }
    if (left === 0) store.remove('namespaces', undefined, name)
  }
}
