// Descriptions of StatefulSet and DaemonSet.

import { formatLabels } from '../../api/printers/table.js'
import { formatSelector } from '../../api/printers/workload.js'
import type { DaemonSet, StatefulSet } from '../../cluster/workload-objects.js'
import { describeTemplate, podsStatus } from './workloads.js'
import {
  annotationLines,
  type DescriptionWriter,
  describeEvents,
  labelLines,
  longTime,
  type Subject,
} from './writer.js'

export function describeStatefulSet(writer: DescriptionWriter, subject: Subject): void {
  const { metadata, spec, status } = subject.object as StatefulSet
  writer.field(0, 'Name', metadata.name)
  writer.field(0, 'Namespace', metadata.namespace ?? '')
  writer.field(0, 'CreationTimestamp', longTime(metadata.creationTimestamp))
  writer.field(0, 'Selector', formatSelector(spec.selector))
  writer.multiline(0, 'Labels', labelLines(metadata.labels))
  writer.multiline(0, 'Annotations', annotationLines(metadata.annotations))
  writer.field(0, 'Replicas', `${spec.replicas ?? 1} desired | ${status?.replicas ?? 0} total`)
  writer.field(0, 'Update Strategy', spec.updateStrategy?.type ?? '')
  const { partition } = spec.updateStrategy?.rollingUpdate ?? {}
  if (partition !== undefined) writer.field(1, 'Partition', partition)
  writer.field(0, 'Pods Status', podsStatus(subject, formatSelector(spec.selector)))
  describeTemplate(writer, spec.template)
  const claims = spec.volumeClaimTemplates ?? []
  if (claims.length === 0) writer.field(0, 'Volume Claims', '<none>')
  else writer.line(0, 'Volume Claims:')
  for (const claim of claims) describeClaim(writer, claim)
  describeEvents(writer, subject)
}

interface Claim {
  readonly metadata: {
    readonly name: string
    readonly labels?: Record<string, string>
    readonly annotations?: Record<string, string>
  }
  readonly spec?: {
    readonly storageClassName?: string
    readonly accessModes?: readonly string[]
    readonly resources?: { readonly requests?: { readonly storage?: string } }
  }
}

function describeClaim(writer: DescriptionWriter, { metadata, spec = {} }: Claim): void {
  writer.field(1, 'Name', metadata.name)
  writer.field(1, 'StorageClass', spec.storageClassName ?? '')
  writer.multiline(1, 'Labels', labelLines(metadata.labels))
  writer.multiline(1, 'Annotations', annotationLines(metadata.annotations))
  const storage = spec.resources?.requests?.storage
  writer.field(1, 'Capacity', storage ?? '<default>')
  writer.field(1, 'Access Modes', `[${(spec.accessModes ?? []).join(' ')}]`)
}

export function describeDaemonSet(writer: DescriptionWriter, subject: Subject): void {
  const { metadata, spec, status } = subject.object as DaemonSet
  writer.field(0, 'Name', metadata.name)
  writer.field(0, 'Namespace', metadata.namespace ?? '')
  writer.field(0, 'Selector', formatSelector(spec.selector))
  writer.field(0, 'Node-Selector', formatLabels(spec.template.spec.nodeSelector))
  writer.multiline(0, 'Labels', labelLines(metadata.labels))
  writer.multiline(0, 'Annotations', annotationLines(metadata.annotations))
  // These are not aligned with the others.
  const count = (label: string, value = 0) => writer.line(0, `${label}: ${value}`)
  count('Desired Number of Nodes Scheduled', status?.desiredNumberScheduled)
  count('Current Number of Nodes Scheduled', status?.currentNumberScheduled)
  count('Number of Nodes Scheduled with Up-to-date Pods', status?.updatedNumberScheduled)
  count('Number of Nodes Scheduled with Available Pods', status?.numberAvailable)
  count('Number of Nodes Misscheduled', status?.numberMisscheduled)
  writer.field(0, 'Pods Status', podsStatus(subject, formatSelector(spec.selector)))
  describeTemplate(writer, spec.template)
  describeEvents(writer, subject)
}
