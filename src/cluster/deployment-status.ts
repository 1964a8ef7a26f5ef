// The status of a Deployment: counts, and the conditions Available and Progressing as kubectl rollout status and
// describe read them.

import { SECOND } from '../base/time.js'
import type { ClusterClock } from './clock.js'
import { equalJson } from './json.js'
import type { Condition, Deployment, ReplicaSet } from './objects.js'
import { findCondition, setCondition } from './pod-condition.js'
import { desiredReplicas, rolloutBounds } from './rollout.js'

/** The status that fits the ReplicaSets; `newest` is that of the current template, if it is there. */
export function deploymentStatus(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
  clock: ClusterClock,
): NonNullable<Deployment['status']> {
  const sum = (count: (status: NonNullable<ReplicaSet['status']>) => number | undefined) =>
    all.reduce((total, { status }) => total + (status === undefined ? 0 : (count(status) ?? 0)), 0)
  const replicas = sum((status) => status.replicas)
  const updated = newest?.status?.replicas ?? 0
  const ready = sum((status) => status.readyReplicas)
  const available = sum((status) => status.availableReplicas)
  const unavailable = Math.max(0, all.reduce((n, rs) => n + desiredReplicas(rs), 0) - available)
  const counts = {
    ...(replicas && { replicas }),
    ...(updated && { updatedReplicas: updated }),
    ...(ready && { readyReplicas: ready }),
    ...(available && { availableReplicas: available }),
    ...(unavailable && { unavailableReplicas: unavailable }),
  }
  const conditions = [...(deployment.status?.conditions ?? [])].map((condition) => ({ ...condition }))
  const enough = available >= desiredReplicas(deployment) - rolloutBounds(deployment).maxUnavailable
  set(conditions, clock, {
    type: 'Available',
    status: enough ? 'True' : 'False',
    reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: enough
      ? 'Deployment has minimum availability.'
      : 'Deployment does not have minimum availability.',
  })
  const progress = progressCondition(deployment, newest, counts, clock)
  if (progress !== undefined) set(conditions, clock, progress)
  return { observedGeneration: deployment.metadata.generation ?? 1, ...counts, conditions }
}

type Counts = Pick<
  NonNullable<Deployment['status']>,
  'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas'
>

/** All pods are of the current template, and all are available. */
export function isComplete(deployment: Deployment, counts: Counts): boolean {
  const wanted = desiredReplicas(deployment)
  return (
    (counts.updatedReplicas ?? 0) === wanted &&
    (counts.replicas ?? 0) === wanted &&
    (counts.availableReplicas ?? 0) === wanted
  )
}

/** What Progressing says now; undefined when it stays as it is. */
function progressCondition(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  counts: Counts,
  clock: ClusterClock,
): Condition | undefined {
  if (newest === undefined) return undefined
  const name = newest.metadata.name
  const old = deployment.status ?? {}
  const current = findCondition(old.conditions, 'Progressing')
  const make = (status: 'True' | 'False', reason: string, message: string): Condition => ({
    type: 'Progressing',
    status,
    reason,
    message: message.replace('%', `"${name}"`),
  })
  if (isComplete(deployment, counts))
    return make('True', 'NewReplicaSetAvailable', 'ReplicaSet % has successfully progressed.')
  if (current === undefined) return make('True', 'NewReplicaSetCreated', 'Created new replica set %')
  const moved =
    (counts.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    (counts.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (counts.availableReplicas ?? 0) > (old.availableReplicas ?? 0) ||
    (old.replicas ?? 0) - (old.updatedReplicas ?? 0) > (counts.replicas ?? 0) - (counts.updatedReplicas ?? 0)
  const another = current.reason === 'NewReplicaSetAvailable' && !current.message?.includes(`"${name}"`)
  if (another) return make('True', 'NewReplicaSetCreated', 'Created new replica set %')
  if (moved) return make('True', 'ReplicaSetUpdated', 'ReplicaSet % is progressing.')
  if (current.reason === 'NewReplicaSetAvailable' || current.reason === 'ProgressDeadlineExceeded')
    return undefined
  if (clock.now >= progressDeadline(deployment, clock)!)
    return make('False', 'ProgressDeadlineExceeded', 'ReplicaSet % has timed out progressing.')
  return undefined
}

/** When a rollout that stands still is told as failed; undefined when none is under way. */
export function progressDeadline(deployment: Deployment, clock: ClusterClock): number | undefined {
  const current = findCondition(deployment.status?.conditions, 'Progressing')
  if (current === undefined || current.status !== 'True' || current.reason === 'NewReplicaSetAvailable')
    return undefined
  const seconds = deployment.spec.progressDeadlineSeconds ?? 600
  return clock.microsOf(current.lastUpdateTime!) + seconds * SECOND
}

/** Deployments have lastUpdateTime beside lastTransitionTime; it moves when reason or message do. */
function set(conditions: Condition[], clock: ClusterClock, condition: Condition): void {
  const now = clock.timestamp()
  const old = findCondition(conditions, condition.type)
  const { lastUpdateTime, lastTransitionTime, ...said } = old ?? { type: '' }
  if (old !== undefined && equalJson(said, condition) && condition.reason !== 'ReplicaSetUpdated') return
  setCondition(conditions, { ...condition, lastUpdateTime: now }, now)
}
