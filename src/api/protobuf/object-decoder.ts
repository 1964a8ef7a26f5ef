// Bodies of the media type application/vnd.kubernetes.protobuf: an envelope that names the kind, and in it a message
// that becomes the JSON form of the object. Typed clients since client-go 0.32 send these and nothing else. Answers
// stay JSON, which every client takes. Read first: field-table.ts.

import { base64Encode } from '../../base/base64.js'
import { badBody, undecodable } from '../status.js'
import { CORE_MESSAGES } from './core-messages.js'
import { type Field, type FieldTables, type MessageFields, parseFields } from './field-table.js'
import { META_MESSAGES } from './meta-messages.js'
import { POD_MESSAGES } from './pod-messages.js'
import { POLICY_MESSAGES } from './policy-messages.js'
import { readFields, readPacked, WireError, type WireField } from './wire-reader.js'
import { WORKLOAD_MESSAGES } from './workload-messages.js'

type JsonObject = Record<string, unknown>

/** `k8s` and a zero byte begin every body. */
const MAGIC = [0x6b, 0x38, 0x73, 0]
/** Deeper than any message of the tables nests. */
const DEEPEST = 40

const TABLES: FieldTables = {
  ...META_MESSAGES,
  ...CORE_MESSAGES,
  ...POD_MESSAGES,
  ...WORKLOAD_MESSAGES,
  ...POLICY_MESSAGES,
}

const MESSAGES: ReadonlyMap<string, MessageFields> = new Map(
  Object.entries(TABLES).map(([name, text]) => [name, parseFields(text)]),
)

/** Kinds whose message has another name here than the kind, because two groups have it. */
const BY_VERSION: Readonly<Record<string, string>> = {
  'autoscaling/v1 HorizontalPodAutoscaler': 'HorizontalPodAutoscalerV1',
  'events.k8s.io/v1 Event': 'EventsEvent',
}

/** Versions whose messages the tables have. */
const VERSIONS = [
  ['v1', 'apps/v1', 'batch/v1', 'autoscaling/v1', 'autoscaling/v2', 'policy/v1', 'events.k8s.io/v1'],
  ['discovery.k8s.io/v1', 'coordination.k8s.io/v1', 'networking.k8s.io/v1', 'rbac.authorization.k8s.io/v1'],
  ['authorization.k8s.io/v1', 'authentication.k8s.io/v1', 'scheduling.k8s.io/v1'],
].flat()

/**
 * The object in a body, as a client would have sent it in JSON. Fails with a RequestError: BadRequest for bytes that
 * are no such body, UnsupportedMediaType for a kind or a field that is not in the tables.
 */
export function decodeProtobuf(bytes: Uint8Array): unknown {
  if (MAGIC.some((byte, at) => bytes[at] !== byte))
    throw badBody('it is not in the protobuf format of Kubernetes')
  try {
    const envelope = readFields(bytes.subarray(MAGIC.length))
    const typeMeta = readFields(bytesOf(envelope, 1))
    const [apiVersion, kind] = [text(bytesOf(typeMeta, 1)), text(bytesOf(typeMeta, 2))]
    const name = messageOf(apiVersion, kind)
    return { kind, apiVersion, ...decodeMessage(bytesOf(envelope, 2), name, DEEPEST) }
  } catch (error) {
    if (error instanceof WireError) throw badBody(`protobuf: ${error.message}`)
    throw error
  }
}

/** DeleteOptions and the like come with any group's version. */
function messageOf(apiVersion: string, kind: string): string {
  const name = BY_VERSION[`${apiVersion} ${kind}`] ?? kind
  const known = kind === 'DeleteOptions' || VERSIONS.includes(apiVersion)
  if (!known || !MESSAGES.get(name))
    throw undecodable(`kind ${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}`)
  return name
}

/** The last value of a field, as protobuf has it; no bytes when it is not there. */
function bytesOf(fields: readonly WireField[], number: number): Uint8Array {
  const value = fields.findLast((field) => field.number === number)?.value
  return value instanceof Uint8Array ? value : new Uint8Array()
}

function numberOf(fields: readonly WireField[], number: number): number {
  const value = fields.findLast((field) => field.number === number)?.value
  return typeof value === 'bigint' ? signed(value) : 0
}

