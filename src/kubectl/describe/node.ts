// The description of a Node: its lease, its conditions, and what its pods ask for of it.

import { ageSince } from '../../api/human-duration.js'
import { nodeRoles } from '../../api/printers/cluster.js'
import type { Container, Lease, Node, Pod } from '../../cluster/objects.js'
import { parseQuantity } from '../../cluster/quantity.js'
import { podsOnNode } from './workloads.js'
import {
  annotationLines,
  type DescriptionWriter,
  describeEvents,
  labelLines,
  longTime,
  type Subject,
} from './writer.js'

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
  describeLease(writer, subject)
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
  ['kubeProxyVersion', 'Kube-Proxy Version'],
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

function describeLease(writer: DescriptionWriter, { context, object }: Subject): void {
  const leases = context.mapper.tryFind('leases')
  const lease = leases && context.client.find<Lease>(leases, 'kube-node-lease', object.metadata.name)
  if (lease === undefined) return
  writer.line(0, 'Lease:')
  writer.field(1, 'HolderIdentity', lease.spec?.holderIdentity ?? '<unset>')
  writer.field(1, 'AcquireTime', longTime(lease.spec?.acquireTime))
  writer.field(1, 'RenewTime', longTime(lease.spec?.renewTime))
}

type Amounts = Readonly<Record<string, string>> | undefined

/** What a pod asks for: its containers together, or the largest init container where that is more. */
function podAmount({ spec }: Pod, resource: string, of: (container: Container) => Amounts): number {
  const amount = (container: Container) => parseQuantity(of(container)?.[resource] ?? '') ?? 0
  const sum = spec.containers.reduce((total, container) => total + amount(container), 0)
  return Math.max(sum, ...(spec.initContainers ?? []).map(amount))
}

const requests = ({ resources }: Container): Amounts => resources?.requests
const limits = ({ resources }: Container): Amounts => resources?.limits

/** `100m (2%)`, `70Mi (0%)`: of what the node has to give. */
function share(resource: string, amount: number, node: Node): string {
  const whole = parseQuantity(node.status?.allocatable?.[resource] ?? '') ?? 0
  const percent = whole === 0 ? 0 : Math.trunc((amount * 100) / whole + 1e-9)
  return `${formatAmount(resource, amount)} (${percent}%)`
}

/** Cores in thousandths where they are not whole, bytes in the largest binary unit that leaves a whole number. */
function formatAmount(resource: string, amount: number): string {
  if (resource === 'cpu') {
    const millis = Math.round(amount * 1000)
    return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`
  }
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti']
  let unit = 0
  while (amount > 0 && amount % 1024 === 0 && unit < units.length - 1) {
    amount /= 1024
    unit++
  }
  return `${amount}${units[unit]}`
}

function describePodsOf(writer: DescriptionWriter, subject: Subject, node: Node): void {
  const pods = podsOnNode(subject, node)
  writer.field(0, 'Non-terminated Pods', `(${pods.length} in total)`)
  writer.line(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge')
  writer.line(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---')
  for (const pod of pods) {
    const cells = (['cpu', 'memory'] as const).flatMap((resource) =>
      [requests, limits].map((of) => share(resource, podAmount(pod, resource, of), node)),
    )
    const age = ageSince(pod.metadata.creationTimestamp, subject.context.now)
    const { namespace, name } = pod.metadata
    writer.line(1, `${namespace}\t${name}\t\t${cells.join('\t')}\t${age}`)
  }
  writer.line(0, 'Allocated resources:')
  writer.line(1, '(Total limits may be over 100 percent, i.e., overcommitted.)')
  writer.line(1, 'Resource\tRequests\tLimits')
  writer.line(1, '--------\t--------\t------')
  for (const resource of ['cpu', 'memory', 'ephemeral-storage']) {
    const total = (of: typeof requests) => pods.reduce((sum, pod) => sum + podAmount(pod, resource, of), 0)
    writer.line(
      1,
      `${resource}\t${share(resource, total(requests), node)}\t${share(resource, total(limits), node)}`,
    )
  }
}
