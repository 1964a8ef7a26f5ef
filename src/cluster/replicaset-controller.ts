// Keeps as many pods as a ReplicaSet or ReplicationController says: makes missing ones from the template, deletes the
// least valuable of those that are too many, adopts strays that its selector matches, and reports in its status.

import { NEVER } from '../base/time.js'
import type { ControllerContext } from './controller-context.js'
import { deletionOrder } from './deletion-order.js'
import type { KubeObject, Pod, ReplicaSet } from './objects.js'
import { availableAt, isPodActive, isPodReady } from './pod-condition.js'
import { BURST_REPLICAS, followPods, PodControl } from './pod-control.js'
import { type ReplicationController, withLabelSelector } from './replication-controllers.js'
import { matchesLabels } from './selector.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'
import type { Workload } from './workload-objects.js'

type PodSet = Workload & Pick<ReplicaSet, 'spec'>

/** What the sets are that a controller of this file works for. */
interface SetKind {
  readonly kind: string
  readonly resource: string
  /** How its events name it. */
  readonly component: string
  /** As it is to be worked on. */
  readonly view: (object: KubeObject) => PodSet
}

export const REPLICA_SETS: SetKind = {
  kind: 'ReplicaSet',
  resource: 'replicasets',
  component: 'replicaset-controller',
  view: (object) => object as ReplicaSet,
}

export const REPLICATION_CONTROLLERS: SetKind = {
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  component: 'replication-controller',
  view: (object) => withLabelSelector(object as ReplicationController),
}

export class ReplicaSetController implements Controller {
  readonly name: string
  readonly #sets: SetKind
  readonly #context: ControllerContext
  readonly #pods: PodControl

  constructor(context: ControllerContext, sets: SetKind) {
    const { kind, resource, component, view } = sets
    this.name = kind.toLowerCase()
    this.#sets = sets
    this.#context = context
    this.#pods = new PodControl(context, { component })
    const { store, loop } = context
    store.watch(resource, ({ object }) => loop.add(this, keyOf(object)))
    followPods(context, kind, resource, (key) => loop.add(this, key), view)
  }

  reconcile(key: string): void {
    const { store, clock, loop, ownedPods } = this.#context
    const [namespace, name] = splitKey(key)
    const object = store.get(this.#sets.resource, namespace, name)
    if (object === undefined || object.metadata.deletionTimestamp) return
    const replicaSet = this.#sets.view(object)
    this.#scale(key, replicaSet, this.#pods.claim(replicaSet, replicaSet.spec.selector).filter(isPodActive))
    const left = ownedPods.of(replicaSet.metadata.uid!).filter(isPodActive)
    const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0
    const times = left.map((pod) => availableAt(pod, minReadySeconds, clock))
    const next = Math.min(...times.filter((at) => at > clock.now), NEVER)
    if (next !== NEVER) loop.addAt(this, key, next)
    this.#updateStatus(replicaSet, left, times.filter((at) => at <= clock.now).length)
  }

  #scale(key: string, replicaSet: PodSet, pods: Pod[]): void {
    const surplus = pods.length - (replicaSet.spec.replicas ?? 1)
    const generateName = `${replicaSet.metadata.name}-`
    if (-surplus > BURST_REPLICAS) this.#context.loop.postpone(this, key)
    for (let missing = Math.min(-surplus, BURST_REPLICAS); missing > 0; missing--)
      if (!this.#pods.create(replicaSet, replicaSet.spec.template, { generateName })) return
    if (surplus <= 0) return
    for (const pod of deletionOrder(pods).slice(0, surplus)) this.#pods.delete(replicaSet, pod)
  }

  #updateStatus(replicaSet: PodSet, pods: readonly Pod[], available: number): void {
    const { store } = this.#context
    const { namespace, name } = replicaSet.metadata
    const current = store.get(this.#sets.resource, namespace, name)
    if (current === undefined) return
    const labels = replicaSet.spec.template.metadata?.labels ?? {}
    const labeled = pods.filter((pod) => matchesLabels(labels, pod.metadata.labels)).length
    const ready = pods.filter(isPodReady).length
    // As in Go's JSON, counts of zero are left out, but for `replicas`.
    const status = {
      replicas: pods.length,
      ...(labeled && { fullyLabeledReplicas: labeled }),
      ...(ready && { readyReplicas: ready }),
      ...(available && { availableReplicas: available }),
      observedGeneration: current.metadata.generation ?? 1,
    }
    store.update({ ...current, status })
  }
}
