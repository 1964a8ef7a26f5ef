// Which objects of a collection a request means: namespace, name, label and field selectors; and lists in pages.

import type { KubeObject } from '../cluster/objects.js'
import { apiVersionOf } from '../cluster/resources.js'
import { badRequest } from '../cluster/status.js'
import type { ObjectStore } from '../cluster/store.js'
import type { ApiRequest } from './request.js'
import { parseFieldSelector, parseLabelSelector } from './selectors.js'
import { parameter, type Target } from './target.js'

/** True for what the request selects. Fails with BadRequest for selectors that cannot be read. */
export function selectionOf(request: ApiRequest, target: Target): (object: KubeObject) => boolean {
  const byLabels = parseLabelSelector(parameter(request, 'labelSelector') ?? '')
  const byFields = parseFieldSelector(parameter(request, 'fieldSelector') ?? '', target.type.plural)
  return (object) =>
    (target.namespace === undefined || object.metadata.namespace === target.namespace) &&
    (target.name === undefined || object.metadata.name === target.name) &&
    byLabels(object.metadata.labels) &&
    byFields(object)
}

/** The key that lists are sorted by, as etcd's. */
function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

export function selectObjects(store: ObjectStore, request: ApiRequest, target: Target): KubeObject[] {
  const selected = store.list(target.type.plural, target.namespace).filter(selectionOf(request, target))
  return selected.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

export interface Page {
  readonly objects: readonly KubeObject[]
  /** ListMeta. */
  readonly metadata: Record<string, unknown>
}

/**
 * A page of a list by `limit` and `continue`. Simplified: later pages show the collection as it is then, not as it
 * was at the first page.
 */
export function pageOf(store: ObjectStore, request: ApiRequest, target: Target): Page {
  let objects = selectObjects(store, request, target)
  const metadata: Record<string, unknown> = { resourceVersion: store.resourceVersion }
  const token = parameter(request, 'continue')
  if (token) {
    const after = decodeToken(token)
    objects = objects.filter((object) => keyOf(object) > after)
  }
  const limit = Number(parameter(request, 'limit') ?? 0)
  if (limit > 0 && objects.length > limit) {
    metadata['remainingItemCount'] = objects.length - limit
    objects = objects.slice(0, limit)
    metadata['continue'] = encodeToken(keyOf(objects.at(-1)!))
  }
  return { objects, metadata }
}

/** A `PodList`; its items leave apiVersion and kind out. */
export function listOf(target: Target, page: Page): Record<string, unknown> {
  return {
    kind: `${target.type.kind}List`,
    apiVersion: apiVersionOf(target.type),
    metadata: page.metadata,
    items: page.objects.map(({ apiVersion: _version, kind: _kind, ...rest }) => rest),
  }
}

function encodeToken(key: string): string {
  return btoa(JSON.stringify({ v: 'meta.k8s.io/v1', start: key }))
}

function decodeToken(token: string): string {
  try {
    const { start } = JSON.parse(atob(token)) as { start: unknown }
    if (typeof start === 'string') return start
  } catch {
    // Falls through: not a token of ours.
  }
  throw badRequest('continue key is not valid')
}
