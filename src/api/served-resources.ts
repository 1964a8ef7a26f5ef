// Everything that the server serves under a group and version: the resources of the store, each with its
// subresources; the reviews and metrics that are answered and not kept. Discovery and OpenAPI are written from it.

import { RESOURCE_TYPES, type ResourceType } from '../cluster/resources.js'
import { EVENT_VIEW } from './event-views.js'
import { METRICS_TYPES } from './metrics.js'
import { REVIEW_TYPES } from './reviews.js'

export interface ServedSubresource {
  readonly name: string
  readonly verbs: readonly string[]
  /** What it answers with. */
  readonly kind: string
  /** Of that kind, where it is not the resource's own. */
  readonly group?: string
  readonly version?: string
}

export interface ServedResource
  extends Pick<
    ResourceType,
    'kind' | 'plural' | 'singular' | 'shortNames' | 'group' | 'version' | 'namespaced' | 'categories'
  > {
  readonly verbs: readonly string[]
  readonly subresources: readonly ServedSubresource[]
}

const OBJECT_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const SUBOBJECT_VERBS = ['get', 'patch', 'update']
const STREAM_VERBS = ['create', 'get']
/** Whatever method comes goes on. */
const PROXY_VERBS = ['create', 'delete', 'get', 'patch', 'update']

const OF_PODS: readonly ServedSubresource[] = [
  { name: 'attach', kind: 'PodAttachOptions', verbs: STREAM_VERBS },
  { name: 'binding', kind: 'Binding', verbs: ['create'] },
  { name: 'ephemeralcontainers', kind: 'Pod', verbs: SUBOBJECT_VERBS },
  { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
  { name: 'exec', kind: 'PodExecOptions', verbs: STREAM_VERBS },
  { name: 'log', kind: 'Pod', verbs: ['get'] },
  { name: 'portforward', kind: 'PodPortForwardOptions', verbs: STREAM_VERBS },
  { name: 'proxy', kind: 'PodProxyOptions', verbs: PROXY_VERBS },
]

const TOKEN: ServedSubresource = {
  name: 'token',
  kind: 'TokenRequest',
  group: 'authentication.k8s.io',
  version: 'v1',
  verbs: ['create'],
}

function subresourcesOf(type: ResourceType): readonly ServedSubresource[] {
  const { kind, plural } = type
  const subresources = plural === 'pods' ? [...OF_PODS] : []
  if (plural === 'serviceaccounts') subresources.push(TOKEN)
  if (plural === 'services')
    subresources.push({ name: 'proxy', kind: 'ServiceProxyOptions', verbs: PROXY_VERBS })
  if (type.subresources.includes('status'))
    subresources.push({ name: 'status', kind, verbs: SUBOBJECT_VERBS })
  if (type.subresources.includes('scale')) {
    const scale = { name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1' }
    subresources.push({ ...scale, verbs: SUBOBJECT_VERBS })
  }
  return subresources.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Sorted by name within a group and version. */
export function servedResources(): readonly ServedResource[] {
  const objects = [...RESOURCE_TYPES, EVENT_VIEW].map((type) => ({
    ...type,
    // As upstream, where a namespace takes its content along and is deleted one at a time.
    verbs:
      type.plural === 'namespaces'
        ? OBJECT_VERBS.filter((verb) => verb !== 'deletecollection')
        : OBJECT_VERBS,
    subresources: subresourcesOf(type),
  }))
  const reviews = REVIEW_TYPES.map((type) => ({
    ...type,
    singular: type.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: ['create'],
    subresources: [],
  }))
  const metrics = METRICS_TYPES.map((type) => ({
    ...type,
    singular: '',
    shortNames: [],
    categories: [],
    verbs: ['get', 'list'],
    subresources: [],
  }))
  return [...objects, ...reviews, ...metrics].sort((a, b) => (a.plural < b.plural ? -1 : 1))
}

/** `''` for the core group, which is the first; then in the order of their names' first appearance. */
export function groupsOf(resources: readonly ServedResource[]): readonly string[] {
  return [...new Set(resources.map(({ group }) => group))].sort()
}

/** The versions of a group, the preferred one first. */
export function versionsOf(resources: readonly ServedResource[], group: string): readonly string[] {
  return [...new Set(resources.filter((resource) => resource.group === group).map(({ version }) => version))]
}
