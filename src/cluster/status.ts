// How the cluster says no: one error class that carries a Kubernetes Status (meta/v1), with the texts of the API
// server. The API layer sends `status` as it is; nothing here knows HTTP beyond the code in it.

import type { ResourceType } from './resources.js'

export type StatusReason =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Invalid'
  | 'Conflict'
  | 'BadRequest'
  | 'Forbidden'
  | 'MethodNotAllowed'
  | 'InternalError'

export interface StatusCause {
  reason: string
  message: string
  field: string
}

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
}

export interface FailureStatus {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, never>
  status: 'Failure'
  message: string
  reason: StatusReason
  details?: StatusDetails
  code: number
}

const CODES: Record<StatusReason, number> = {
  NotFound: 404,
  AlreadyExists: 409,
  Invalid: 422,
  Conflict: 409,
  BadRequest: 400,
  Forbidden: 403,
  MethodNotAllowed: 405,
  InternalError: 500,
}

/** A request that the cluster refuses; `status` is what a client of the API gets. */
export class ApiError extends Error {
  readonly status: FailureStatus

  constructor(reason: StatusReason, message: string, details?: StatusDetails) {
    super(message)
    this.name = 'ApiError'
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details && { details }),
      code: CODES[reason],
    }
  }

  get reason(): StatusReason {
    return this.status.reason
  }
}

function detailsOf(type: ResourceType, name: string): StatusDetails {
  return { name, ...(type.group && { group: type.group }), kind: type.plural }
}

/** `deployments.apps "web"`, `pods "curl"`. */
function qualified(type: ResourceType, name: string): string {
  return `${type.group ? `${type.plural}.${type.group}` : type.plural} "${name}"`
}

export function notFound(type: ResourceType, name: string): ApiError {
  return new ApiError('NotFound', `${qualified(type, name)} not found`, detailsOf(type, name))
}

export function alreadyExists(type: ResourceType, name: string): ApiError {
  return new ApiError('AlreadyExists', `${qualified(type, name)} already exists`, detailsOf(type, name))
}

export function conflict(type: ResourceType, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(type, name)}: ${why}`
  return new ApiError('Conflict', message, detailsOf(type, name))
}

export function forbidden(type: ResourceType, name: string, why: string): ApiError {
  return new ApiError('Forbidden', `${qualified(type, name)} is forbidden: ${why}`, detailsOf(type, name))
}

export function badRequest(message: string): ApiError {
  return new ApiError('BadRequest', message)
}

/** 422 with one cause a field; `causes` is not empty. Equal causes are told once, as upstream. */
export function invalid(
  type: Pick<ResourceType, 'kind' | 'group'>,
  name: string,
  causes: readonly StatusCause[],
): ApiError {
  const texts = [...new Set(causes.map((cause) => `${cause.field}: ${cause.message}`))]
  const summary = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const qualifiedKind = type.group ? `${type.kind}.${type.group}` : type.kind
  return new ApiError('Invalid', `${qualifiedKind} "${name}" is invalid: ${summary}`, {
    name,
    ...(type.group && { group: type.group }),
    kind: type.kind,
    causes: [...causes],
  })
}
