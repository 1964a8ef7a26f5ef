// What the controllers that keep pods do with them: find out which are theirs, make one from a template, delete one,
// and tell of it in events. Which pods there should be is each controller's own business.

import { type ControllerContext, controllerReference } from './controller-context.js'
import type { EventSource } from './event-recorder.js'
import { cloneJson } from './json.js'
import type { KubeObject, LabelSelector, ObjectMeta, Pod, PodSpec, PodTemplateSpec } from './objects.js'
import { isPodActive } from './pod-condition.js'
import { matchesSelector } from './selector.js'
import { ApiError } from './status.js'
import { keyOf } from './work-loop.js'
import type { Workload } from './workload-objects.js'

/** What a pod is called, and what it has beyond its template. */
export interface PodDraft {
  /** Either of them. */
  readonly name?: string
  readonly generateName?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly spec?: Partial<PodSpec>
}

/** How creations and deletions are told, in an event's words. */
export interface PodEventTexts {
  created(pod: Pod): string
  deleted(pod: Pod): string
  failed(why: string): string
}

const TEXTS: PodEventTexts = {
  created: ({ metadata }) => `Created pod: ${metadata.name}`,
  deleted: ({ metadata }) => `Deleted pod: ${metadata.name}`,
  failed: (why) => `Error creating: ${why}`,
}

/**
 * Pods that a controller makes at once, as in Kubernetes: then others have their turn, among them who sees that 50,000
 * replicas were meant to be 50.
 */
export const BURST_REPLICAS = 500

export class PodControl {
  readonly #context: ControllerContext
  readonly #source: EventSource

  constructor(context: ControllerContext, source: EventSource) {
    this.#context = context
    this.#source = source
  }

  /**
   * The pods that `owner` manages, those that have ended too, after it let go those that its selector does not match
   * any more, and adopted strays that it does and that `fits` says it may have.
   */
  claim(owner: Workload, selector: LabelSelector, fits: (pod: Pod) => boolean = () => true): Pod[] {
    const { store, ownedPods } = this.#context
    const { uid, namespace } = owner.metadata
    const claimed: Pod[] = []
    const matches = (pod: Pod) => matchesSelector(selector, pod.metadata.labels)
    for (const pod of ownedPods.of(uid!)) {
      if (matches(pod)) claimed.push(pod)
      else if (!pod.metadata.deletionTimestamp) {
        const released = cloneJson(pod)
        released.metadata.ownerReferences = pod.metadata.ownerReferences!.filter((ref) => ref.uid !== uid)
        store.update(released)
      }
    }
    for (const pod of ownedPods.orphans(namespace!)) {
      if (!matches(pod) || !isPodActive(pod) || !fits(pod)) continue
      const adopted = cloneJson(pod)
      adopted.metadata.ownerReferences = [...(pod.metadata.ownerReferences ?? []), controllerReference(owner)]
      claimed.push(store.update(adopted))
    }
    return claimed
  }

  /** Undefined when the cluster refuses the pod, which is told. */
  create(
    owner: Workload,
    template: PodTemplateSpec,
    draft: PodDraft,
    texts: Partial<PodEventTexts> = {},
  ): Pod | undefined {
    const { admission, events } = this.#context
    const { created, failed } = { ...TEXTS, ...texts }
    try {
      const pod = admission.create<Pod>(podOf(owner, template, draft))
      events.record(owner, 'Normal', 'SuccessfulCreate', created(pod), this.#source)
      return pod
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      events.record(owner, 'Warning', 'FailedCreate', failed(error.message), this.#source)
      return undefined
    }
  }

  delete(owner: Workload, pod: Pod, { deleted = TEXTS.deleted }: Partial<PodEventTexts> = {}): void {
    const { admission, events } = this.#context
    admission.delete('pods', pod.metadata.namespace, pod.metadata.name)
    events.record(owner, 'Normal', 'SuccessfulDelete', deleted(pod), this.#source)
  }
}

function podOf(owner: Workload, template: PodTemplateSpec, draft: PodDraft): Pod {
  const labels = { ...template.metadata?.labels, ...draft.labels }
  const annotations = { ...template.metadata?.annotations, ...draft.annotations }
  const metadata: ObjectMeta = {
    name: draft.name ?? '',
    ...(draft.generateName !== undefined && { generateName: draft.generateName }),
    namespace: owner.metadata.namespace!,
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(template.metadata?.finalizers && { finalizers: template.metadata.finalizers }),
    ownerReferences: [controllerReference(owner)],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...template.spec, ...draft.spec } }
}

/** Has `wake` called with the keys of the owners of `kind` that a pod has, or that could adopt it. */
export function followPods(
  context: ControllerContext,
  kind: string,
  resource: string,
  wake: (key: string) => void,
  view: (object: KubeObject) => Workload = (object) => object as Workload,
): void {
  const { store } = context
  store.watch<Pod>('pods', ({ object, previous }) => {
    for (const pod of previous ? [object, previous] : [object]) {
      const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)
      if (owner?.kind === kind) wake(`${pod.metadata.namespace}/${owner.name}`)
      else if (owner === undefined)
        for (const workload of store.list(resource, pod.metadata.namespace).map(view))
          if (workload.spec.selector && matchesSelector(workload.spec.selector, pod.metadata.labels))
            wake(keyOf(workload))
    }
  })
}
