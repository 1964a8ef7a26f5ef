// Label selectors: which objects a Service, ReplicaSet or Deployment means.

import type { LabelSelector, Labels } from './objects.js'

/** Equality of every label named; an empty map selects everything. */
export function matchesLabels(wanted: Labels, labels: Labels | undefined): boolean {
  for (const key in wanted) if (labels?.[key] !== wanted[key]) return false
  return true
}

/** LabelSelector of meta/v1: all of matchLabels and of matchExpressions; an empty one selects everything. */
export function matchesSelector(selector: LabelSelector, labels: Labels | undefined): boolean {
  if (!matchesLabels(selector.matchLabels ?? {}, labels)) return false
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels?.[key]
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    const among = value !== undefined && values.includes(value)
    return operator === 'In' ? among : !among
  })
}
