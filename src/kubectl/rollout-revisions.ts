// The revisions of a workload, for `rollout history` and `rollout undo`: of a Deployment its ReplicaSets, of a
// StatefulSet or DaemonSet its ControllerRevisions.

import type { KubeObject, PodTemplateSpec, ReplicaSet } from '../cluster/objects.js'
import type { ControllerRevision, Workload } from '../cluster/workload-objects.js'
import { JSON_PATCH, STRATEGIC_PATCH } from './client.js'
import type { CommandContext } from './context.js'

const DEPLOYMENT_REVISION = 'deployment.kubernetes.io/revision'
const CHANGE_CAUSE = 'kubernetes.io/change-cause'
/** Annotations of a ReplicaSet that a Deployment does not take back. */
const OWN_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  DEPLOYMENT_REVISION,
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
]

export interface Revision {
  readonly number: number
  readonly template: PodTemplateSpec
  readonly cause: string | undefined
  /** Brings the workload back to it. */
  readonly patch: { readonly type: string; readonly body: unknown }
}

/** Oldest first. */
export function revisionsOf(context: CommandContext, workload: KubeObject): Revision[] {
  const { namespace, uid } = workload.metadata
  const type = workload.kind === 'Deployment' ? 'replicasets' : 'controllerrevisions'
  const owned = context.client
    .list(context.mapper.find(type), namespace)
    .items.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
  const revisions = owned.map((object) =>
    workload.kind === 'Deployment'
      ? ofReplicaSet(workload as Workload, object as ReplicaSet)
      : ofControllerRevision(object as ControllerRevision),
  )
  return revisions.sort((a, b) => a.number - b.number)
}

function ofReplicaSet(deployment: Workload, { metadata, spec }: ReplicaSet): Revision {
  const annotations = Object.fromEntries(
    Object.entries({ ...metadata.annotations }).filter(([key]) => !OWN_ANNOTATIONS.includes(key)),
  )
  for (const key of OWN_ANNOTATIONS) {
    const kept = deployment.metadata.annotations?.[key]
    if (kept !== undefined) annotations[key] = kept
  }
  const restored = structuredClone(spec.template)
  delete restored.metadata?.labels?.['pod-template-hash']
  return {
    number: Number(metadata.annotations?.[DEPLOYMENT_REVISION] ?? 0),
    template: spec.template,
    cause: metadata.annotations?.[CHANGE_CAUSE],
    patch: {
      type: JSON_PATCH,
      body: [
        { op: 'replace', path: '/spec/template', value: restored },
        { op: 'replace', path: '/metadata/annotations', value: annotations },
      ],
    },
  }
}

function ofControllerRevision({ metadata, revision, data }: ControllerRevision): Revision {
  const { $patch: _replace, ...template } = data!.spec.template
  return {
    number: revision,
    template,
    cause: metadata.annotations?.[CHANGE_CAUSE],
    patch: { type: STRATEGIC_PATCH, body: data },
  }
}
