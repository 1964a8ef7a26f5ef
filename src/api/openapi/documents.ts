// /openapi/v3 (an index, and a document for each group and version) and /openapi/v2 (one document, in JSON or
// protobuf), with the caching that clients rely on: the index names documents by their hash, and what is named so
// never changes. Read first: operations.ts.

import { sha256 } from '../../base/sha256.js'
import { KUBERNETES_VERSION } from '../../cluster/bootstrap.js'
import type { ApiRequest, ApiResponse } from '../request.js'
import { servedResources } from '../served-resources.js'
import { parameter } from '../target.js'
import { encodeDocument } from './gnostic.js'
import { PATCH_PARAMETERS, type PatchOperation, patchOperations, rootOf } from './operations.js'

const INFO = { title: 'Kubernetes', version: KUBERNETES_VERSION }
/** What is named by its hash may be kept this long. */
const ONE_YEAR_SECONDS = 31_536_000

/** The answer for an OpenAPI path; undefined for any other. */
export function serveOpenApi(request: ApiRequest): ApiResponse | undefined {
  const [first, version, ...rest] = request.path.split('/').filter((part) => part !== '')
  if (first !== 'openapi') return undefined
  const operations = patchOperations(servedResources())
  if (version === 'v2' && rest.length === 0) return serveV2(request, operations)
  if (version !== 'v3') return undefined
  if (rest.length === 0) return cached(request, index(operations))
  const own = operations.filter((operation) => rootOf(operation) === rest.join('/'))
  return own.length === 0 ? undefined : cached(request, documentV3(own))
}

function serveV2(request: ApiRequest, operations: readonly PatchOperation[]): ApiResponse {
  const accept = request.headers?.['accept'] ?? ''
  const answer = cached(request, documentV2(operations))
  if (answer.status !== 200 || !accept.includes('com.github.proto-openapi.spec.v2')) return answer
  const headers = {
    ...answer.headers,
    'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  }
  return { ...answer, headers, body: encodeDocument(INFO, operations) }
}

function index(operations: readonly PatchOperation[]): unknown {
  const roots = [...new Set(operations.map(rootOf))]
  const entries = roots.map((root) => {
    const hash = hashOf(documentV3(operations.filter((operation) => rootOf(operation) === root)))
    return [root, { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` }]
  })
  return { paths: Object.fromEntries(entries) }
}

function documentV3(operations: readonly PatchOperation[]): unknown {
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: pathsOf(operations, (type) => ({ schema: { type } })),
    components: {},
  }
}

function documentV2(operations: readonly PatchOperation[]): unknown {
  return { swagger: '2.0', info: INFO, paths: pathsOf(operations, (type) => ({ type })), definitions: {} }
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

function hashOf(document: unknown): string {
  const hex = [...sha256(JSON.stringify(document))].map((byte) => byte.toString(16).padStart(2, '0'))
  return hex.join('').toUpperCase()
}

/** 200 with an ETag, or 304 for a client that has it; for good when the URL names the document by its hash. */
function cached(request: ApiRequest, document: unknown): ApiResponse {
  const hash = hashOf(document)
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    etag: `"${hash}"`,
    vary: 'Accept',
    ...(parameter(request, 'hash') === hash && {
      'cache-control': `public, immutable, max-age=${ONE_YEAR_SECONDS}`,
    }),
  }
  if (request.headers?.['if-none-match'] === headers['etag']) return { status: 304, headers, body: '' }
  return { status: 200, headers, body: document }
}
