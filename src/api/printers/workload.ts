// Rows of what keeps pods of one template: Deployment, ReplicaSet, StatefulSet and DaemonSet. Jobs are in batch.ts.

import type { Container, Deployment, LabelSelector, ReplicaSet } from '../../cluster/objects.js'
import { type ReplicationController, withLabelSelector } from '../../cluster/replication-controllers.js'
import type { ControllerRevision, DaemonSet, StatefulSet } from '../../cluster/workload-objects.js'
import { ageSince } from '../human-duration.js'
import { columns, formatLabels, type Printer } from './table.js'

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

export const names = (containers: readonly Container[]) =>
  containers.map((container) => container.name).join(',')
export const images = (containers: readonly Container[]) =>
  containers.map((container) => container.image).join(',')

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
      ...templateCells(spec),
    ]
  },
}

/** Containers, Images and Selector. */
function templateCells({ selector, template }: Pick<ReplicaSet['spec'], 'selector' | 'template'>): string[] {
  const { containers } = template.spec
  return [names(containers), images(containers), formatSelector(selector)]
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
      ...templateCells(spec),
    ]
  },
}

export const replicationControllerPrinter: Printer<ReplicationController> = {
  columns: replicaSetPrinter.columns,
  cells(controller, now) {
    return replicaSetPrinter.cells(
      { ...withLabelSelector(controller), kind: 'ReplicaSet' } as ReplicaSet,
      now,
    )
  },
}

export const statefulSetPrinter: Printer<StatefulSet> = {
  columns: columns('Name', 'Ready', 'Age', '+Containers', '+Images'),
  cells({ metadata, spec, status }, now) {
    return [
      metadata.name,
      `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
      ageSince(metadata.creationTimestamp, now),
      names(spec.template.spec.containers),
      images(spec.template.spec.containers),
    ]
  },
}

export const daemonSetPrinter: Printer<DaemonSet> = {
  columns: columns(
    'Name',
    'Desired#',
    'Current#',
    'Ready#',
    'Up-to-date#',
    'Available#',
    'Node Selector',
    'Age',
    '+Containers',
    '+Images',
    '+Selector',
  ),
  cells({ metadata, spec, status }, now) {
    return [
      metadata.name,
      status?.desiredNumberScheduled ?? 0,
      status?.currentNumberScheduled ?? 0,
      status?.numberReady ?? 0,
      status?.updatedNumberScheduled ?? 0,
      status?.numberAvailable ?? 0,
      formatLabels(spec.template.spec.nodeSelector),
      ageSince(metadata.creationTimestamp, now),
      ...templateCells(spec),
    ]
  },
}

export const controllerRevisionPrinter: Printer<ControllerRevision> = {
  columns: columns('Name', 'Controller', 'Revision#', 'Age'),
  cells({ apiVersion: _version, metadata, revision }, now) {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller)
    const group = owner?.apiVersion.split('/')[0]
    return [
      metadata.name,
      owner ? `${owner.kind.toLowerCase()}.${group}/${owner.name}` : '<none>',
      revision,
      ageSince(metadata.creationTimestamp, now),
    ]
  },
}
