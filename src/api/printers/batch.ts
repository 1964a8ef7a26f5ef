// Rows of Job and CronJob.

import type { CronJob, Job } from '../../cluster/workload-objects.js'
import { ageSince, humanDuration } from '../human-duration.js'
import { columns, type Printer } from './table.js'
import { formatSelector, images, names } from './workload.js'

function jobStatus({ metadata, status }: Job): string {
  const has = (type: string) =>
    (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True')
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running'
}

/** `1/3`; of a Job without a number of completions `0/1 of 3`, where three pods may work at once. */
export function jobCompletions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
  const parallelism = spec.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

/** How long it ran, or has been running; empty before it starts. */
export function jobDuration({ status }: Job, now: number): string {
  if (!status?.startTime) return ''
  const end = status.completionTime ? Date.parse(status.completionTime) : now
  return humanDuration(end - Date.parse(status.startTime))
}

export const jobPrinter: Printer<Job> = {
  columns: columns('Name', 'Status', 'Completions', 'Duration', 'Age', '+Containers', '+Images', '+Selector'),
  cells(job, now) {
    const { metadata, spec } = job
    return [
      metadata.name,
      jobStatus(job),
      jobCompletions(job),
      jobDuration(job, now),
      ageSince(metadata.creationTimestamp, now),
      names(spec.template.spec.containers),
      images(spec.template.spec.containers),
      formatSelector(spec.selector),
    ]
  },
}

export const cronJobPrinter: Printer<CronJob> = {
  columns: columns(
    'Name',
    'Schedule',
    'Timezone',
    'Suspend',
    'Active#',
    'Last Schedule',
    'Age',
    '+Containers',
    '+Images',
    '+Selector',
  ),
  cells({ metadata, spec, status }, now) {
    const { template, selector } = spec.jobTemplate.spec
    return [
      metadata.name,
      spec.schedule,
      spec.timeZone ?? '<none>',
      spec.suspend ? 'True' : 'False',
      status?.active?.length ?? 0,
      status?.lastScheduleTime ? ageSince(status.lastScheduleTime, now) : '<none>',
      ageSince(metadata.creationTimestamp, now),
      names(template.spec.containers),
      images(template.spec.containers),
      formatSelector(selector),
    ]
  },
}
