// Descriptions of Pod, Deployment, ReplicaSet and ReplicationController.

import { formatSelector } from '../../api/printers/workload.js'
import type { Deployment, Node, Pod, PodTemplateSpec, ReplicaSet } from '../../cluster/objects.js'
import { type ReplicationController, withLabelSelector } from '../../cluster/replication-controllers.js'
import { describeContainers, describePlacement, describeVolumes } from './containers.js'
import {
  annotationLines,
  type DescriptionWriter,
  describeEvents,
  labelLines,
  longTime,
  type Subject,
} from './writer.js'

const REVISION = 'deployment.kubernetes.io/revision'

export function describePod(writer: DescriptionWriter, subject: Subject): void {
  const pod = subject.object as Pod
  const { metadata, spec, status = {} } = pod
  writer.field(0, 'Name', metadata.name)
  writer.field(0, 'Namespace', metadata.namespace ?? '')
  writer.field(0, 'Priority', 0)
  writer.field(0, 'Service Account', spec.serviceAccountName ?? 'default')
  writer.field(0, 'Node', spec.nodeName ? `${spec.nodeName}/${status.hostIP ?? ''}` : '<none>')
  if (status.startTime) writer.field(0, 'Start Time', longTime(status.startTime))
  writer.multiline(0, 'Labels', labelLines(metadata.labels))
  writer.multiline(0, 'Annotations', annotationLines(metadata.annotations))
  if (metadata.deletionTimestamp) {
    writer.field(0, 'Status', `Terminating (lasts ${sinceDeletion(pod, subject)})`)
    writer.field(0, 'Termination Grace Period', `${metadata.deletionGracePeriodSeconds ?? 0}s`)
  } else {
    writer.field(0, 'Status', status.phase ?? '')
  }
  if (status.reason) writer.field(0, 'Reason', status.reason)
  if (status.message) writer.field(0, 'Message', status.message)
  writer.field(0, 'IP', status.podIP ?? '')
  if (status.podIPs?.length) {
    writer.line(0, 'IPs:')
    for (const { ip } of status.podIPs) writer.field(1, 'IP', ip)
  } else {
    writer.field(0, 'IPs', '<none>')
  }
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (owner !== undefined) writer.field(0, 'Controlled By', `${owner.kind}/${owner.name}`)
  if (spec.initContainers?.length) {
    describeContainers(writer, 'Init Containers', spec.initContainers, status.initContainerStatuses ?? [])
  }
  describeContainers(writer, 'Containers', spec.containers, status.containerStatuses ?? [])
  if (spec.ephemeralContainers?.length) {
    const statuses = status.ephemeralContainerStatuses ?? []
    describeContainers(writer, 'Ephemeral Containers', spec.ephemeralContainers, statuses)
  }
  if (status.conditions?.length) {
    writer.line(0, 'Conditions:')
    writer.line(1, 'Type\tStatus')
    for (const condition of status.conditions) writer.line(1, `${condition.type} \t${condition.status} `)
  }
  describeVolumes(writer, spec.volumes ?? [], 0)
  writer.field(0, 'QoS Class', status.qosClass ?? 'BestEffort')
  describePlacement(writer, spec, 0)
  describeEvents(writer, subject)
}

function sinceDeletion({ metadata }: Pod, { context }: Subject): string {
  const seconds = Math.max(0, (context.now - Date.parse(metadata.deletionTimestamp!)) / 1000)
  return `${Math.trunc(seconds)}s`
}

export function describeDeployment(writer: DescriptionWriter, subject: Subject): void {
  const deployment = subject.object as Deployment
  const { metadata, spec, status = {} } = deployment
  writer.field(0, 'Name', metadata.name)
  writer.field(0, 'Namespace', metadata.namespace ?? '')
  writer.field(0, 'CreationTimestamp', longTime(metadata.creationTimestamp))
  writer.multiline(0, 'Labels', labelLines(metadata.labels))
  writer.multiline(0, 'Annotations', annotationLines(metadata.annotations))
  writer.field(0, 'Selector', formatSelector(spec.selector))
  writer.field(
    0,
    'Replicas',
    `${spec.replicas ?? 1} desired | ${status.updatedReplicas ?? 0} updated | ${status.replicas ?? 0} total | ${status.availableReplicas ?? 0} available | ${status.unavailableReplicas ?? 0} unavailable`,
  )
  writer.field(0, 'StrategyType', spec.strategy?.type ?? '')
  writer.field(0, 'MinReadySeconds', spec.minReadySeconds ?? 0)
  const rolling = spec.strategy?.rollingUpdate
  if (rolling !== undefined) {
    writer.field(
      0,
      'RollingUpdateStrategy',
      `${rolling.maxUnavailable} max unavailable, ${rolling.maxSurge} max surge`,
    )
  }
  describeTemplate(writer, spec.template)
  if (status.conditions?.length) {
    writer.line(0, 'Conditions:')
    writer.line(1, 'Type\tStatus\tReason')
    writer.line(1, '----\t------\t------')
    for (const { type, status: value, reason } of status.conditions) {
      writer.line(1, `${type} \t${value}\t${reason ?? ''}`)
    }
  }
  describeReplicaSetsOf(writer, subject, deployment)
  describeEvents(writer, subject)
}

