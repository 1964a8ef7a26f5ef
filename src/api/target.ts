// What a request is about, and what the API layer works on. Read first: paths.ts.

import type { Admission } from '../cluster/admission.js'
import type { KubeObject } from '../cluster/objects.js'
import { RESOURCE_TYPES, type ResourceType } from '../cluster/resources.js'
import { notFound } from '../cluster/status.js'
import type { ObjectStore } from '../cluster/store.js'
import { parseResourcePath, type ResourcePath } from './paths.js'
import type { ApiRequest } from './request.js'
import { unknownPath } from './status.js'

/** How objects get into the store: with defaults, validation and allocation. */
export type ObjectWriter = Pick<Admission, 'create' | 'update' | 'delete' | 'bind'>

/** A resource, a collection or one object of it. */
export interface Target {
  readonly type: ResourceType
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/** Fails with NotFound for a path that names no resource that is served. */
export function targetOf(path: string): Target {
  const parsed = parseResourcePath(path)
  const type = RESOURCE_TYPES.find(
    ({ plural, group, version }) =>
      plural === parsed?.resource && group === parsed.group && version === parsed.version,
  )
  if (parsed === undefined) throw unknownPath()
  if (type === undefined) throw unknownPath(qualifiedName(parsed))
  const { namespace, name, subresource } = parsed
  if (!type.namespaced && namespace !== undefined) throw unknownPath()
  if (type.namespaced && namespace === undefined && name !== undefined) throw unknownPath()
  return { type, namespace, name, subresource }
}

/** `cronjobs.batch/v1beta1`, `persistentvolumes/v1`. */
function qualifiedName({ group, version, resource }: ResourcePath): string {
  return `${resource}${group === '' ? '' : `.${group}`}/${version}`
}

/** The collection of a namespaced resource in all namespaces, which can only be read. */
export function isOutsideNamespaces({ type, namespace }: Target): boolean {
  return type.namespaced && namespace === undefined
}

/** The object that the target names; fails with NotFound. */
export function existing<Obj extends KubeObject>(store: ObjectStore, target: Target): Obj {
  const name = target.name ?? ''
  const object = store.get<Obj>(target.type.plural, target.namespace, name)
  if (object === undefined) throw notFound(target.type, name)
  return object
}

/** A query parameter; the first one when it is given several times (apimachinery's conversion). */
export function parameter(request: ApiRequest, name: string): string | undefined {
  const value = request.query?.[name]
  return typeof value === 'string' || value === undefined ? value : value[0]
}

export function flag(request: ApiRequest, name: string): boolean {
  return isSet(parameter(request, name))
}

/** A flag in a query: anything but `false`, in any case, and `0` is true, the bare name too (apimachinery's conversion). */
export function isSet(value: string | null | undefined): boolean {
  return value !== null && value !== undefined && value !== '0' && value.toLowerCase() !== 'false'
}
