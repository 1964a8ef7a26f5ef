// Which nodes a pod may be on, by its own specification: nodeSelector, required node affinity, tolerations. What a
// node has room for is not asked here.

import type { Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Taint } from './objects.js'
import { matchesLabels } from './selector.js'

/** What spec.unschedulable of a node (kubectl cordon) amounts to. */
export const UNSCHEDULABLE_TAINT: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** Whether one of the tolerations covers `taint`. */
export function tolerates({ tolerations }: Pick<PodSpec, 'tolerations'>, taint: Taint): boolean {
  return (tolerations ?? []).some(
    ({ key, operator = 'Equal', value, effect }) =>
      (!effect || effect === taint.effect) &&
      (key ? key === taint.key : operator === 'Exists') &&
      (operator === 'Exists' || (value ?? '') === (taint.value ?? '')),
  )
}

/** Whether nodeSelector and required node affinity, both where both are there, let the pod be on the node. */
export function matchesNodeAffinity(spec: PodSpec, node: Node): boolean {
  if (!matchesLabels(spec.nodeSelector ?? {}, node.metadata.labels)) return false
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || (required.nodeSelectorTerms ?? []).some((term) => matchesTerm(term, node))
}

/** A term without requirements matches nothing. */
function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  return (
    matchExpressions.length + matchFields.length > 0 &&
    matchExpressions.every((requirement) => holds(requirement, labels[requirement.key])) &&
    matchFields.every(
      (requirement) => requirement.key === 'metadata.name' && holds(requirement, node.metadata.name),
    )
  )
}

function holds({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}
