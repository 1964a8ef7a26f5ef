// The group metrics.k8s.io, for `kubectl top`: what nodes and pods use, read from whoever runs them at the moment of the
// request. Nothing of it is stored, so it can be read and listed and not watched. Rates are drivers/usage-meter.ts'.

import type { KubeObject, Pod } from '../cluster/objects.js'
import { knownResource, type ResourceType } from '../cluster/resources.js'
import type { PodUid } from '../cluster/sandbox.js'
import type { ObjectStore } from '../cluster/store.js'
import { parseResourcePath } from './paths.js'
import { representList, representObject } from './representation.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { selectObjects } from './selection.js'
import { jsonResponse, methodNotAllowed, noMetrics, serviceUnavailable, unknownPath } from './status.js'
import type { Target } from './target.js'

export interface Usage {
  /** Of one processor, 1 is all of it. */
  readonly cores: number
  readonly memoryBytes: number
  /** How long the window was, until now, that `cores` is the mean of. */
  readonly windowMillis: number
}

export interface PodUsage {
  readonly windowMillis: number
  readonly containers: readonly ({ readonly name: string } & Omit<Usage, 'windowMillis'>)[]
}

export interface MetricsSource {
  /** Why nobody's use is known; then nobody is asked. */
  readonly unavailable: string | undefined
  /** Undefined when it is not known, or not yet. */
  pod(uid: PodUid): PodUsage | undefined
  node(name: string): Usage | undefined
}

/** NodeMetrics, with `usage`, or PodMetrics, with `containers`. */
export interface MetricsObject extends KubeObject {
  readonly timestamp: string
  readonly window: string
  readonly usage?: Quantities
  readonly containers?: readonly { readonly name: string; readonly usage: Quantities }[]
}

export interface Quantities {
  readonly cpu: string
  readonly memory: string
}

const GROUP = { group: 'metrics.k8s.io', version: 'v1beta1' }

export interface MetricsType {
  readonly kind: 'NodeMetrics' | 'PodMetrics'
  readonly plural: 'nodes' | 'pods'
  readonly group: string
  readonly version: string
  readonly namespaced: boolean
}

/** What discovery tells. */
export const METRICS_TYPES: readonly MetricsType[] = [
  { kind: 'NodeMetrics', plural: 'nodes', namespaced: false, ...GROUP },
  { kind: 'PodMetrics', plural: 'pods', namespaced: true, ...GROUP },
]

/** The answer for a path of the group; undefined for any other path. */
export function serveMetrics(
  request: ApiRequest,
  store: ObjectStore,
  source: MetricsSource,
  now: number,
): ApiResponse | undefined {
  const path = parseResourcePath(request.path)
  if (path?.group !== GROUP.group || path.version !== GROUP.version) return undefined
  const { namespace, name, subresource, resource } = path
  const type = METRICS_TYPES.find(({ plural }) => plural === resource)
  if (type === undefined || subresource !== undefined) throw unknownPath()
  if (!type.namespaced && namespace !== undefined) throw unknownPath()
  if (type.namespaced && namespace === undefined && name !== undefined) throw unknownPath()
  if (request.method !== 'GET') throw methodNotAllowed()
  if (source.unavailable !== undefined) throw serviceUnavailable(source.unavailable)
  const target = { type: knownResource(type.plural), namespace, name, subresource: undefined }
  return answer(request, type, target, measured(request, target, store, source, now), now)
}

/** The metrics of the objects that a request selects; those that nothing is known of are left out. */
function measured(
  request: ApiRequest,
  target: Target,
  store: ObjectStore,
  source: MetricsSource,
  now: number,
): MetricsObject[] {
  const objects = selectObjects(store, request, target)
  objects.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const metrics = objects.map((object) =>
    target.type.plural === 'nodes'
      ? nodeMetrics(object, source, now)
      : podMetrics(object as Pod, source, now),
  )
  return metrics.filter((object) => object !== undefined)
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function answer(
  request: ApiRequest,
  type: MetricsType,
  { name }: Target,
  metrics: MetricsObject[],
  now: number,
): ApiResponse {
  const shown: ResourceType = { ...knownResource(type.plural), ...type, plural: type.kind.toLowerCase() }
  if (name === undefined)
    return jsonResponse(200, representList(request, shown, { objects: metrics, metadata: {} }, now))
  const [object] = metrics
  if (object === undefined) throw noMetrics(type.kind, name)
  return jsonResponse(200, representObject(request, shown.plural, object, now))
}

function nodeMetrics(node: KubeObject, source: MetricsSource, now: number): MetricsObject | undefined {
  const usage = source.node(node.metadata.name)
  return usage && { ...header('NodeMetrics', node, usage.windowMillis, now), usage: quantities(usage) }
}

function podMetrics(pod: Pod, source: MetricsSource, now: number): MetricsObject | undefined {
  const usage = source.pod(pod.metadata.uid ?? '')
  if (usage === undefined) return undefined
  const containers = usage.containers.map(({ name, ...used }) => ({ name, usage: quantities(used) }))
  return { ...header('PodMetrics', pod, usage.windowMillis, now), containers }
}

function header(kind: MetricsType['kind'], { metadata }: KubeObject, windowMillis: number, now: number) {
  const timestamp = `${new Date(now).toISOString().slice(0, 19)}Z`
  const { name, namespace, labels } = metadata
  return {
    kind,
    apiVersion: `${GROUP.group}/${GROUP.version}`,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      creationTimestamp: timestamp,
      ...(labels && { labels }),
    },
    timestamp,
    window: `${(windowMillis / 1000).toFixed(3).replace(/\.?0+$/, '')}s`,
  }
}

/** Nanocores and kibibytes, as metrics-server writes them. */
function quantities({ cores, memoryBytes }: Omit<Usage, 'windowMillis'>): Quantities {
  const nanocores = Math.round(cores * 1e9)
  return { cpu: nanocores === 0 ? '0' : `${nanocores}n`, memory: `${Math.ceil(memoryBytes / 1024)}Ki` }
}
