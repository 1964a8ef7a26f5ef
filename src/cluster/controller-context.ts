// What every controller is given: the store to read, admission to write through, the clock, the work loop, events.

import type { Random } from '../base/random.js'
import type { Admission } from './admission.js'
import type { ClusterClock } from './clock.js'
import type { EventRecorder } from './event-recorder.js'
import type { KubeObject, OwnerReference, Pod } from './objects.js'
import type { OwnedPods } from './owned-pods.js'
import type { ServiceBackends } from './service-backends.js'
import type { ServiceIndex } from './service-index.js'
import type { StartDelays } from './start-delays.js'
import type { ObjectStore } from './store.js'
import type { WorkLoop } from './work-loop.js'

export interface ControllerContext {
  readonly store: ObjectStore
  readonly admission: Admission
  readonly clock: ClusterClock
  readonly loop: WorkLoop
  readonly events: EventRecorder
  readonly random: Random
  /** Who selects whom; it hears of every change before the controllers do. */
  readonly index: ServiceIndex
  readonly backends: ServiceBackends
  /** Pods by who manages them; kept up as `index` is. */
  readonly ownedPods: OwnedPods
  readonly startDelays: StartDelays
  /** ControlPlaneOptions.lenient. */
  readonly lenient: boolean
}

/** The owner that manages `object`, if any. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller)
}

/** The reference that makes `owner` the one who manages an object. */
export function controllerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid!,
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** Whether a pod is only described, and not to be run: in a lenient cluster, one that came with an address. */
export function isOnlyDescribed(pod: Pod, context: ControllerContext): boolean {
  if (!context.lenient) return false
  return !pod.spec?.containers?.length || (pod.status?.podIP !== undefined && !pod.status.startTime)
}
