// How the containers of a pod start, end and start again: one at a time, in order; images pulled with back-off, crashed
// containers restarted with back-off, by restartPolicy. The kubelet calls it while the pod's sandbox is there.

import { MILLISECOND, type Micros, NEVER, SECOND } from '../base/time.js'
import { formatSeconds } from './back-off.js'
import type { ContainerHooks } from './container-hooks.js'
import type { ControllerContext } from './controller-context.js'
import { randomHex } from './names.js'
import type { Container, Pod, Probe } from './objects.js'
import { ContainerConfigError, containerEnvironment, expand, type PodAddressing } from './pod-environment.js'
import { type ContainerRecord, isAlive, isInitialized, type PodRecord } from './pod-record.js'
import type { ProbeKind, ProbeManager } from './probe-manager.js'
import type { ContainerExit, ContainerSpec, PodRuntime, PodUid } from './sandbox.js'

/** How long a failed pull is told as ErrImagePull before it becomes ImagePullBackOff. */
/** As manifests and runtimes write it, and what holds it too. */
const NET_ADMIN = new Set(['NET_ADMIN', 'CAP_NET_ADMIN', 'ALL'])
const PULL_ERROR_SHOWN: Micros = 2 * SECOND

export interface LifecycleOptions {
  readonly context: ControllerContext
  readonly runtime: PodRuntime
  /** Without it, a container that runs is ready. */
  readonly probes: ProbeManager | undefined
  readonly hooks: ContainerHooks
  /** Has the kubelet look at a pod again at a time. */
  readonly wake: (uid: PodUid, at: Micros) => void
}

/** What a container's start needs of its node. */
export interface ImageCache {
  readonly images: Set<string>
}

export class ContainerLifecycle {
  readonly #context: ControllerContext
  readonly #runtime: PodRuntime
  readonly #probes: ProbeManager | undefined
  readonly #hooks: ContainerHooks
  readonly #wake: LifecycleOptions['wake']

  constructor({ context, runtime, probes, hooks, wake }: LifecycleOptions) {
    this.#context = context
    this.#runtime = runtime
    this.#probes = probes
    this.#hooks = hooks
    this.#wake = wake
  }

  /** Does what is due for the containers of `record`; its sandbox is ready. */
  advance(record: PodRecord, pod: Pod, addressing: PodAddressing, node: ImageCache): void {
    for (const container of record.containers) this.#noticeImage(record, container, pod)
    for (;;) {
      const busy = record.containers.find(({ phase }) => phase === 'pulling' || phase === 'creating')
      if (busy !== undefined) {
        if (this.#context.clock.now < busy.until) return this.#wake(record.uid, busy.until)
        if (busy.phase === 'pulling') this.#endPull(record, busy, pod, node)
        else this.#create(record, busy, pod, addressing)
        continue
      }
      if (record.containers.some(({ phase }) => phase === 'starting')) return
      const next = this.#nextToStart(record, pod)
      if (next === undefined) return
      this.#begin(record, next, pod, node)
    }
  }

  /** When the next container of the pod may start; NEVER when none should. */
  nextStart(record: PodRecord, pod: Pod): Micros {
    return Math.min(...this.#candidates(record).map((container) => this.#startTime(container, pod)), NEVER)
  }

  /** Tells of the containers that wait out a back-off, while there is no sandbox for any to start in. */
  tellBackOff(record: PodRecord, pod: Pod): void {
    this.#nextToStart(record, pod)
  }

  /** A ConfigMap came or changed: what could not be configured is tried again. */
  retryConfiguration(record: PodRecord): void {
    for (const container of record.containers)
      if (container.waiting?.reason === 'CreateContainerConfigError') container.until = 0
  }

  /** Whether a container changes no more by itself but through back-off. */
  isSettled(record: PodRecord, container: ContainerRecord, pod: Pod): boolean {
    if (container.phase === 'running')
      return !container.stopping && (this.#probes?.isDecided(record.uid, container.name) ?? true)
    if (container.phase === 'exited' || container.phase === 'waiting') {
      const { reason } = container.waiting ?? {}
      if (reason !== undefined) return reason !== 'ErrImagePull'
      if (container.phase === 'exited')
        return container.list === 'initContainers' || this.#startTime(container, pod) === NEVER
      // A main container behind an init container that itself waits.
      return record.containers.some(
        ({ list, waiting }) => list === 'initContainers' && waiting && !isInitialized(record),
      )
    }
    return false
  }

  onStarted(record: PodRecord, name: string, pod: Pod | undefined): void {
    const container = find(record, name)
    if (container?.phase !== 'starting') return
    if (pod === undefined) return this.#run(record, container)
    this.#hooks.postStart(record, container, pod, (failed) => {
      this.#run(record, container)
      this.#event(record, container, pod, 'Normal', 'Started', `Started container ${name}`)
      if (failed) this.#stop(record, container, pod, 'FailedPostStartHook', undefined)
      this.#wake(record.uid, this.#context.clock.now)
    })
  }

  #run(record: PodRecord, container: ContainerRecord): void {
    const { spec } = container
    container.phase = 'running'
    container.changed = false
    container.startedAt = this.#context.clock.now
    container.stopping = false
    const isProbed = this.#probes !== undefined && container.list === 'containers'
    container.started = !isProbed || spec.startupProbe === undefined
    container.ready = container.started && (!isProbed || spec.readinessProbe === undefined)
    const podIP = record.address?.split('/')[0]
    if (isProbed && podIP)
      this.#probes?.start({ uid: record.uid, node: record.nodeName, podIP, container: spec })
  }

