// Validation by kind: what a new object must be, and what may change of an old one.

import type { PodDisruptionBudget } from './disruption-budget.js'
import { validateEphemeralContainers, validateEphemeralUpdate } from './ephemeral-containers.js'
import { FieldErrors, quote } from './field-errors.js'
import { cloneJson, equalJson } from './json.js'
import { configMapKey } from './name-rules.js'
import type { ConfigMap, KubeObject, Lease, Pod, Secret, Service } from './objects.js'
import { validateReplicationController } from './replication-controllers.js'
import type { ResourceType } from './resources.js'
import { invalid } from './status.js'
import { validateCronJob, validateJob, validateJobUpdate } from './validate-batch.js'
import { validateMetadata } from './validate-metadata.js'
import { validatePodSpec } from './validate-pod.js'
import { validateDaemonSet, validateStatefulSet, validateStatefulSetUpdate } from './validate-pod-sets.js'
import {
  validateEndpointSlice,
  validateEndpoints,
  validateService,
  validateServiceUpdate,
} from './validate-service.js'
import {
  validateAmount,
  validateDeployment,
  validateReplicaSet,
  validateSelectorUpdate,
} from './validate-workload.js'
import type { ControllerRevision, Job, StatefulSet, Workload } from './workload-objects.js'

/** What alone of an object an update through it may change. */
export type UpdateSubresource = 'status' | 'ephemeralcontainers'

/** Largest content of a ConfigMap, in bytes. */
const MAX_CONFIG_MAP_BYTES = 1024 * 1024

const POD_UPDATE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** Throws ApiError Invalid with every cause found; `stored` is the object that an update replaces. */
export function validate(
  object: KubeObject,
  type: ResourceType,
  stored: KubeObject | undefined,
  subresource?: UpdateSubresource,
): void {
  const errors = new FieldErrors()
  validateMetadata(object, type, errors)
  RULES[object.kind]?.(object as never, errors)
  if (subresource === 'ephemeralcontainers') validateEphemeralUpdate(object as Pod, stored as Pod, errors)
  else if (stored !== undefined) {
    // Without a specification there is nothing to compare, and that was told.
    if (object['spec'] !== undefined || stored['spec'] === undefined) validateUpdate(object, stored, errors)
  } else if (isPodWithEphemeral(object))
    errors.forbidden('spec.ephemeralContainers', 'cannot be set on create')
  if (errors.causes.length > 0)
    throw invalid(type, object.metadata.name || object.metadata.generateName || '', errors.causes)
}

function isPodWithEphemeral({ kind, spec }: KubeObject): boolean {
  return kind === 'Pod' && Boolean((spec as Partial<Pod['spec']> | undefined)?.ephemeralContainers?.length)
}

/** The rules of each kind, besides those of metadata. */
const RULES: Readonly<Record<string, (object: never, errors: FieldErrors) => void>> = {
  Pod: validatePod,
  Service: validateService,
  Endpoints: validateEndpoints,
  EndpointSlice: validateEndpointSlice,
  Deployment: validateDeployment,
  ReplicaSet: validateReplicaSet,
  ReplicationController: validateReplicationController,
  StatefulSet: validateStatefulSet,
  DaemonSet: validateDaemonSet,
  ControllerRevision: validateControllerRevision,
  Job: validateJob,
  CronJob: validateCronJob,
  Lease: validateLease,
  PodDisruptionBudget: validateDisruptionBudget,
  ConfigMap: validateConfigMap,
  Secret: validateSecret,
}

function validatePod({ spec }: Pod, errors: FieldErrors): void {
  // Only the type says that it is there.
  if ((spec as Pod['spec'] | undefined) === undefined) errors.required('spec.containers')
  else {
    validatePodSpec(spec, 'spec', errors)
    validateEphemeralContainers(spec, errors)
  }
}

function validateControllerRevision({ revision }: ControllerRevision, errors: FieldErrors): void {
  errors.notNegative('revision', revision)
}

