// OpenAPI v2 in protobuf, as gnostic's openapi_v2.proto has it: what kubectl before 1.27 needs for every write, and
// later ones for apply. Field numbers stand beside the names. Read first: operations.ts.

import { concatBytes, utf8Encode } from '../../base/bytes.js'
import type { Definition, Schema } from './definitions.js'
import { PATCH_PARAMETERS, type PatchOperation } from './operations.js'

/** A field of a message: a nested one, or text. */
type Field = readonly [number: number, value: string | Uint8Array]

/** The document in bytes. */
export function encodeDocument(
  info: { readonly title: string; readonly version: string },
  operations: readonly PatchOperation[],
  definitions: readonly Definition[],
): Uint8Array {
  return message([
    [1, '2.0'], // swagger
    [
      2,
      message([
        [1, info.title],
        [2, info.version],
      ]),
    ], // info
    [8, message(operations.map((operation) => [2, pathOf(operation)]))], // paths
    [9, message(definitions.map(({ name, schema }) => [1, named(name, schemaOf(schema))]))], // definitions
  ])
}

/** NamedSchema and the like. */
function named(name: string, value: Uint8Array): Uint8Array {
  return message([
    [1, name],
    [2, value],
  ])
}

function schemaOf(schema: Schema): Uint8Array {
  const { ref, type, format, items, properties, additionalProperties, extensions = {} } = schema
  const fields: Field[] = []
  if (ref !== undefined) fields.push([1, `#/definitions/${ref}`]) // $ref
  if (format !== undefined) fields.push([2, format])
  if (additionalProperties !== undefined) fields.push([21, message([[1, schemaOf(additionalProperties)]])]) // AdditionalPropertiesItem
  if (type !== undefined) fields.push([22, message([[1, type]])]) // TypeItem
  if (items !== undefined) fields.push([23, message([[1, schemaOf(items)]])]) // ItemsItem
  if (properties !== undefined) {
    const entries = Object.entries(properties)
    fields.push([25, message(entries.map(([name, inner]) => [1, named(name, schemaOf(inner))]))])
  }
  // JSON is YAML.
  for (const [name, value] of Object.entries(extensions))
    fields.push([31, namedAny(name, `${JSON.stringify(value)}\n`)])
  return message(fields)
}

/** NamedPathItem with a PathItem whose field 8 is patch. */
function pathOf(operation: PatchOperation): Uint8Array {
  return message([
    [1, operation.path],
    [2, message([[8, operationOf(operation)]])],
  ])
}

function operationOf({ group, version, kind }: PatchOperation): Uint8Array {
  const gvk = `group: ${JSON.stringify(group)}\nkind: ${kind}\nversion: ${version}\n`
  const okay = message([[1, message([[1, 'OK']])]])
  return message([
    ...PATCH_PARAMETERS.map(({ name, type }): Field => [8, parameterOf(name, type)]), // parameters
    [
      9,
      message([
        [
          1,
          message([
            [1, '200'],
            [2, okay],
          ]),
        ],
      ]),
    ], // responses
    [13, namedAny('x-kubernetes-action', 'patch\n')], // vendor_extension
    [13, namedAny('x-kubernetes-group-version-kind', gvk)],
  ])
}

/** ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema. */
function parameterOf(name: string, type: string): Uint8Array {
  const query = message([
    [2, 'query'],
    [4, name],
    [6, type],
  ])
  return message([[1, message([[2, message([[3, query]])]])]])
}

/** NamedAny; an Any holds YAML in its field 2. */
function namedAny(name: string, yaml: string): Uint8Array {
  return message([
    [1, name],
    [2, message([[2, yaml]])],
  ])
}

/** Every field is length-delimited (wire type 2). */
function message(fields: readonly Field[]): Uint8Array {
  return concatBytes(
    fields.flatMap(([number, value]) => {
      const bytes = typeof value === 'string' ? utf8Encode(value) : value
      return [varint((number << 3) | 2), varint(bytes.length), bytes]
    }),
  )
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Uint8Array.from([...bytes, rest])
}
