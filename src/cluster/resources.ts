// The table of resource types: what Kubernetes calls discovery information. Everything that maps kinds, plurals and
// short names to each other reads it here.

import type { KubeObject } from './objects.js'

export interface ResourceType {
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  /** '' for the core API. */
  readonly group: string
  readonly version: string
  readonly namespaced: boolean
  readonly categories: readonly string[]
  /** Whether metadata.generation counts the changes of its specification. */
  readonly generation: boolean
  /** `status`, and `scale` where the size can be set through it. */
  readonly subresources: readonly string[]
}

function resource(
  kind: string,
  plural: string,
  group: string,
  options: Partial<
    Pick<ResourceType, 'shortNames' | 'namespaced' | 'categories' | 'generation' | 'subresources'>
  > = {},
): ResourceType {
  return {
    kind,
    plural,
    singular: kind.toLowerCase(),
    group,
    version: 'v1',
    shortNames: options.shortNames ?? [],
    namespaced: options.namespaced ?? true,
    categories: options.categories ?? [],
    generation: options.generation ?? false,
    subresources: options.subresources ?? [],
  }
}

const STATUS = { subresources: ['status'] }
const WORKLOAD = { categories: ['all'], generation: true }
const SCALABLE = { ...WORKLOAD, subresources: ['status', 'scale'] }

export const RESOURCE_TYPES: readonly ResourceType[] = [
  resource('ConfigMap', 'configmaps', '', { shortNames: ['cm'] }),
  resource('Endpoints', 'endpoints', '', { shortNames: ['ep'] }),
  resource('Event', 'events', '', { shortNames: ['ev'] }),
  resource('Namespace', 'namespaces', '', { shortNames: ['ns'], namespaced: false, ...STATUS }),
  resource('Node', 'nodes', '', { shortNames: ['no'], namespaced: false, ...STATUS }),
  resource('Pod', 'pods', '', { shortNames: ['po'], categories: ['all'], ...STATUS }),
  resource('ReplicationController', 'replicationcontrollers', '', { shortNames: ['rc'], ...SCALABLE }),
  resource('Secret', 'secrets', ''),
  resource('ServiceAccount', 'serviceaccounts', '', { shortNames: ['sa'] }),
  resource('Service', 'services', '', { shortNames: ['svc'], categories: ['all'], ...STATUS }),
  resource('ControllerRevision', 'controllerrevisions', 'apps'),
  resource('DaemonSet', 'daemonsets', 'apps', { shortNames: ['ds'], ...WORKLOAD, ...STATUS }),
  resource('Deployment', 'deployments', 'apps', { shortNames: ['deploy'], ...SCALABLE }),
  resource('ReplicaSet', 'replicasets', 'apps', { shortNames: ['rs'], ...SCALABLE }),
  resource('StatefulSet', 'statefulsets', 'apps', { shortNames: ['sts'], ...SCALABLE }),
  resource('CronJob', 'cronjobs', 'batch', { shortNames: ['cj'], ...WORKLOAD, ...STATUS }),
  resource('Job', 'jobs', 'batch', { ...WORKLOAD, ...STATUS }),
  resource('Lease', 'leases', 'coordination.k8s.io'),
  resource('EndpointSlice', 'endpointslices', 'discovery.k8s.io', { generation: true }),
  resource('PodDisruptionBudget', 'poddisruptionbudgets', 'policy', {
    shortNames: ['pdb'],
    generation: true,
    ...STATUS,
  }),
]

const byPlural = new Map(RESOURCE_TYPES.map((type) => [type.plural, type]))
const byKind = new Map(RESOURCE_TYPES.map((type) => [`${apiVersionOf(type)}/${type.kind}`, type]))

/** `v1`, `apps/v1`. */
export function apiVersionOf(type: ResourceType): string {
  return type.group ? `${type.group}/${type.version}` : type.version
}

/** The type with this plural name; undefined when there is none. */
export function resourceType(plural: string): ResourceType | undefined {
  return byPlural.get(plural)
}

/** As `resourceType`, for a name that is known to be right; throws otherwise. */
export function knownResource(plural: string): ResourceType {
  const type = byPlural.get(plural)
  if (type === undefined) throw new TypeError(`not a resource: ${plural}`)
  return type
}

/** The type of an object by its apiVersion and kind; undefined when Podwire does not have it. */
export function resourceOf(object: Pick<KubeObject, 'apiVersion' | 'kind'>): ResourceType | undefined {
  return byKind.get(`${object.apiVersion}/${object.kind}`)
}

/** The type that a user names: plural, singular, short name, kind, each also with its group, in any case. */
export function findResource(name: string): ResourceType | undefined {
  const [word = '', ...rest] = name.toLowerCase().split('.')
  const group = rest.join('.').replace(/^v1\.?/, '')
  return RESOURCE_TYPES.find(
    (type) =>
      (rest.length === 0 || type.group === group) &&
      (type.plural === word || type.singular === word || type.shortNames.includes(word)),
  )
}
