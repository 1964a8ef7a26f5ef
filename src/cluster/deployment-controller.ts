// Rolls a Deployment out: one ReplicaSet for each version of its template, pods moved from old ones to the newest
// within the bounds of the strategy. How far each step goes is in rollout.ts.

import type { ControllerContext } from './controller-context.js'
import { controllerOf, controllerReference } from './controller-context.js'
import { deploymentStatus, isComplete, progressDeadline } from './deployment-status.js'
import { cloneJson, equalJson } from './json.js'
import { templateHash } from './names.js'
import type { Deployment, Pod, PodTemplateSpec, ReplicaSet } from './objects.js'
import {
  desiredReplicas,
  newReplicaSetSize,
  oldReplicaSetSizes,
  proportionalSizes,
  REVISION_ANNOTATION,
  revisionOf,
  rolloutBounds,
} from './rollout.js'
import { matchesSelector } from './selector.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

const SOURCE = { component: 'deployment-controller' }
const HASH_LABEL = 'pod-template-hash'
const DESIRED_ANNOTATION = 'deployment.kubernetes.io/desired-replicas'
const MAX_ANNOTATION = 'deployment.kubernetes.io/max-replicas'
/** Annotations of a Deployment that its ReplicaSets do not get. */
const OWN_ANNOTATIONS = [
  REVISION_ANNOTATION,
  DESIRED_ANNOTATION,
  MAX_ANNOTATION,
  'kubectl.kubernetes.io/last-applied-configuration',
]

export class DeploymentController implements Controller {
  readonly name = 'deployment'
  readonly #context: ControllerContext

  constructor(context: ControllerContext) {
    this.#context = context
    const { store, loop } = context
    store.watch<Deployment>('deployments', ({ object }) => loop.add(this, keyOf(object)))
    store.watch<ReplicaSet>('replicasets', ({ object }) => {
      const owner = controllerOf(object)
      if (owner?.kind === 'Deployment') loop.add(this, `${object.metadata.namespace}/${owner.name}`)
    })
    // Recreate waits for the last old pod.
    store.watch<Pod>('pods', ({ type, object }) => {
      if (type !== 'DELETED') return
      const owner = controllerOf(object)
      const replicaSet = owner && store.get<ReplicaSet>('replicasets', object.metadata.namespace, owner.name)
      const deployment = replicaSet && controllerOf(replicaSet)
      if (deployment) loop.add(this, `${object.metadata.namespace}/${deployment.name}`)
    })
  }

  reconcile(key: string): void {
    const { store, loop, clock } = this.#context
    const [namespace, name] = splitKey(key)
    const deployment = store.get<Deployment>('deployments', namespace, name)
    if (deployment === undefined || deployment.metadata.deletionTimestamp) return
    if (this.#isScaled(deployment)) this.#scaleActive(deployment)
    else if (!deployment.spec.paused) this.#rollOut(deployment)
    this.#updateStatus(key)
    const latest = store.get<Deployment>('deployments', namespace, name)
    const deadline = latest && progressDeadline(latest, clock)
    if (deadline !== undefined && deadline > clock.now) loop.addAt(this, key, deadline)
  }

  /** ReplicaSets of a Deployment, oldest first. */
  #replicaSets(deployment: Deployment): ReplicaSet[] {
    const { namespace, uid } = deployment.metadata
    return this.#context.store
      .list<ReplicaSet>('replicasets', namespace)
      .map((replicaSet) => this.#adopt(deployment, replicaSet))
      .filter((replicaSet) => controllerOf(replicaSet)?.uid === uid)
      .sort((a, b) => revisionOf(a) - revisionOf(b) || (a.metadata.name < b.metadata.name ? -1 : 1))
  }

  #adopt(deployment: Deployment, replicaSet: ReplicaSet): ReplicaSet {
    if (controllerOf(replicaSet) !== undefined) return replicaSet
    if (!matchesSelector(deployment.spec.selector, replicaSet.metadata.labels)) return replicaSet
    const adopted = cloneJson(replicaSet)
    adopted.metadata.ownerReferences = [controllerReference(deployment)]
    return this.#context.store.update(adopted)
  }

