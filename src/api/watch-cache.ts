// What happened to each collection lately: a bounded log of events per resource that plays the part of upstream's
// watch cache. No event between a list and a watch is lost, and a list can be told as it was a moment ago; what the
// log no longer remembers is 410 Expired.

import type { KubeObject } from '../cluster/objects.js'
import { RESOURCE_TYPES } from '../cluster/resources.js'
import type { ObjectStore, WatchEvent } from '../cluster/store.js'
import { expired } from './status.js'

const REMEMBERED_EVENTS = 1024

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
    const resourceVersion = Number(event.object.metadata.resourceVersion)
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

  /** The collection as it was at `resourceVersion`, in no order; undefined when that is forgotten. */
  listAt(resource: string, namespace: string | undefined, resourceVersion: number): KubeObject[] | undefined {
    const log = this.#logs.get(resource)!
    if (resourceVersion < log.forgotten) return undefined
    const objects = new Map(this.#store.list(resource, namespace).map((object) => [keyOf(object), object]))
    for (let index = log.events.length - 1; index >= 0; index--) {
      const { event, resourceVersion: at } = log.events[index]!
      if (at <= resourceVersion) break
      if (namespace !== undefined && event.object.metadata.namespace !== namespace) continue
      // Undone, the newest first.
      if (event.previous === undefined) objects.delete(keyOf(event.object))
      else objects.set(keyOf(event.object), event.previous)
    }
    return [...objects.values()]
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}
