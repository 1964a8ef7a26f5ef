// The status of a pod as the API shows it, from what the kubelet knows of its sandbox and containers: phase,
// conditions, container statuses.

import { Random } from '../base/random.js'
import type { ClusterClock } from './clock.js'
import { randomHex } from './names.js'
import type { Condition, ContainerState, ContainerStatus, Pod, PodPhase, PodStatus } from './objects.js'
import type { Rejection } from './pod-admission.js'
import { findCondition, setCondition } from './pod-condition.js'
import {
  addressesOf,
  type ContainerList,
  type ContainerRecord,
  isAlive,
  isInitialized,
  type PodRecord,
} from './pod-record.js'

/**
 * The next status of `pod`; what others have set in it (PodScheduled, qosClass) is kept. `hostIPs`: the node's
 * addresses, its primary one first.
 */
export function podStatus(
  pod: Pod,
  record: PodRecord,
  hostIPs: readonly string[],
  clock: ClusterClock,
): PodStatus {
  if (record.rejection !== undefined) return rejectedStatus(pod, record.rejection)
  const { podIP: _last, podIPs: lastIPs = [], ...kept } = pod.status ?? {}
  const initialized = isInitialized(record)
  const statuses = (list: ContainerList) =>
    record.containers
      .filter((container) => container.list === list)
      .map((container) => containerStatus(container, initialized, record, clock))
      .sort((a, b) => (list === 'initContainers' ? 0 : a.name < b.name ? -1 : 1))
  const containerStatuses = statuses('containers')
  const initContainerStatuses = statuses('initContainers')
  const ephemeralContainerStatuses = statuses('ephemeralContainers')
  // A container that starts again with another image has not ended.
  const phase = record.containers.some(({ changed }) => changed)
    ? 'Running'
    : (terminatedPhase(pod, record, containerStatuses) ??
      podPhase(pod, initialized, containerStatuses, initContainerStatuses))
  const ownIPs = record.sandbox === 'ready' ? addressesOf(record) : []
  // A pod that has ended is still told with the address that it had.
  const isFinished = phase === 'Succeeded' || phase === 'Failed'
  const before = isFinished ? lastIPs.map(({ ip }) => ip) : []
  const podIPs = record.hostNetwork ? hostIPs : ownIPs.length > 0 ? ownIPs : before
  return {
    ...kept,
    phase,
    conditions: conditions(pod, record, phase, containerStatuses, clock),
    hostIP: hostIPs[0]!,
    hostIPs: hostIPs.map((ip) => ({ ip })),
    ...(podIPs.length > 0 && { podIP: podIPs[0]!, podIPs: podIPs.map((ip) => ({ ip })) }),
    startTime: clock.timestampAt(record.startedAt),
    ...(initContainerStatuses.length > 0 && { initContainerStatuses }),
    containerStatuses,
    ...(ephemeralContainerStatuses.length > 0 && { ephemeralContainerStatuses }),
  }
}

/** Nothing is told of the containers of a pod that its node has not taken. */
function rejectedStatus({ status }: Pod, { reason, message }: Rejection): PodStatus {
  const { qosClass, startTime, conditions = [] } = status ?? {}
  return {
    ...(qosClass && { qosClass }),
    ...(startTime && { startTime }),
    conditions: conditions.filter(({ type }) => type === 'PodScheduled'),
    phase: 'Failed',
    reason,
    message: `Pod was rejected: ${message}`,
  }
}

function containerStatus(
  container: ContainerRecord,
  initialized: boolean,
  record: PodRecord,
  clock: ClusterClock,
): ContainerStatus {
  const running = container.phase === 'running'
  const started = container.containerId !== undefined
  return {
    name: container.name,
    image: container.spec.image,
    imageID: started ? imageId(container.spec.image) : '',
    ...(started && { containerID: `containerd://${container.containerId}` }),
    ready: isReady(container),
    started: running && container.started,
    restartCount: container.restartCount,
    state: containerState(container, initialized, record, clock),
    lastState: lastState(container),
  }
}

/** Nobody asks whether an ephemeral container is. */
function isReady({ list, phase, ready, terminated }: ContainerRecord): boolean {
  if (list === 'initContainers') return terminated?.exitCode === 0
  return list === 'containers' && phase === 'running' && ready
}