  #rollOut(deployment: Deployment): void {
    const newest = this.#ensureNewest(deployment)
    const all = this.#replicaSets(deployment)
    const old = all.filter((replicaSet) => replicaSet.metadata.uid !== newest.metadata.uid)
    if (deployment.spec.strategy?.type === 'Recreate') {
      const active = old.filter((replicaSet) => desiredReplicas(replicaSet) > 0)
      for (const replicaSet of active) this.#resize(deployment, replicaSet, 0)
      if (active.length > 0 || this.#hasPods(old)) return
      this.#resize(deployment, newest, desiredReplicas(deployment))
    } else {
      const size = newReplicaSetSize(deployment, newest, all)
      if (this.#resize(deployment, newest, size)) return
      const active = old.filter((replicaSet) => desiredReplicas(replicaSet) > 0)
      for (const [replicaSet, smaller] of oldReplicaSetSizes(deployment, newest, active))
        this.#resize(deployment, replicaSet, smaller)
    }
    this.#cleanUp(deployment, old)
  }

  /** Pods that still run, those being terminated too. */
  #hasPods(replicaSets: readonly ReplicaSet[]): boolean {
    const uids = new Set(replicaSets.map(({ metadata }) => metadata.uid))
    const namespace = replicaSets[0]?.metadata.namespace
    if (namespace === undefined) return false
    return this.#context.store
      .list<Pod>('pods', namespace)
      .some(
        (pod) =>
          uids.has(controllerOf(pod)?.uid) &&
          pod.status?.phase !== 'Succeeded' &&
          pod.status?.phase !== 'Failed',
      )
  }

