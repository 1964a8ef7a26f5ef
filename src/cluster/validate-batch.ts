// Validation of Jobs and CronJobs.

import { CronSchedule, ScheduleError } from './cron-schedule.js'
import { type FieldErrors, goStringMap, quote } from './field-errors.js'
import { equalJson } from './json.js'
import { matchesSelector } from './selector.js'
import { validateLabels } from './validate-metadata.js'
import { validatePodSpec } from './validate-pod.js'
import type { CronJob, Job, JobSpec } from './workload-objects.js'

/** The names of its Jobs add eleven characters. */
const MAX_CRON_JOB_NAME = 52

export function validateJob({ spec }: Job, errors: FieldErrors): void {
  if (spec?.template === undefined) return errors.required('spec.template.spec.containers')
  if (spec.selector === undefined) errors.required('spec.selector')
  else if (!matchesSelector(spec.selector, spec.template.metadata?.labels))
    errors.invalid(
      'spec.template.metadata.labels',
      goStringMap(spec.template.metadata?.labels),
      '`selector` does not match template `labels`',
    )
  validateJobSpec(spec, 'spec', errors)
}

function validateJobSpec(spec: JobSpec, path: string, errors: FieldErrors): void {
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
  ] as const)
    errors.notNegative(`${path}.${field}`, spec[field])
  if (spec.completionMode !== undefined) {
    errors.supported(`${path}.completionMode`, spec.completionMode, ['Indexed', 'NonIndexed'])
    if (spec.completionMode === 'Indexed' && spec.completions === undefined)
      errors.required(`${path}.completions`, 'when completion mode is Indexed')
  }
  validateLabels(spec.template.metadata?.labels, `${path}.template.metadata.labels`, errors)
  if (spec.template.spec === undefined) return errors.required(`${path}.template.spec.containers`)
  validatePodSpec(spec.template.spec, `${path}.template.spec`, errors)
  const { restartPolicy } = spec.template.spec
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    errors.required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"')
}

/** Which pods a Job makes does not change; how many at once, and for how long, may. */
export function validateJobUpdate(job: Job, stored: Job, errors: FieldErrors): void {
  const fixed = (field: string, before: unknown, after: unknown, shown: string) => {
    if (!equalJson(before, after)) errors.invalid(`spec.${field}`, shown, 'field is immutable')
  }
  const { completions, selector, template, completionMode } = job.spec
  if (stored.spec.completionMode !== 'Indexed')
    fixed('completions', stored.spec.completions, completions, String(completions ?? 'null'))
  fixed('selector', stored.spec.selector, selector, goStringMap(selector?.matchLabels))
  fixed('template', stored.spec.template, template, 'core.PodTemplateSpec')
  fixed('completionMode', stored.spec.completionMode, completionMode, quote(completionMode ?? ''))
}

export function validateCronJob({ metadata, spec }: CronJob, errors: FieldErrors): void {
  if ((metadata.name ?? '').length > MAX_CRON_JOB_NAME)
    errors.invalid(
      'metadata.name',
      quote(metadata.name),
      `must be no more than ${MAX_CRON_JOB_NAME} characters`,
    )
  if (spec === undefined || !spec.schedule) errors.required('spec.schedule')
  else
    try {
      new CronSchedule(spec.schedule)
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error
      errors.invalid('spec.schedule', quote(spec.schedule), error.message)
    }
  if (spec === undefined) return
  if (spec.timeZone !== undefined && spec.timeZone !== 'Etc/UTC' && spec.timeZone !== 'UTC')
    errors.invalid('spec.timeZone', quote(spec.timeZone), 'Podwire knows the time zone Etc/UTC only')
  errors.supported('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'])
  for (const field of [
    'startingDeadlineSeconds',
    'successfulJobsHistoryLimit',
    'failedJobsHistoryLimit',
  ] as const)
    errors.notNegative(`spec.${field}`, spec[field])
  if (spec.jobTemplate?.spec?.template === undefined)
    errors.required('spec.jobTemplate.spec.template.spec.containers')
  else validateJobSpec(spec.jobTemplate.spec, 'spec.jobTemplate.spec', errors)
}
