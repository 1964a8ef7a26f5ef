// Rows of what makes pods: Deployment and ReplicaSet.

import type { Container, Deployment, LabelSelector, ReplicaSet } from '../../cluster/objects.js'
import { ageSince } from '../human-duration.js'
import { columns, type Printer } from './table.js'

/** `app=web,tier in (a,b)`: a LabelSelector on one line; `<none>` when it is empty. */
export function formatSelector(selector: LabelSelector | undefined): string {
  const terms = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    if (operator === 'Exists') terms.push(key)
    else if (operator === 'DoesNotExist') terms.push(`!${key}`)
    else terms.push(`${key} ${operator.toLowerCase()} (${[...values].sort().join(',')})`)
  }
  return terms.length === 0 ? '<none>' : terms.sort().join(',')
}

const names = (containers: readonly Container[]) => containers.map((container) => container.name).join(',')
const images = (containers: readonly Container[]) => containers.map((container) => container.image).join(',')

export const deploymentPrinter: Printer<Deployment> = {
  columns: columns(
    'Name',
    'Ready',
    'Up-to-date#',
    'Available#',
    'Age',
    '+Containers',
    '+Images',
    '+Selector',
  ),
  cells({ metadata, spec, status }, now) {
    return [
      metadata.name,
      `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
      status?.updatedReplicas ?? 0,
      status?.availableReplicas ?? 0,
      ageSince(metadata.creationTimestamp, now),
      names(spec.template.spec.containers),
      images(spec.template.spec.containers),
      formatSelector(spec.selector),
    ]
  },
}

export const replicaSetPrinter: Printer<ReplicaSet> = {
  columns: columns('Name', 'Desired#', 'Current#', 'Ready#', 'Age', '+Containers', '+Images', '+Selector'),
  cells({ metadata, spec, status }, now) {
    return [
      metadata.name,
      spec.replicas ?? 1,
      status?.replicas ?? 0,
      status?.readyReplicas ?? 0,
      ageSince(metadata.creationTimestamp, now),
      names(spec.template.spec.containers),
      images(spec.template.spec.containers),
      formatSelector(spec.selector),
    ]
  },
}
