// How many replicas the Deployments and StatefulSets of a cluster are to have, so that they can have as many again.

import type { Api, Status } from '../api/request.js'
import { read, TargetError } from './service-target.js'

const KINDS = ['deployments', 'statefulsets']

/** By the path of each. Throws TargetError. */
export function replicasOf(api: Api): Map<string, number> {
  const replicas = new Map<string, number>()
  for (const plural of KINDS) {
    const { items } = read<{ items: Scalable[] }>(api, `/apis/apps/v1/${plural}`)
    for (const { metadata, spec } of items)
      replicas.set(
        `/apis/apps/v1/namespaces/${metadata.namespace}/${plural}/${metadata.name}`,
        spec.replicas ?? 1,
      )
  }
  return replicas
}

interface Scalable {
  readonly metadata: { readonly namespace?: string; readonly name: string }
  readonly spec: { readonly replicas?: number }
}

/** Throws TargetError in the server's words. */
export function scaleTo(api: Api, path: string, replicas: number): void {
  const headers = { 'content-type': 'application/merge-patch+json' }
  const { status, body } = api.request({ method: 'PATCH', path, headers, body: { spec: { replicas } } })
  if (status !== 200) throw new TargetError((body as Status).message ?? `${path}: answered ${status}`)
}
