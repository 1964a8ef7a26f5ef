import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MINUTE, SECOND } from '../../src/base/time.js'
import { CronSchedule, ScheduleError } from '../../src/cluster/cron-schedule.js'
import { formatIndexes, parseIndexes } from '../../src/cluster/job-indexes.js'
import type { Pod } from '../../src/cluster/objects.js'
import type { CronJob, Job, JobSpec } from '../../src/cluster/workload-objects.js'
import { Cluster } from './cluster-fixture.js'

const test = suite('job')

function job(name: string, spec: Partial<JobSpec> = {}, restartPolicy: 'Never' | 'OnFailure' = 'Never'): Job {
  const template = { spec: { containers: [{ name: 'work', image: 'work:1' }], restartPolicy } }
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template, ...spec } }
}

const running = (cluster: Cluster) =>
  cluster.pods().filter(({ status }) => status?.containerStatuses?.some(({ state }) => state.running))

/** Ends the work of every pod that runs. */
function exitAll(cluster: Cluster, exitCode: number): number {
  const pods = running(cluster)
  for (const { metadata } of pods) cluster.runtime.exit(metadata.uid!, 'work', exitCode)
  return pods.length
}

const conditions = (cluster: Cluster, name: string) =>
  (cluster.get<Job>('jobs', name).status?.conditions ?? []).map(
    ({ type, status, reason }) => `${type}=${status} ${reason}`,
  )

test('a Job is done when its pod has succeeded', () => {
  const cluster = new Cluster().run()
  cluster.create(job('pi'))
  cluster.run(5 * SECOND)
  const { uid } = cluster.get<Job>('jobs', 'pi').metadata
  assert.equal(cluster.get<Job>('jobs', 'pi').spec.selector, {
    matchLabels: { 'batch.kubernetes.io/controller-uid': uid! },
  })
  assert.is(cluster.get<Job>('jobs', 'pi').status?.active, 1)
  assert.is(exitAll(cluster, 0), 1)
  cluster.run(5 * SECOND)
  const { status } = cluster.get<Job>('jobs', 'pi')
  assert.is(status?.succeeded, 1)
  assert.is(status?.active, undefined)
  assert.ok(status?.completionTime)
  assert.equal(conditions(cluster, 'pi'), [
    'SuccessCriteriaMet=True CompletionsReached',
    'Complete=True CompletionsReached',
  ])
  assert.match(cluster.events('pi').join('\n'), /Created pod: pi-.*\nNormal Completed: Job completed$/)
  assert.is(cluster.pods().length, 1, 'the pod stays, for its log')
})

test('completions are reached with parallelism pods at once', () => {
  const cluster = new Cluster().run()
  cluster.create(job('many', { completions: 5, parallelism: 2 }))
  const batches: number[] = []
  for (let i = 0; i < 4; i++) {
    cluster.run(5 * SECOND)
    batches.push(exitAll(cluster, 0))
  }
  cluster.run(5 * SECOND)
  assert.equal(batches, [2, 2, 1, 0])
  assert.is(cluster.get<Job>('jobs', 'many').status?.succeeded, 5)
})

test('an Indexed Job gives each pod its number', () => {
  const cluster = new Cluster().run()
  cluster.create(job('map', { completions: 3, parallelism: 3, completionMode: 'Indexed' }))
  cluster.run(5 * SECOND)
  assert.equal(
    cluster.pods().map(({ spec }) => spec.hostname),
    ['map-0', 'map-1', 'map-2'],
  )
  const env = cluster.runtime.started.map((spec) => new Map(spec.env).get('JOB_COMPLETION_INDEX'))
  assert.equal(env.filter((value) => value !== undefined).sort(), ['0', '1', '2'])
  const middle = cluster.pods().find(({ spec }) => spec.hostname === 'map-1')!
  cluster.runtime.exit(middle.metadata.uid!, 'work', 1)
  cluster.run(5 * SECOND)
  exitAll(cluster, 0)
  cluster.run(SECOND)
  assert.is(cluster.get<Job>('jobs', 'map').status?.completedIndexes, '0,2')
  cluster.run(30 * SECOND)
  assert.equal(
    running(cluster).map(({ spec }) => spec.hostname),
    ['map-1'],
  )
  exitAll(cluster, 0)
  cluster.run(SECOND)
  const { status } = cluster.get<Job>('jobs', 'map')
  assert.is(status?.completedIndexes, '0-2')
  assert.is(status?.failed, 1)
  assert.equal(parseIndexes(formatIndexes(new Set([0, 1, 2, 4, 6, 7]))), new Set([0, 1, 2, 4, 6, 7]))
  assert.is(formatIndexes(new Set([0, 1, 2, 4, 6, 7])), '0-2,4,6,7')
})

test('failures are tried again after 10 s, 20 s, ... until the back-off limit', () => {
  const cluster = new Cluster().run()
  cluster.create(job('fail', { backoffLimit: 2 }))
  const starts: number[] = []
  cluster.store.watch<Pod>('pods', ({ type, object }) => {
    if (type === 'ADDED' && object.metadata.name.startsWith('fail-'))
      starts.push(Math.round(cluster.now / SECOND))
  })
  cluster.onRest = () => void exitAll(cluster, 1)
  cluster.run(3 * MINUTE)
  assert.equal(
    starts.slice(1).map((at, i) => Math.round((at - starts[i]!) / 10) * 10),
    [10, 20],
  )
  assert.is(cluster.get<Job>('jobs', 'fail').status?.failed, 3)
  assert.equal(conditions(cluster, 'fail'), [
    'FailureTarget=True BackoffLimitExceeded',
    'Failed=True BackoffLimitExceeded',
  ])
  assert.is(
    cluster.events('fail').at(-1),
    'Warning BackoffLimitExceeded: Job has reached the specified backoff limit',
  )
})

