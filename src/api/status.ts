// Failures in Kubernetes' words that only the API layer knows (no such path, method, media type, version). What
// objects' own rules refuse is cluster/status.ts; both carry a `Status`, and `statusOf` takes it out again.

import { FieldErrors } from '../cluster/field-errors.js'
import { type ApiError, invalid } from '../cluster/status.js'
import type { ApiResponse, Status } from './request.js'

/** Thrown inside the API layer to end a request. */
export class RequestError extends Error {
  readonly status: Status
  constructor(status: Status) {
    super(status.message)
    this.name = 'RequestError'
    this.status = status
  }
}

export function failure(code: number, reason: string, message: string): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
}

/** The path names nothing that is served; `resource` is what it would be. */
export function unknownPath(resource?: string): RequestError {
  const what = 'the server could not find the requested resource'
  const message = resource === undefined ? what : `${what}: there is no ${resource}`
  // Without details kubectl 1.35 crashes on it (debug).
  return new RequestError({ ...failure(404, 'NotFound', message), details: {} })
}

export function methodNotAllowed(): RequestError {
  const message = 'the server does not allow this method on the requested resource'
  return new RequestError({ ...failure(405, 'MethodNotAllowed', message), details: {} })
}

export function unsupportedMediaType(supported: readonly string[]): RequestError {
  const accepted = `accepted media types include: ${supported.join(', ')}`
  const message = `the body of the request was in an unknown format - ${accepted}`
  return new RequestError(failure(415, 'UnsupportedMediaType', message))
}

/** A body in protobuf with a kind or a field that the decoder does not have. */
export function undecodable(what: string): RequestError {
  const message = `the body of the request was in an unknown format - ${what} is not known in protobuf, send JSON`
  return new RequestError(failure(415, 'UnsupportedMediaType', message))
}

/** A resourceVersion that the server no longer remembers. */
export function expired(message: string): RequestError {
  return new RequestError(failure(410, 'Expired', message))
}

/** A page whose version is forgotten; `token` takes the rest of the list as it is now. */
export function expiredContinue(token: string): RequestError {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'
  return new RequestError({ ...failure(410, 'Expired', message), metadata: { continue: token } })
}

/** Query parameters that cannot be, told as upstream tells of its options' kinds (`ListOptions.meta.k8s.io`). */
export function optionError(kind: string, check: (errors: FieldErrors) => void): ApiError {
  const errors = new FieldErrors()
  check(errors)
  return invalid({ kind, group: 'meta.k8s.io' }, '', errors.causes)
}

/** A resourceVersion that the server has not come to. */
export function tooLargeVersion(wanted: number, current: number): RequestError {
  const message = `Timeout: Too large resource version: ${wanted}, current: ${current}`
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
  const status = failure(504, 'Timeout', message)
  return new RequestError({ ...status, details: { causes, retryAfterSeconds: 1 } })
}

/** Something that the answer comes from is not there. */
export function serviceUnavailable(why: string): RequestError {
  return new RequestError(failure(503, 'ServiceUnavailable', why))
}

/** An eviction that the pod's disruption budget does not allow now; `cause` says why. */
export function disruptionRefused(cause: string, retryAfterSeconds?: number): RequestError {
  const message = "Cannot evict pod as it would violate the pod's disruption budget."
  const causes = [{ reason: 'DisruptionBudget', message: cause }]
  const details = { causes, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }
  return new RequestError({ ...failure(429, 'TooManyRequests', message), details })
}

/** Nothing is known of what an object uses, or not yet. */
export function noMetrics(kind: 'NodeMetrics' | 'PodMetrics', name: string): RequestError {
  const plural = kind.toLowerCase()
  const status = failure(404, 'NotFound', `${plural}.metrics.k8s.io "${name}" not found`)
  return new RequestError({ ...status, details: { name, group: 'metrics.k8s.io', kind: plural } })
}

/** No form that the client would take. */
export function notAcceptable(types: readonly string[]): RequestError {
  const message = `only the following media types are accepted: ${types.join(', ')}`
  return new RequestError(failure(406, 'NotAcceptable', message))
}

/** Nobody that the server knows. */
export function unauthorized(): RequestError {
  return new RequestError(failure(401, 'Unauthorized', 'Unauthorized'))
}

/** A request that the server does not take from there. */
export function forbidden(why: string): RequestError {
  return new RequestError({ ...failure(403, 'Forbidden', `forbidden: ${why}`), details: {} })
}

export function badBody(why: string): RequestError {
  return new RequestError(failure(400, 'BadRequest', `the body of the request cannot be read: ${why}`))
}

export function badRequestUrl(url: string): RequestError {
  return new RequestError(failure(400, 'BadRequest', `not a URL of the API: ${JSON.stringify(url)}`))
}

/** Bytes that are no HTTP. */
export function badHttp(why: string): RequestError {
  return new RequestError(failure(400, 'BadRequest', `not an HTTP request: ${why}`))
}

export function headersTooLarge(limit: number): RequestError {
  const message = `Request header fields too large: limit is ${limit}`
  return new RequestError(failure(431, 'RequestHeaderFieldsTooLarge', message))
}

export function bodyTooLarge(limit: number): RequestError {
  return new RequestError(
    failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`),
  )
}

/** A fault of the server's own. */
export function internalError(message: string): RequestError {
  return new RequestError(failure(500, 'InternalError', `Internal error occurred: ${message}`))
}

/** A patch that does not apply; upstream tells no more than this. */
export function unprocessablePatch(): RequestError {
  const message = 'the server rejected our request due to an error in our request'
  return new RequestError(failure(422, 'Invalid', message))
}

/** The kubelet does not have the container that was asked for. */
export function containerNotFound(container: string): RequestError {
  return new RequestError(failure(404, 'NotFound', `container not found ("${container}")`))
}

/** The Status that an error carries; undefined for any other error (a bug: let it pass). */
export function statusOf(error: unknown): Status | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined
  const status = error.status
  const isStatus =
    typeof status === 'object' && status !== null && 'kind' in status && status.kind === 'Status'
  return isStatus ? (status as Status) : undefined
}

/** A response whose body is the Status. */
export function statusResponse(status: Status): ApiResponse {
  return jsonResponse(status.code ?? (status.status === 'Success' ? 200 : 500), status)
}

export function jsonResponse(code: number, body: unknown): ApiResponse {
  return { status: code, headers: { 'content-type': 'application/json' }, body }
}
