// Things done to a pod by creating an object that is not kept: pods/binding here, pods/eviction in eviction.ts.

import type { Pod } from '../cluster/objects.js'
import { ApiError, badRequest, conflict } from '../cluster/status.js'
import type { ObjectStore } from '../cluster/store.js'
import { isMap } from './patch/json.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { jsonResponse } from './status.js'
import { existing, type ObjectWriter, type Target } from './target.js'
import { isDryRun } from './write-options.js'

/** Puts a pod on a node, as a scheduler does. */
export function bindPod(
  store: ObjectStore,
  writer: ObjectWriter,
  request: ApiRequest,
  target: Target,
): ApiResponse {
  const pod = existing<Pod>(store, target)
  const node = actionOf(request, target, 'Binding')['target']
  if (!isMap(node) || typeof node['name'] !== 'string' || node['name'] === '') {
    throw badRequest('the body is not a Binding to a node: target.name is required')
  }
  const { name } = pod.metadata
  if (pod.spec.nodeName) {
    throw conflict(
      target.type,
      name,
      `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`,
    )
  }
  if (!isDryRun(request)) writer.bind(pod, node['name'])
  return done()
}

/** The body of such a request, which must be of `kind` and for the pod on the URL. */
export function actionOf(request: ApiRequest, target: Target, kind: string): Record<string, unknown> {
  const { body = {} } = request
  if (!isMap(body) || (body['kind'] ?? kind) !== kind) throw badRequest(`the body is not a ${kind}`)
  const name = isMap(body['metadata']) ? body['metadata']['name'] : undefined
  if (name !== undefined && name !== target.name) {
    throw new ApiError('BadRequest', 'name in URL does not match name in Eviction object')
  }
  return body
}

export function done(): ApiResponse {
  return jsonResponse(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}