test('with OnFailure the restarts of the container count', () => {
  const cluster = new Cluster().run()
  cluster.create(job('again', { backoffLimit: 2 }, 'OnFailure'))
  cluster.onRest = () => void exitAll(cluster, 1)
  cluster.run(3 * MINUTE)
  assert.equal(conditions(cluster, 'again').at(-1), 'Failed=True BackoffLimitExceeded')
  assert.is(cluster.pods().length, 0)
})

test('a Job that runs too long fails, and its pods are ended', () => {
  const cluster = new Cluster().run()
  cluster.create(job('slow', { activeDeadlineSeconds: 20 }))
  cluster.run(MINUTE)
  assert.equal(conditions(cluster, 'slow').at(-1), 'Failed=True DeadlineExceeded')
  assert.is(running(cluster).length, 0)
})

test('a pod that somebody deletes is made anew and counted as failed', () => {
  const cluster = new Cluster().run()
  cluster.create(job('pi'))
  cluster.run(5 * SECOND)
  const first = cluster.pods()[0]!.metadata.name
  cluster.plane.admission.delete('pods', 'default', first, { gracePeriodSeconds: 0 })
  cluster.run(30 * SECOND)
  assert.is.not(running(cluster)[0]!.metadata.name, first)
  assert.is(cluster.get<Job>('jobs', 'pi').status?.failed, 1)
})

test('a suspended Job has no pods, and its failures do not count', () => {
  const cluster = new Cluster().run()
  cluster.create(job('wait', { suspend: true }))
  cluster.run(5 * SECOND)
  assert.is(cluster.pods().length, 0)
  assert.is(cluster.get<Job>('jobs', 'wait').status?.startTime, undefined)
  const suspend = (value: boolean) => {
    const stored = cluster.get<Job>('jobs', 'wait')
    cluster.plane.admission.update({ ...stored, spec: { ...stored.spec, suspend: value } })
    cluster.run(5 * SECOND)
  }
  suspend(false)
  assert.is(running(cluster).length, 1)
  suspend(true)
  assert.is(cluster.pods().length, 0)
  suspend(false)
  exitAll(cluster, 0)
  cluster.run(5 * SECOND)
  assert.is(cluster.get<Job>('jobs', 'wait').status?.failed, undefined)
  assert.equal(conditions(cluster, 'wait').at(-1), 'Complete=True CompletionsReached')
})

test('a finished Job goes with its pods when its time to live is over', () => {
  const cluster = new Cluster().run()
  cluster.create(job('pi', { ttlSecondsAfterFinished: 30 }))
  cluster.run(5 * SECOND)
  exitAll(cluster, 0)
  cluster.run(20 * SECOND)
  assert.is(cluster.store.list('jobs').length, 1)
  cluster.run(30 * SECOND)
  assert.is(cluster.store.list('jobs').length, 0)
  assert.is(cluster.pods().length, 0)
})

test('its pods may not restart always; what it is made of does not change', () => {
  const cluster = new Cluster().run()
  const always = job('bad')
  delete always.spec.template.spec.restartPolicy
  assert.throws(
    () => cluster.create(always),
    /spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"/,
  )
  cluster.create(job('pi'))
  const stored = cluster.get<Job>('jobs', 'pi')
  assert.throws(
    () => cluster.plane.admission.update({ ...stored, spec: { ...stored.spec, completions: 4 } }),
    /spec.completions: Invalid value: 4: field is immutable/,
  )
})

test('a CronJob starts a Job each time, and keeps the last three', () => {
  const cluster = new Cluster().run()
  cluster.create<CronJob>({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'tick' },
    spec: { schedule: '*/5 * * * *', jobTemplate: { spec: job('x').spec } },
  })
  cluster.onRest = () => void exitAll(cluster, 0)
  cluster.run(32 * MINUTE)
  const jobs = cluster.store.list<Job>('jobs', 'default')
  assert.is(jobs.length, 3)
  const { status } = cluster.get<CronJob>('cronjobs', 'tick')
  assert.is(status?.lastScheduleTime, '2021-09-13T13:05:00Z')
  assert.is(jobs.at(-1)!.metadata.name, `tick-${Date.parse('2021-09-13T13:05:00Z') / 60_000}`)
  assert.match(cluster.events('tick').at(-1)!, /SuccessfulDelete|SawCompletedJob/)
})

test('schedules are those of cron', () => {
  const next = (text: string, from: string) => {
    const at = new CronSchedule(text).next(Date.parse(from))
    return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16)
  }
  assert.is(next('* * * * *', '2021-09-13T12:36:38Z'), '2021-09-13T12:37')
  assert.is(next('0 3 * * *', '2021-09-13T12:36:38Z'), '2021-09-14T03:00')
  assert.is(next('30 8 1 jan,jul *', '2021-09-13T12:36:38Z'), '2022-01-01T08:30')
  assert.is(next('0 0 * * mon-fri', '2021-09-18T12:00:00Z'), '2021-09-20T00:00')
  assert.is(next('0 0 13 * fri', '2021-09-14T12:00:00Z'), '2021-09-17T00:00')
  assert.is(next('10-59/20 * * * *', '2021-09-13T12:36:38Z'), '2021-09-13T12:50')
  assert.is(next('@hourly', '2021-12-31T23:59:00Z'), '2022-01-01T00:00')
  assert.is(next('0 0 30 2 *', '2021-09-13T12:36:38Z'), undefined)
  for (const bad of ['', '* * * *', '60 * * * *', '5-2 * * * *', '*/0 * * * *', 'x * * * *', '@never'])
    assert.throws(
      () => new CronSchedule(bad),
      (error: unknown) => error instanceof ScheduleError,
    )
})

test.run()
