// PodDisruptionBudgets (policy/v1): how many pods of a selection may be taken away at a time. Which budget a pod has,
// and what a budget allows; who keeps that up to date is disruption-controller.ts, who asks for it api/eviction.ts.

import type { ControllerContext } from './controller-context.js'
import { controllerOf } from './controller-context.js'
import type { Condition, IntOrString, KubeObject, LabelSelector, Pod } from './objects.js'
import { isPodReady } from './pod-condition.js'
import { matchesSelector } from './selector.js'
import type { ObjectStore } from './store.js'

export interface PodDisruptionBudget extends KubeObject {
  kind: 'PodDisruptionBudget'
  spec?: {
    minAvailable?: IntOrString
    maxUnavailable?: IntOrString
    selector?: LabelSelector
    unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow'
  }
  status?: {
    observedGeneration?: number
    disruptionsAllowed: number
    currentHealthy: number
    desiredHealthy: number
    expectedPods: number
    conditions?: Condition[]
  }
}

type Counts = Pick<
  NonNullable<PodDisruptionBudget['status']>,
  'disruptionsAllowed' | 'currentHealthy' | 'desiredHealthy' | 'expectedPods'
>

/** Kinds whose spec.replicas say how many pods there should be. */
const SCALABLE: Readonly<Record<string, string>> = {
  Deployment: 'deployments',
  ReplicaSet: 'replicasets',
  ReplicationController: 'replicationcontrollers',
  StatefulSet: 'statefulsets',
}

/** Without a selector a budget is for no pod, with an empty one for all of its namespace. */
function covers({ spec, metadata }: PodDisruptionBudget, pod: Pod): boolean {
  if (spec?.selector === undefined || metadata.namespace !== pod.metadata.namespace) return false
  return matchesSelector(spec.selector, pod.metadata.labels)
}

export function budgetsOf(store: ObjectStore, pod: Pod): PodDisruptionBudget[] {
  const { namespace } = pod.metadata
  return store
    .list<PodDisruptionBudget>('poddisruptionbudgets', namespace)
    .filter((budget) => covers(budget, pod))
}

/** What the budget allows now; why that cannot be told, as a text, when it is a share of nobody knows how many pods. */
export function countDisruptions(
  { store }: Pick<ControllerContext, 'store'>,
  budget: PodDisruptionBudget,
): Counts | string {
  const { minAvailable, maxUnavailable } = budget.spec ?? {}
  const pods = store.list<Pod>('pods', budget.metadata.namespace).filter((pod) => covers(budget, pod))
  const currentHealthy = pods.filter((pod) => !pod.metadata.deletionTimestamp && isPodReady(pod)).length
  let expectedPods = pods.length
  let desiredHealthy: number
  if (maxUnavailable === undefined && typeof minAvailable !== 'string') {
    desiredHealthy = minAvailable ?? 0
  } else {
    const expected = expectedByOwners(store, pods)
    if (typeof expected === 'string') return expected
    expectedPods = expected
    desiredHealthy =
      maxUnavailable === undefined
        ? amountOf(minAvailable ?? 0, expected)
        : Math.max(0, expected - amountOf(maxUnavailable, expected))
  }
  const spare = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0
  return { disruptionsAllowed: spare, currentHealthy, desiredHealthy, expectedPods }
}

/** The sum of what the pods' owners should have. */
function expectedByOwners(store: ObjectStore, pods: readonly Pod[]): number | string {
  const replicas = new Map<string, number>()
  for (const pod of pods) {
    const { namespace, name } = pod.metadata
    let reference = controllerOf(pod)
    let owner: KubeObject | undefined
    // Of a ReplicaSet, the Deployment.
    while (reference !== undefined && SCALABLE[reference.kind] !== undefined) {
      const found: KubeObject | undefined = store.get(SCALABLE[reference.kind]!, namespace, reference.name)
      if (found === undefined) break
      owner = found
      reference = controllerOf(found)
    }
    if (owner === undefined) return `found no controllers for pod ${JSON.stringify(name)}`
    replicas.set(
      owner.metadata.uid ?? '',
      (owner['spec'] as { replicas?: number } | undefined)?.replicas ?? 1,
    )
  }
  return [...replicas.values()].reduce((sum, count) => sum + count, 0)
}

/** A number of pods, or a percentage of `total`, rounded up. */
function amountOf(value: IntOrString, total: number): number {
  return typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100)
}
