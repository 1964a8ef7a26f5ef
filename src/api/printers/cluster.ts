// Rows of Node, Namespace, ConfigMap, Lease and Event, and of any kind that has no printer of its own.

import type {
  ConfigMap,
  Event,
  KubeObject,
  Lease,
  Namespace,
  Node,
  Secret,
  ServiceAccount,
} from '../../cluster/objects.js'
import { ageSince } from '../human-duration.js'
import { columns, type Printer } from './table.js'

const ROLE_LABEL = 'node-role.kubernetes.io/'

/** `control-plane,worker`: from the role labels; `<none>` without one. */
export function nodeRoles(node: Node): string {
  const labels = node.metadata.labels ?? {}
  const roles = Object.keys(labels).flatMap((key) => {
    if (key.startsWith(ROLE_LABEL)) return key.slice(ROLE_LABEL.length) || []
    return key === 'kubernetes.io/role' ? labels[key]! || [] : []
  })
  return roles.length === 0 ? '<none>' : [...new Set(roles)].sort().join(',')
}

function nodeStatus(node: Node): string {
  const ready = (node.status?.conditions ?? []).find((condition) => condition.type === 'Ready')
  const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return node.spec.unschedulable ? `${state},SchedulingDisabled` : state
}

function nodeAddress(node: Node, type: string): string {
  return node.status?.addresses?.find((address) => address.type === type)?.address ?? '<none>'
}

export const nodePrinter: Printer<Node> = {
  columns: columns(
    'Name',
    'Status',
    'Roles',
    'Age',
    'Version',
    '+Internal-IP',
    '+External-IP',
    '+OS-Image',
    '+Kernel-Version',
    '+Container-Runtime',
  ),
  cells(node, now) {
    const info = node.status?.nodeInfo ?? {}
    return [
      node.metadata.name,
      nodeStatus(node),
      nodeRoles(node),
      ageSince(node.metadata.creationTimestamp, now),
      info['kubeletVersion'] ?? '',
      nodeAddress(node, 'InternalIP'),
      nodeAddress(node, 'ExternalIP'),
      info['osImage'] || '<unknown>',
      info['kernelVersion'] || '<unknown>',
      info['containerRuntimeVersion'] || '<unknown>',
    ]
  },
}

export const namespacePrinter: Printer<Namespace> = {
  columns: columns('Name', 'Status', 'Age'),
  cells({ metadata, status }, now) {
    return [metadata.name, status?.phase ?? '', ageSince(metadata.creationTimestamp, now)]
  },
}

export const configMapPrinter: Printer<ConfigMap> = {
  columns: columns('Name', 'Data#', 'Age'),
  cells({ metadata, data, binaryData }, now) {
    const entries = Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length
    return [metadata.name, entries, ageSince(metadata.creationTimestamp, now)]
  },
}

export const secretPrinter: Printer<Secret> = {
  columns: columns('Name', 'Type', 'Data#', 'Age'),
  cells({ metadata, type, data }, now) {
    return [
      metadata.name,
      type ?? 'Opaque',
      Object.keys(data ?? {}).length,
      ageSince(metadata.creationTimestamp, now),
    ]
  },
}

export const serviceAccountPrinter: Printer<ServiceAccount> = {
  columns: columns('Name', 'Secrets#', 'Age'),
  cells(account, now) {
    const secrets = (account['secrets'] ?? []) as unknown[]
    return [account.metadata.name, secrets.length, ageSince(account.metadata.creationTimestamp, now)]
  },
}

export const eventPrinter: Printer<Event> = {
  columns: columns(
    'Last Seen',
    'Type',
    'Reason',
    'Object',
    '+Subobject',
    '+Source',
    'Message',
    '+First Seen',
    '+Count#',
    '+Name',
  ),
  cells(event, now) {
    const { involvedObject, source } = event
    const first = event.firstTimestamp ?? event.metadata.creationTimestamp
    return [
      ageSince(event.lastTimestamp ?? first, now),
      event.type ?? '',
      event.reason ?? '',
      involvedObject.name
        ? `${(involvedObject.kind ?? '').toLowerCase()}/${involvedObject.name}`
        : (involvedObject.kind ?? '').toLowerCase(),
      involvedObject.fieldPath ?? '',
      source?.host ? `${source.component ?? ''}, ${source.host}` : (source?.component ?? ''),
      (event.message ?? '').trim(),
      ageSince(first, now),
      event.count ?? 1,
      event.metadata.name,
    ]
  },
}

export const leasePrinter: Printer<Lease> = {
  columns: columns('Name', 'Holder', 'Age'),
  cells({ metadata, spec }, now) {
    return [metadata.name, spec?.holderIdentity ?? '', ageSince(metadata.creationTimestamp, now)]
  },
}

/** Name and age: all that is common to every kind. */
export const plainPrinter: Printer<KubeObject> = {
  columns: columns('Name', 'Age'),
  cells({ metadata }, now) {
    return [metadata.name, ageSince(metadata.creationTimestamp, now)]
  },
}
