// Every namespace has a ConfigMap `kube-root-ca.crt` with the certificate of the authority that signed the API
// server's: what programs in pods check it by.

import type { ControllerContext } from './controller-context.js'
import type { ConfigMap, Namespace } from './objects.js'
import type { Controller } from './work-loop.js'

const NAME = 'kube-root-ca.crt'
const KEY = 'ca.crt'
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

export class RootCaController implements Controller {
  readonly name = 'root-ca-certificate-publisher'
  readonly #context: ControllerContext
  readonly #certificate: string

  /** `certificate`: PEM. */
  constructor(context: ControllerContext, certificate: string) {
    this.#context = context
    this.#certificate = certificate
    const { store, loop } = context
    store.watch<Namespace>('namespaces', ({ object }) => loop.add(this, object.metadata.name))
    store.watch<ConfigMap>('configmaps', ({ object: { metadata } }) => {
      if (metadata.name === NAME) loop.add(this, metadata.namespace!)
    })
  }

  reconcile(name: string): void {
    const { store, admission } = this.#context
    const namespace = store.get<Namespace>('namespaces', undefined, name)
    if (namespace === undefined || namespace.metadata.deletionTimestamp) return
    const existing = store.get<ConfigMap>('configmaps', name, NAME)
    const data = { [KEY]: this.#certificate }
    if (existing === undefined) {
      const annotations = { 'kubernetes.io/description': DESCRIPTION }
      const metadata = { name: NAME, namespace: name, annotations }
      admission.create<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
    } else if (existing.data?.[KEY] !== this.#certificate) {
      admission.update<ConfigMap>({ ...existing, data })
    }
  }
}
