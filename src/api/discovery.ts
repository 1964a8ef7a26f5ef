// Discovery: which groups, versions and resources the server has, in the legacy form that every client reads.

import { KUBERNETES_VERSION } from '../cluster/bootstrap.js'
import { apiVersionOf, RESOURCE_TYPES, type ResourceType } from '../cluster/resources.js'

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

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

/** The body for a discovery path; undefined for any other path. */
export function discover(path: string): unknown {
  const parts = path.split('/').filter((part) => part !== '')
  const groups = [...new Set(RESOURCE_TYPES.map(({ group }) => group))].filter((group) => group !== '')
  switch (parts.join('/')) {
    case 'version':
      return {
        major: KUBERNETES_VERSION.slice(1).split('.')[0],
        minor: KUBERNETES_VERSION.split('.')[1],
        gitVersion: KUBERNETES_VERSION,
        gitCommit: '',
        gitTreeState: 'clean',
        buildDate: '',
        goVersion: '',
        compiler: '',
        platform: 'linux/amd64',
      }
    case 'api':
      return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
    case 'apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) }
    case 'healthz':
    case 'livez':
    case 'readyz':
      return 'ok'
  }
  if (parts[0] === 'api' && parts.length === 2) return resourceListOf('', parts[1]!)
  if (parts[0] !== 'apis') return undefined
  if (parts.length === 2 && groups.includes(parts[1]!)) {
    return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(parts[1]!) }
  }
  return parts.length === 3 ? resourceListOf(parts[1]!, parts[2]!) : undefined
}

function groupOf(name: string): Record<string, unknown> {
  const versions = [
    ...new Set(RESOURCE_TYPES.filter((type) => type.group === name).map((type) => type.version)),
  ]
  const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: entries, preferredVersion: entries[0] }
}

function resourceListOf(group: string, version: string): unknown {
  const types = RESOURCE_TYPES.filter((type) => type.group === group && type.version === version)
  if (types.length === 0) return undefined
  const resources = types.flatMap(resourcesOf).sort((a, b) => (a.name < b.name ? -1 : 1))
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(types[0]!), resources }
}

/** The resource and its subresources. */
function resourcesOf(type: ResourceType): DiscoveredResource[] {
  const { plural, singular, namespaced, kind, shortNames, categories } = type
  const result: DiscoveredResource[] = [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs: VERBS,
      ...(shortNames.length > 0 && { shortNames }),
      ...(categories.length > 0 && { categories }),
    },
  ]
  const sub = (name: string, subKind: string, verbs: readonly string[], more = {}) =>
    result.push({ name: `${plural}/${name}`, singularName: '', namespaced, kind: subKind, verbs, ...more })
  if (type.subresources.includes('status')) sub('status', kind, ['get', 'patch', 'update'])
  if (type.subresources.includes('scale')) {
    sub('scale', 'Scale', ['get', 'patch', 'update'], { group: 'autoscaling', version: 'v1' })
  }
  if (plural === 'pods') {
    sub('log', 'Pod', ['get'])
    sub('exec', 'PodExecOptions', ['create', 'get'])
    sub('attach', 'PodAttachOptions', ['create', 'get'])
  }
  return result
}
