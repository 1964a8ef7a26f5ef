// Decoding of what a client sent: every field must be known (when asked) and of its type, as the API server's
// decoder has it. What comes out has the right shapes, so that the code behind it need not look again.

import { base64Decode } from '../base/base64.js'
import type { KubeObject } from './objects.js'
import { SCHEMAS } from './schema.js'
import type { FieldType, StructType } from './schema-type.js'
import { ApiError, badRequest } from './status.js'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

/** What decoding gives: a copy without nulls, and the complaints that are only warnings. */
export interface Decoded {
  readonly object: KubeObject
  readonly warnings: readonly string[]
}

interface Decoding {
  readonly unknownFields: string[]
}

/** Why a value cannot be decoded, in the words of Go's encoding/json. */
class TypeMismatch extends Error {}

const INT_LIMITS = { int32: 2 ** 31, int64: 2 ** 63 }

/**
 * Decodes `object` against the schema of its kind. ApiError BadRequest when a field has the wrong type, or is not
 * known and `validation` is Strict.
 */
export function decodeObject(object: KubeObject, validation: FieldValidation): Decoded {
  const schema = SCHEMAS[object.kind]
  if (schema === undefined) throw badRequest(`no kind "${object.kind}" is registered`)
  const decoding: Decoding = { unknownFields: [] }
  const version = object.apiVersion.split('/').at(-1)
  const prefix = `${object.kind} in version "${version}" cannot be handled as a ${object.kind}: `
  let decoded: KubeObject
  try {
    decoded = decodeStruct(object, schema, '', '', decoding) as unknown as KubeObject
  } catch (error) {
    if (error instanceof TypeMismatch) throw badRequest(prefix + error.message)
    throw error
  }
  const warnings = decoding.unknownFields.map((path) => `unknown field "${path}"`)
  if (validation === 'Strict' && warnings.length > 0)
    throw new ApiError('BadRequest', `${prefix}strict decoding error: ${warnings.join(', ')}`)
  return { object: decoded, warnings: validation === 'Warn' ? warnings : [] }
}

/** `path` counts list items (for unknown fields), `goPath` does not (for type errors), as upstream. */
function decodeStruct(
  value: unknown,
  schema: StructType,
  path: string,
  goPath: string,
  decoding: Decoding,
): Record<string, unknown> {
  const decoded: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value as object)) {
    const type = Object.hasOwn(schema.fields, key) ? schema.fields[key] : undefined
    const itemPath = path === '' ? key : `${path}.${key}`
    if (type === undefined) {
      decoding.unknownFields.push(itemPath)
      continue
    }
    if (item === null || item === undefined) continue
    const itemGoPath = goPath === '' ? key : `${goPath}.${key}`
    decoded[key] = decodeValue(item, type, schema.struct, itemPath, itemGoPath, decoding)
  }
  return decoded
}

function decodeValue(
  value: unknown,
  type: FieldType,
  owner: string,
  path: string,
  goPath: string,
  decoding: Decoding,
): unknown {
  const mismatch = () =>
    new TypeMismatch(
      `json: cannot unmarshal ${jsonKind(value)} into Go struct field ${owner}.${goPath} of type ${goName(type)}`,
    )
  if (type === 'any') return value
  if (typeof type === 'string') {
    if (!isScalar(value, type)) throw mismatch()
    if (type === 'bytes') checkBase64(value as string)
    return type === 'quantity' ? String(value) : value
  }
  if ('list' in type) {
    if (!Array.isArray(value)) throw mismatch()
    return value
      .filter((item) => item !== null && item !== undefined)
      .map((item, i) => decodeValue(item, type.list, owner, `${path}[${i}]`, goPath, decoding))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch()
  if ('struct' in type) return decodeStruct(value, type, path, goPath, decoding)
  const map = type.map
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [key, decodeValue(item, map, owner, `${path}.${key}`, goPath, decoding)]),
  )
}

function isScalar(value: unknown, type: Extract<FieldType, string>): boolean {
  switch (type) {
    case 'string':
    case 'bytes':
    case 'time':
      return typeof value === 'string'
    case 'bool':
      return typeof value === 'boolean'
    case 'int32':
    case 'int64':
      return Number.isInteger(value) && Math.abs(value as number) < INT_LIMITS[type]
    case 'intstr':
      return typeof value === 'string' || Number.isInteger(value)
    case 'quantity':
      return typeof value === 'string' || typeof value === 'number'
    case 'any':
      return true
  }
}

function checkBase64(text: string): void {
  const decoded = base64Decode(text)
  if (!(decoded instanceof Uint8Array))
    throw new TypeMismatch(`illegal base64 data at input byte ${decoded.illegalAt}`)
}

/** What encoding/json calls a value in its errors. */
function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  // Numbers that do not fit are told with their digits: `number 1.5`.
  if (typeof value === 'number')
    return Number.isInteger(value) && value < 2 ** 31 ? 'number' : `number ${value}`
  return typeof value
}

function goName(type: FieldType): string {
  if (typeof type !== 'string') {
    if ('list' in type) return `[]${goName(type.list)}`
    if ('map' in type) return `map[string]${goName(type.map)}`
    return `v1.${type.struct}`
  }
  return (
    { bytes: '[]uint8', time: 'v1.Time', quantity: 'resource.Quantity', intstr: 'intstr.IntOrString' }[
      type as 'time'
    ] ?? type
  )
}
