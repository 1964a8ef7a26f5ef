// Keeps as many pods as a ReplicaSet says: makes missing ones from the template, deletes the least valuable of those
// that are too many, adopts strays that its selector matches, and reports in its status.

import { NEVER } from '../base/time.js'
import type { ControllerContext } from './controller-context.js'
import { deletionOrder } from './deletion-order.js'
import type { Pod, ReplicaSet } from './objects.js'
import { availableAt, isPodActive, isPodReady } from './pod-condition.js'
import { followPods, PodControl } from './pod-control.js'
import { matchesLabels } from './selector.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

const SOURCE = { component: 'replicaset-controller' }

export class ReplicaSetController implements Controller {
  readonly name = 'replicaset'
  readonly #context: ControllerContext
  readonly #pods: PodControl

  constructor(context: ControllerContext) {
    this.#context = context
    this.#pods = new PodControl(context, SOURCE)
    const { store, loop } = context
    store.watch<ReplicaSet>('replicasets', ({ object }) => loop.add(this, keyOf(object)))
    followPods(context, 'ReplicaSet', 'replicasets', (key) => loop.add(this, key))
  }

  reconcile(key: string): void {
    const { store, clock, loop, ownedPods } = this.#context
    const [namespace, name] = splitKey(key)
    const replicaSet = store.get<ReplicaSet>('replicasets', namespace, name)
    if (replicaSet === undefined || replicaSet.metadata.deletionTimestamp) return
    this.#scale(replicaSet, this.#pods.claim(replicaSet, replicaSet.spec.selector).filter(isPodActive))
    const left = ownedPods.of(replicaSet.metadata.uid!).filter(isPodActive)
    const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0
    const times = left.map((pod) => availableAt(pod, minReadySeconds, clock))
    const next = Math.min(...times.filter((at) => at > clock.now), NEVER)
    if (next !== NEVER) loop.addAt(this, key, next)
    this.#updateStatus(replicaSet, left, times.filter((at) => at <= clock.now).length)
  }

  #scale(replicaSet: ReplicaSet, pods: Pod[]): void {
    const surplus = pods.length - (replicaSet.spec.replicas ?? 1)
    const generateName = `${replicaSet.metadata.name}-`
    for (let missing = -surplus; missing > 0; missing--)
      if (!this.#pods.create(replicaSet, replicaSet.spec.template, { generateName })) return
    if (surplus <= 0) return
    for (const pod of deletionOrder(pods).slice(0, surplus)) this.#pods.delete(replicaSet, pod)
  }

  #updateStatus(replicaSet: ReplicaSet, pods: readonly Pod[], available: number): void {
    const { store } = this.#context
    const { namespace, name } = replicaSet.metadata
    const current = store.get<ReplicaSet>('replicasets', namespace, name)
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
