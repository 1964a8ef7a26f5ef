// The scale subresource: `autoscaling/v1` Scale over Deployments, ReplicaSets, ReplicationControllers, StatefulSets.

import { FieldErrors } from '../cluster/field-errors.js'
import type { Deployment, LabelSelector, ObjectMeta, ReplicaSet } from '../cluster/objects.js'
import { type ReplicationController, withLabelSelector } from '../cluster/replication-controllers.js'
import { badRequest, conflict, invalid } from '../cluster/status.js'
import type { ObjectStore } from '../cluster/store.js'
import type { StatefulSet } from '../cluster/workload-objects.js'
import { isMap } from './patch/json.js'
import type { Scale } from './printers/scale.js'
import { formatSelector } from './printers/workload.js'
import { representObject } from './representation.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { jsonResponse, methodNotAllowed, unknownPath } from './status.js'
import { existing, type ObjectWriter, type Target } from './target.js'
import { isDryRun } from './write-options.js'
import { applyPatch } from './writes.js'

type Scalable = Deployment | ReplicaSet | ReplicationController | StatefulSet

export function serveScale(
  store: ObjectStore,
  writer: ObjectWriter,
  request: ApiRequest,
  target: Target,
  unixMillis: number,
): ApiResponse {
  if (!target.type.subresources.includes('scale')) throw unknownPath()
  const object = existing<Scalable>(store, target)
  if (request.method === 'GET')
    return jsonResponse(200, representObject(request, 'scales', scaleOf(object), unixMillis))
  if (request.method !== 'PUT' && request.method !== 'PATCH') throw methodNotAllowed()
  const scale = request.method === 'PUT' ? request.body : applyPatch(scaleOf(object), request, 'Scale')
  if (!isMap(scale) || !isMap(scale['spec'])) throw badRequest('the body is not a Scale')
  const given = isMap(scale['metadata']) ? scale['metadata']['resourceVersion'] : undefined
  if (given && given !== object.metadata.resourceVersion) {
    throw conflict(
      target.type,
      object.metadata.name,
      'the object has been modified; please apply your changes to the latest version and try again',
    )
  }
  const replicas = scale['spec']['replicas'] ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    throw badRequest('spec.replicas is not a number')
  const errors = new FieldErrors()
  errors.notNegative('spec.replicas', replicas)
  if (errors.causes.length > 0) {
    throw invalid({ kind: 'Scale', group: 'autoscaling' }, object.metadata.name, errors.causes)
  }
  if (replicas === object.spec.replicas) return jsonResponse(200, scaleOf(object))
  const scaled = { ...object, spec: { ...object.spec, replicas } }
  const updated = writer.update(scaled, { dryRun: isDryRun(request) })
  return jsonResponse(200, scaleOf(updated as Scalable))
}

function selectorOf(object: Scalable): LabelSelector | undefined {
  return object.kind === 'ReplicationController'
    ? withLabelSelector(object).spec.selector
    : object.spec.selector
}

/** Zero replicas are left out, as in the Go type's JSON. */
function scaleOf(object: Scalable): Scale {
  const { metadata, spec, status } = object
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as ObjectMeta,
    spec: spec.replicas ? { replicas: spec.replicas } : {},
    status: { replicas: status?.replicas ?? 0, selector: formatSelector(selectorOf(object)) },
  }
}
