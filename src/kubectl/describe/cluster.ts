// Descriptions of ConfigMap, Secret, ServiceAccount and Namespace, and of any other kind by its fields.

import type { ConfigMap, Namespace, Secret } from '../../cluster/objects.js'
import {
  annotationLines,
  type DescriptionWriter,
  describeEvents,
  describeMetadata,
  labelLines,
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

/** The values are not shown, only how long they are. */
export function describeSecret(writer: DescriptionWriter, { object }: Subject): void {
  const secret = object as Secret
  describeMetadata(writer, secret)
  writer.line(0, '')
  writer.field(0, 'Type', secret.type ?? '')
  writer.line(0, '')
  writer.line(0, 'Data')
  writer.line(0, '====')
  for (const key of Object.keys(secret.data ?? {}).sort())
    writer.field(0, key, `${atob(secret.data![key]!).length} bytes`)
}

export function describeServiceAccount(writer: DescriptionWriter, subject: Subject): void {
  const pulls = (subject.object['imagePullSecrets'] ?? []) as { name: string }[]
  describeMetadata(writer, subject.object)
  writer.multiline(
    0,
    'Image pull secrets',
    pulls.map(({ name }) => name),
  )
  describeEvents(writer, subject)
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
