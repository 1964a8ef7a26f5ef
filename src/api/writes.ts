// POST, PUT and PATCH of objects: what the request means is settled here, what objects may look like is
// the writer's business (defaults, validation, allocation).

import { equalJson } from '../cluster/json.js'
import type { KubeObject } from '../cluster/objects.js'
import { apiVersionOf } from '../cluster/resources.js'
import { badRequest, conflict } from '../cluster/status.js'
import type { ObjectStore } from '../cluster/store.js'
import { isMap, type Json, type JsonMap } from './patch/json.js'
import { applyJsonPatch, JsonPatchError } from './patch/json-patch.js'
import { mergeRulesOf } from './patch/merge-keys.js'
import { applyMergePatch } from './patch/merge-patch.js'
import { applyStrategicMergePatch, StrategicMergeError } from './patch/strategic-merge.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { jsonResponse, methodNotAllowed, unprocessablePatch, unsupportedMediaType } from './status.js'
import { existing, isOutsideNamespaces, type ObjectWriter, type Target } from './target.js'
import { writeOptions } from './write-options.js'

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

/** Media types of patches, in the order in which upstream lists them. */
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

export function createObject(writer: ObjectWriter, request: ApiRequest, target: Target): ApiResponse {
  if (target.name !== undefined || isOutsideNamespaces(target)) throw methodNotAllowed()
  const object = objectOf(request.body, target)
  const warnings: string[] = []
  return withWarnings(jsonResponse(201, writer.create(object, writeOptions(request, warnings))), warnings)
}

/** The body as an object of the target's kind; what it leaves out is taken from the path. */
function objectOf(body: unknown, target: Target): KubeObject {
  if (!isMap(body)) throw badRequest('the object provided is unrecognized (must be of type object)')
  for (const field of ['apiVersion', 'kind'])
    if (!['undefined', 'string'].includes(typeof (body[field] ?? undefined)))
      throw badRequest(`couldn't get version/kind; ${field} is not of type string`)
  const apiVersion = apiVersionOf(target.type)
  const kind = body['kind'] ?? target.type.kind
  if ((body['apiVersion'] ?? apiVersion) !== apiVersion) {
    throw badRequest(
      `the API version in the data (${body['apiVersion']}) does not match the expected API version (${apiVersion})`,
    )
  }
  if (kind !== target.type.kind) {
    throw badRequest(`${kind} in version "${target.type.version}" cannot be handled as a ${target.type.kind}`)
  }
  const given = isMap(body['metadata']) ? body['metadata'] : {}
  const namespace = given['namespace'] || target.namespace
  if (target.namespace !== undefined && namespace !== target.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  const metadata = { ...given, ...(namespace !== undefined && { namespace }) }
  return { ...body, apiVersion, kind, metadata } as unknown as KubeObject
}

export function replaceObject(
  store: ObjectStore,
  writer: ObjectWriter,
  request: ApiRequest,
  target: Target,
): ApiResponse {
  const current = existing(store, target)
  const object = namedObjectOf(request.body, target)
  return writeChange(writer, request, target, current, object)
}

/** As `objectOf`, for an object that has a name already. */
function namedObjectOf(body: unknown, target: Target): KubeObject {
  const object = objectOf(body, target)
  const name = object.metadata.name ?? ''
  if (name === target.name) return object
  throw badRequest(
    `the name of the object (${name}) does not match the name on the URL (${target.name ?? ''})`,
  )
}

export function patchObject(
  store: ObjectStore,
  writer: ObjectWriter,
  request: ApiRequest,
  target: Target,
): ApiResponse {
  patchTypeOf(request)
  const current = existing(store, target)
  const patched = namedObjectOf(applyPatch(current, request, target.type.kind), target)
  return writeChange(writer, request, target, current, patched)
}

/** The body's media type; fails for one that no patch has. */
function patchTypeOf(request: ApiRequest): string {
  const mediaType = request.headers?.['content-type']?.split(';')[0]?.trim() ?? ''
  if (!PATCH_TYPES.includes(mediaType)) throw unsupportedMediaType(PATCH_TYPES)
  return mediaType
}

/** `current` after the patch in the body, by its media type. */
export function applyPatch(current: unknown, request: ApiRequest, kind: string): unknown {
  const mediaType = patchTypeOf(request)
  const patch = request.body as Json
  try {
    switch (mediaType) {
      case 'application/json-patch+json':
        return applyJsonPatch(current as Json, patch)
      case 'application/merge-patch+json':
        return applyMergePatch(current as Json, patch)
      default:
        if (!isMap(patch))
          throw badRequest(
            `json: cannot unmarshal ${goTypeOf(patch)} into Go value of type map[string]interface {}`,
          )
        return applyStrategicMergePatch(current as JsonMap, patch, mergeRulesOf(kind))
    }
  } catch (error) {
    if (error instanceof JsonPatchError) throw unprocessablePatch()
    if (error instanceof StrategicMergeError) throw badRequest(error.message)
    throw error
  }
}

/** What Go calls a JSON value that is no object. */
function goTypeOf(value: Json): string {
  return Array.isArray(value)
    ? 'array'
    : value === null
      ? 'null'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value
}

/** Writes `changed` over `current`: through a subresource that part alone, and the status not but through /status. */
function writeChange(
  writer: ObjectWriter,
  request: ApiRequest,
  target: Target,
  current: KubeObject,
  changed: KubeObject,
): ApiResponse {
  checkPreconditions(target, current, changed.metadata)
  const { subresource } = target
  if (subresource !== undefined && subresource !== 'status' && subresource !== 'ephemeralcontainers')
    throw methodNotAllowed()
  const isStatus = subresource === 'status'
  const { resourceVersion, uid, creationTimestamp } = current.metadata
  const metadata = {
    ...changed.metadata,
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(uid !== undefined && { uid }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
  }
  const next = isStatus
    ? { ...current, metadata, status: changed['status'] }
    : { ...changed, metadata, ...('status' in current && { status: current['status'] }) }
  if (!('status' in current) && !isStatus) delete (next as Record<string, unknown>)['status']
  // A write that changes nothing does not move the version: that is how clients say "unchanged".
  if (equalJson(next, current)) return jsonResponse(200, current)
  const warnings: string[] = []
  const options = writeOptions(request, warnings)
  const written = writer.update(next, { ...options, ...(subresource !== undefined && { subresource }) })
  return withWarnings(jsonResponse(200, written), warnings)
}

/** RFC 7234 section 5.5, as Kubernetes uses it: kubectl prints each one. */
function withWarnings(response: ApiResponse, warnings: readonly string[]): ApiResponse {
  if (warnings.length === 0) return response
  const warning = warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ')
  return { ...response, headers: { ...response.headers, warning } }
}

function checkPreconditions(target: Target, current: KubeObject, given: KubeObject['metadata']): void {
  const name = current.metadata.name
  if (given.resourceVersion && given.resourceVersion !== current.metadata.resourceVersion) {
    throw conflict(target.type, name, MODIFIED)
  }
  if (given.uid && given.uid !== current.metadata.uid) {
    throw conflict(
      target.type,
      name,
      `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${current.metadata.uid}`,
    )
  }
}
