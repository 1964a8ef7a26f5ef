// Descriptions of Job and CronJob.

import { jobDuration } from '../../api/printers/batch.js'
import { formatSelector } from '../../api/printers/workload.js'
import type { CronJob, Job } from '../../cluster/workload-objects.js'
import { describeTemplate } from './workloads.js'
import {
  annotationLines,
  type DescriptionWriter,
  describeEvents,
  describeMetadata,
  labelLines,
  longTime,
  type Subject,
} from './writer.js'

export function describeJob(writer: DescriptionWriter, subject: Subject): void {
  const job = subject.object as Job
  const { metadata, spec, status = {} } = job
  writer.field(0, 'Name', metadata.name)
  writer.field(0, 'Namespace', metadata.namespace ?? '')
  if (spec.selector) writer.field(0, 'Selector', formatSelector(spec.selector))
  writer.multiline(0, 'Labels', labelLines(metadata.labels))
  writer.multiline(0, 'Annotations', annotationLines(metadata.annotations))
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (owner !== undefined) writer.field(0, 'Controlled By', `${owner.kind}/${owner.name}`)
  writer.field(0, 'Parallelism', spec.parallelism ?? '<unset>')
  writer.field(0, 'Completions', spec.completions ?? '<unset>')
  if (spec.completionMode) writer.field(0, 'Completion Mode', spec.completionMode)
  if (spec.suspend !== undefined) writer.field(0, 'Suspend', spec.suspend)
  if (spec.backoffLimit !== undefined) writer.field(0, 'Backoff Limit', spec.backoffLimit)
  if (spec.ttlSecondsAfterFinished !== undefined)
    writer.field(0, 'TTL Seconds After Finished', spec.ttlSecondsAfterFinished)
  if (status.startTime) writer.field(0, 'Start Time', longTime(status.startTime))
  if (status.completionTime) writer.field(0, 'Completed At', longTime(status.completionTime))
  if (status.startTime && status.completionTime)
    writer.field(0, 'Duration', jobDuration(job, subject.context.now))
  if (spec.activeDeadlineSeconds !== undefined)
    writer.field(0, 'Active Deadline Seconds', `${spec.activeDeadlineSeconds}s`)
  const { active = 0, ready, succeeded = 0, failed = 0 } = status
  const activity = ready === undefined ? `${active} Active` : `${active} Active (${ready} Ready)`
  writer.field(0, 'Pods Statuses', `${activity} / ${succeeded} Succeeded / ${failed} Failed`)
  if (spec.completionMode === 'Indexed')
    writer.field(0, 'Completed Indexes', status.completedIndexes || '<none>')
  describeTemplate(writer, spec.template)
  describeEvents(writer, subject)
}

export function describeCronJob(writer: DescriptionWriter, subject: Subject): void {
  const cronJob = subject.object as CronJob
  const { spec, status } = cronJob
  const job = spec.jobTemplate.spec
  describeMetadata(writer, cronJob)
  writer.field(0, 'Schedule', spec.schedule)
  if (spec.timeZone !== undefined) writer.field(0, 'Time Zone', spec.timeZone)
  writer.field(0, 'Concurrency Policy', spec.concurrencyPolicy ?? '')
  writer.field(0, 'Suspend', spec.suspend ? 'True' : 'False')
  writer.field(0, 'Successful Job History Limit', spec.successfulJobsHistoryLimit ?? '<unset>')
  writer.field(0, 'Failed Job History Limit', spec.failedJobsHistoryLimit ?? '<unset>')
  const deadline = spec.startingDeadlineSeconds
  writer.field(0, 'Starting Deadline Seconds', deadline === undefined ? '<unset>' : `${deadline}s`)
  writer.field(0, 'Selector', job.selector ? formatSelector(job.selector) : '<unset>')
  writer.field(0, 'Parallelism', job.parallelism ?? '<unset>')
  writer.field(0, 'Completions', job.completions ?? '<unset>')
  if (job.activeDeadlineSeconds !== undefined)
    writer.field(0, 'Active Deadline Seconds', `${job.activeDeadlineSeconds}s`)
  describeTemplate(writer, job.template)
  writer.field(0, 'Last Schedule Time', longTime(status?.lastScheduleTime))
  writer.field(0, 'Active Jobs', status?.active?.map(({ name }) => name).join(', ') || '<none>')
  describeEvents(writer, subject)
}