  /** The ReplicaSet of the current template, made when it is not there. */
  #ensureNewest(deployment: Deployment): ReplicaSet {
    const { store, admission, events } = this.#context
    const { namespace, name } = deployment.metadata
    const all = this.#replicaSets(deployment)
    const found = all.find((replicaSet) => sameTemplate(replicaSet.spec.template, deployment.spec.template))
    const others = all.filter((replicaSet) => replicaSet !== found)
    const lastRevision = Math.max(0, ...others.map(revisionOf))
    const revision = found && revisionOf(found) > lastRevision ? revisionOf(found) : lastRevision + 1
    this.#setRevision(deployment, revision)
    const annotations = replicaSetAnnotations(deployment, revision)
    if (found !== undefined) {
      const next = cloneJson(found)
      next.metadata.annotations = { ...next.metadata.annotations, ...annotations }
      return store.update(next)
    }
    let collisions = 0
    let hash = templateHash(deployment.spec.template, collisions)
    while (store.get('replicasets', namespace, `${name}-${hash}`))
      hash = templateHash(deployment.spec.template, ++collisions)
    const template = cloneJson(deployment.spec.template)
    template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [HASH_LABEL]: hash } }
    const selector = cloneJson(deployment.spec.selector)
    selector.matchLabels = { ...selector.matchLabels, [HASH_LABEL]: hash }
    const draft: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${name}-${hash}`,
        namespace: namespace!,
        labels: template.metadata.labels!,
        annotations,
        ownerReferences: [controllerReference(deployment)],
      },
      spec: { replicas: 0, selector, template },
    }
    if (deployment.spec.minReadySeconds) draft.spec.minReadySeconds = deployment.spec.minReadySeconds
    draft.spec.replicas = newReplicaSetSize(deployment, draft, [...all, draft])
    if (deployment.spec.strategy?.type === 'Recreate' && all.length > 0) draft.spec.replicas = 0
    const created = admission.create(draft)
    if (draft.spec.replicas > 0)
      events.record(
        deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled up replica set ${created.metadata.name} to ${draft.spec.replicas}`,
        SOURCE,
      )
    return created
  }

  #setRevision(deployment: Deployment, revision: number): void {
    const { store } = this.#context
    const current = store.get<Deployment>(
      'deployments',
      deployment.metadata.namespace,
      deployment.metadata.name,
    )
    if (current === undefined) return
    const next = cloneJson(current)
    next.metadata.annotations = { ...next.metadata.annotations, [REVISION_ANNOTATION]: String(revision) }
    store.update(next)
  }

  /** Whether spec.replicas changed since the ReplicaSets were last sized. */
  #isScaled(deployment: Deployment): boolean {
    return this.#replicaSets(deployment).some((replicaSet) => {
      const desired = replicaSet.metadata.annotations?.[DESIRED_ANNOTATION]
      return (
        desiredReplicas(replicaSet) > 0 &&
        desired !== undefined &&
        Number(desired) !== desiredReplicas(deployment)
      )
    })
  }

  /** Scales without rolling: all to the only active ReplicaSet, or to each its share in the middle of a rollout. */
  #scaleActive(deployment: Deployment): void {
    const all = this.#replicaSets(deployment)
    const active = all.filter((replicaSet) => desiredReplicas(replicaSet) > 0)
    const only = active.length === 1 ? active[0] : undefined
    const sizes = only
      ? new Map([[only, desiredReplicas(deployment)]])
      : proportionalSizes(deployment, active)
    for (const [replicaSet, size] of sizes) this.#resize(deployment, replicaSet, size)
  }

  /** Sets the size and the annotations that remember for which size of the Deployment; true when it changed. */
  #resize(deployment: Deployment, replicaSet: ReplicaSet, size: number): boolean {
    const { store, events } = this.#context
    const { namespace, name } = replicaSet.metadata
    const current = store.get<ReplicaSet>('replicasets', namespace, name)
    if (current === undefined) return false
    const before = desiredReplicas(current)
    const next = cloneJson(current)
    next.spec.replicas = size
    next.metadata.annotations = { ...next.metadata.annotations, ...sizeAnnotations(deployment) }
    store.update(next)
    if (before === size) return false
    const direction = size > before ? 'up' : 'down'
    const message = `Scaled ${direction} replica set ${name} to ${size} from ${before}`
    events.record(deployment, 'Normal', 'ScalingReplicaSet', message, SOURCE)
    return true
  }

  /** Keeps revisionHistoryLimit old ReplicaSets once the rollout is done. */
  #cleanUp(deployment: Deployment, old: readonly ReplicaSet[]): void {
    if (!isComplete(deployment, deployment.status ?? {})) return
    const limit = deployment.spec.revisionHistoryLimit ?? 10
    const empty = old.filter(
      (replicaSet) => desiredReplicas(replicaSet) === 0 && (replicaSet.status?.replicas ?? 0) === 0,
    )
    for (const { metadata } of empty.slice(0, Math.max(0, empty.length - limit)))
      this.#context.admission.delete('replicasets', metadata.namespace, metadata.name)
  }

  #updateStatus(key: string): void {
    const { store, clock } = this.#context
    const [namespace, name] = splitKey(key)
    const deployment = store.get<Deployment>('deployments', namespace, name)
    if (deployment === undefined) return
    const all = this.#replicaSets(deployment)
    const newest = all.find((replicaSet) => sameTemplate(replicaSet.spec.template, deployment.spec.template))
    store.update({ ...deployment, status: deploymentStatus(deployment, newest, all, clock) })
  }
}

/** Whether two templates are the same but for the hash label. */
function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  const plain = (template: PodTemplateSpec) => {
    const copy = cloneJson(template)
    delete copy.metadata?.labels?.[HASH_LABEL]
    return copy
  }
  return equalJson(plain(a), plain(b))
}

function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const wanted = desiredReplicas(deployment)
  return {
    [DESIRED_ANNOTATION]: String(wanted),
    [MAX_ANNOTATION]: String(wanted + rolloutBounds(deployment).maxSurge),
  }
}

function replicaSetAnnotations(deployment: Deployment, revision: number): Record<string, string> {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(
    ([key]) => !OWN_ANNOTATIONS.includes(key),
  )
  return {
    ...Object.fromEntries(copied),
    ...sizeAnnotations(deployment),
    [REVISION_ANNOTATION]: String(revision),
  }
}
