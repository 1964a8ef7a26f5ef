// The templates that a StatefulSet or a DaemonSet has had, as ControllerRevisions that it owns: `rollout history` and
// `rollout undo` read them, and pods are labelled with the one they were made from.

import { type ControllerContext, controllerOf, controllerReference } from './controller-context.js'
import { equalJson } from './json.js'
import { templateHash } from './names.js'
import type { PodTemplateSpec } from './objects.js'
import type { ControllerRevision, Workload } from './workload-objects.js'

/** On pods and on the revisions of DaemonSets: which revision. */
export const REVISION_LABEL = 'controller-revision-hash'
/** On the revisions of StatefulSets. */
const HASH_LABEL = 'controller.kubernetes.io/hash'
const CHANGE_CAUSE = 'kubernetes.io/change-cause'

export class RevisionHistory {
  readonly #context: ControllerContext
  readonly #label: string

  /** `label` is where a revision has its hash. */
  constructor(context: ControllerContext, label: typeof REVISION_LABEL | typeof HASH_LABEL = HASH_LABEL) {
    this.#context = context
    this.#label = label
  }

  /** Revisions of `owner`, oldest first. */
  of(owner: Workload): ControllerRevision[] {
    const { namespace, uid } = owner.metadata
    return this.#context.store
      .list<ControllerRevision>('controllerrevisions', namespace)
      .filter((revision) => controllerOf(revision)?.uid === uid)
      .sort((a, b) => a.revision - b.revision)
  }

  /** The revision of the template that `owner` has now, made when it is new, and the newest when it had it before. */
  newest(owner: Workload): ControllerRevision {
    const { admission, store } = this.#context
    const all = this.of(owner)
    const data = revisionData(owner.spec.template)
    const last = all.at(-1)
    const next = (last?.revision ?? 0) + 1
    const found = all.findLast((revision) => equalJson(revision.data, data))
    if (found !== undefined) return found === last ? found : store.update({ ...found, revision: next })
    const { namespace, name, annotations } = owner.metadata
    let collisions = 0
    let hash = templateHash(owner.spec.template, collisions)
    while (store.get('controllerrevisions', namespace, `${name}-${hash}`))
      hash = templateHash(owner.spec.template, ++collisions)
    const cause = annotations?.[CHANGE_CAUSE]
    return admission.create<ControllerRevision>({
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${name}-${hash}`,
        namespace: namespace!,
        labels: { ...owner.spec.template.metadata?.labels, [this.#label]: hash },
        ...(cause !== undefined && { annotations: { [CHANGE_CAUSE]: cause } }),
        ownerReferences: [controllerReference(owner)],
      },
      data,
      revision: next,
    })
  }

  hashOf({ metadata }: ControllerRevision): string {
    return metadata.labels?.[this.#label] ?? ''
  }

  /** Keeps `limit` revisions beside those in `live`, by their names. */
  truncate(owner: Workload, live: ReadonlySet<string>, limit: number): void {
    const old = this.of(owner).filter(({ metadata }) => !live.has(metadata.name))
    for (const { metadata } of old.slice(0, Math.max(0, old.length - limit)))
      this.#context.admission.delete('controllerrevisions', metadata.namespace, metadata.name)
  }
}

/** What a revision remembers: a patch that puts the template in the place of another. */
function revisionData(template: PodTemplateSpec): NonNullable<ControllerRevision['data']> {
  return { spec: { template: { ...template, $patch: 'replace' } } }
}

/** The template that a revision remembers. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { $patch: _replace, ...template } = revision.data!.spec.template
  return template
}
