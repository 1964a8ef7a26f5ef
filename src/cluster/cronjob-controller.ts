// Starts the Jobs of CronJobs when their schedules say so, and keeps the last few that have finished. The rules are
// those of kube-controller-manager's cronjob controller; times are UTC.

import { type ControllerContext, controllerOf, controllerReference } from './controller-context.js'
import { CronSchedule } from './cron-schedule.js'
import { endOf } from './job-controller.js'
import { ApiError } from './status.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'
import type { CronJob, Job } from './workload-objects.js'

const SOURCE = { component: 'cronjob-controller' }
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
const MINUTE_MILLIS = 60_000

export class CronJobController implements Controller {
  readonly name = 'cronjob'
  readonly #context: ControllerContext

  constructor(context: ControllerContext) {
    this.#context = context
    const { store, loop } = context
    store.watch<CronJob>('cronjobs', ({ object }) => loop.add(this, keyOf(object)))
    store.watch<Job>('jobs', ({ object }) => {
      const owner = controllerOf(object)
      if (owner?.kind === 'CronJob') loop.add(this, `${object.metadata.namespace}/${owner.name}`)
    })
  }

  reconcile(key: string): void {
    const { store, loop, clock } = this.#context
    const [namespace, name] = splitKey(key)
    const cronJob = store.get<CronJob>('cronjobs', namespace, name)
    if (cronJob === undefined || cronJob.metadata.deletionTimestamp) return
    this.#cleanUp(cronJob)
    const schedule = new CronSchedule(cronJob.spec.schedule)
    const now = clock.unixMicros() / 1000
    const due = cronJob.spec.suspend ? undefined : lastDue(cronJob, schedule, now)
    this.#updateStatus(key, due !== undefined && this.#start(cronJob, due) ? due : undefined)
    const next = cronJob.spec.suspend ? undefined : schedule.next(now)
    if (next !== undefined) loop.addAt(this, key, clock.now + Math.ceil((next - now) * 1000))
  }

  #jobsOf({ metadata }: CronJob): Job[] {
    return this.#context.store
      .list<Job>('jobs', metadata.namespace)
      .filter((job) => controllerOf(job)?.uid === metadata.uid)
  }

  /** Makes the Job of a time; false when the one before it must end first, or the cluster refuses. */
  #start(cronJob: CronJob, due: number): boolean {
    const { admission, events, clock } = this.#context
    const { concurrencyPolicy, jobTemplate, startingDeadlineSeconds } = cronJob.spec
    const late = clock.unixMicros() / 1000 - due
    if (startingDeadlineSeconds !== undefined && late > startingDeadlineSeconds * 1000) return false
    const active = this.#jobsOf(cronJob).filter(({ status }) => endOf(status?.conditions) === undefined)
    if (active.length > 0 && concurrencyPolicy === 'Forbid') {
      const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
      events.record(cronJob, 'Normal', 'JobAlreadyActive', message, SOURCE)
      return false
    }
    if (concurrencyPolicy === 'Replace') for (const job of active) this.#delete(cronJob, job)
    const { labels, annotations } = jobTemplate.metadata ?? {}
    const scheduledAt = `${new Date(due).toISOString().slice(0, 19)}Z`
    try {
      const job = admission.create<Job>({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: {
          name: `${cronJob.metadata.name}-${due / MINUTE_MILLIS}`,
          namespace: cronJob.metadata.namespace!,
          ...(labels && { labels }),
          annotations: { ...annotations, [SCHEDULED_AT]: scheduledAt },
          ownerReferences: [controllerReference(cronJob)],
        },
        spec: jobTemplate.spec,
      })
      events.record(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`, SOURCE)
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      events.record(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${error.message}`, SOURCE)
      return false
    }
  }

  #delete(cronJob: CronJob, job: Job): void {
    const { admission, events } = this.#context
    const options = { propagationPolicy: 'Background' } as const
    admission.delete('jobs', job.metadata.namespace, job.metadata.name, options)
    events.record(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`, SOURCE)
  }

  /** The oldest of the finished Jobs go, the failed and the others each by their own limit. */
  #cleanUp(cronJob: CronJob): void {
    const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJob.spec
    for (const [type, limit] of [
      ['Complete', successfulJobsHistoryLimit],
      ['Failed', failedJobsHistoryLimit],
    ] as const) {
      const ended = this.#jobsOf(cronJob)
        .filter(({ status }) => endOf(status?.conditions)?.type === type)
        .sort((a, b) => startOf(a) - startOf(b))
      for (const job of ended.slice(0, Math.max(0, ended.length - limit))) this.#delete(cronJob, job)
    }
  }

  #updateStatus(key: string, started: number | undefined): void {
    const { store, events } = this.#context
    const [namespace, name] = splitKey(key)
    const cronJob = store.get<CronJob>('cronjobs', namespace, name)
    if (cronJob === undefined) return
    const jobs = this.#jobsOf(cronJob)
    const active = jobs.filter(({ status }) => endOf(status?.conditions) === undefined)
    for (const { metadata, status } of jobs) {
      const end = endOf(status?.conditions)
      const was = cronJob.status?.active?.some(({ uid }) => uid === metadata.uid)
      if (end === undefined || !was) continue
      const message = `Saw completed job: ${metadata.name}, condition: ${end.type}`
      events.record(cronJob, 'Normal', 'SawCompletedJob', message, SOURCE)
    }
    const ends = jobs.flatMap(({ status }) => status?.completionTime ?? []).sort()
    const { lastScheduleTime, lastSuccessfulTime } = cronJob.status ?? {}
    const scheduled =
      started === undefined ? lastScheduleTime : `${new Date(started).toISOString().slice(0, 19)}Z`
    const successful = ends.at(-1) ?? lastSuccessfulTime
    const references = active.map(({ apiVersion, kind, metadata }) => ({
      apiVersion,
      kind,
      namespace: metadata.namespace!,
      name: metadata.name,
      uid: metadata.uid!,
    }))
    store.update<CronJob>({
      ...cronJob,
      status: {
        ...(references.length > 0 && { active: references }),
        ...(scheduled && { lastScheduleTime: scheduled }),
        ...(successful && { lastSuccessfulTime: successful }),
      },
    })
  }
}

/** The last time that has come since the CronJob was made or last started one; undefined when none has. */
function lastDue({ metadata, status }: CronJob, schedule: CronSchedule, now: number): number | undefined {
  let last: number | undefined
  let from = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp!)
  for (;;) {
    const next = schedule.next(from)
    if (next === undefined || next > now) return last
    last = from = next
  }
}

function startOf({ status }: Job): number {
  return status?.startTime === undefined ? 0 : Date.parse(status.startTime)
}
