// What the kubelet remembers of a pod on its node: the state of the sandbox and of each container. The status that
// the API shows is derived from it (pod-status.ts).

import { type Micros, NEVER } from '../base/time.js'
import { BackOff } from './back-off.js'
import type { Container, ContainerState, Pod } from './objects.js'
import type { Rejection } from './pod-admission.js'

/** Where a container stands on its way; `until` says when `pulling` and `creating` are over. */
export type ContainerPhase = 'waiting' | 'pulling' | 'creating' | 'starting' | 'running' | 'exited'

/** The list of the pod's specification in which a container stands; ephemeral ones are added while the pod runs. */
export type ContainerList = 'initContainers' | 'containers' | 'ephemeralContainers'

export type TerminatedState = NonNullable<ContainerState['terminated']>

export interface ContainerRecord {
  readonly name: string
  readonly list: ContainerList
  spec: Container
  phase: ContainerPhase
  until: Micros
  /** Why it does not run, when there is something to say beyond ContainerCreating. */
  waiting: { reason: string; message?: string } | undefined
  containerId: string | undefined
  /** The image that was last tried; the specification may name another since. */
  triedImage: string | undefined
  /** It ends, or has ended, because its image was changed: it starts again, whatever restartPolicy says. */
  changed: boolean
  startedAt: Micros
  finishedAt: Micros
  restartCount: number
  /** How the current instance ended. */
  terminated: TerminatedState | undefined
  /** How the one before it ended. */
  lastTerminated: TerminatedState | undefined
  /** Whether it runs and its startup probe has said yes. */
  started: boolean
  /** Whether the readiness probe says yes; without a probe, started is ready. */
  ready: boolean
  /** It was told to stop, by a probe that says no or with the pod. */
  stopping: boolean
  readonly crashBackOff: BackOff
  readonly pullBackOff: BackOff
  /** When the last pull failed; NEVER before the first. */
  pullFailedAt: Micros
}

export type SandboxPhase = 'none' | 'waiting' | 'creating' | 'ready' | 'removing'

export interface PodRecord {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly nodeName: string
  /** The pod shares the node's network: its address is the node's. */
  readonly hostNetwork: boolean
  /** The node has taken it (pod-admission.ts). */
  admitted: boolean
  /** Why the node has not, for good. */
  rejection: Rejection | undefined
  sandbox: SandboxPhase
  sandboxUntil: Micros
  /** With prefix length; undefined before the sandbox is asked for and after it is gone. */
  address: string | undefined
  /** Likewise, of a dual-stack cluster. */
  ipv6Address: string | undefined
  startedAt: Micros
  /** Something outside must change before the pod can go on: what, and the event's text. */
  blocked: string | undefined
  /** The end of the pod has begun: when what still runs is taken away; NEVER while it lives. */
  killAt: Micros
  /** Grace period that the containers were told; a later, shorter one is told again. */
  grace: Micros
  readonly containers: ContainerRecord[]
}

/** Addresses of the pod's sandbox, the primary one first; none before it is asked for. */
export function addressesOf({ address, ipv6Address }: PodRecord): string[] {
  return [address, ipv6Address].flatMap((text) => text?.split('/')[0] ?? [])
}

export function podRecord(pod: Pod, now: Micros): PodRecord {
  const { uid, namespace, name } = pod.metadata
  return {
    uid: uid!,
    namespace: namespace!,
    name,
    nodeName: pod.spec.nodeName!,
    hostNetwork: pod.spec.hostNetwork === true,
    admitted: false,
    rejection: undefined,
    sandbox: 'none',
    sandboxUntil: 0,
    address: undefined,
    ipv6Address: undefined,
    startedAt: now,
    blocked: undefined,
    killAt: NEVER,
    grace: NEVER,
    containers: [
      ...(pod.spec.initContainers ?? []).map((spec) => containerRecord(spec, 'initContainers')),
      ...pod.spec.containers.map((spec) => containerRecord(spec, 'containers')),
      ...(pod.spec.ephemeralContainers ?? []).map((spec) => containerRecord(spec, 'ephemeralContainers')),
    ],
  }
}

/** What the specification has changed since: images, and ephemeral containers that are new. */
export function takeSpecification({ containers }: PodRecord, { spec }: Pod): void {
  for (const container of containers)
    container.spec = spec[container.list]?.find(({ name }) => name === container.name) ?? container.spec
  for (const added of spec.ephemeralContainers ?? [])
    if (!containers.some(({ name }) => name === added.name))
      containers.push(containerRecord(added, 'ephemeralContainers'))
}

function containerRecord(spec: Container, list: ContainerList): ContainerRecord {
  return {
    name: spec.name,
    list,
    spec,
    phase: 'waiting',
    until: 0,
    waiting: undefined,
    containerId: undefined,
    triedImage: undefined,
    changed: false,
    startedAt: 0,
    finishedAt: 0,
    restartCount: 0,
    terminated: undefined,
    lastTerminated: undefined,
    started: false,
    ready: false,
    stopping: false,
    crashBackOff: new BackOff(),
    pullBackOff: new BackOff(),
    pullFailedAt: NEVER,
  }
}

/** Whether the container has been handed to the runtime and has not ended. */
export function isAlive(container: ContainerRecord): boolean {
  return container.phase === 'starting' || container.phase === 'running'
}

/** Whether all init containers have ended well. */
export function isInitialized(record: PodRecord): boolean {
  return record.containers.every(
    ({ list, phase, terminated }) =>
      list !== 'initContainers' || (phase === 'exited' && terminated?.exitCode === 0),
  )
}
