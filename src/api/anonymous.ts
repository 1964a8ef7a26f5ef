// What somebody without credentials gets: the role system:public-info-viewer, and for everything else upstream's refusal.

import type { UserInfo } from '../cluster/service-account-tokens.js'
import { parseResourcePath } from './paths.js'
import type { Status } from './request.js'
import { failure } from './status.js'

export const ANONYMOUS: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] }

const PUBLIC = /^\/(healthz|livez|readyz|version)\/?$/
const USER = 'User "system:anonymous"'

/** Why a request is refused; undefined when it is not. `method` as in HTTP, `path` without its query. */
export function anonymousRefusal(method: string, path: string): Status | undefined {
  const target = parseResourcePath(path)
  if (target === undefined) {
    if ((method === 'GET' || method === 'HEAD') && PUBLIC.test(path)) return undefined
    return failure(
      403,
      'Forbidden',
      `forbidden: ${USER} cannot ${method.toLowerCase()} path ${JSON.stringify(path)}`,
    )
  }
  const { group, resource, namespace, name, subresource } = target
  const what = subresource === undefined ? resource : `${resource}/${subresource}`
  const named = name === undefined ? what : `${what} ${JSON.stringify(name)}`
  const where =
    namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const can = `cannot ${verb(method, name)} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)}`
  const message = `${displayed(resource, group, named, what)} is forbidden: ${USER} ${can} ${where}`
  const { code, ...status } = failure(403, 'Forbidden', message)
  const details = { ...(name !== undefined && { name }), ...(group !== '' && { group }), kind: resource }
  return { ...status, details, ...(code !== undefined && { code }) }
}

/** `pods`, `deployments.apps "web"`. */
function displayed(resource: string, group: string, named: string, what: string): string {
  if (group === '') return named
  return `${resource}.${group}${named.slice(what.length)}`
}

function verb(method: string, name: string | undefined): string {
  switch (method) {
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete'
    default:
      return name === undefined ? 'list' : 'get'
  }
}
