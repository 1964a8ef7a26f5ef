// Every namespace has a ServiceAccount `default`. Tokens are made when they are asked for (service-account-tokens.ts),
// and for pods (service-account-files.ts).

import type { ControllerContext } from './controller-context.js'
import type { Namespace, ServiceAccount } from './objects.js'
import type { Controller } from './work-loop.js'

const DEFAULT = 'default'

export class ServiceAccountController implements Controller {
  readonly name = 'serviceaccount'
  readonly #context: ControllerContext

  constructor(context: ControllerContext) {
    this.#context = context
    const { store, loop } = context
    store.watch<Namespace>('namespaces', ({ object }) => loop.add(this, object.metadata.name))
    store.watch<ServiceAccount>('serviceaccounts', ({ type, object }) => {
      if (type === 'DELETED' && object.metadata.name === DEFAULT) loop.add(this, object.metadata.namespace!)
    })
  }

  reconcile(name: string): void {
    const { store, admission } = this.#context
    const namespace = store.get<Namespace>('namespaces', undefined, name)
    if (namespace === undefined || namespace.metadata.deletionTimestamp) return
    if (store.get('serviceaccounts', name, DEFAULT)) return
    admission.create<ServiceAccount>({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: DEFAULT, namespace: name },
    })
  }
}
