// Events: what the components tell about objects, for `describe` and `get events`. An event that says the same of the
// same object again counts up, as upstream's correlator has it.

import { MINUTE, type Micros } from '../base/time.js'
import type { ClusterClock } from './clock.js'
import { cloneJson } from './json.js'
import type { Event, KubeObject } from './objects.js'
import type { ObjectStore } from './store.js'

/** Who tells: `kubelet` on a node, `default-scheduler`, `replicaset-controller`. */
export interface EventSource {
  readonly component: string
  readonly host?: string
}

/** Events are kept for an hour, kube-apiserver's --event-ttl; old ones go when a new one comes. */
const TIME_TO_LIVE: Micros = 60 * MINUTE
const EXPIRY_INTERVAL: Micros = 5 * MINUTE

/** Of those that say one thing, so many are remembered by their text. */
const MAX_REMEMBERED = 4096

export class EventRecorder {
  readonly #store: ObjectStore
  readonly #clock: ClusterClock
  /** What was said about which object, to the name of the event. */
  readonly #names = new Map<string, string>()
  #expiredAt: Micros = 0
  #lastName = 0n

  constructor(store: ObjectStore, clock: ClusterClock) {
    this.#store = store
    this.#clock = clock
  }

  /** `fieldPath` names a part of the object: `spec.containers{web}`. */
  record(
    object: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    source: EventSource,
    fieldPath?: string,
  ): void {
    const { metadata } = object
    const namespace = metadata.namespace ?? 'default'
    // A namespace that ends takes nothing new.
    const space = this.#store.get('namespaces', undefined, namespace)
    if (space === undefined || space.metadata.deletionTimestamp) return
    this.#expire()
    const now = this.#clock.timestamp()
    const said = [metadata.uid, type, reason, message, source.component, source.host, fieldPath].join('\n')
    const known = this.#names.get(said)
    const stored = known === undefined ? undefined : this.#store.get<Event>('events', namespace, known)
    if (stored !== undefined) {
      const next = cloneJson(stored)
      next.count = (next.count ?? 1) + 1
      next.lastTimestamp = now
      this.#store.update(next)
      return
    }
    const event: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: this.#freeName(namespace, metadata.name), namespace },
      involvedObject: {
        kind: object.kind,
        ...(metadata.namespace && { namespace: metadata.namespace }),
        name: metadata.name,
        uid: metadata.uid!,
        apiVersion: object.apiVersion,
        ...(fieldPath && { fieldPath }),
      },
      reason,
      message,
      source: { ...source },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: source.component,
      reportingInstance: source.host ?? '',
    }
    this.#store.create(event)
    this.#remember(said, event.metadata.name)
  }

  #expire(): void {
    if (this.#clock.now < this.#expiredAt + EXPIRY_INTERVAL) return
    this.#expiredAt = this.#clock.now
    const limit = this.#clock.now - TIME_TO_LIVE
    for (const event of this.#store.list<Event>('events'))
      if (event.lastTimestamp && this.#clock.microsOf(event.lastTimestamp) < limit)
        this.#store.remove('events', event.metadata.namespace, event.metadata.name)
  }

  /**
   * Upstream's names end in the time in hexadecimal nanoseconds: `curl.17a3f0c2b1d4e5f6`. Those of one moment count on,
   * so that events in order of their names are in the order in which they were told.
   */
  #freeName(namespace: string, name: string): string {
    const nanoseconds = BigInt(Math.round(this.#clock.unixMicros())) * 1000n
    this.#lastName = nanoseconds > this.#lastName ? nanoseconds : this.#lastName + 1n
    const free = `${name}.${this.#lastName.toString(16)}`
    return this.#store.get('events', namespace, free) === undefined ? free : this.#freeName(namespace, name)
  }

  #remember(said: string, name: string): void {
    this.#names.set(said, name)
    if (this.#names.size > MAX_REMEMBERED) this.#names.delete(this.#names.keys().next().value!)
  }
}
