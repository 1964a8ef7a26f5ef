// Validation of StatefulSets and DaemonSets.

import { type FieldErrors, goIntOrString, quote } from './field-errors.js'
import { cloneJson, equalJson } from './json.js'
import { amount, validateAmount, validatePodSet } from './validate-workload.js'
import type { DaemonSet, StatefulSet } from './workload-objects.js'

const STATEFUL_SET_UPDATE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
const CHANGEABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]

export function validateStatefulSet({ spec }: StatefulSet, errors: FieldErrors): void {
  if (spec !== undefined) {
    const { podManagementPolicy: policy = '', updateStrategy: strategy = {} } = spec
    if (policy !== 'OrderedReady' && policy !== 'Parallel')
      errors.invalid('spec.podManagementPolicy', quote(policy), "must be 'OrderedReady' or 'Parallel'")
    const at = 'spec.updateStrategy'
    if (strategy.type !== 'RollingUpdate' && strategy.type !== 'OnDelete')
      errors.invalid(`${at}.type`, quote(strategy.type ?? ''), "must be 'RollingUpdate' or 'OnDelete'")
    if (strategy.type === 'OnDelete' && strategy.rollingUpdate)
      errors.invalid(
        `${at}.rollingUpdate`,
        `apps.RollingUpdateStatefulSetStrategy{Partition:${strategy.rollingUpdate.partition ?? 0}}`,
        "only allowed for updateStrategy 'RollingUpdate'",
      )
    errors.notNegative(`${at}.rollingUpdate.partition`, strategy.rollingUpdate?.partition)
    validateAmount(strategy.rollingUpdate?.maxUnavailable, `${at}.rollingUpdate.maxUnavailable`, errors)
    errors.notNegative('spec.ordinals.start', spec.ordinals?.start)
    errors.notNegative('spec.minReadySeconds', spec.minReadySeconds)
    errors.notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit)
  }
  validatePodSet(spec && withClaims(spec), 'statefulset', errors)
}

/** With the volumes of its claims, which containers may mount. */
function withClaims(spec: StatefulSet['spec']): StatefulSet['spec'] {
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({ name: metadata?.name ?? '' }))
  const pod = spec.template?.spec
  if (claims.length === 0 || pod === undefined) return spec
  const others = (pod.volumes ?? []).filter(({ name }) => !claims.some((claim) => claim.name === name))
  const volumes = [...claims.map((claim) => ({ ...claim, emptyDir: {} })), ...others]
  return { ...spec, template: { ...spec.template, spec: { ...pod, volumes } } }
}

export function validateStatefulSetUpdate(
  object: StatefulSet,
  stored: StatefulSet,
  errors: FieldErrors,
): void {
  const fixed = ({ spec }: StatefulSet) => {
    const copy = cloneJson(spec) as unknown as Record<string, unknown>
    for (const field of CHANGEABLE) delete copy[field]
    return copy
  }
  if (!equalJson(fixed(object), fixed(stored))) errors.forbidden('spec', STATEFUL_SET_UPDATE)
}

export function validateDaemonSet({ spec }: DaemonSet, errors: FieldErrors): void {
  validatePodSet(spec, 'daemonset', errors)
  if (spec === undefined) return
  errors.notNegative('spec.minReadySeconds', spec.minReadySeconds)
  errors.notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit)
  const { type, rollingUpdate } = spec.updateStrategy ?? {}
  errors.supported('spec.updateStrategy.type', type, ['OnDelete', 'RollingUpdate'])
  if (type !== 'RollingUpdate' || rollingUpdate === undefined) return
  const at = 'spec.updateStrategy.rollingUpdate'
  validateAmount(rollingUpdate.maxUnavailable, `${at}.maxUnavailable`, errors)
  validateAmount(rollingUpdate.maxSurge, `${at}.maxSurge`, errors)
  const hasUnavailable = amount(rollingUpdate.maxUnavailable) !== 0
  const hasSurge = amount(rollingUpdate.maxSurge) !== 0
  if (hasUnavailable && hasSurge)
    errors.invalid(
      `${at}.maxSurge`,
      goIntOrString(rollingUpdate.maxSurge!),
      'may not be set when maxUnavailable is non-zero',
    )
  if (!hasUnavailable && !hasSurge) errors.required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0')
}
