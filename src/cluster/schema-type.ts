// What the schemas of kinds are written in: the types a field may have, and the structures of metav1 that all of them
// share. The kinds are schema.ts and pod-schema.ts; decoding against them is decode.ts.

export type FieldType =
  | 'string'
  | 'int32'
  | 'int64'
  | 'bool'
  /** Base64. */
  | 'bytes'
  /** metav1.Time: text. */
  | 'time'
  /** resource.Quantity: text or number. */
  | 'quantity'
  /** intstr.IntOrString. */
  | 'intstr'
  | 'any'
  | { readonly list: FieldType }
  | { readonly map: FieldType }
  | StructType

/** A structure; `struct` is its Go name, which decoding errors show. */
export interface StructType {
  readonly struct: string
  readonly fields: Readonly<Record<string, FieldType>>
}

export function struct(name: string, fields: Record<string, FieldType>): StructType {
  return { struct: name, fields }
}

export function list(item: FieldType): FieldType {
  return { list: item }
}

/** Fields of type 'any'. */
export function opaque(names: string): Record<string, FieldType> {
  return Object.fromEntries(names.split(' ').map((name) => [name, 'any' as const]))
}

export const STRING_MAP: FieldType = { map: 'string' }
export const BYTES_MAP: FieldType = { map: 'bytes' }
export const STRINGS: FieldType = { list: 'string' }

export const OBJECT_META = struct('ObjectMeta', {
  name: 'string',
  generateName: 'string',
  namespace: 'string',
  selfLink: 'string',
  uid: 'string',
  resourceVersion: 'string',
  generation: 'int64',
  creationTimestamp: 'time',
  deletionTimestamp: 'time',
  deletionGracePeriodSeconds: 'int64',
  labels: STRING_MAP,
  annotations: STRING_MAP,
  ownerReferences: list(
    struct('OwnerReference', {
      apiVersion: 'string',
      kind: 'string',
      name: 'string',
      uid: 'string',
      controller: 'bool',
      blockOwnerDeletion: 'bool',
    }),
  ),
  finalizers: STRINGS,
  managedFields: 'any',
})

export const LABEL_SELECTOR = struct('LabelSelector', {
  matchLabels: STRING_MAP,
  matchExpressions: list(
    struct('LabelSelectorRequirement', { key: 'string', operator: 'string', values: STRINGS }),
  ),
})
