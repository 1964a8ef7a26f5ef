// The arithmetic of a Deployment's rollout, without the store: how many pods each ReplicaSet should have next.
// The rules are those of kube-controller-manager's deployment controller.

import type { Deployment, IntOrString, ReplicaSet } from './objects.js'

/** How far a rolling update may go over and under the wanted number of pods. */
export interface RolloutBounds {
  readonly maxSurge: number
  readonly maxUnavailable: number
}

export function desiredReplicas(object: Deployment | ReplicaSet): number {
  return object.spec.replicas ?? 1
}

/** Percentages of the wanted number: surge rounds up, unavailability down; both zero would never move. */
export function rolloutBounds(deployment: Deployment): RolloutBounds {
  if (deployment.spec.strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 }
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {}
  const replicas = desiredReplicas(deployment)
  const surge = Math.ceil(scaled(maxSurge, replicas))
  const unavailable = Math.floor(scaled(maxUnavailable, replicas))
  return {
    maxSurge: surge,
    maxUnavailable: surge === 0 && unavailable === 0 ? 1 : Math.min(unavailable, replicas),
  }
}

function scaled(value: IntOrString, total: number): number {
  return typeof value === 'number' ? value : (Number.parseInt(value, 10) * total) / 100
}

export function sumReplicas(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((sum, replicaSet) => sum + desiredReplicas(replicaSet), 0)
}

export function sumAvailable(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((sum, { status }) => sum + (status?.availableReplicas ?? 0), 0)
}

/** What the new ReplicaSet is scaled to next. */
export function newReplicaSetSize(
  deployment: Deployment,
  newest: ReplicaSet,
  all: readonly ReplicaSet[],
): number {
  const wanted = desiredReplicas(deployment)
  const current = desiredReplicas(newest)
  if (deployment.spec.strategy?.type === 'Recreate' || current >= wanted) return wanted
  const room = wanted + rolloutBounds(deployment).maxSurge - sumReplicas(all)
  return room <= 0 ? current : current + Math.min(room, wanted - current)
}

/** What the old ReplicaSets (oldest first) are scaled to next in a rolling update: unhealthy pods go first. */
export function oldReplicaSetSizes(
  deployment: Deployment,
  newest: ReplicaSet,
  old: readonly ReplicaSet[],
): Map<ReplicaSet, number> {
  const sizes = new Map<ReplicaSet, number>()
  const minAvailable = desiredReplicas(deployment) - rolloutBounds(deployment).maxUnavailable
  const newUnavailable = desiredReplicas(newest) - (newest.status?.availableReplicas ?? 0)
  let spare = sumReplicas([...old, newest]) - minAvailable - newUnavailable
  if (spare <= 0) return sizes
  for (const replicaSet of old) {
    const size = desiredReplicas(replicaSet)
    const unhealthy = Math.min(spare, size - (replicaSet.status?.availableReplicas ?? 0))
    if (unhealthy <= 0) continue
    sizes.set(replicaSet, size - unhealthy)
    spare -= unhealthy
  }
  let surplus = sumAvailable([...old, newest]) - minAvailable
  for (const replicaSet of old) {
    if (surplus <= 0) break
    const size = sizes.get(replicaSet) ?? desiredReplicas(replicaSet)
    const fewer = Math.min(size, surplus)
    if (fewer > 0) sizes.set(replicaSet, size - fewer)
    surplus -= fewer
  }
  return sizes
}

/**
 * Sizes when the Deployment is scaled in the middle of a rolling update: every ReplicaSet that has pods gets its
 * share of the change, the rounding rest goes to the largest.
 */
export function proportionalSizes(
  deployment: Deployment,
  active: readonly ReplicaSet[],
): Map<ReplicaSet, number> {
  const total = sumReplicas(active)
  const wanted = desiredReplicas(deployment)
  const allowed = wanted > 0 ? wanted + rolloutBounds(deployment).maxSurge : 0
  const change = allowed - total
  const order = [...active].sort(
    (a, b) =>
      desiredReplicas(b) - desiredReplicas(a) || (change > 0 ? -1 : 1) * (revisionOf(a) - revisionOf(b)),
  )
  const sizes = new Map<ReplicaSet, number>()
  let rest = change
  for (const replicaSet of order) {
    const size = desiredReplicas(replicaSet)
    const share = total === 0 ? 0 : Math.round((size * allowed) / total) - size
    const step = change > 0 ? Math.min(share, rest) : Math.max(share, rest)
    sizes.set(replicaSet, Math.max(0, size + step))
    rest -= step
  }
  const largest = order[0]
  if (largest !== undefined && rest !== 0) sizes.set(largest, Math.max(0, sizes.get(largest)! + rest))
  return sizes
}

export const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision'

/** The number of the rollout that an object stands for; 0 when it has none. */
export function revisionOf(object: Deployment | ReplicaSet): number {
  return Number(object.metadata.annotations?.[REVISION_ANNOTATION] ?? 0)
}
