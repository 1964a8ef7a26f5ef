// Watches of the API: events of the store as a client selected them, from a resourceVersion on. A bounded log of
// past events per resource plays the part of upstream's watch cache, so that no event between a list and a watch
// is lost; what it no longer remembers is 410 Expired.

import type { KubeObject } from '../cluster/objects.js'
import { apiVersionOf, RESOURCE_TYPES } from '../cluster/resources.js'
import { badRequest } from '../cluster/status.js'
import type { ObjectStore, WatchEvent } from '../cluster/store.js'
import type { ApiRequest, WatchLine } from './request.js'
import { selectionOf, selectObjects } from './selection.js'
import { expired } from './status.js'
import { asksForTable, type IncludeObject, tableOf } from './tables.js'
import { flag, parameter, type Target } from './target.js'

const REMEMBERED_EVENTS = 1024
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

interface LoggedEvent {
  readonly event: WatchEvent
  readonly resourceVersion: number
}

interface ResourceLog {
  readonly events: LoggedEvent[]
  /** Events up to this version have been forgotten. */
  forgotten: number
  readonly listeners: Set<(logged: LoggedEvent) => void>
}

export class WatchCache {
  readonly #store: ObjectStore
  readonly #logs = new Map<string, ResourceLog>()

  constructor(store: ObjectStore) {
    this.#store = store
    const forgotten = Number(store.resourceVersion)
    for (const { plural } of RESOURCE_TYPES) {
      const log: ResourceLog = { events: [], forgotten, listeners: new Set() }
      this.#logs.set(plural, log)
      store.watch(plural, (event) => this.#append(log, event))
    }
  }

  #append(log: ResourceLog, event: WatchEvent): void {
    const own = Number(event.object.metadata.resourceVersion ?? 0)
    const last = log.events.at(-1)?.resourceVersion ?? log.forgotten
    // A deletion has a version of its own, which the object's last state may not carry.
    const resourceVersion = own > last ? own : Number(this.#store.resourceVersion)
    const logged = { event, resourceVersion }
    log.events.push(logged)
    if (log.events.length > REMEMBERED_EVENTS) log.forgotten = log.events.shift()!.resourceVersion
    for (const listener of [...log.listeners]) listener(logged)
  }

  /** Events after `resourceVersion`: those that were, then those to come. */
  follow(resource: string, resourceVersion: number, onEvent: (event: WatchEvent) => void): () => void {
    const log = this.#logs.get(resource)!
    if (resourceVersion < log.forgotten) {
      throw expired(`too old resource version: ${resourceVersion} (${log.forgotten})`)
    }
    let following = true
    // The store tells its watchers one event at a time: those from before `resourceVersion` may still be under way.
    const listener = (logged: LoggedEvent) => {
      if (following && logged.resourceVersion > resourceVersion) onEvent(logged.event)
    }
    log.listeners.add(listener)
    for (const logged of [...log.events]) listener(logged)
    return () => {
      following = false
      log.listeners.delete(listener)
    }
  }
}

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
  const wanted = parameter(request, 'resourceVersion') ?? ''
  const initial = parameter(request, 'sendInitialEvents')
  if (initial !== undefined && parameter(request, 'resourceVersionMatch') !== 'NotOlderThan') {
    throw badRequest('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  }
  if (wanted !== '' && !/^\d+$/.test(wanted))
    throw badRequest(`Invalid value: "${wanted}": strconv.ParseUint`)
  const fromNow = flag(request, 'sendInitialEvents') || (initial === undefined && /^0?$/.test(wanted))
  const since = fromNow || wanted === '' ? Number(store.resourceVersion) : Number(wanted)
  if (fromNow) {
    for (const object of selectObjects(store, request, target))
      onLine({ type: 'ADDED', object: shape(object) })
    if (flag(request, 'sendInitialEvents') && flag(request, 'allowWatchBookmarks')) {
      onLine({ type: 'BOOKMARK', object: shape.bookmark(String(since)) })
    }
  }
  return cache.follow(target.type.plural, since, (event) => {
    const line = lineOf(event, selected)
    if (line !== undefined) onLine({ type: line.type, object: shape(line.object) })
  })
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

interface Shape {
  (object: KubeObject): WatchLine['object']
  bookmark(resourceVersion: string): WatchLine['object']
}

/** Objects as they are, or each as a Table of one row. */
function shapeOf(request: ApiRequest, target: Target, unixMillis: () => number): Shape {
  const asTable = asksForTable(request.headers?.['accept'])
  const include = (parameter(request, 'includeObject') ?? 'Metadata') as IncludeObject
  let first = true
  const table = (object: KubeObject) => {
    const { resourceVersion } = object.metadata
    const options = { include, now: unixMillis(), metadata: { resourceVersion }, withColumns: first }
    first = false
    return tableOf(target.type.plural, [object], options) as unknown as Record<string, unknown>
  }
  const shape = (object: KubeObject): WatchLine['object'] => (asTable ? table(object) : object)
  const bookmark = (resourceVersion: string) => ({
    kind: target.type.kind,
    apiVersion: apiVersionOf(target.type),
    metadata: { resourceVersion, annotations: { [INITIAL_EVENTS_END]: 'true' } },
  })
  return Object.assign(shape, { bookmark })
}