/** Simplified: beyond 2^53 the last digits are lost. */
function signed(value: bigint): number {
  return Number(BigInt.asIntN(64, value))
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function decodeMessage(bytes: Uint8Array, name: string, depth: number): JsonObject {
  if (depth === 0) throw new WireError('messages nest too deep')
  const fields = MESSAGES.get(name)!
  const object: JsonObject = {}
  for (const { number, value } of readFields(bytes)) {
    const field = fields.get(number)
    if (field === undefined) {
      // Go writes a field of a newer version even when it is not set; it must not be lost when it is.
      if (isZero(value)) continue
      throw undecodable(`field ${number} of ${name}`)
    }
    setField(object, field, value, depth)
  }
  return object
}

function isZero(value: bigint | Uint8Array): boolean {
  return typeof value === 'bigint' ? value === 0n : value.length === 0
}

function setField(object: JsonObject, field: Field, value: bigint | Uint8Array, depth: number): void {
  const { name, type, repeat } = field
  if (field.inline) return void Object.assign(object, decodeMessage(expectBytes(value), type, depth - 1))
  if (repeat === 'list') {
    const list = ownList(object, name)
    const isPacked = value instanceof Uint8Array && ['int32', 'int64', 'bool'].includes(type)
    for (const item of isPacked ? readPacked(value) : [value]) list.push(decodeValue(item, type, depth))
    return
  }
  if (repeat === 'map') {
    const entry = readFields(expectBytes(value))
    const item = entry.findLast((part) => part.number === 2)?.value ?? new Uint8Array()
    const map = Object.hasOwn(object, name) ? (object[name] as JsonObject) : {}
    object[name] = { ...map, [text(bytesOf(entry, 1))]: decodeValue(item, type, depth) }
    return
  }
  const decoded = decodeValue(value, type, depth)
  const isUnset = decoded === '' || decoded === 0 || decoded === false
  if (decoded !== undefined && (field.optional || !isUnset)) object[name] = decoded
}

function ownList(object: JsonObject, name: string): unknown[] {
  if (!Object.hasOwn(object, name)) object[name] = []
  return object[name] as unknown[]
}

function expectBytes(value: bigint | Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new WireError('a number in place of bytes')
}

function expectNumber(value: bigint | Uint8Array): number {
  if (typeof value === 'bigint') return signed(value)
  throw new WireError('bytes in place of a number')
}

/** Undefined for a time that is not set. */
function decodeValue(value: bigint | Uint8Array, type: string, depth: number): unknown {
  switch (type) {
    case 'string':
      return text(expectBytes(value))
    case 'bytes':
      return base64Encode(expectBytes(value))
    case 'bool':
      return expectNumber(value) !== 0
    case 'int32':
    case 'int64':
      return expectNumber(value)
    case 'quantity':
      return text(bytesOf(readFields(expectBytes(value)), 1))
    case 'intstr':
      return intOrString(readFields(expectBytes(value)))
    case 'time':
    case 'microtime':
      return timeOf(readFields(expectBytes(value)), type)
    case 'json':
      return jsonOf(bytesOf(readFields(expectBytes(value)), 1))
    default:
      return decodeMessage(expectBytes(value), type, depth - 1)
  }
}

/** intstr.IntOrString: the type is 0 for a number. */
function intOrString(fields: readonly WireField[]): string | number {
  return numberOf(fields, 1) === 0 ? numberOf(fields, 2) : text(bytesOf(fields, 3))
}

/** RFC 3339: metav1.Time has seconds, MicroTime microseconds. */
function timeOf(fields: readonly WireField[], type: 'time' | 'microtime'): string | undefined {
  if (fields.length === 0) return undefined
  const date = new Date(numberOf(fields, 1) * 1000)
  if (Number.isNaN(date.getTime())) throw new WireError('a time that no calendar has')
  const seconds = date.toISOString().replace(/\.\d+Z$/, '')
  const micros = Math.trunc(numberOf(fields, 2) / 1000)
  return type === 'time' ? `${seconds}Z` : `${seconds}.${String(micros).padStart(6, '0')}Z`
}

function jsonOf(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined
  try {
    return JSON.parse(text(bytes))
  } catch {
    throw new WireError('JSON inside that is none')
  }
}
