// pods/eviction: a pod is deleted as kubectl drain asks for it, when its disruption budget allows.

import { budgetsOf, type PodDisruptionBudget } from '../cluster/disruption-budget.js'
import type { Pod } from '../cluster/objects.js'
import { isPodReady } from '../cluster/pod-condition.js'
import type { ObjectStore } from '../cluster/store.js'
import { actionOf, done } from './pod-actions.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { disruptionRefused, internalError } from './status.js'
import { existing, type ObjectWriter, type Target } from './target.js'
import { deleteOptions } from './write-options.js'

export function evictPod(
  store: ObjectStore,
  writer: ObjectWriter,
  request: ApiRequest,
  target: Target,
): ApiResponse {
  const pod = existing<Pod>(store, target)
  const eviction = actionOf(request, target, 'Eviction')
  const options = deleteOptions({ ...request, body: eviction['deleteOptions'] })
  const budget = ignoresBudgets(pod) ? undefined : budgetOf(store, pod)
  const taken = budget && taking(budget, pod)
  writer.delete('pods', pod.metadata.namespace, pod.metadata.name, options)
  if (taken !== undefined && options.dryRun !== true) store.update(taken)
  return done()
}

/** A pod that does not run yet, or no longer, disrupts nothing. */
function ignoresBudgets({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined || status?.phase !== 'Running'
}

function budgetOf(store: ObjectStore, pod: Pod): PodDisruptionBudget | undefined {
  const [budget, other] = budgetsOf(store, pod)
  if (other === undefined) return budget
  throw internalError(
    'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
  )
}

/** The budget with one disruption less; undefined when the pod costs none. Refuses what it does not allow. */
function taking(budget: PodDisruptionBudget, pod: Pod): PodDisruptionBudget | undefined {
  const { metadata, spec, status } = budget
  const { name, generation = 0 } = metadata
  if (status === undefined || (status.observedGeneration ?? 0) < generation)
    throw disruptionRefused(`The disruption budget ${name} is still being processed by the server.`, 10)
  const { currentHealthy, desiredHealthy, disruptionsAllowed } = status
  if (!isPodReady(pod)) {
    if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return undefined
    if (currentHealthy >= desiredHealthy && desiredHealthy > 0) return undefined
  }
  if (disruptionsAllowed > 0)
    return { ...budget, status: { ...status, disruptionsAllowed: disruptionsAllowed - 1 } }
  const needs = `needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
  throw disruptionRefused(`The disruption budget ${name} ${needs}`)
}
