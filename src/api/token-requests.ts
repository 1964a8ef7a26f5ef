// serviceaccounts/token: a token for an account, as `kubectl create token` and kubelets ask for it. Who shows one is
// that account. Source: pkg/registry/core/serviceaccount/storage/token.go.

import { FieldErrors } from '../cluster/field-errors.js'
import type { Pod, ServiceAccount } from '../cluster/objects.js'
import { knownResource } from '../cluster/resources.js'
import type { ServiceAccountTokens } from '../cluster/service-account-tokens.js'
import { badRequest, conflict, invalid, notFound } from '../cluster/status.js'
import type { ObjectStore } from '../cluster/store.js'
import { isMap, type JsonMap } from './patch/json.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { jsonResponse } from './status.js'
import { existing, type Target } from './target.js'
import { isDryRun } from './write-options.js'

const KIND = 'TokenRequest'
const GROUP = 'authentication.k8s.io'
const DEFAULT_SECONDS = 3600
const LEAST_SECONDS = 600
const MOST_SECONDS = 2 ** 32

export function requestToken(
  store: ObjectStore,
  tokens: ServiceAccountTokens,
  request: ApiRequest,
  target: Target,
): ApiResponse {
  const account = existing<ServiceAccount>(store, target)
  const body = isMap(request.body) ? request.body : {}
  if ((body['kind'] ?? KIND) !== KIND) throw badRequest(`the body is not a ${KIND}`)
  const { name, namespace = '' } = account.metadata
  const spec = isMap(body['spec']) ? body['spec'] : {}
  const seconds = secondsOf(spec, name)
  const audiences = audiencesOf(spec) ?? [tokens.issuer]
  const boundObjectRef = isMap(spec['boundObjectRef']) ? spec['boundObjectRef'] : undefined
  const pod = boundObjectRef && boundPod(store, account, boundObjectRef)
  const issued = isDryRun(request)
    ? undefined
    : tokens.issue(account, { audiences, seconds, ...(pod && { pod }) })
  return jsonResponse(201, {
    kind: KIND,
    apiVersion: `${GROUP}/v1`,
    metadata: { name, namespace },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: boundObjectRef ?? null },
    status: issued ?? { token: '', expirationTimestamp: null },
  })
}

function secondsOf(spec: JsonMap, name: string): number {
  const seconds = spec['expirationSeconds'] ?? DEFAULT_SECONDS
  if (!Number.isInteger(seconds)) throw badRequest('spec.expirationSeconds is not a whole number')
  const errors = new FieldErrors()
  const field = 'spec.expirationSeconds'
  if (Number(seconds) < LEAST_SECONDS)
    errors.invalid(field, Number(seconds), 'may not specify a duration less than 10 minutes')
  if (Number(seconds) > MOST_SECONDS)
    errors.invalid(field, Number(seconds), 'may not specify a duration larger than 2^32 seconds')
  if (errors.causes.length > 0) throw invalid({ kind: KIND, group: GROUP }, name, errors.causes)
  return Number(seconds)
}

/** Undefined when nothing is said. */
function audiencesOf({ audiences }: JsonMap): string[] | undefined {
  if (audiences === undefined || audiences === null) return undefined
  if (!Array.isArray(audiences) || !audiences.every((one) => typeof one === 'string'))
    throw badRequest('spec.audiences is not a list of texts')
  return audiences.length === 0 ? undefined : (audiences as string[])
}

/** The pod with which the token is to end. */
function boundPod(
  store: ObjectStore,
  { metadata: { name: account, namespace } }: ServiceAccount,
  reference: JsonMap,
): { name: string; uid: string } {
  const { kind, name = '', uid: wanted } = reference
  if (kind !== 'Pod' || typeof name !== 'string')
    throw badRequest(`cannot bind token to object of type ${String(kind)}, but to a Pod`)
  const type = knownResource('pods')
  const pod = store.get<Pod>('pods', namespace, name)
  if (pod === undefined) throw notFound(type, name)
  if (pod.spec.serviceAccountName !== account)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    )
  const { uid = '' } = pod.metadata
  if (wanted && wanted !== uid)
    throw conflict(
      type,
      name,
      `the UID in the bound object reference (${String(wanted)}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  return { name, uid }
}
