// The options of a write: dryRun and fieldValidation from the query, and what is to become of a deleted object from
// the body or the query.

import type { DeleteOptions, WriteOptions } from '../cluster/admission.js'
import { badRequest } from '../cluster/status.js'
import { isMap, type JsonMap } from './patch/json.js'
import type { ApiRequest, Verb } from './request.js'
import { optionError } from './status.js'
import { flag, parameter } from './target.js'

const KINDS: Readonly<Record<Verb, string>> = {
  GET: 'GetOptions',
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
}

/** What upstream calls the options of this request. */
function optionsKind({ method }: ApiRequest): string {
  return KINDS[method]
}

/** Options of a write; `warnings` collects what the client is to hear besides. */
export function writeOptions(request: ApiRequest, warnings: string[]): WriteOptions {
  const validation = parameter(request, 'fieldValidation') || 'Warn'
  if (validation !== 'Strict' && validation !== 'Warn' && validation !== 'Ignore') {
    throw optionError(optionsKind(request), (errors) =>
      errors.supported('fieldValidation', validation, ['Ignore', 'Strict', 'Warn']),
    )
  }
  return {
    dryRun: isDryRun(request),
    fieldValidation: validation,
    onWarning: (text) => warnings.push(text),
  }
}

/** Fails with Invalid for anything but All. */
export function isDryRun(request: ApiRequest): boolean {
  const value = parameter(request, 'dryRun')
  if (value !== undefined && value !== '' && value !== 'All') {
    throw optionError(optionsKind(request), (errors) => errors.supported('dryRun', value, ['All']))
  }
  return value === 'All'
}

const POLICIES: readonly string[] = ['Orphan', 'Background', 'Foreground']

/** DeleteOptions from the body, or else from the query. Fails with Invalid or BadRequest. */
export function deleteOptions(request: ApiRequest): DeleteOptions {
  const body = isMap(request.body) ? request.body : {}
  if ((body['kind'] ?? 'DeleteOptions') !== 'DeleteOptions')
    throw badRequest('decoded object cannot be converted to DeleteOptions')
  const policy = body['propagationPolicy'] ?? parameter(request, 'propagationPolicy')
  const orphan = body['orphanDependents'] === true || flag(request, 'orphanDependents')
  if (policy !== undefined && policy !== null && !POLICIES.includes(String(policy))) {
    throw optionError(optionsKind(request), (errors) =>
      errors.supported('propagationPolicy', String(policy), [...POLICIES, 'nil']),
    )
  }
  const gracePeriodSeconds = gracePeriodOf(
    body['gracePeriodSeconds'] ?? parameter(request, 'gracePeriodSeconds'),
  )
  return {
    dryRun: isDryRun(request) || (Array.isArray(body['dryRun']) && body['dryRun'].includes('All')),
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(typeof policy === 'string' && { propagationPolicy: policy as Policy }),
    ...(orphan && { propagationPolicy: 'Orphan' as const }),
    ...(isMap(body['preconditions']) && { preconditions: preconditionsOf(body['preconditions']) }),
  }
}

type Policy = NonNullable<DeleteOptions['propagationPolicy']>

/** Negative ones count as 1, as upstream. */
function gracePeriodOf(given: unknown): number | undefined {
  if (given === undefined || given === null) return undefined
  const seconds = Number(given)
  if (!Number.isInteger(seconds))
    throw badRequest(`gracePeriodSeconds is not a whole number: ${JSON.stringify(given)}`)
  return seconds < 0 ? 1 : seconds
}

function preconditionsOf({ uid, resourceVersion }: JsonMap): NonNullable<DeleteOptions['preconditions']> {
  return {
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  }
}
