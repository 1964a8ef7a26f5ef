// How a pod stands, in what its status says: for people who wait for it. kubectl's words for it are api/printers/.

import type { Pod } from '../cluster/objects.js'

export interface PodState {
  readonly ready: boolean
  /** Why a container waits or the pod has no node, as `ImagePullBackOff`; else the phase. */
  readonly state: string
  /** What is known about `state`; empty when it speaks for itself. */
  readonly message: string
}

export function podState({ status }: Pod): PodState {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  const conditions = status?.conditions ?? []
  const cause =
    containers.find(({ state }) => state.waiting !== undefined)?.state.waiting ??
    conditions.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
  return {
    ready: conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    state: cause?.reason ?? status?.phase ?? 'Pending',
    message: cause?.message ?? '',
  }
}

/** `web-1: Unschedulable: 0/3 nodes are available: ...`. */
export function podStateText(pod: Pod): string {
  const { state, message } = podState(pod)
  return `${pod.metadata.name}: ${state}${message === '' ? '' : `: ${message}`}`
}
