// Watches: events of the store as a client selected them, from a resourceVersion on. Read first: watch-cache.ts.

import type { KubeObject } from '../cluster/objects.js'
import { apiVersionOf } from '../cluster/resources.js'
import type { ObjectStore, WatchEvent } from '../cluster/store.js'
import { watchOptions } from './list-options.js'
import { includeObject, partialOf, representationOf } from './representation.js'
import type { ApiRequest, WatchLine } from './request.js'
import { selectionOf, selectObjects } from './selection.js'
import { tableOf } from './tables.js'
import type { Target } from './target.js'
import type { WatchCache } from './watch-cache.js'

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

/** Starts the watch that a GET with `watch=true` asks for. Fails for a request that cannot be served. */
export function startWatch(
  cache: WatchCache,
  store: ObjectStore,
  request: ApiRequest,
  target: Target,
  unixMillis: () => number,
  onLine: (line: WatchLine) => void,
): () => void {
  const selected = selectionOf(request, target)
  const shape = shapeOf(request, target, unixMillis)
  const { initialEvents, initialBookmark, since = Number(store.resourceVersion) } = watchOptions(request)
  if (initialEvents) {
    for (const object of selectObjects(store, request, target))
      onLine({ type: 'ADDED', object: shape(object) })
  }
  if (initialBookmark) onLine({ type: 'BOOKMARK', object: initialEnd(target, String(since)) })
  return cache.follow(target.type.plural, since, (event) => {
    const line = lineOf(event, selected)
    if (line !== undefined) onLine({ type: line.type, object: shape(line.object) })
  })
}

/** The bookmark that ends the initial events of a WatchList. */
function initialEnd({ type }: Target, resourceVersion: string): Record<string, unknown> {
  const annotations = { [INITIAL_EVENTS_END]: 'true' }
  return { kind: type.kind, apiVersion: apiVersionOf(type), metadata: { resourceVersion, annotations } }
}

/** With a selection, leaving it is a deletion and entering it an addition. */
function lineOf(
  { type, object, previous }: WatchEvent,
  selected: (object: KubeObject) => boolean,
): { type: WatchEvent['type']; object: KubeObject } | undefined {
  const is = selected(object)
  if (type !== 'MODIFIED') return is ? { type, object } : undefined
  const was = previous !== undefined && selected(previous)
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object }
  if (!was) return undefined
  const { resourceVersion } = object.metadata
  const metadata =
    resourceVersion === undefined ? previous.metadata : { ...previous.metadata, resourceVersion }
  return { type: 'DELETED', object: { ...previous, metadata } }
}

/** Objects as the client wants them; rows of a Table come one by one. */
function shapeOf(
  request: ApiRequest,
  target: Target,
  unixMillis: () => number,
): (object: KubeObject) => WatchLine['object'] {
  const representation = representationOf(request)
  if (representation === 'Object') return (object) => object
  if (representation === 'PartialObjectMetadata') return partialOf
  const include = includeObject(request)
  let first = true
  return (object) => {
    const { resourceVersion } = object.metadata
    const options = { include, now: unixMillis(), metadata: { resourceVersion }, withColumns: first }
    first = false
    return tableOf(target.type.plural, [object], options) as unknown as Record<string, unknown>
  }
}
