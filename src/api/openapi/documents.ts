// /openapi/v3 (an index, and a document for each group and version) and /openapi/v2 (one document, in JSON or
// protobuf), with the caching that clients rely on: the index names documents by their hash, and what is named so
// never changes. Read first: path-items.ts, definitions.ts.

import { sha256 } from '../../base/sha256.js'
import { KUBERNETES_VERSION } from '../../cluster/bootstrap.js'
import type { ApiRequest, ApiResponse } from '../request.js'
import { type ServedResource, servedResources } from '../served-resources.js'
import { parameter } from '../target.js'
import { type Definition, definitions, type Schema } from './definitions.js'
import { encodeDocument } from './gnostic.js'
import { patchOperations, rootOf } from './operations.js'
import { type Dialect, pathItems } from './path-items.js'

const INFO = { title: 'Kubernetes', version: KUBERNETES_VERSION }
/** What is named by its hash may be kept this long. */
const ONE_YEAR_SECONDS = 31_536_000

const SCHEMAS_V2 = '#/definitions/'
const V2: Dialect = {
  typed: (type) => ({ type }),
  body: (name) => ({
    parameters: [{ name: 'body', in: 'body', required: true, schema: { $ref: SCHEMAS_V2 + name } }],
  }),
  answer: (name) => ({ schema: { $ref: SCHEMAS_V2 + name } }),
}
const SCHEMAS_V3 = '#/components/schemas/'
const V3: Dialect = {
  typed: (type) => ({ schema: { type } }),
  body: (name) => ({ requestBody: { required: true, content: jsonOf(name) } }),
  answer: (name) => ({ content: jsonOf(name) }),
}

function jsonOf(name: string): object {
  return { 'application/json': { schema: { $ref: SCHEMAS_V3 + name } } }
}

type Kind = Pick<ServedResource, 'group' | 'version' | 'kind'>

interface Document {
  readonly body: unknown
  readonly hash: string
}

/** The documents of a server; those of a version are written when somebody asks for the first one. */
export class OpenApi {
  #v2: { readonly document: Document; readonly binary: Uint8Array } | undefined
  #v3: ReadonlyMap<string, Document> | undefined

  /** The answer for an OpenAPI path; undefined for any other. */
  serve(request: ApiRequest): ApiResponse | undefined {
    const [first, version, ...rest] = request.path.split('/').filter((part) => part !== '')
    if (first !== 'openapi' || (version !== 'v2' && version !== 'v3')) return undefined
    if (version === 'v2') {
      if (rest.length > 0) return undefined
      const { document, binary } = (this.#v2 ??= writeV2())
      return serveV2(request, document, binary)
    }
    const v3 = (this.#v3 ??= writeV3())
    if (rest.length === 0) return cached(request, documentOf(index(v3)))
    const document = v3.get(rest.join('/'))
    return document === undefined ? undefined : cached(request, document)
  }
}

function writeV2() {
  const resources = servedResources()
  const defined = definitions()
  const binary = encodeDocument(INFO, patchOperations(resources), defined)
  return { document: documentOf(documentV2(resources, defined)), binary }
}

function writeV3(): ReadonlyMap<string, Document> {
  const resources = servedResources()
  const defined = definitions()
  const roots = [...new Set(resources.map(rootOf))]
  return new Map(
    roots.map((root) => {
      const own = resources.filter((resource) => rootOf(resource) === root)
      return [root, documentOf(documentV3(own, defined))]
    }),
  )
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
function documentV3(resources: readonly ServedResource[], all: readonly Definition[]): unknown {
  const paths = pathItems(resources, definitionsByKind(all), V3)
  const schemas = schemasOf(reachable(resources, all), SCHEMAS_V3)
  return { openapi: '3.0.0', info: INFO, paths, components: { schemas } }
}

function documentV2(resources: readonly ServedResource[], all: readonly Definition[]): unknown {
  const paths = pathItems(resources, definitionsByKind(all), V2)
  return { swagger: '2.0', info: INFO, paths, definitions: schemasOf(all, SCHEMAS_V2) }
}

/** The name of a kind's definition. */
function definitionsByKind(all: readonly Definition[]): (resource: Kind) => string | undefined {
  const names = new Map(
    all.flatMap(({ name, schema }) => kindsOf(schema).map((kind) => [textOf(kind), name])),
  )
  return (resource) => names.get(textOf(resource))
}

function kindsOf({ extensions }: Schema): readonly Kind[] {
  return (extensions?.['x-kubernetes-group-version-kind'] ?? []) as readonly Kind[]
}

function textOf({ group, version, kind }: Kind): string {
  return [group, version, kind].join('/')
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

/** The definitions of the kinds of `resources`, with those that they refer to. */
function reachable(resources: readonly ServedResource[], all: readonly Definition[]): readonly Definition[] {
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
    const isOwn = kindsOf(schema).some((kind) =>
      resources.some((resource) => textOf(resource) === textOf(kind)),
    )
    if (isOwn) visit({ ref: name })
  }
  return all.filter((definition) => found.has(definition))
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
