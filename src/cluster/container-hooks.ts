// The hooks of a container's life: postStart holds back that it runs; preStop comes before the signal to stop, SIGKILL
// when the grace period is over. The hook's time counts as grace; whatever it took, what is left for the signal is two
// seconds at least.

import { type Micros, SECOND } from '../base/time.js'
import type { ControllerContext } from './controller-context.js'
import type { HandlerAction, LifecycleHandler, Pod } from './objects.js'
import type { ContainerRecord, PodRecord } from './pod-record.js'
import { type ProbeRequests, probeAction } from './probe-requests.js'
import type { PodRuntime } from './sandbox.js'
import type { Controller } from './work-loop.js'

const MINIMUM_GRACE: Micros = 2 * SECOND
/** How long a postStart hook may take; the kubelet has no limit. */
const POST_START_LIMIT: Micros = 600 * SECOND

/** A container that was told to stop: its hook runs, or ran. */
interface Stopping {
  readonly record: PodRecord
  readonly container: ContainerRecord
  readonly killAt: Micros
  /** When a hook that only sleeps is over. */
  readonly sleepUntil: Micros | undefined
  cancel: (() => void) | undefined
  signalled: boolean
}

/** A postStart hook that only sleeps. */
interface Sleeping {
  readonly until: Micros
  readonly done: () => void
}

export class ContainerHooks implements Controller {
  readonly name = 'container-hooks'
  readonly #context: ControllerContext
  readonly #runtime: PodRuntime
  readonly #requests: ProbeRequests | undefined
  readonly #stopping = new Map<string, Stopping>()
  readonly #sleeping = new Map<string, Sleeping>()

  /** Without `requests` hooks other than sleep are not run. */
  constructor(context: ControllerContext, runtime: PodRuntime, requests: ProbeRequests | undefined) {
    this.#context = context
    this.#runtime = runtime
    this.#requests = requests
  }

  /** Ends a container that runs. A second call, with less grace, ends its hook. */
  stop(record: PodRecord, container: ContainerRecord, pod: Pod | undefined, grace: Micros): void {
    const { clock, loop } = this.#context
    const key = keyOf(record, container)
    const before = this.#stopping.get(key)
    before?.cancel?.()
    if (before !== undefined) before.signalled = true
    const hook = container.spec.lifecycle?.preStop
    const isRunning = container.phase === 'running' && before === undefined
    if (hook === undefined || pod === undefined || grace === 0 || !isRunning)
      return this.#runtime.stopContainer(record.uid, container.name, grace)
    const killAt = clock.now + grace
    const sleepUntil = hook.sleep && Math.min(killAt, clock.now + hook.sleep.seconds * SECOND)
    const stopping: Stopping = { record, container, killAt, sleepUntil, cancel: undefined, signalled: false }
    this.#stopping.set(key, stopping)
    if (sleepUntil !== undefined) return loop.addAt(this, key, sleepUntil)
    stopping.cancel = this.#run(record, container, hook, grace, (problem) => {
      stopping.cancel = undefined
      if (problem !== undefined) this.#tell(record, container, pod, 'FailedPreStopHook', 'PreStopHook failed')
      this.#signal(key)
    })
  }

  /** Runs the postStart hook of a container that has just started; `done` hears of a problem, if there is one. */
  postStart(record: PodRecord, container: ContainerRecord, pod: Pod, done: (failed: boolean) => void): void {
    const hook = container.spec.lifecycle?.postStart
    if (hook === undefined) return done(false)
    const instance = container.containerId
    const isPast = () => container.containerId !== instance || container.phase !== 'starting'
    if (hook.sleep !== undefined) {
      const { clock, loop } = this.#context
      const until = clock.now + hook.sleep.seconds * SECOND
      this.#sleeping.set(keyOf(record, container), { until, done: () => isPast() || done(false) })
      return loop.addAt(this, keyOf(record, container), until)
    }
    this.#run(record, container, hook, POST_START_LIMIT, (problem) => {
      if (isPast()) return
      if (problem !== undefined)
        this.#tell(record, container, pod, 'FailedPostStartHook', 'PostStartHook failed')
      done(problem !== undefined)
    })
  }

  /** The container has ended. */
  forget(record: PodRecord, container: ContainerRecord): void {
    const key = keyOf(record, container)
    this.#stopping.get(key)?.cancel?.()
    this.#stopping.delete(key)
    this.#sleeping.delete(key)
  }

  reconcile(key: string): void {
    this.#wakeUp(key)
    const stopping = this.#stopping.get(key)
    if (stopping?.sleepUntil === undefined || stopping.signalled) return
    if (this.#context.clock.now < stopping.sleepUntil)
      this.#context.loop.addAt(this, key, stopping.sleepUntil)
    else this.#signal(key)
  }

  #wakeUp(key: string): void {
    const sleeping = this.#sleeping.get(key)
    if (sleeping === undefined) return
    if (this.#context.clock.now < sleeping.until) return this.#context.loop.addAt(this, key, sleeping.until)
    this.#sleeping.delete(key)
    sleeping.done()
  }

  #run(
    record: PodRecord,
    container: ContainerRecord,
    hook: LifecycleHandler,
    timeout: Micros,
    done: (problem: string | undefined) => void,
  ): (() => void) | undefined {
    const action = probeAction(hook as HandlerAction, container.spec, record.address?.split('/')[0] ?? '')
    if (typeof action === 'string' || this.#requests === undefined) {
      done(typeof action === 'string' ? action : undefined)
      return undefined
    }
    const { uid, nodeName } = record
    const request = { node: nodeName, uid, container: container.name, action, timeout }
    return this.#requests.start(request, ({ ok, output }) => {
      // Of an HTTP hook only that it was answered matters.
      const answered = action.kind === 'http' && output.startsWith('HTTP probe failed with statuscode')
      done(ok || answered ? undefined : output)
    })
  }

  #signal(key: string): void {
    const stopping = this.#stopping.get(key)
    if (stopping === undefined || stopping.signalled) return
    stopping.signalled = true
    const { record, container, killAt } = stopping
    const left = Math.max(killAt - this.#context.clock.now, MINIMUM_GRACE)
    this.#runtime.stopContainer(record.uid, container.name, left)
  }

  #tell(record: PodRecord, container: ContainerRecord, pod: Pod, reason: string, message: string): void {
    const source = { component: 'kubelet', host: record.nodeName }
    this.#context.events.record(pod, 'Warning', reason, message, source, `spec.containers{${container.name}}`)
  }
}

function keyOf(record: PodRecord, container: ContainerRecord): string {
  return `${record.uid}/${container.name}`
}
