// DELETE of an object or of a collection. Who waits for what is the cluster's business (finalizers, grace, owners).

import type { DeleteOptions } from '../cluster/admission.js'
import type { KubeObject } from '../cluster/objects.js'
import type { ObjectStore } from '../cluster/store.js'
import { representList } from './representation.js'
import type { ApiRequest, ApiResponse, Status } from './request.js'
import { selectObjects } from './selection.js'
import { jsonResponse, methodNotAllowed } from './status.js'
import { existing, isOutsideNamespaces, type ObjectWriter, type Target } from './target.js'
import { deleteOptions } from './write-options.js'

export function deleteObject(
  store: ObjectStore,
  writer: ObjectWriter,
  request: ApiRequest,
  target: Target,
): ApiResponse {
  const { type, namespace, name } = target
  const options = deleteOptions(request)
  if (name === undefined) return deleteCollection(store, writer, request, target, options)
  existing(store, target)
  const deleted = writer.delete(type.plural, namespace, name, options)
  // What is kept for its end, and a pod in any case, is told as it now is.
  const isKept = store.get(type.plural, namespace, name) !== undefined && options.dryRun !== true
  return jsonResponse(200, type.plural === 'pods' || isKept ? deleted : deletedStatus(target, deleted))
}

function deleteCollection(
  store: ObjectStore,
  writer: ObjectWriter,
  request: ApiRequest,
  target: Target,
  options: DeleteOptions,
): ApiResponse {
  const { type } = target
  if (isOutsideNamespaces(target) || type.plural === 'namespaces') throw methodNotAllowed()
  const deleted = selectObjects(store, request, target).map(({ metadata }) =>
    writer.delete(type.plural, metadata.namespace, metadata.name, options),
  )
  const metadata = { resourceVersion: store.resourceVersion }
  return jsonResponse(200, representList(request, type, { objects: deleted, metadata }, 0))
}

function deletedStatus(target: Target, { metadata }: KubeObject): Status {
  const { group, plural } = target.type
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: metadata.name,
      ...(group !== '' && { group }),
      kind: plural,
      ...(metadata.uid !== undefined && { uid: metadata.uid }),
    },
  }
}
