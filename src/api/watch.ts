// Watches: events of the store as a client selected them, from a resourceVersion on. Read first: watch-cache.ts.

import type { KubeObject } from '../cluster/objects.js'
import { apiVersionOf } from '../cluster/resources.js'
import type { ObjectStore, WatchEvent } from '../cluster/store.js'
import { watchOptions } from './list-options.js'
import { includeObject, partialOf, representationOf } from './representation.js'
import type { ApiRequest, WatchLine } from './request.js'
import { selectionOf, selectObjects } from './selection.js'
import { tooLargeVersion } from './status.js'
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
  const current = Number(store.resourceVersion)
  const { initialEvents, initialBookmark, since = current } = watchOptions(request)
  // An informer of a server that was here before: it is to list anew.
  if (since > current) throw tooLargeVersion(since, current)
  if (initialEvents) {
    for (const object of selectObjects(store, request, target))
      onLine({ type: 'ADDED', object: shape(object) })
  }
  const marks = { [INITIAL_EVENTS_END]: 'true' }
  if (initialBookmark) onLine(bookmarkOf(target, String(since), marks))
  return cache.follow(target.type.plural, since, (event) => {
    const line = lineOf(event, selected)
    if (line !== undefined) onLine({ type: line.type, object: shape(line.object) })
  })
}

/** Tells a watcher that it has heard of everything up to `resourceVersion`. */
export function bookmarkOf(
  { type }: Target,
  resourceVersion: string,
  annotations?: Readonly<Record<string, string>>,
): WatchLine {
  const metadata = { resourceVersion, ...(annotations && { annotations }) }
  return { type: 'BOOKMARK', object: { kind: type.kind, apiVersion: apiVersionOf(type), metadata } }
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
  // Events follow each other as lines of JSON, upstream as well.
  const representation = representationOf(request, ['application/json'])
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
