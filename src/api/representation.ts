// How a client wants its objects, by its Accept header: whole, as rows of a Table, or their metadata alone, in JSON or
// YAML. Whoever sends the answer writes its text.

import type { KubeObject } from '../cluster/objects.js'
import { apiVersionOf, type ResourceType } from '../cluster/resources.js'
import type { ApiRequest } from './request.js'
import { notAcceptable, optionError } from './status.js'
import { type IncludeObject, tableOf } from './tables.js'
import { parameter } from './target.js'

export type Representation = 'Object' | 'Table' | 'PartialObjectMetadata'

export type MediaType = 'application/json' | 'application/yaml'

const MEDIA_TYPES: readonly MediaType[] = ['application/json', 'application/yaml']
const RANGES: Readonly<Record<string, MediaType>> = {
  'application/json': 'application/json',
  'application/yaml': 'application/yaml',
  'application/*': 'application/json',
  '*/*': 'application/json',
}
const INCLUDE: readonly string[] = ['None', 'Metadata', 'Object'] satisfies readonly IncludeObject[]

/** The first one in the Accept header that there is as one of `types`; a RequestError NotAcceptable when there is none. */
export function representationOf(
  request: ApiRequest,
  types: readonly MediaType[] = MEDIA_TYPES,
): Representation {
  const accepted = acceptedBy(request.headers?.['accept'], types)
  if (accepted === undefined) throw notAcceptable(types)
  return accepted.representation
}

/** That of the same one; JSON when there is none. */
export function mediaTypeOf(accept: string | undefined): MediaType {
  return acceptedBy(accept, MEDIA_TYPES)?.mediaType ?? 'application/json'
}

interface Accepted {
  readonly mediaType: MediaType
  readonly representation: Representation
}

function acceptedBy(accept = '', types: readonly MediaType[]): Accepted | undefined {
  if (accept.trim() === '') return { mediaType: 'application/json', representation: 'Object' }
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const mediaType = Object.hasOwn(RANGES, type) ? RANGES[type] : undefined
    if (mediaType === undefined || !types.includes(mediaType)) continue
    const as = parameters.find((part) => part.startsWith('as='))?.slice('as='.length)
    if (as === undefined) return { mediaType, representation: 'Object' }
    if (!parameters.includes('g=meta.k8s.io') || !parameters.includes('v=v1')) continue
    if (as === 'Table') return { mediaType, representation: as }
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
      return { mediaType, representation: 'PartialObjectMetadata' }
  }
  return undefined
}

export function partialOf({ metadata }: KubeObject): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

/** One object as the client wants it; `resource`: its plural name. */
export function representObject(
  request: ApiRequest,
  resource: string,
  object: KubeObject,
  now: number,
): unknown {
  switch (representationOf(request)) {
    case 'Object':
      return object
    case 'PartialObjectMetadata':
      return partialOf(object)
    case 'Table': {
      const metadata = { resourceVersion: object.metadata.resourceVersion }
      const options = { include: includeObject(request), now, metadata, withColumns: true }
      return tableOf(resource, [object], options)
    }
  }
}

/** A list of objects as the client wants it; `metadata` is its ListMeta. */
export function representList(
  request: ApiRequest,
  type: ResourceType,
  {
    objects,
    metadata,
  }: { readonly objects: readonly KubeObject[]; readonly metadata: Record<string, unknown> },
  now: number,
): unknown {
  switch (representationOf(request)) {
    case 'Object':
      return {
        kind: `${type.kind}List`,
        apiVersion: apiVersionOf(type),
        metadata,
        // Items of a list leave apiVersion and kind out.
        items: objects.map(({ apiVersion: _version, kind: _kind, ...rest }) => rest),
      }
    case 'PartialObjectMetadata': {
      const items = objects.map(partialOf)
      return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items }
    }
    case 'Table':
      return tableOf(type.plural, objects, {
        include: includeObject(request),
        now,
        metadata,
        withColumns: true,
      })
  }
}

/** What rows carry beside their cells. */
export function includeObject(request: ApiRequest): IncludeObject {
  const value = parameter(request, 'includeObject') || 'Metadata'
  if (!INCLUDE.includes(value)) {
    throw optionError('TableOptions', (errors) => errors.supported('includeObject', value, INCLUDE))
  }
  return value as IncludeObject
}
