// Who may do what, and who asks: the reviews of the groups authorization.k8s.io and authentication.k8s.io. Simplified:
// everybody whom the server knows may do everything, as with --authorization-mode=AlwaysAllow.

import { type ServiceAccountTokens, type UserInfo, userOf } from '../cluster/service-account-tokens.js'
import { badRequest } from '../cluster/status.js'
import { isMap } from './patch/json.js'
import type { ResourcePath } from './paths.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { jsonResponse, methodNotAllowed } from './status.js'

export interface ReviewType {
  readonly kind: string
  readonly plural: string
  readonly group: string
  readonly version: string
  readonly namespaced: boolean
}

const AUTHORIZATION = { group: 'authorization.k8s.io', version: 'v1', namespaced: false }
const AUTHENTICATION = { group: 'authentication.k8s.io', version: 'v1', namespaced: false }

export const REVIEW_TYPES: readonly ReviewType[] = [
  { kind: 'SelfSubjectAccessReview', plural: 'selfsubjectaccessreviews', ...AUTHORIZATION },
  { kind: 'SelfSubjectRulesReview', plural: 'selfsubjectrulesreviews', ...AUTHORIZATION },
  { kind: 'SelfSubjectReview', plural: 'selfsubjectreviews', ...AUTHENTICATION },
  { kind: 'TokenReview', plural: 'tokenreviews', ...AUTHENTICATION },
]

/** The user of kubeadm's admin.conf, in the group that may do everything. */
export const ADMINISTRATOR: UserInfo = {
  username: 'kubernetes-admin',
  groups: ['system:masters', 'system:authenticated'],
}

const EVERYTHING = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  incomplete: false,
}

/** The answer to a review; undefined when the path names none. */
export function serveReview(
  request: ApiRequest,
  path: ResourcePath | undefined,
  tokens: ServiceAccountTokens,
): ApiResponse | undefined {
  const type = REVIEW_TYPES.find(
    ({ plural, group, version }) =>
      path?.resource === plural && path.group === group && path.version === version,
  )
  if (type === undefined || path?.name !== undefined || path?.namespace !== undefined) return undefined
  if (request.method !== 'POST') throw methodNotAllowed()
  const { body } = request
  if (!isMap(body) || (body['kind'] ?? type.kind) !== type.kind)
    throw badRequest(`the body is not a ${type.kind}`)
  const { metadata = {}, spec } = body
  return jsonResponse(201, {
    kind: type.kind,
    apiVersion: `${type.group}/${type.version}`,
    metadata,
    ...(spec !== undefined && { spec }),
    status: statusOf(type.kind, request, spec, tokens),
  })
}

function statusOf(kind: string, request: ApiRequest, spec: unknown, tokens: ServiceAccountTokens): unknown {
  switch (kind) {
    case 'SelfSubjectAccessReview':
      checkAccessSpec(spec)
      return { allowed: true }
    case 'SelfSubjectRulesReview':
      return EVERYTHING
    case 'SelfSubjectReview':
      return { userInfo: request.user ?? ADMINISTRATOR }
    default:
      return reviewToken(spec, tokens)
  }
}

function checkAccessSpec(spec: unknown): void {
  const has = (name: string) => isMap(spec) && spec[name] !== undefined
  if (has('resourceAttributes') !== has('nonResourceAttributes')) return
  throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified')
}

/** TokenReviewStatus: whose a token is, for those of the audiences asked for that it is meant for. */
function reviewToken(spec: unknown, tokens: ServiceAccountTokens): unknown {
  const { token, audiences } = isMap(spec) ? spec : {}
  if (typeof token !== 'string' || token === '')
    throw badRequest('token is required for TokenReview in authentication')
  const wanted = Array.isArray(audiences) && audiences.length > 0 ? audiences.map(String) : [tokens.issuer]
  const claims = tokens.verify(token)
  if (claims === undefined) return { user: {}, error: 'invalid bearer token' }
  const common = wanted.filter((audience) => claims.aud.includes(audience))
  if (common.length > 0) return { authenticated: true, user: userOf(claims), audiences: common }
  const quoted = (texts: readonly string[]) => `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`
  const error = `token audiences ${quoted(claims.aud)} is invalid for the target audiences ${quoted(wanted)}`
  return { user: {}, error }
}
