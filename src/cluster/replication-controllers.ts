// ReplicationControllers, which ReplicaSets came after: the same but for a selector that is a map of labels. As upstream,
// the controller of ReplicaSets keeps their pods, which sees them as ReplicaSets (replicaset-controller.ts).

import type { FieldErrors } from './field-errors.js'
import type { KubeObject, Labels, PodTemplateSpec, ReplicaSet } from './objects.js'
import { validatePodSet } from './validate-workload.js'
import type { Workload } from './workload-objects.js'

export interface ReplicationController extends KubeObject {
  kind: 'ReplicationController'
  spec: { replicas?: number; minReadySeconds?: number; selector?: Labels; template?: PodTemplateSpec }
  status?: ReplicaSet['status']
}

/** With the selector of a ReplicaSet. It keeps its kind, which is what events and owners' references name. */
export function withLabelSelector({
  spec,
  ...rest
}: ReplicationController): Workload & Pick<ReplicaSet, 'spec'> {
  const { selector, template, ...size } = spec ?? {}
  const matchLabels = selector ?? {}
  return {
    ...rest,
    spec: { ...size, selector: { matchLabels }, template: template ?? { spec: { containers: [] } } },
  }
}

/** Labels and selector are those of the template, where they are not given. */
export function defaultReplicationController({ metadata, spec }: ReplicationController): void {
  if (spec === undefined) return
  spec.replicas ??= 1
  const labels = spec.template?.metadata?.labels
  if (labels === undefined) return
  if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
  if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
}

export function validateReplicationController({ spec }: ReplicationController, errors: FieldErrors): void {
  const { selector, template, ...size } = spec ?? {}
  if (template === undefined) errors.required('spec.template')
  if (Object.keys(selector ?? {}).length === 0) errors.required('spec.selector')
  if (template === undefined || selector === undefined) return
  validatePodSet({ ...size, selector: { matchLabels: selector }, template }, 'replicationcontroller', errors)
  errors.notNegative('spec.minReadySeconds', size.minReadySeconds)
}
