// The row of a pod: READY, STATUS and RESTARTS as `kubectl get pods` shows them, which is a summary over the
// containers' states and not the pod's phase.

import type { ContainerStatus, Pod } from '../../cluster/objects.js'
import { ageSince, humanDuration } from '../human-duration.js'
import { columns, type Printer } from './table.js'

/** What the STATUS column and its neighbours say. */
export interface PodSummary {
  readonly status: string
  readonly ready: number
  readonly total: number
  readonly restarts: number
  /** Milliseconds since the Unix epoch; undefined when no container has ended yet. */
  readonly lastRestart: number | undefined
}

interface Initializing {
  readonly status: string | undefined
  readonly restarts: number
  readonly lastRestart: number | undefined
}

export function summarizePod(pod: Pod): PodSummary {
  const initializing = summarizeInitContainers(pod)
  let status = initializing.status ?? (pod.status?.reason || pod.status?.phase || '')
  let { restarts, lastRestart } = initializing
  let ready = 0
  const initialized = hasCondition(pod, 'Initialized')
  if (initializing.status === undefined || initialized) {
    restarts = 0
    lastRestart = undefined
    let running = false
    // Backwards: of several containers in trouble, the first one's reason is shown.
    for (const container of [...(pod.status?.containerStatuses ?? [])].reverse()) {
      restarts += container.restartCount
      lastRestart = latest(lastRestart, container)
      if (container.ready && container.state.running) {
        ready++
        running = true
      } else {
        status = containerReason(container) ?? status
      }
    }
    if (status === 'Completed' && running) status = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady'
  }
  const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (pod.status?.reason === 'NodeLost') status = 'Unknown'
    else if (!ended) status = 'Terminating'
  }
  return { status, ready, total: pod.spec.containers.length, restarts, lastRestart }
}

function summarizeInitContainers(pod: Pod): Initializing {
  const total = pod.spec.initContainers?.length ?? 0
  let restarts = 0
  let lastRestart: number | undefined
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    restarts += container.restartCount
    lastRestart = latest(lastRestart, container)
    const { terminated, waiting } = container.state
    if (terminated?.exitCode === 0) continue
    if (terminated) return { status: `Init:${containerReason(container)}`, restarts, lastRestart }
    const reason = waiting?.reason
    const status = reason && reason !== 'PodInitializing' ? `Init:${reason}` : `Init:${index}/${total}`
    return { status, restarts, lastRestart }
  }
  return { status: undefined, restarts, lastRestart }
}

function containerReason(container: ContainerStatus): string | undefined {
  const { waiting, terminated } = container.state
  if (waiting?.reason) return waiting.reason
  if (terminated === undefined) return undefined
  if (terminated.reason) return terminated.reason
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`
}

function latest(known: number | undefined, container: ContainerStatus): number | undefined {
  const finished = container.lastState?.terminated?.finishedAt
  if (finished === undefined) return known
  return Math.max(known ?? Number.NEGATIVE_INFINITY, Date.parse(finished))
}

function hasCondition(pod: Pod, type: string): boolean {
  return (pod.status?.conditions ?? []).some(
    (condition) => condition.type === type && condition.status === 'True',
  )
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  return `${gates.filter((gate) => hasCondition(pod, gate.conditionType)).length}/${gates.length}`
}

export const podPrinter: Printer<Pod> = {
  columns: columns(
    'Name',
    'Ready',
    'Status',
    'Restarts',
    'Age',
    '+IP',
    '+Node',
    '+Nominated Node',
    '+Readiness Gates',
  ),
  cells(pod, now) {
    const { status, ready, total, restarts, lastRestart } = summarizePod(pod)
    const ago = restarts > 0 && lastRestart !== undefined ? ` (${humanDuration(now - lastRestart)} ago)` : ''
    return [
      pod.metadata.name,
      `${ready}/${total}`,
      status,
      `${restarts}${ago}`,
      ageSince(pod.metadata.creationTimestamp, now),
      pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>',
      pod.spec.nodeName || '<none>',
      '<none>',
      readinessGates(pod),
    ]
  },
}
