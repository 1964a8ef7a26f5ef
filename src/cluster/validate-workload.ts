// Validation of Deployments and ReplicaSets: the selector, the template, the strategy.

import { type FieldErrors, goIntOrString, goStringMap, quote } from './field-errors.js'
import { equalJson } from './json.js'
import type { Deployment, IntOrString, LabelSelector, PodTemplateSpec, ReplicaSet } from './objects.js'
import { matchesSelector } from './selector.js'
import { validateLabels } from './validate-metadata.js'
import { validatePodSpec } from './validate-pod.js'
import type { Workload } from './workload-objects.js'

export function validateDeployment(deployment: Deployment, errors: FieldErrors): void {
  const { spec } = deployment
  validatePodSet(spec, 'deployment', errors)
  if (spec === undefined) return
  errors.supported('spec.strategy.type', spec.strategy?.type, ['Recreate', 'RollingUpdate'])
  const rolling = spec.strategy?.rollingUpdate
  if (spec.strategy?.type === 'Recreate' && rolling)
    errors.forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'")
  if (spec.strategy?.type === 'RollingUpdate' && rolling) {
    const at = 'spec.strategy.rollingUpdate'
    validateAmount(rolling.maxUnavailable, `${at}.maxUnavailable`, errors)
    validateAmount(rolling.maxSurge, `${at}.maxSurge`, errors)
    if (amount(rolling.maxUnavailable) === 0 && amount(rolling.maxSurge) === 0)
      errors.invalid(
        `${at}.maxUnavailable`,
        goIntOrString(rolling.maxUnavailable!),
        'may not be 0 when `maxSurge` is 0',
      )
    if (/^\d+%$/.test(String(rolling.maxUnavailable)) && amount(rolling.maxUnavailable) > 100)
      errors.invalid(
        `${at}.maxUnavailable`,
        goIntOrString(rolling.maxUnavailable!),
        'must not be greater than 100%',
      )
  }
  errors.notNegative('spec.minReadySeconds', spec.minReadySeconds)
  errors.notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit)
  if ((spec.progressDeadlineSeconds ?? 0) <= (spec.minReadySeconds ?? 0))
    errors.invalid(
      'spec.progressDeadlineSeconds',
      spec.progressDeadlineSeconds ?? 0,
      'must be greater than minReadySeconds',
    )
}

export function validateReplicaSet(replicaSet: ReplicaSet, errors: FieldErrors): void {
  validatePodSet(replicaSet.spec, 'replicaset', errors)
  errors.notNegative('spec.minReadySeconds', replicaSet.spec?.minReadySeconds)
}

/** Selectors of workloads never change. */
export function validateSelectorUpdate(object: Workload, stored: Workload, errors: FieldErrors): void {
  if (!equalJson(object.spec?.selector, stored.spec.selector))
    errors.invalid('spec.selector', goSelector(object.spec?.selector), 'field is immutable')
}

/** What all have that keep pods of one template: size, selector, template. */
export function validatePodSet(
  spec: { replicas?: number; selector: LabelSelector; template: PodTemplateSpec } | undefined,
  what: string,
  errors: FieldErrors,
): void {
  errors.notNegative('spec.replicas', spec?.replicas)
  const selector = spec?.selector
  if (selector === undefined) errors.required('spec.selector')
  else validateSelector(selector, what, errors)
  const template = spec?.template
  const labels = template?.metadata?.labels
  // No selector selects nothing, an empty one everything.
  if (selector === undefined || !matchesSelector(selector, labels))
    errors.invalid(
      'spec.template.metadata.labels',
      goStringMap(labels),
      '`selector` does not match template `labels`',
    )
  validateLabels(labels, 'spec.template.metadata.labels', errors)
  if (template?.spec === undefined) return errors.required('spec.template.spec.containers')
  validatePodSpec(template.spec, 'spec.template.spec', errors)
  if (template.spec.restartPolicy !== 'Always')
    errors.supported('spec.template.spec.restartPolicy', template.spec.restartPolicy, ['Always'])
}

function validateSelector(selector: LabelSelector, what: string, errors: FieldErrors): void {
  const { matchLabels = {}, matchExpressions = [] } = selector
  if (Object.keys(matchLabels).length + matchExpressions.length === 0)
    errors.invalid('spec.selector', goSelector(selector), `empty selector is invalid for ${what}`)
  validateLabels(matchLabels, 'spec.selector.matchLabels', errors)
  for (const [i, { operator, values }] of matchExpressions.entries()) {
    const at = `spec.selector.matchExpressions[${i}]`
    if (operator === 'In' || operator === 'NotIn') {
      if (!values?.length)
        errors.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'")
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values?.length)
        errors.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    } else errors.invalid(`${at}.operator`, quote(operator), 'not a valid selector operator')
  }
}

/** A number of pods, or a percentage. */
export function validateAmount(value: IntOrString | undefined, field: string, errors: FieldErrors): void {
  if (typeof value === 'number') errors.notNegative(field, value)
  else if (value !== undefined && !/^\d+%$/.test(value))
    errors.invalid(
      field,
      goIntOrString(value),
      `a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
    )
}

/** The number in an amount, `25%` or 3. */
export function amount(value: IntOrString | undefined): number {
  return typeof value === 'number' ? value : Number.parseInt(value ?? '0', 10)
}

function goSelector(selector: LabelSelector | undefined): string {
  if (selector === undefined) return 'null'
  const expressions = selector.matchExpressions?.map(
    ({ key, operator, values }) =>
      `v1.LabelSelectorRequirement{Key:${quote(key)}, Operator:${quote(operator)}, Values:[]string{${(values ?? []).map(quote).join(', ')}}}`,
  )
  const list = expressions?.length ? `{${expressions.join(', ')}}` : '(nil)'
  return `v1.LabelSelector{MatchLabels:${goStringMap(selector.matchLabels)}, MatchExpressions:[]v1.LabelSelectorRequirement${list}}`
}