function containerState(
  container: ContainerRecord,
  initialized: boolean,
  record: PodRecord,
  clock: ClusterClock,
): ContainerState {
  if (container.phase === 'running') return { running: { startedAt: clock.timestampAt(container.startedAt) } }
  if (container.waiting !== undefined) return { waiting: { ...container.waiting } }
  if (container.terminated !== undefined) return { terminated: { ...container.terminated } }
  const waitsForInit = record.containers.some(({ list }) => list === 'initContainers') && !initialized
  const reason =
    container.list === 'initContainers' || (container.list === 'containers' && waitsForInit)
      ? 'PodInitializing'
      : 'ContainerCreating'
  return { waiting: { reason } }
}

/** The end before the one that `state` tells; while it waits, its last end. */
function lastState(container: ContainerRecord): ContainerState {
  const told = container.phase !== 'running' && container.waiting === undefined
  const last = told ? container.lastTerminated : (container.terminated ?? container.lastTerminated)
  return last === undefined ? {} : { terminated: { ...last } }
}

/** Built-in images have no digest; one made from the name tells them apart. */
function imageId(image: string): string {
  return `sha256:${randomHex(new Random(`image/${image}`), 64)}`
}

/** A deleted pod whose containers have all been stopped has ended, whatever its restart policy (podIsTerminal of getPhase). */
function terminatedPhase(
  { metadata }: Pod,
  { containers }: PodRecord,
  statuses: readonly ContainerStatus[],
): PodPhase | undefined {
  if (metadata.deletionTimestamp === undefined || containers.some(isAlive)) return undefined
  if (!statuses.every(({ state }) => state.terminated)) return undefined
  return statuses.every(({ state }) => state.terminated!.exitCode === 0) ? 'Succeeded' : 'Failed'
}

/** Rules of the kubelet's getPhase. */
function podPhase(
  pod: Pod,
  initialized: boolean,
  statuses: readonly ContainerStatus[],
  initStatuses: readonly ContainerStatus[],
): PodPhase {
  const policy = pod.spec.restartPolicy ?? 'Always'
  if (!initialized) {
    const failed = initStatuses.some(({ state }) => state.terminated && state.terminated.exitCode !== 0)
    return failed && policy === 'Never' ? 'Failed' : 'Pending'
  }
  const ended = statuses.map(
    ({ state, lastState }) => state.terminated ?? (state.waiting && lastState.terminated),
  )
  if (statuses.some(({ state }, i) => state.waiting && ended[i] === undefined)) return 'Pending'
  if (statuses.some(({ state }) => state.running) || policy === 'Always') return 'Running'
  if (ended.every((end) => end?.exitCode === 0)) return 'Succeeded'
  return policy === 'Never' ? 'Failed' : 'Running'
}

function conditions(
  pod: Pod,
  record: PodRecord,
  phase: PodPhase,
  statuses: readonly ContainerStatus[],
  clock: ClusterClock,
): Condition[] {
  const old = pod.status?.conditions ?? []
  const next = old.map((condition) => ({ ...condition }))
  const put = (type: string, ok: boolean, reason = '', message = '') => {
    setCondition(
      next,
      {
        type,
        status: ok ? 'True' : 'False',
        lastProbeTime: null,
        ...(reason && { reason }),
        ...(message && { message }),
      },
      clock.timestamp(),
    )
  }
  // A pod that names its node has not been through the scheduler.
  if (findCondition(old, 'PodScheduled') === undefined) put('PodScheduled', true)
  put('PodReadyToStartContainers', record.sandbox === 'ready')
  const completed = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : ''
  if (isInitialized(record)) put('Initialized', true, phase === 'Succeeded' ? 'PodCompleted' : '')
  else {
    const left = record.containers.filter(
      ({ list, terminated }) => list === 'initContainers' && terminated?.exitCode !== 0,
    )
    const names = left.map(({ name }) => name).join(' ')
    put('Initialized', false, 'ContainersNotInitialized', `containers with incomplete status: [${names}]`)
  }
  const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name)
  const message = completed ? '' : `containers with unready status: [${unready.join(' ')}]`
  if (unready.length > 0) {
    put('ContainersReady', false, completed || 'ContainersNotReady', message)
    put('Ready', false, completed || 'ContainersNotReady', message)
  } else {
    put('ContainersReady', true)
    const closed = (pod.spec.readinessGates ?? [])
      .map(({ conditionType }) => conditionType)
      .find((type) => findCondition(old, type)?.status !== 'True')
    const status = closed && findCondition(old, closed)?.status
    const gate =
      closed &&
      (status === undefined
        ? `corresponding condition of pod readiness gate "${closed}" does not exist.`
        : `the status of pod readiness gate "${closed}" is not "True", but ${status}`)
    put('Ready', closed === undefined, closed ? 'ReadinessGatesNotReady' : '', gate ?? '')
  }
  return next
}