  /** A probe has come to a decision about a container. */
  onProbe(record: PodRecord, container: ContainerRecord, pod: Pod, kind: ProbeKind, ok: boolean): void {
    if (container.phase !== 'running') return
    if (kind === 'readiness') container.ready = ok
    else if (!ok) {
      const again = pod.spec.restartPolicy === 'Never' ? '' : ', will be restarted'
      const message = `Container ${container.name} failed ${kind} probe${again}`
      this.#stop(record, container, pod, message, container.spec[`${kind}Probe`])
    } else if (kind === 'startup') {
      container.started = true
      container.ready = container.spec.readinessProbe === undefined
    }
  }

  /** Ends a container for what it did itself; by restartPolicy it starts again. */
  #stop(
    record: PodRecord,
    container: ContainerRecord,
    pod: Pod,
    message: string,
    probe: Probe | undefined,
  ): void {
    if (container.stopping || pod.metadata.deletionTimestamp) return
    container.stopping = true
    this.#event(record, container, pod, 'Normal', 'Killing', message)
    const seconds = probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
    this.#hooks.stop(record, container, pod, seconds * SECOND)
  }

  onExited(record: PodRecord, name: string, exit: ContainerExit, pod: Pod | undefined): void {
    const { clock } = this.#context
    const container = find(record, name)
    if (container === undefined || !isAlive(container)) return
    const started = container.phase === 'running'
    if (!started && pod && exit.reason !== 'Completed')
      this.#event(record, container, pod, 'Warning', 'Failed', `Error: ${exit.message ?? exit.reason}`)
    this.#hooks.forget(record, container)
    if (!started) container.changed = false
    container.phase = 'exited'
    container.started = false
    container.ready = false
    container.stopping = false
    container.finishedAt = clock.now
    container.lastTerminated = container.terminated
    container.terminated = {
      exitCode: exit.exitCode,
      ...(exit.signal !== undefined && { signal: exit.signal }),
      reason: exit.reason,
      ...(exit.message !== undefined && { message: exit.message }),
      startedAt: started ? clock.timestampAt(container.startedAt) : clock.timestamp(),
      finishedAt: clock.timestamp(),
      containerID: `containerd://${container.containerId}`,
    }
    this.#probes?.stop(record.uid, name)
  }

  /** A changed image starts a container again that runs; one whose image could not be had is tried anew. */
  #noticeImage(record: PodRecord, container: ContainerRecord, pod: Pod): void {
    const { triedImage, spec, name } = container
    if (triedImage === undefined || triedImage === spec.image || container.list === 'initContainers') return
    if (container.phase === 'running' && !container.stopping) {
      container.changed = true
      this.#stop(record, container, pod, `Container ${name} definition changed, will be restarted`, undefined)
    } else if (container.pullFailedAt !== NEVER) {
      container.pullFailedAt = NEVER
      container.triedImage = undefined
    }
  }

  /** The first init container that has not ended well; behind them, the main ones. Ephemeral ones wait for nobody. */
  #candidates(record: PodRecord): ContainerRecord[] {
    const init = record.containers.find(
      ({ list, terminated }) => list === 'initContainers' && terminated?.exitCode !== 0,
    )
    const due = record.containers.filter(
      (container) =>
        container === init ||
        container.list === 'ephemeralContainers' ||
        (init === undefined && container.list === 'containers'),
    )
    return due.filter(({ phase }) => phase === 'waiting' || phase === 'exited')
  }

  /** When a container that does not run may start: at once, after its back-off, or NEVER by restartPolicy. */
  #startTime(container: ContainerRecord, pod: Pod): Micros {
    if (container.waiting?.reason === 'CreateContainerConfigError' && container.until === NEVER) return NEVER
    const pullAllowed = container.pullFailedAt === NEVER ? 0 : container.pullBackOff.blockedSinceUpdate()
    if (container.phase === 'waiting') return pullAllowed
    if (container.changed) return pullAllowed
    if (container.list === 'ephemeralContainers') return NEVER
    const policy = pod.spec.restartPolicy ?? 'Always'
    const failed = container.terminated?.exitCode !== 0
    const again =
      container.list === 'initContainers'
        ? failed && policy !== 'Never'
        : policy === 'Always' || (policy === 'OnFailure' && failed)
    if (!again) return NEVER
    return Math.max(pullAllowed, container.crashBackOff.blockedUntil(container.finishedAt))
  }

  /** A container that may start now; those that must wait are told so and woken up. */
  #nextToStart(record: PodRecord, pod: Pod): ContainerRecord | undefined {
    const { now } = this.#context.clock
    let next: ContainerRecord | undefined
    for (const container of this.#candidates(record)) {
      const at = this.#startTime(container, pod)
      if (at === NEVER) continue
      if (at <= now) next ??= container
      else {
        this.#wake(record.uid, at)
        this.#tellWaiting(record, container, pod)
      }
    }
    return next
  }

  #tellWaiting(record: PodRecord, container: ContainerRecord, pod: Pod): void {
    const { clock } = this.#context
    const pullShownUntil = container.pullFailedAt + PULL_ERROR_SHOWN
    if (container.pullFailedAt !== NEVER) {
      if (clock.now < pullShownUntil) return this.#wake(record.uid, pullShownUntil)
      if (/^(ImagePullBackOff|ErrImageNeverPull)$/.test(container.waiting?.reason ?? '')) return
      const message = `Back-off pulling image "${container.spec.image}"`
      container.waiting = { reason: 'ImagePullBackOff', message }
      this.#event(record, container, pod, 'Normal', 'BackOff', message)
      this.#event(record, container, pod, 'Warning', 'Failed', 'Error: ImagePullBackOff')
      return
    }
    if (container.waiting?.reason === 'CrashLoopBackOff') return
    const who = `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
    container.waiting = {
      reason: 'CrashLoopBackOff',
      message: `back-off ${formatSeconds(container.crashBackOff.delay)} restarting failed container=${container.name} pod=${who}`,
    }
    const message = `Back-off restarting failed container ${container.name} in pod ${who}`
    this.#event(record, container, pod, 'Warning', 'BackOff', message)
  }

  /** First step of a start: the image. */
  #begin(record: PodRecord, container: ContainerRecord, pod: Pod, node: ImageCache): void {
    const { clock, startDelays } = this.#context
    const { image, imagePullPolicy } = container.spec
    container.triedImage = image
    if (container.phase === 'exited' && !container.changed)
      container.crashBackOff.next(container.finishedAt, clock.now)
    const present = node.images.has(image)
    if (!present && imagePullPolicy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`
      this.#failPull(record, container, pod, 'ErrImageNeverPull', message)
      return
    }
    if (present && imagePullPolicy !== 'Always') {
      const message = `Container image "${image}" already present on machine`
      this.#event(record, container, pod, 'Normal', 'Pulled', message)
      this.#enter(container, 'creating', startDelays.create)
      return
    }
    this.#event(record, container, pod, 'Normal', 'Pulling', `Pulling image "${image}"`)
    this.#enter(container, 'pulling', startDelays.pull)
  }

  #enter(container: ContainerRecord, phase: 'pulling' | 'creating', delay: Micros): void {
    container.phase = phase
    container.until = this.#context.clock.now + delay
  }

  #endPull(record: PodRecord, container: ContainerRecord, pod: Pod, node: ImageCache): void {
    const { image } = container.spec
    const { startDelays } = this.#context
    if (!this.#runtime.hasImage(image)) {
      const why = `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`
      this.#event(record, container, pod, 'Warning', 'Failed', `Failed to pull image "${image}": ${why}`)
      this.#failPull(record, container, pod, 'ErrImagePull', why)
      return
    }
    node.images.add(image)
    container.pullFailedAt = NEVER
    const took = startDelays.pull === 0 ? '0s' : `${startDelays.pull / MILLISECOND}ms`
    const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting)`
    this.#event(record, container, pod, 'Normal', 'Pulled', message)
    this.#enter(container, 'creating', startDelays.create)
  }

  #failPull(record: PodRecord, container: ContainerRecord, pod: Pod, reason: string, message: string): void {
    const { clock } = this.#context
    container.phase = container.terminated ? 'exited' : 'waiting'
    container.waiting = { reason, message }
    container.pullFailedAt = clock.now
    container.pullBackOff.next(clock.now, clock.now)
    this.#event(record, container, pod, 'Warning', 'Failed', `Error: ${reason}`)
  }

  /** Second step: the configuration, and the runtime. */
  #create(record: PodRecord, container: ContainerRecord, pod: Pod, addressing: PodAddressing): void {
    let spec: ContainerSpec
    try {
      spec = this.#containerSpec(container, pod, addressing)
    } catch (error) {
      if (!(error instanceof ContainerConfigError)) throw error
      this.#failConfig(record, container, pod, error.message)
      return
    }
    this.#event(record, container, pod, 'Normal', 'Created', `Created container ${container.name}`)
    if (container.terminated !== undefined) container.restartCount++
    container.containerId = randomHex(this.#context.random, 64)
    container.waiting = undefined
    container.phase = 'starting'
    this.#runtime.startContainer(record.uid, spec)
  }

  /** Unlike the kubelet, which tries again every few seconds: only when a ConfigMap changes. */
  #failConfig(record: PodRecord, container: ContainerRecord, pod: Pod, message: string): void {
    container.phase = container.terminated ? 'exited' : 'waiting'
    container.waiting = { reason: 'CreateContainerConfigError', message }
    container.until = NEVER
    this.#event(record, container, pod, 'Warning', 'Failed', `Error: ${message}`)
  }

  #containerSpec(container: ContainerRecord, pod: Pod, addressing: PodAddressing): ContainerSpec {
    const { spec } = container
    const env = containerEnvironment(pod, spec, addressing, this.#context.store)
    const values = new Map(env)
    const expanded = (words: readonly string[]) =>
      words.map((word) => expand(word, (name) => values.get(name)))
    const mounts = (spec.volumeMounts ?? []).map(({ name, mountPath, subPath, readOnly }) => ({
      volume: name,
      path: mountPath,
      ...(subPath && { subPath }),
      readOnly: readOnly === true,
    }))
    return {
      name: container.name,
      image: spec.image,
      ...(spec.command && { command: expanded(spec.command) }),
      ...(spec.args && { args: expanded(spec.args) }),
      ...(spec.workingDir && { workingDir: spec.workingDir }),
      env,
      mounts,
      stdin: spec.stdin === true,
      stdinOnce: spec.stdinOnce === true,
      tty: spec.tty === true,
      netAdmin: hasNetAdmin(spec),
    }
  }

  #event(
    record: PodRecord,
    container: ContainerRecord,
    pod: Pod,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void {
    const source = { component: 'kubelet', host: record.nodeName }
    const field = `spec.${container.list}{${container.name}}`
    this.#context.events.record(pod, type, reason, message, source, field)
  }
}

/** As containerd counts capabilities: those that are added win over those that are dropped. */
function hasNetAdmin({ securityContext: { privileged, capabilities } = {} }: Container): boolean {
  return privileged === true || (capabilities?.add ?? []).some((name) => NET_ADMIN.has(name.toUpperCase()))
}

function find(record: PodRecord, name: string): ContainerRecord | undefined {
  return record.containers.find((container) => container.name === name)
}
