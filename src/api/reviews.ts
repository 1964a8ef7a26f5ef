// Who may do what, and who asks: the reviews of the groups authorization.k8s.io and authentication.k8s.io, as far as
// clients ask them of themselves. Simplified: there is one user, and that one may do everything.

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
]

/** The user of kubeadm's admin.conf, in the group that may do everything. */
const USER = { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }

const STATUS_OF: Readonly<Record<string, unknown>> = {
  SelfSubjectAccessReview: { allowed: true },
  SelfSubjectRulesReview: {
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
  },
  SelfSubjectReview: { userInfo: USER },
}

/** The answer to a review; undefined when the path names none. */
export function serveReview(request: ApiRequest, path: ResourcePath | undefined): ApiResponse | undefined {
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
  checkAccessSpec(type.kind, spec)
  return jsonResponse(201, {
    kind: type.kind,
    apiVersion: `${type.group}/${type.version}`,
    metadata,
    ...(spec !== undefined && { spec }),
    status: STATUS_OF[type.kind],
  })
}

function checkAccessSpec(kind: string, spec: unknown): void {
  if (kind !== 'SelfSubjectAccessReview') return
  const has = (name: string) => isMap(spec) && spec[name] !== undefined
  if (has('resourceAttributes') !== has('nonResourceAttributes')) return
  throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified')
}
