// The work of all controllers: keys of objects to look at again, first come first served, each key once. Controllers
// are level-triggered: a key says only "look", never what happened, so doing it twice does no harm.

import { invariant } from '../base/errors.js'
import { type Micros, NEVER } from '../base/time.js'
import { type Timer, TimerHeap } from '../base/timer-heap.js'
import type { KubeObject } from './objects.js'

/** Brings the cluster nearer to what one object says. */
export interface Controller {
  readonly name: string
  /** `key` is `namespace/name` (or `name`) as `keyOf` gives it; the object may be gone. */
  reconcile(key: string): void
}

interface WorkItem {
  readonly controller: Controller
  readonly key: string
  readonly timer: Timer<WorkItem>
  queued: boolean
  /** Not to be looked at before the next `run`. */
  postponed: boolean
}

/** A run that does this much at one moment of time goes in circles. */
const MAX_STEPS_AT_ONCE = 2_000_000

export class WorkLoop {
  readonly #items = new Map<Controller, Map<string, WorkItem>>()
  readonly #timers = new TimerHeap<WorkItem>()
  #queue: WorkItem[] = []
  #postponed: WorkItem[] = []

  /** Has `controller` look at `key` as soon as the loop runs. */
  add(controller: Controller, key: string): void {
    const item = this.#item(controller, key)
    if (item.queued || item.postponed) return
    item.queued = true
    this.#queue.push(item)
  }

  /**
   * Has `controller` look at `key` at the next `run`, and not before, whatever else asks for it: when the rest of its
   * work is so long that others should have their turn.
   */
  postpone(controller: Controller, key: string): void {
    const item = this.#item(controller, key)
    if (item.postponed) return
    item.postponed = true
    this.#postponed.push(item)
  }

  /** Has `controller` look at `key` at the time `at`, or earlier if that was asked before. */
  addAt(controller: Controller, key: string, at: Micros): void {
    const { timer } = this.#item(controller, key)
    if (at < timer.at) this.#timers.set(timer, at)
  }

  /** Works until nothing is due at `now`. */
  run(now: Micros): void {
    for (const item of this.#postponed.splice(0)) {
      item.postponed = false
      this.add(item.controller, item.key)
    }
    for (let steps = 0; ; steps++) {
      invariant(steps < MAX_STEPS_AT_ONCE, 'controllers do not come to rest')
      for (let timer = this.#timers.due(now); timer !== undefined; timer = this.#timers.due(now))
        this.add(timer.owner.controller, timer.owner.key)
      const batch = this.#queue
      if (batch.length === 0) return
      this.#queue = []
      for (const item of batch) {
        item.queued = false
        item.controller.reconcile(item.key)
        this.#forget(item)
      }
    }
  }

  /** Whether anything waits to be done now, or at the next `run`. */
  get busy(): boolean {
    return this.#queue.length > 0 || this.#postponed.length > 0
  }

  /** Earliest time somebody asked for; NEVER when nobody did. Does not count what is to be done now. */
  deadline(): Micros {
    return this.#timers.next()
  }

  #item(controller: Controller, key: string): WorkItem {
    let items = this.#items.get(controller)
    if (items === undefined) this.#items.set(controller, (items = new Map()))
    let item = items.get(key)
    if (item === undefined) {
      // The timer knows the item and the item its timer.
      const owner = { controller, key, queued: false, postponed: false } as {
        -readonly [Field in keyof WorkItem]: WorkItem[Field]
      }
      owner.timer = this.#timers.timer(owner)
      items.set(key, (item = owner))
    }
    return item
  }

  /** Keys of objects that are gone must not stay for ever. */
  #forget(item: WorkItem): void {
    if (!item.queued && !item.postponed && item.timer.at === NEVER)
      this.#items.get(item.controller)?.delete(item.key)
  }
}

/** The key of an object within its resource. */
export function keyOf(object: Pick<KubeObject, 'metadata'>): string {
  const { namespace, name } = object.metadata
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** Namespace and name of the key of a namespaced object. */
export function splitKey(key: string): [namespace: string, name: string] {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}
