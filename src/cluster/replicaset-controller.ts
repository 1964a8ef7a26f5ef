// Keeps as many pods as a ReplicaSet says: makes missing ones from the template, deletes the least valuable of those
// that are too many, adopts strays that its selector matches, and reports in its status.

import { NEVER } from '../base/time.js'
import type { ControllerContext } from './controller-context.js'
import { controllerOf, controllerReference } from './controller-context.js'
import { cloneJson } from './json.js'
import type { Pod, ReplicaSet } from './objects.js'
import { OwnedPods } from './owned-pods.js'
import { availableAt, findCondition, isPodActive, isPodReady } from './pod-condition.js'
import { matchesLabels, matchesSelector } from './selector.js'
import { ApiError } from './status.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

const SOURCE = { component: 'replicaset-controller' }

export class ReplicaSetController implements Controller {
  readonly name = 'replicaset'
  readonly #context: ControllerContext
  readonly #pods: OwnedPods

  constructor(context: ControllerContext) {
    this.#context = context
    this.#pods = new OwnedPods(context.store)
    const { store, loop } = context
    store.watch<ReplicaSet>('replicasets', ({ object }) => loop.add(this, keyOf(object)))
    store.watch<Pod>('pods', ({ object, previous }) => {
      for (const pod of previous ? [object, previous] : [object]) {
        const owner = controllerOf(pod)
        if (owner?.kind === 'ReplicaSet') loop.add(this, `${pod.metadata.namespace}/${owner.name}`)
        else if (owner === undefined) this.#wakeAdopters(pod)
      }
    })
  }

  reconcile(key: string): void {
    const { store, clock, loop } = this.#context
    const [namespace, name] = splitKey(key)
    const replicaSet = store.get<ReplicaSet>('replicasets', namespace, name)
    if (replicaSet === undefined || replicaSet.metadata.deletionTimestamp) return
    const pods = this.#claimPods(replicaSet).filter(isPodActive)
    this.#scale(replicaSet, pods)
    const left = this.#pods.of(replicaSet.metadata.uid!).filter(isPodActive)
    const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0
    const times = left.map((pod) => availableAt(pod, minReadySeconds, clock))
    const next = Math.min(...times.filter((at) => at > clock.now), NEVER)
    if (next !== NEVER) loop.addAt(this, key, next)
    this.#updateStatus(replicaSet, left, times.filter((at) => at <= clock.now).length)
  }

  /** Pods without an owner may belong to a ReplicaSet whose selector matches. */
  #wakeAdopters(pod: Pod): void {
    for (const replicaSet of this.#context.store.list<ReplicaSet>('replicasets', pod.metadata.namespace))
      if (matchesSelector(replicaSet.spec.selector, pod.metadata.labels))
        this.#context.loop.add(this, keyOf(replicaSet))
  }

  /** The pods that this ReplicaSet manages, after adopting and letting go. */
  #claimPods(replicaSet: ReplicaSet): Pod[] {
    const { store } = this.#context
    const { uid, namespace } = replicaSet.metadata
    const claimed: Pod[] = []
    const matches = (pod: Pod) => matchesSelector(replicaSet.spec.selector, pod.metadata.labels)
    for (const pod of this.#pods.of(uid!)) {
      if (matches(pod)) claimed.push(pod)
      else if (!pod.metadata.deletionTimestamp) {
        const released = cloneJson(pod)
        released.metadata.ownerReferences = pod.metadata.ownerReferences!.filter((ref) => ref.uid !== uid)
        store.update(released)
      }
    }
    for (const pod of this.#pods.orphans(namespace!)) {
      if (!matches(pod) || !isPodActive(pod)) continue
      const adopted = cloneJson(pod)
      adopted.metadata.ownerReferences = [
        ...(pod.metadata.ownerReferences ?? []),
        controllerReference(replicaSet),
      ]
      claimed.push(store.update(adopted))
    }
    return claimed
  }

  #scale(replicaSet: ReplicaSet, pods: Pod[]): void {
    const { admission, events } = this.#context
    const surplus = pods.length - (replicaSet.spec.replicas ?? 1)
    for (let missing = -surplus; missing > 0; missing--) if (!this.#createPod(replicaSet)) return
    if (surplus <= 0) return
    for (const pod of deletionOrder(pods).slice(0, surplus)) {
      admission.delete('pods', pod.metadata.namespace, pod.metadata.name)
      events.record(replicaSet, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, SOURCE)
    }
  }

  /** False when the cluster refuses the pod. */
  #createPod(replicaSet: ReplicaSet): boolean {
    const { admission, events } = this.#context
    const { template } = replicaSet.spec
    const { labels, annotations } = template.metadata ?? {}
    try {
      const pod = admission.create<Pod>({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: '',
          generateName: `${replicaSet.metadata.name}-`,
          namespace: replicaSet.metadata.namespace!,
          ...(labels && { labels }),
          ...(annotations && { annotations }),
          ownerReferences: [controllerReference(replicaSet)],
        },
        spec: template.spec,
      })
      events.record(replicaSet, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`, SOURCE)
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      events.record(replicaSet, 'Warning', 'FailedCreate', `Error creating: ${error.message}`, SOURCE)
      return false
    }
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

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/**
 * Which pods go first when there are too many: not scheduled, pending, not ready, sharing a node with more of the
 * same, ready for a shorter time, restarted more often, younger (kube-controller-manager's ActivePodsWithRanks).
 */
function deletionOrder(pods: readonly Pod[]): Pod[] {
  const perNode = new Map<string, number>()
  for (const pod of pods) {
    const node = pod.spec.nodeName
    if (node) perNode.set(node, (perNode.get(node) ?? 0) + 1)
  }
  const rank = (pod: Pod): (number | string)[] => [
    pod.spec.nodeName ? 1 : 0,
    PHASE_RANK[pod.status?.phase ?? 'Unknown'] ?? 1,
    isPodReady(pod) ? 1 : 0,
    -(perNode.get(pod.spec.nodeName ?? '') ?? 0),
    reversed(findCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime),
    -(pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    reversed(pod.metadata.creationTimestamp),
    pod.metadata.name,
  ]
  const ranked = pods.map((pod) => ({ pod, rank: rank(pod) }))
  ranked.sort((a, b) => {
    for (let i = 0; i < a.rank.length; i++) {
      if (a.rank[i]! < b.rank[i]!) return -1
      if (a.rank[i]! > b.rank[i]!) return 1
    }
    return 0
  })
  return ranked.map(({ pod }) => pod)
}

/** Later times come first. */
function reversed(timestamp: string | undefined): number {
  return timestamp === undefined ? 0 : -Date.parse(timestamp)
}
