// Which objects of a collection a request means: namespace, name, label and field selectors; and lists in pages.

import type { KubeObject } from '../cluster/objects.js'
import { badRequest } from '../cluster/status.js'
import type { ObjectStore } from '../cluster/store.js'
import { type ListOptions, listOptions } from './list-options.js'
import type { ApiRequest } from './request.js'
import { parseFieldSelector, parseLabelSelector } from './selectors.js'
import { expired, expiredContinue, tooLargeVersion } from './status.js'
import { parameter, type Target } from './target.js'
import type { WatchCache } from './watch-cache.js'

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

/** The key that lists are in the order of. */
function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function sorted(objects: KubeObject[]): KubeObject[] {
  return objects.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

export function selectObjects(store: ObjectStore, request: ApiRequest, target: Target): KubeObject[] {
  return store.list(target.type.plural, target.namespace).filter(selectionOf(request, target))
}

export interface Page {
  readonly objects: readonly KubeObject[]
  /** ListMeta. */
  readonly metadata: Record<string, unknown>
}

/**
 * A page of a list by `limit` and `continue`. All pages show the collection as it was at the first one; Expired when
 * that is too long ago, Timeout for a version that has not come yet.
 */
export function pageOf(cache: WatchCache, store: ObjectStore, request: ApiRequest, target: Target): Page {
  const options = listOptions(request)
  const { version, start } = startOf(options, Number(store.resourceVersion))
  const isSelected = selectionOf(request, target)
  const at = objectsAt(cache, store, target, version)
  if (at === undefined)
    throw start === '' ? expired(TOO_OLD) : expiredContinue(encodeToken({ version: -1, start }))
  let objects = sorted(at.filter(isSelected)).filter((object) => keyOf(object) > start)
  const metadata: Record<string, unknown> = { resourceVersion: String(version) }
  const { limit } = options
  if (limit > 0 && objects.length > limit) {
    // With a selector upstream would have to read everything to know, and does not.
    const isWhole = !parameter(request, 'labelSelector') && !parameter(request, 'fieldSelector')
    if (isWhole) metadata['remainingItemCount'] = objects.length - limit
    objects = objects.slice(0, limit)
    metadata['continue'] = encodeToken({ version, start: keyOf(objects.at(-1)!) })
  }
  return { objects, metadata }
}

const TOO_OLD = 'The resourceVersion for the provided list is too old.'

/** Where a list begins, and of which version. */
function startOf(options: ListOptions, current: number): Place {
  const { resourceVersion = current, exact, continueToken } = options
  if (resourceVersion > current) throw tooLargeVersion(resourceVersion, current)
  if (continueToken === '') return { version: exact ? resourceVersion : current, start: '' }
  const place = decodeToken(continueToken)
  if (place.version > current) throw tooLargeVersion(place.version, current)
  return place.version < 0 ? { ...place, version: current } : place
}

/** Undefined when what it was at `version` is no longer remembered. */
function objectsAt(
  cache: WatchCache,
  store: ObjectStore,
  target: Target,
  version: number,
): KubeObject[] | undefined {
  const { type, namespace } = target
  if (version === Number(store.resourceVersion)) return store.list(type.plural, namespace)
  return cache.listAt(type.plural, namespace, version)
}

/** Where a page begins: after the key `start`. Version -1: the newest there is, at the price of consistency. */
interface Place {
  readonly version: number
  readonly start: string
}

function encodeToken({ version, start }: Place): string {
  return btoa(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start }))
}

function decodeToken(token: string): Place {
  try {
    const { rv, start } = JSON.parse(atob(token)) as { rv: unknown; start: unknown }
    if (typeof start === 'string' && Number.isSafeInteger(rv)) return { version: rv as number, start }
  } catch {
    // Falls through: not a token of ours.
  }
  throw badRequest('continue key is not valid')
}
