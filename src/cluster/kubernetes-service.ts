// The Service `kubernetes` with its endpoints, which the API server keeps by itself: whoever deletes it, it comes back.

import { type ClusterConfig, kubernetesAddress } from './cluster-config.js'
import type { ControllerContext } from './controller-context.js'
import { type EndpointSlice, type Endpoints, SERVICE_NAME_LABEL, type Service } from './objects.js'
import type { Controller } from './work-loop.js'

const NAMESPACE = 'default'
const NAME = 'kubernetes'
const RESOURCES = ['services', 'endpoints', 'endpointslices']

export class KubernetesService implements Controller {
  readonly name = 'kubernetes-service'
  readonly #context: ControllerContext
  readonly #config: ClusterConfig

  constructor(context: ControllerContext, config: ClusterConfig) {
    this.#context = context
    this.#config = config
    for (const resource of RESOURCES)
      context.store.watch(resource, ({ type, object }) => {
        const { namespace, name } = object.metadata
        if (type === 'DELETED' && namespace === NAMESPACE && name === NAME) context.loop.add(this, NAME)
      })
  }

  reconcile(): void {
    addKubernetesService(this.#context, this.#config)
  }
}

/** What of it is not there. */
export function addKubernetesService(
  { store, admission }: Pick<ControllerContext, 'store' | 'admission'>,
  config: ClusterConfig,
): void {
  const missing = (resource: string) => store.get(resource, NAMESPACE, NAME) === undefined
  if (missing('services')) admission.create(service(config))
  if (missing('endpoints')) store.create(endpoints(config))
  if (missing('endpointslices')) store.create(slice(config))
}

function service(config: ClusterConfig): Service {
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: NAME, namespace: NAMESPACE, labels },
    spec: {
      clusterIP: kubernetesAddress(config),
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: config.apiServer.port }],
    },
  }
}

function endpoints({ apiServer: { address, port } }: ClusterConfig): Endpoints {
  const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: NAME, namespace: NAMESPACE, labels },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  }
}

function slice({ apiServer: { address, port } }: ClusterConfig): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: NAME, namespace: NAMESPACE, labels: { [SERVICE_NAME_LABEL]: NAME } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  }
}
