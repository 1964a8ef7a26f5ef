// Reading and setting the conditions of an object's status; what "ready" and "available" mean for a pod.

import { type Micros, NEVER, SECOND } from '../base/time.js'
import type { ClusterClock } from './clock.js'
import type { Condition, Pod, Timestamp } from './objects.js'

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** Sets a condition in `conditions` (in place); lastTransitionTime moves only when the status does. */
export function setCondition(conditions: Condition[], condition: Condition, now: Timestamp): void {
  const index = conditions.findIndex(({ type }) => type === condition.type)
  const old = conditions[index]
  const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? now) : now
  const next = { ...condition, lastTransitionTime }
  if (old === undefined) conditions.push(next)
  else conditions[index] = next
}

/** Whether the condition Ready of a pod is true. */
export function isPodReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, 'Ready')?.status === 'True'
}

/** Not deleted and not at its end. */
export function isPodActive(pod: Pod): boolean {
  const phase = pod.status?.phase
  return !pod.metadata.deletionTimestamp && phase !== 'Succeeded' && phase !== 'Failed'
}

/** When a pod counts as available: ready for `minReadySeconds`. NEVER while it is not ready. */
export function availableAt(pod: Pod, minReadySeconds: number, clock: ClusterClock): Micros {
  const ready = findCondition(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return NEVER
  if (minReadySeconds === 0) return clock.now
  return clock.microsOf(ready.lastTransitionTime!) + minReadySeconds * SECOND
}
