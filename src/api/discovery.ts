// Discovery: which groups, versions and resources the server has, in the legacy form that every client reads and in
// the aggregated one (apidiscovery.k8s.io) that kubectl asks for since 1.27. Read first: served-resources.ts.

import type { ApiRequest, ApiResponse } from './request.js'
import { groupsOf, type ServedResource, servedResources, versionsOf } from './served-resources.js'
import { jsonResponse } from './status.js'

/** An entry of APIResourceList. */
export interface DiscoveredResource {
  readonly name: string
  readonly singularName: string
  readonly namespaced: boolean
  readonly kind: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly group?: string
  readonly version?: string
}

/** The answer for a discovery path; undefined for any other path. */
export function discover(request: ApiRequest): ApiResponse | undefined {
  const parts = request.path.split('/').filter((part) => part !== '')
  const [root, group, version] = parts
  if ((root !== 'api' && root !== 'apis') || parts.length > 3) return undefined
  const resources = servedResources()
  if (parts.length === 1)
    return aggregated(request, root, resources) ?? jsonResponse(200, groupList(root, resources))
  const body = root === 'api' ? versionOf(parts, resources) : groupOrVersion(group!, version, resources)
  return body === undefined ? undefined : jsonResponse(200, body)
}

function groupList(root: 'api' | 'apis', resources: readonly ServedResource[]): unknown {
  if (root === 'api') {
    return { kind: 'APIVersions', versions: versionsOf(resources, ''), serverAddressByClientCIDRs: [] }
  }
  const groups = groupsOf(resources).filter((group) => group !== '')
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => groupOf(group, resources)) }
}

function versionOf(parts: readonly string[], resources: readonly ServedResource[]): unknown {
  return parts.length === 2 ? resourceListOf('', parts[1]!, resources) : undefined
}

function groupOrVersion(
  group: string,
  version: string | undefined,
  resources: readonly ServedResource[],
): unknown {
  if (group === '' || !groupsOf(resources).includes(group)) return undefined
  if (version !== undefined) return resourceListOf(group, version, resources)
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group, resources) }
}

function groupOf(name: string, resources: readonly ServedResource[]): Record<string, unknown> {
  const entries = versionsOf(resources, name).map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }))
  return { name, versions: entries, preferredVersion: entries[0] }
}

function resourceListOf(group: string, version: string, all: readonly ServedResource[]): unknown {
  const resources = all.filter((resource) => resource.group === group && resource.version === version)
  if (resources.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: resources.flatMap(entriesOf),
  }
}

/** The resource and its subresources. */
function entriesOf(resource: ServedResource): DiscoveredResource[] {
  const { plural, singular, namespaced, kind, shortNames, categories, verbs } = resource
  const own = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  }
  const subs = resource.subresources.map(({ name, ...sub }) => ({
    name: `${plural}/${name}`,
    singularName: '',
    namespaced,
    ...sub,
  }))
  return [own, ...subs]
}

/** The aggregated form, when the client prefers it; the Content-Type is how clients tell it from the legacy one. */
function aggregated(
  request: ApiRequest,
  root: 'api' | 'apis',
  resources: readonly ServedResource[],
): ApiResponse | undefined {
  const version = acceptedVersion(request.headers?.['accept'] ?? '')
  if (version === undefined) return undefined
  const groups = groupsOf(resources).filter((group) => (group === '') === (root === 'api'))
  return {
    status: 200,
    headers: {
      'content-type': `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      vary: 'Accept',
    },
    body: {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map((group) => groupDiscovery(group, resources)),
    },
  }
}

/** The version of the aggregated form that stands first in the Accept header, before plain JSON. */
function acceptedVersion(accept: string): 'v2' | 'v2beta1' | undefined {
  for (const range of accept.split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim())
    if (type !== 'application/json') continue
    if (!parameters.includes('as=APIGroupDiscoveryList')) return undefined
    if (!parameters.includes('g=apidiscovery.k8s.io')) continue
    if (parameters.includes('v=v2')) return 'v2'
    if (parameters.includes('v=v2beta1')) return 'v2beta1'
  }
  return undefined
}

function groupDiscovery(group: string, resources: readonly ServedResource[]): unknown {
  const versions = versionsOf(resources, group).map((version) => ({
    version,
    freshness: 'Current',
    resources: resources
      .filter((resource) => resource.group === group && resource.version === version)
      .map(resourceDiscovery),
  }))
  return { metadata: group === '' ? {} : { name: group }, versions }
}

function resourceDiscovery(resource: ServedResource): unknown {
  const { plural, singular, namespaced, kind, group, version, shortNames, categories, verbs } = resource
  const subresources = resource.subresources.map((sub) => ({
    subresource: sub.name,
    responseKind: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind },
    verbs: sub.verbs,
  }))
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(subresources.length > 0 && { subresources }),
  }
}
