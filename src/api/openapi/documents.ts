// /openapi/v3 (an index, and a document for each group and version) and /openapi/v2 (one document, in JSON or
// protobuf), with the caching that clients rely on: the index names documents by their hash, and what is named so
// never changes. Read first: operations.ts, definitions.ts.

import { sha256 } from '../../base/sha256.js'
import { KUBERNETES_VERSION } from '../../cluster/bootstrap.js'
import type { ApiRequest, ApiResponse } from '../request.js'
import { servedResources } from '../served-resources.js'
import { parameter } from '../target.js'
import { type Definition, definitions, type Schema } from './definitions.js'
import { encodeDocument } from './gnostic.js'
import { PATCH_PARAMETERS, type PatchOperation, patchOperations, rootOf } from './operations.js'

const INFO = { title: 'Kubernetes', version: KUBERNETES_VERSION }
/** What is named by its hash may be kept this long. */
const ONE_YEAR_SECONDS = 31_536_000

interface Document {
  readonly body: unknown
  readonly hash: string
}

/** The documents of a server, which are written when somebody asks for the first one. */
export class OpenApi {
  #written:
    | { readonly v2: Document; readonly binary: Uint8Array; readonly v3: Map<string, Document> }
    | undefined

  /** The answer for an OpenAPI path; undefined for any other. */
  serve(request: ApiRequest): ApiResponse | undefined {
    const [first, version, ...rest] = request.path.split('/').filter((part) => part !== '')
    if (first !== 'openapi' || (version !== 'v2' && version !== 'v3')) return undefined
    const { v2, binary, v3 } = (this.#written ??= write())
    if (version === 'v2') return rest.length > 0 ? undefined : serveV2(request, v2, binary)
    if (rest.length === 0) return cached(request, documentOf(index(v3)))
    const document = v3.get(rest.join('/'))
    return document === undefined ? undefined : cached(request, document)
  }
}

function write() {
  const operations = patchOperations(servedResources())
  const defined = definitions()
  const roots = [...new Set(operations.map(rootOf))]
  const v3 = roots.map((root) => {
    const own = operations.filter((operation) => rootOf(operation) === root)
    return [root, documentOf(documentV3(own, defined))] as const
  })
  return {
    v2: documentOf(documentV2(operations, defined)),
    binary: encodeDocument(INFO, operations, defined),
    v3: new Map(v3),
  }
}

function documentOf(body: unknown): Document {
  const hex = [...sha256(JSON.stringify(body))].map((byte) => byte.toString(16).padStart(2, '0'))
  return { body, hash: hex.join('').toUpperCase() }
}

function serveV2(request: ApiRequest, document: Document, binary: Uint8Array): ApiResponse {
  const answer = cached(request, document)
  const accept = request.headers?.['accept'] ?? ''
  if (answer.status !== 200 || !accept.includes('com.github.proto-openapi.spec.v2')) return answer
  const headers = {
    ...answer.headers,
    'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  }
  return { ...answer, headers, body: binary }
}

function index(documents: ReadonlyMap<string, Document>): unknown {
  const entries = [...documents].map(([root, { hash }]) => [
    root,
    { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` },
  ])
  return { paths: Object.fromEntries(entries) }
}

/** Each has all definitions that it refers to; which kinds are its own is told by its paths. */
function documentV3(operations: readonly PatchOperation[], all: readonly Definition[]): unknown {
  const paths = pathsOf(operations, (type) => ({ schema: { type } }))
  const schemas = schemasOf(reachable(operations, all), '#/components/schemas/')
  return { openapi: '3.0.0', info: INFO, paths, components: { schemas } }
}

function documentV2(operations: readonly PatchOperation[], all: readonly Definition[]): unknown {
  const paths = pathsOf(operations, (type) => ({ type }))
  return { swagger: '2.0', info: INFO, paths, definitions: schemasOf(all, '#/definitions/') }
}

function schemasOf(all: readonly Definition[], prefix: string): Record<string, unknown> {
  return Object.fromEntries(all.map(({ name, schema }) => [name, schemaOf(schema, prefix)]))
}

function schemaOf(schema: Schema, prefix: string): Record<string, unknown> {
  const { ref, items, properties, additionalProperties, extensions, ...rest } = schema
  const inner = (one: Schema) => schemaOf(one, prefix)
  return {
    ...rest,
    ...(ref !== undefined && { $ref: prefix + ref }),
    ...(items !== undefined && { items: inner(items) }),
    ...(additionalProperties !== undefined && { additionalProperties: inner(additionalProperties) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inner(one)])),
    }),
    ...extensions,
  }
}

/** The definitions of the kinds of `operations`, with those that they refer to. */
function reachable(operations: readonly PatchOperation[], all: readonly Definition[]): readonly Definition[] {
  const byName = new Map(all.map((definition) => [definition.name, definition]))
  const found = new Set<Definition>()
  const visit = ({ ref, items, properties = {}, additionalProperties }: Schema): void => {
    const definition = ref === undefined ? undefined : byName.get(ref)
    if (definition !== undefined && !found.has(definition)) {
      found.add(definition)
      visit(definition.schema)
    }
    for (const inner of [items, additionalProperties, ...Object.values(properties)])
      if (inner !== undefined) visit(inner)
  }
  for (const { name, schema } of all) {
    const kinds = (schema.extensions?.['x-kubernetes-group-version-kind'] ?? []) as readonly PatchOperation[]
    const isOwn = kinds.some(({ group, kind }) =>
      operations.some((operation) => operation.group === group && operation.kind === kind),
    )
    if (isOwn) visit({ ref: name })
  }
  return all.filter((definition) => found.has(definition))
}

/** The two versions differ in how a parameter tells its type. */
function pathsOf(operations: readonly PatchOperation[], typed: (type: string) => object): unknown {
  const parameters = PATCH_PARAMETERS.map(({ name, type }) => ({ name, in: 'query', ...typed(type) }))
  return Object.fromEntries(
    operations.map(({ path, group, version, kind }) => [
      path,
      {
        patch: {
          parameters,
          responses: { 200: { description: 'OK' } },
          'x-kubernetes-action': 'patch',
          'x-kubernetes-group-version-kind': { group, version, kind },
        },
      },
    ]),
  )
}

/** 200 with an ETag, or 304 for a client that has it; for good when the URL names the document by its hash. */
function cached(request: ApiRequest, { body, hash }: Document): ApiResponse {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    etag: `"${hash}"`,
    vary: 'Accept',
    ...(parameter(request, 'hash') === hash && {
      'cache-control': `public, immutable, max-age=${ONE_YEAR_SECONDS}`,
    }),
  }
  if (request.headers?.['if-none-match'] === headers['etag']) return { status: 304, headers, body: '' }
  return { status: 200, headers, body }
}
