// Runs Jobs to their end: as many pods at once as parallelism says until as many have succeeded as completions says,
// with a pause after each failure, until too many have failed or time is up; and takes finished Jobs away when their
// time to live is over. The rules are those of kube-controller-manager's job controller. Simplified: pods are counted
// when they are seen to end, without a finalizer; podFailurePolicy, successPolicy and limits per index are not read.

import { MINUTE, type Micros, SECOND } from '../base/time.js'
import { type ControllerContext, controllerOf } from './controller-context.js'
import { deletionOrder } from './deletion-order.js'
import { formatIndexes, indexedPod, indexOf, parseIndexes } from './job-indexes.js'
import type { Condition, Pod } from './objects.js'
import { findCondition, isPodActive, isPodReady, setCondition } from './pod-condition.js'
import { BURST_REPLICAS, followPods, PodControl } from './pod-control.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'
import type { Job } from './workload-objects.js'

const SOURCE = { component: 'job-controller' }
/** After the first failure in a row, then twice as long, and the longest. */
const FIRST_DELAY: Micros = 10 * SECOND
const LONGEST_DELAY: Micros = 10 * MINUTE

const COMPLETE = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
const BACKOFF = {
  reason: 'BackoffLimitExceeded',
  message: 'Job has reached the specified backoff limit',
}
const DEADLINE = { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }

/** What the controller remembers of a Job beside its status. */
interface Memory {
  /** Uids of pods whose end has been counted, or is not to be. */
  readonly counted: Set<string>
  /** Pods that are gone and may not have been counted. */
  gone: Pod[]
  /** Failures since the last success, and when the last was seen. */
  failures: number
  failedAt: Micros
}

/** The numbers of a status. */
interface Tally {
  succeeded: number
  failed: number
  /** Of an Indexed Job. */
  readonly completed: Set<number>
}

export class JobController implements Controller {
  readonly name = 'job'
  readonly #context: ControllerContext
  readonly #pods: PodControl
  readonly #memories = new Map<string, Memory>()

  constructor(context: ControllerContext) {
    this.#context = context
    this.#pods = new PodControl(context, SOURCE)
    const { store, loop } = context
    store.watch<Job>('jobs', ({ type, object }) => {
      if (type === 'DELETED') this.#memories.delete(object.metadata.uid!)
      loop.add(this, keyOf(object))
    })
    store.watch<Pod>('pods', ({ type, object }) => {
      const owner = type === 'DELETED' ? controllerOf(object) : undefined
      if (owner?.kind === 'Job') this.#memories.get(owner.uid)?.gone.push(object)
    })
    followPods(context, 'Job', 'jobs', (key) => loop.add(this, key))
  }

  reconcile(key: string): void {
    const [namespace, name] = splitKey(key)
    const job = this.#context.store.get<Job>('jobs', namespace, name)
    if (job === undefined || job.metadata.deletionTimestamp) return
    const memory = this.#memoryOf(job)
    const pods = this.#pods.claim(job, job.spec.selector ?? {})
    const tally = this.#count(job, memory, pods)
    const conditions = (job.status?.conditions ?? []).map((condition) => ({ ...condition }))
    const status: NonNullable<Job['status']> = { ...job.status, conditions }
    if (endOf(conditions) !== undefined) this.#expire(key, job)
    else if (job.spec.suspend) this.#suspend(job, status, memory, pods)
    else {
      this.#resume(job, status)
      this.#decide(key, job, status, tally, pods)
      if (!findTarget(conditions)) this.#manage(key, job, tally, memory, pods)
      this.#finish(job, status)
    }
    this.#updateStatus(key, job, status, tally)
  }