export function describeTemplate(writer: DescriptionWriter, template: PodTemplateSpec): void {
  writer.line(0, 'Pod Template:')
  writer.multiline(1, 'Labels', labelLines(template.metadata?.labels))
  const annotations = annotationLines(template.metadata?.annotations)
  if (annotations.length > 0) writer.multiline(1, 'Annotations', annotations)
  if (template.spec.initContainers?.length) {
    describeContainers(writer, 'Init Containers', template.spec.initContainers, undefined)
  }
  describeContainers(writer, 'Containers', template.spec.containers, undefined)
  describeVolumes(writer, template.spec.volumes ?? [], 1)
  describePlacement(writer, template.spec, 1)
}

/** Its replica sets: the newest by revision, and older ones that still have pods. */
function describeReplicaSetsOf(
  writer: DescriptionWriter,
  { context }: Subject,
  deployment: Deployment,
): void {
  const sets = context.client.list(context.mapper.find('replicasets'), deployment.metadata.namespace)
    .items as ReplicaSet[]
  const uid = deployment.metadata.uid
  const owned = sets.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
  const revision = ({ metadata }: ReplicaSet) => Number(metadata.annotations?.[REVISION] ?? 0)
  const newest = [...owned].sort((a, b) => revision(b) - revision(a))[0]
  const text = ({ metadata, spec, status }: ReplicaSet) =>
    `${metadata.name} (${status?.replicas ?? 0}/${spec.replicas ?? 0} replicas created)`
  const old = owned.filter((set) => set !== newest).map(text)
  writer.field(0, 'OldReplicaSets', old.length === 0 ? '<none>' : old.join(', '))
  writer.field(0, 'NewReplicaSet', newest === undefined ? '<none>' : text(newest))
}

export function describeReplicationController(writer: DescriptionWriter, subject: Subject): void {
  const object = withLabelSelector(subject.object as ReplicationController)
  describePodSet(writer, subject, object)
}

export function describeReplicaSet(writer: DescriptionWriter, subject: Subject): void {
  describePodSet(writer, subject, subject.object as ReplicaSet)
}

function describePodSet(
  writer: DescriptionWriter,
  subject: Subject,
  { metadata, spec, status }: Pick<ReplicaSet, 'metadata' | 'spec' | 'status'>,
): void {
  writer.field(0, 'Name', metadata.name)
  writer.field(0, 'Namespace', metadata.namespace ?? '')
  writer.field(0, 'Selector', formatSelector(spec.selector))
  writer.multiline(0, 'Labels', labelLines(metadata.labels))
  writer.multiline(0, 'Annotations', annotationLines(metadata.annotations))
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (owner !== undefined) writer.field(0, 'Controlled By', `${owner.kind}/${owner.name}`)
  writer.field(0, 'Replicas', `${status?.replicas ?? 0} current / ${spec.replicas ?? 0} desired`)
  writer.field(0, 'Pods Status', podsStatus(subject, formatSelector(spec.selector)))
  describeTemplate(writer, spec.template)
  describeEvents(writer, subject)
}

/** How many pods that the object owns are in each phase. */
export function podsStatus({ context, object }: Subject, labelSelector: string): string {
  const counts = { Running: 0, Pending: 0, Succeeded: 0, Failed: 0, Unknown: 0 }
  const pods = context.client.list(context.mapper.find('pods'), object.metadata.namespace, { labelSelector })
  for (const pod of pods.items as Pod[]) {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)
    if (owner?.uid === object.metadata.uid) counts[pod.status?.phase ?? 'Pending']++
  }
  return `${counts.Running} Running / ${counts.Pending} Waiting / ${counts.Succeeded} Succeeded / ${counts.Failed} Failed`
}

/** The pods of a node that have not ended, for its description. */
export function podsOnNode({ context }: Subject, node: Node): Pod[] {
  const fieldSelector = `spec.nodeName=${node.metadata.name},status.phase!=Failed,status.phase!=Succeeded`
  return context.client.list(context.mapper.find('pods'), undefined, { fieldSelector }).items as Pod[]
}
