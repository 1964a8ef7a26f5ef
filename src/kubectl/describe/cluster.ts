// Descriptions of Node, ConfigMap and Namespace, and of any other kind by its fields.

import { ageSince } from '../../api/human-duration.js'
import { nodeRoles } from '../../api/printers/cluster.js'
import type { ConfigMap, Namespace, Node } from '../../cluster/objects.js'
import { podsOnNode } from './workloads.js'
import {
  annotationLines,
  type DescriptionWriter,
  describeEvents,
  describeMetadata,
  labelLines,
  longTime,
  type Subject,
} from './writer.js'

export function describeConfigMap(writer: DescriptionWriter, subject: Subject): void {
  const map = subject.object as ConfigMap
  describeMetadata(writer, map)
  writer.line(0, '')
  writer.line(0, 'Data')
  writer.line(0, '====')
  for (const key of Object.keys(map.data ?? {}).sort()) {
    writer.line(0, `${key}:`)
    writer.line(0, '----')
    for (const line of map.data![key]!.split('\n')) writer.line(0, line)
    writer.line(0, '')
  }
  writer.line(0, '')
  writer.line(0, 'BinaryData')
  writer.line(0, '====')
  const binary = Object.keys(map.binaryData ?? {}).sort()
  for (const key of binary) writer.line(0, `${key}: ${atob(map.binaryData![key]!).length} bytes`)
  writer.line(0, '')
  describeEvents(writer, subject)
}

export function describeNamespace(writer: DescriptionWriter, { object }: Subject): void {
  const { metadata, status } = object as Namespace
  writer.field(0, 'Name', metadata.name)
  writer.multiline(0, 'Labels', labelLines(metadata.labels))
  writer.multiline(0, 'Annotations', annotationLines(metadata.annotations))
  writer.field(0, 'Status', status?.phase ?? '')
  writer.line(0, '')
  writer.line(0, 'No resource quota.')
  writer.line(0, '')
  writer.line(0, 'No LimitRange resource.')
}

/** Simplified: no lease and no sums of resource requests. */
export function describeNode(writer: DescriptionWriter, subject: Subject): void {
  const node = subject.object as Node
  const { metadata, spec, status = {} } = node
  writer.field(0, 'Name', metadata.name)
  writer.field(0, 'Roles', nodeRoles(node))
  writer.multiline(0, 'Labels', labelLines(metadata.labels))
  writer.multiline(0, 'Annotations', annotationLines(metadata.annotations))
  writer.field(0, 'CreationTimestamp', longTime(metadata.creationTimestamp))
  const taints = (spec.taints ?? []).map(
    ({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`,
  )
  writer.multiline(0, 'Taints', taints.sort())
  writer.field(0, 'Unschedulable', spec.unschedulable ?? false)
  if (status.conditions?.length) {
    writer.line(0, 'Conditions:')
    writer.line(1, 'Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage')
    writer.line(1, '----\t------\t-----------------\t------------------\t------\t-------')
    for (const condition of status.conditions) {
      const heartbeat = longTime(condition.lastHeartbeatTime)
      const transition = longTime(condition.lastTransitionTime)
      const { type, status: value, reason = '', message = '' } = condition
      writer.line(1, `${type} \t${value} \t${heartbeat} \t${transition} \t${reason} \t${message}`)
    }
  }
  writer.line(0, 'Addresses:')
  for (const { type, address } of status.addresses ?? []) writer.field(1, type, address)
  describeAmounts(writer, 'Capacity', status.capacity)
  describeAmounts(writer, 'Allocatable', status.allocatable)
  writer.line(0, 'System Info:')
  for (const [key, label] of SYSTEM_INFO) writer.field(1, label, status.nodeInfo?.[key] ?? '')
  if (spec.podCIDR) writer.field(0, 'PodCIDR', spec.podCIDR)
  if (spec.podCIDRs?.length) writer.field(0, 'PodCIDRs', spec.podCIDRs.join(','))
  describePodsOf(writer, subject, node)
  describeEvents(writer, subject)
}

const SYSTEM_INFO = [
  ['machineID', 'Machine ID'],
  ['systemUUID', 'System UUID'],
  ['bootID', 'Boot ID'],
  ['kernelVersion', 'Kernel Version'],
  ['osImage', 'OS Image'],
  ['operatingSystem', 'Operating System'],
  ['architecture', 'Architecture'],
  ['containerRuntimeVersion', 'Container Runtime Version'],
  ['kubeletVersion', 'Kubelet Version'],
] as const

function describeAmounts(
  writer: DescriptionWriter,
  label: string,
  amounts: Readonly<Record<string, string>> | undefined,
): void {
  if (amounts === undefined) return
  writer.line(0, `${label}:`)
  for (const name of Object.keys(amounts).sort()) writer.field(1, name, amounts[name]!)
}

function describePodsOf(writer: DescriptionWriter, subject: Subject, node: Node): void {
  const pods = podsOnNode(subject, node)
  writer.field(0, 'Non-terminated Pods', `(${pods.length} in total)`)
  writer.line(1, 'Namespace\tName\tStatus\tAge')
  writer.line(1, '---------\t----\t------\t---')
  for (const { pod, status } of pods) {
    const age = ageSince(pod.metadata.creationTimestamp, subject.context.now)
    writer.line(1, `${pod.metadata.namespace}\t${pod.metadata.name}\t${status}\t${age}`)
  }
}

/** A kind without a description of its own: its metadata and all its fields. */
export function describeAnything(writer: DescriptionWriter, subject: Subject): void {
  const { object } = subject
  const { apiVersion, kind, metadata, ...fields } = object
  describeMetadata(writer, object)
  writer.field(0, 'API Version', apiVersion)
  writer.field(0, 'Kind', kind)
  writer.line(0, 'Metadata:')
  const { name: _n, namespace: _ns, labels: _l, annotations: _a, ...rest } = metadata
  describeFields(writer, 1, rest)
  describeFields(writer, 0, fields)
  describeEvents(writer, subject)
}

function describeFields(writer: DescriptionWriter, level: number, fields: object): void {
  for (const [key, value] of Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const label = key.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').replace(/^./, (first) => first.toUpperCase())
    if (typeof value !== 'object' || value === null) {
      writer.field(level, label, `${value} `.trimEnd())
      continue
    }
    writer.line(level, `${label}:`)
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === 'object' && item !== null) describeFields(writer, level + 1, item)
      else writer.line(level + 1, String(item))
    }
  }
}
