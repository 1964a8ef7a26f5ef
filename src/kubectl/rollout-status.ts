// What `kubectl rollout status` says of a Deployment, a StatefulSet or a DaemonSet, in the real one's words.

import type { Deployment, KubeObject } from '../cluster/objects.js'
import type { DaemonSet, StatefulSet } from '../cluster/workload-objects.js'
import { clientError } from './errors.js'

export interface RolloutState {
  readonly message: string
  readonly done: boolean
}

const DEPLOYMENT_REVISION = 'deployment.kubernetes.io/revision'

/** Kinds that have rollouts. */
export const ROLLOUT_KINDS: readonly string[] = ['Deployment', 'StatefulSet', 'DaemonSet']

/** `revision` is that of --revision, 0 without. Fails for a rollout that has failed, or that cannot be followed. */
export function rolloutState(object: KubeObject, revision: number): RolloutState {
  if (object.kind === 'Deployment') return deploymentState(object as Deployment, revision)
  if (object.kind === 'StatefulSet') return statefulSetState(object as StatefulSet)
  return daemonSetState(object as DaemonSet)
}

const waiting = (message: string): RolloutState => ({ message, done: false })
const done = (message: string): RolloutState => ({ message, done: true })

/** Fails when its progress deadline has passed. */
function deploymentState({ metadata, spec, status = {} }: Deployment, revision: number): RolloutState {
  const name = metadata.name
  const because = (why: string) => waiting(`Waiting for deployment "${name}" rollout to finish: ${why}...`)
  const current = Number(metadata.annotations?.[DEPLOYMENT_REVISION] ?? 0)
  if (revision > 0 && current !== revision) {
    throw clientError(`desired revision (${revision}) is different from the running revision (${current})`)
  }
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    return waiting('Waiting for deployment spec update to be observed...')
  }
  const progressing = status.conditions?.find(({ type }) => type === 'Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    throw clientError(`deployment "${name}" exceeded its progress deadline`)
  }
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status
  if (spec.replicas !== undefined && updatedReplicas < spec.replicas) {
    return because(`${updatedReplicas} out of ${spec.replicas} new replicas have been updated`)
  }
  if (replicas > updatedReplicas) {
    return because(`${replicas - updatedReplicas} old replicas are pending termination`)
  }
  if (availableReplicas < updatedReplicas) {
    return because(`${availableReplicas} of ${updatedReplicas} updated replicas are available`)
  }
  return done(`deployment "${name}" successfully rolled out`)
}

function statefulSetState({ metadata, spec, status }: StatefulSet): RolloutState {
  requireRollingUpdate(spec.updateStrategy?.type)
  if (!status?.observedGeneration || (metadata.generation ?? 0) > status.observedGeneration) {
    return waiting('Waiting for statefulset spec update to be observed...')
  }
  const { replicas = 1 } = spec
  const { readyReplicas = 0, updatedReplicas = 0 } = status
  if (readyReplicas < replicas) return waiting(`Waiting for ${replicas - readyReplicas} pods to be ready...`)
  const { rollingUpdate } = spec.updateStrategy ?? {}
  if (rollingUpdate !== undefined) {
    const wanted = replicas - (rollingUpdate.partition ?? 0)
    if (updatedReplicas < wanted) {
      return waiting(
        `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${wanted} new pods have been updated...`,
      )
    }
    return done(`partitioned roll out complete: ${updatedReplicas} new pods have been updated...`)
  }
  const { currentRevision, updateRevision, currentReplicas = 0 } = status
  if (updateRevision !== currentRevision) {
    return waiting(
      `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${updateRevision}...`,
    )
  }
  return done(`statefulset rolling update complete ${currentReplicas} pods at revision ${currentRevision}...`)
}

function daemonSetState({ metadata, spec, status }: DaemonSet): RolloutState {
  requireRollingUpdate(spec.updateStrategy?.type)
  if ((metadata.generation ?? 0) > (status?.observedGeneration ?? 0)) {
    return waiting('Waiting for daemon set spec update to be observed...')
  }
  const { desiredNumberScheduled = 0, updatedNumberScheduled = 0, numberAvailable = 0 } = status ?? {}
  const because = (why: string) =>
    waiting(`Waiting for daemon set "${metadata.name}" rollout to finish: ${why}...`)
  if (updatedNumberScheduled < desiredNumberScheduled) {
    return because(`${updatedNumberScheduled} out of ${desiredNumberScheduled} new pods have been updated`)
  }
  if (numberAvailable < desiredNumberScheduled) {
    return because(`${numberAvailable} of ${desiredNumberScheduled} updated pods are available`)
  }
  return done(`daemon set "${metadata.name}" successfully rolled out`)
}

function requireRollingUpdate(type: string | undefined): void {
  if (type !== 'RollingUpdate') {
    throw clientError('rollout status is only available for RollingUpdate strategy type')
  }
}