  #memoryOf({ metadata }: Job): Memory {
    let memory = this.#memories.get(metadata.uid!)
    if (memory === undefined) {
      memory = { counted: new Set(), gone: [], failures: 0, failedAt: 0 }
      this.#memories.set(metadata.uid!, memory)
    }
    return memory
  }

  /** Counts pods that have ended since, each once; one that others delete has failed. */
  #count(job: Job, memory: Memory, pods: readonly Pod[]): Tally {
    const { succeeded = 0, failed = 0, completedIndexes = '' } = job.status ?? {}
    const tally: Tally = { succeeded, failed, completed: parseIndexes(completedIndexes) }
    for (const pod of [...memory.gone.splice(0), ...pods]) {
      const uid = pod.metadata.uid!
      const gone = this.#context.store.get('pods', pod.metadata.namespace, pod.metadata.name) === undefined
      const counted = memory.counted.has(uid)
      // Uids do not come again: what is gone need not be remembered.
      if (gone) memory.counted.delete(uid)
      if (counted) continue
      if (pod.status?.phase === 'Succeeded') {
        const index = indexOf(pod)
        if (job.spec.completionMode !== 'Indexed') tally.succeeded++
        else if (index !== undefined && index < (job.spec.completions ?? 0)) {
          tally.completed.add(index)
          tally.succeeded = tally.completed.size
        }
        memory.failures = 0
      } else if (pod.status?.phase === 'Failed' || pod.metadata.deletionTimestamp || gone) {
        tally.failed++
        memory.failures++
        memory.failedAt = this.#context.clock.now
      } else continue
      if (!gone) memory.counted.add(uid)
    }
    return tally
  }

  #suspend(job: Job, status: NonNullable<Job['status']>, memory: Memory, pods: readonly Pod[]): void {
    for (const pod of pods.filter(isPodActive)) this.#drop(job, memory, pod)
    if (findCondition(status.conditions, 'Suspended')?.status === 'True') return
    this.#set(status, { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' })
    this.#tell(job, 'Normal', 'Suspended', 'Job suspended')
  }

  /** Its time runs from the start, or from the last resumption. */
  #resume(job: Job, status: NonNullable<Job['status']>): void {
    const { clock } = this.#context
    if (findCondition(status.conditions, 'Suspended')?.status === 'True') {
      this.#set(status, { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' })
      this.#tell(job, 'Normal', 'Resumed', 'Job resumed')
      status.startTime = clock.timestamp()
    }
    status.startTime ??= clock.timestamp()
  }

  /** Whether the Job has reached its end, one way or the other. */
  #decide(
    key: string,
    job: Job,
    status: NonNullable<Job['status']>,
    tally: Tally,
    pods: readonly Pod[],
  ): void {
    if (findTarget(status.conditions)) return
    const { clock, loop } = this.#context
    const { completions, backoffLimit = 6, activeDeadlineSeconds } = job.spec
    const active = pods.filter(isPodActive)
    const deadline =
      activeDeadlineSeconds === undefined
        ? undefined
        : clock.microsOf(status.startTime!) + activeDeadlineSeconds * SECOND
    const done =
      completions === undefined ? tally.succeeded > 0 && active.length === 0 : tally.succeeded >= completions
    if (done) return this.#set(status, { type: 'SuccessCriteriaMet', status: 'True', ...COMPLETE })
    if (tally.failed > backoffLimit || restartsTooOften(job, active))
      return this.#set(status, { type: 'FailureTarget', status: 'True', ...BACKOFF })
    if (deadline === undefined) return
    if (clock.now >= deadline) this.#set(status, { type: 'FailureTarget', status: 'True', ...DEADLINE })
    else loop.addAt(this, key, deadline)
  }

  /** Pods that are missing, after the pause that failures ask for; none that are too many. */
  #manage(key: string, job: Job, tally: Tally, memory: Memory, pods: readonly Pod[]): void {
    const { clock, loop } = this.#context
    const { parallelism = 1, completions } = job.spec
    const active = pods.filter(isPodActive)
    const wanted =
      completions === undefined
        ? tally.succeeded > 0
          ? active.length
          : parallelism
        : Math.min(parallelism, Math.max(0, completions - tally.succeeded))
    for (const pod of deletionOrder(active).slice(0, Math.max(0, active.length - wanted)))
      this.#drop(job, memory, pod)
    if (active.length >= wanted) return
    const delay = Math.min(FIRST_DELAY * 2 ** (memory.failures - 1), LONGEST_DELAY)
    if (memory.failures > 0 && memory.failedAt + delay > clock.now)
      return loop.addAt(this, key, memory.failedAt + delay)
    const busy = new Set([...tally.completed, ...active.map(indexOf)])
    let index = 0
    const missing = wanted - active.length
    if (missing > BURST_REPLICAS) loop.postpone(this, key)
    for (let left = Math.min(missing, BURST_REPLICAS); left > 0; left--) {
      while (busy.has(index)) index++
      const draft =
        job.spec.completionMode === 'Indexed'
          ? indexedPod(job, index++)
          : { generateName: `${job.metadata.name}-` }
      if (!this.#pods.create(job, job.spec.template, draft)) return
    }
  }

  /** Once its last pod is gone, a Job whose end is decided is at its end. */
  #finish(job: Job, status: NonNullable<Job['status']>): void {
    const target = findTarget(status.conditions)
    if (target === undefined) return
    const left = this.#context.ownedPods
      .of(job.metadata.uid!)
      .filter(({ status: { phase } = {} }) => phase !== 'Succeeded' && phase !== 'Failed')
    for (const pod of left) if (!pod.metadata.deletionTimestamp) this.#pods.delete(job, pod)
    if (left.some(({ metadata }) => this.#context.store.get('pods', metadata.namespace, metadata.name)))
      return
    const { reason = '', message = '' } = target
    if (target.type === 'SuccessCriteriaMet') {
      this.#set(status, { type: 'Complete', status: 'True', reason, message })
      status.completionTime = this.#context.clock.timestamp()
      this.#tell(job, 'Normal', 'Completed', 'Job completed')
    } else {
      this.#set(status, { type: 'Failed', status: 'True', reason, message })
      this.#tell(job, 'Warning', reason, message)
    }
  }

  /** Takes a pod away whose end is nobody's failure. */
  #drop(job: Job, memory: Memory, pod: Pod): void {
    memory.counted.add(pod.metadata.uid!)
    this.#pods.delete(job, pod)
  }

  #expire(key: string, job: Job): void {
    const { clock, loop, admission } = this.#context
    const seconds = job.spec.ttlSecondsAfterFinished
    const finished = endOf(job.status?.conditions)?.lastTransitionTime
    if (seconds === undefined || finished === undefined) return
    const at = clock.microsOf(finished) + seconds * SECOND
    if (at > clock.now) return loop.addAt(this, key, at)
    admission.delete('jobs', job.metadata.namespace, job.metadata.name, { propagationPolicy: 'Foreground' })
  }

  #updateStatus(key: string, job: Job, status: NonNullable<Job['status']>, tally: Tally): void {
    const { store, ownedPods } = this.#context
    const [namespace, name] = splitKey(key)
    const current = store.get<Job>('jobs', namespace, name)
    if (current === undefined) return
    const pods = ownedPods.of(job.metadata.uid!)
    const active = pods.filter(isPodActive)
    const ended = pods.filter(({ status: { phase } = {} }) => phase === 'Succeeded' || phase === 'Failed')
    const { conditions = [], startTime, completionTime } = status
    const completedIndexes = formatIndexes(tally.completed)
    store.update<Job>({
      ...current,
      status: {
        ...(conditions.length > 0 && { conditions }),
        ...(startTime && { startTime }),
        ...(completionTime && { completionTime }),
        ...(active.length > 0 && { active: active.length }),
        terminating: pods.length - active.length - ended.length,
        ready: active.filter(isPodReady).length,
        ...(tally.succeeded > 0 && { succeeded: tally.succeeded }),
        ...(tally.failed > 0 && { failed: tally.failed }),
        ...(completedIndexes && { completedIndexes }),
        uncountedTerminatedPods: {},
      },
    })
  }

  #set(status: NonNullable<Job['status']>, condition: Condition): void {
    const now = this.#context.clock.timestamp()
    setCondition((status.conditions ??= []), { lastProbeTime: now, ...condition }, now)
  }

  #tell(job: Job, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.events.record(job, type, reason, message, SOURCE)
  }
}

/** How the Job has ended; undefined while it has not. */
export function endOf(conditions: readonly Condition[] | undefined): Condition | undefined {
  return conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )
}

/** That, and how, the Job will end when its last pods are gone. */
function findTarget(conditions: readonly Condition[] | undefined): Condition | undefined {
  return conditions?.find(
    ({ type, status }) => (type === 'SuccessCriteriaMet' || type === 'FailureTarget') && status === 'True',
  )
}

/** With restartPolicy OnFailure, the restarts of containers are the failures. */
function restartsTooOften({ spec }: Job, active: readonly Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== 'OnFailure') return false
  const limit = spec.backoffLimit ?? 6
  const restarts = active
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0)
  return limit === 0 ? restarts > 0 : restarts >= limit
}
