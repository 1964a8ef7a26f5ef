// Names of resource types as users write them (`po`, `pods`, `Pod`, `deployments.apps`), resolved by the server's
// discovery as the real kubectl does.

import type { Api } from '../api/request.js'
import { clientError } from './errors.js'

export interface KubectlResource {
  readonly group: string
  readonly version: string
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

interface ResourceList {
  readonly groupVersion: string
  readonly resources: readonly {
    readonly name: string
    readonly singularName: string
    readonly kind: string
    readonly namespaced: boolean
    readonly verbs: readonly string[]
    readonly shortNames?: readonly string[]
    readonly categories?: readonly string[]
  }[]
}

export class ResourceMapper {
  /** Core first, then the groups in the server's order. */
  readonly all: readonly KubectlResource[]

  constructor(api: Api) {
    const read = (path: string) => api.request({ method: 'GET', path }).body
    const groups = (read('/apis') as { groups: { preferredVersion: { groupVersion: string } }[] }).groups
    const paths = ['/api/v1', ...groups.map((group) => `/apis/${group.preferredVersion.groupVersion}`)]
    this.all = paths.flatMap((path) => resourcesOf(read(path) as ResourceList))
  }

  /** Fails as kubectl does when the server has no such type. */
  find(name: string): KubectlResource {
    const found = this.tryFind(name)
    if (found === undefined) throw clientError(`the server doesn't have a resource type "${name}"`)
    return found
  }

  tryFind(name: string): KubectlResource | undefined {
    const [word = '', ...rest] = name.toLowerCase().split('.')
    const suffix = rest.join('.')
    return this.all.find(
      ({ plural, singular, shortNames, group, version }) =>
        (plural === word || singular === word || shortNames.includes(word)) &&
        (suffix === '' || suffix === group || suffix === `${version}.${group}` || suffix === `${version}.`),
    )
  }

  /** Types of a category (`all`), in the order in which kubectl prints them; undefined when there is none. */
  category(name: string): KubectlResource[] | undefined {
    const found = this.all.filter(({ categories }) => categories.includes(name))
    return found.length === 0 ? undefined : found
  }

  /** The type of an object. */
  ofKind(apiVersion: string, kind: string): KubectlResource | undefined {
    return this.all.find((resource) => resource.apiVersion === apiVersion && resource.kind === kind)
  }
}

function resourcesOf(list: ResourceList): KubectlResource[] {
  const at = list.groupVersion.lastIndexOf('/')
  const group = at < 0 ? '' : list.groupVersion.slice(0, at)
  const version = list.groupVersion.slice(at + 1)
  return list.resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, singularName, kind, namespaced, verbs, shortNames = [], categories = [] }) => ({
      group,
      version,
      apiVersion: list.groupVersion,
      kind,
      plural: name,
      singular: singularName || kind.toLowerCase(),
      shortNames,
      categories,
      namespaced,
      verbs,
    }))
}

/** `deployment.apps/web`, `pod/curl`: how results name an object. */
export function objectName(resource: KubectlResource, name: string): string {
  return `${typeName(resource)}/${name}`
}

/** `deployment.apps`, `pod`. */
export function typeName({ singular, group }: KubectlResource): string {
  return group === '' ? singular : `${singular}.${group}`
}