function validateSecret({ data = {} }: Secret, errors: FieldErrors): void {
  for (const key of Object.keys(data)) errors.invalidText(`data[${key}]`, key, configMapKey(key))
}

function validateLease({ spec }: Lease, errors: FieldErrors): void {
  if (spec?.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0)
    errors.invalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0')
  errors.notNegative('spec.leaseTransitions', spec?.leaseTransitions)
}

function validateDisruptionBudget({ spec = {} }: PodDisruptionBudget, errors: FieldErrors): void {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.invalid('spec', '{}', 'minAvailable and maxUnavailable cannot be both set')
  validateAmount(minAvailable, 'spec.minAvailable', errors)
  validateAmount(maxUnavailable, 'spec.maxUnavailable', errors)
  if (policy !== undefined)
    errors.supported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget'])
}

function validateConfigMap(configMap: ConfigMap, errors: FieldErrors): void {
  let bytes = 0
  for (const field of ['data', 'binaryData'] as const)
    for (const [key, value] of Object.entries(configMap[field] ?? {})) {
      bytes += value.length
      errors.invalidText(`${field}[${key}]`, key, configMapKey(key))
      if (field === 'binaryData' && configMap.data && Object.hasOwn(configMap.data, key))
        errors.invalid(`data[${key}]`, quote(key), 'duplicate of key present in binaryData')
    }
  if (bytes > MAX_CONFIG_MAP_BYTES) errors.tooLong('[]', MAX_CONFIG_MAP_BYTES)
}

function validateUpdate(object: KubeObject, stored: KubeObject, errors: FieldErrors): void {
  switch (object.kind) {
    case 'Pod':
      if (!equalJson(unchangeablePodSpec(object as Pod), unchangeablePodSpec(stored as Pod)))
        errors.forbidden('spec', POD_UPDATE)
      return
    case 'Service':
      return validateServiceUpdate(object as Service, stored as Service, errors)
    case 'Deployment':
    case 'ReplicaSet':
    case 'DaemonSet':
      return validateSelectorUpdate(object as Workload, stored as Workload, errors)
    case 'StatefulSet':
      return validateStatefulSetUpdate(object as StatefulSet, stored as StatefulSet, errors)
    case 'Job':
      return validateJobUpdate(object as Job, stored as Job, errors)
    case 'ControllerRevision':
      if (!equalJson(object['data'], stored['data'])) errors.forbidden('data', 'field is immutable')
      return
    case 'EndpointSlice':
      if (object['addressType'] !== stored['addressType'])
        errors.invalid('addressType', quote(String(object['addressType'])), 'field is immutable')
      return
    case 'Secret':
      if (object['type'] !== stored['type'])
        errors.invalid('type', quote(String(object['type'])), 'field is immutable')
      return validateImmutable(object as Secret, stored as Secret, errors)
    case 'ConfigMap':
      return validateImmutable(object as ConfigMap, stored as ConfigMap, errors)
  }
}

function validateImmutable<Obj extends ConfigMap | Secret>(
  object: Obj,
  stored: Obj,
  errors: FieldErrors,
): void {
  if (!stored.immutable) return
  const detail = 'field is immutable when `immutable` is set'
  if (!object.immutable) errors.forbidden('immutable', detail)
  if (!equalJson(object.data, stored.data)) errors.forbidden('data', detail)
  if (!equalJson(object['binaryData'], stored['binaryData'])) errors.forbidden('binaryData', detail)
}

/** A pod's specification without what an update may change. */
function unchangeablePodSpec(pod: Pod): unknown {
  const spec = cloneJson(pod.spec) as unknown as Record<string, unknown>
  for (const list of ['containers', 'initContainers'])
    for (const container of (spec[list] ?? []) as { image?: string }[]) delete container.image
  delete spec['activeDeadlineSeconds']
  delete spec['tolerations']
  return spec
}
