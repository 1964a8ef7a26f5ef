// The labels by which a Job knows its pods: made from its own uid when it is created, unless `manualSelector` says
// that the user has seen to it.

import type { Job } from './workload-objects.js'

export const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name'
export const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid'
/** The same two by their older names, which upstream still sets. */
const LEGACY_JOB_NAME_LABEL = 'job-name'
const LEGACY_CONTROLLER_UID_LABEL = 'controller-uid'

/** Gives a new Job its uid, and selector and template the labels; a Job without labels takes those of its template. */
export function generateJobSelector(job: Job, uid: string): void {
  const { metadata, spec } = job
  metadata.uid = uid
  if (spec?.template === undefined) return
  if (!spec.manualSelector) {
    const template = (spec.template.metadata ??= {})
    template.labels = {
      ...template.labels,
      [CONTROLLER_UID_LABEL]: uid,
      [JOB_NAME_LABEL]: metadata.name,
      [LEGACY_CONTROLLER_UID_LABEL]: uid,
      [LEGACY_JOB_NAME_LABEL]: metadata.name,
    }
    spec.selector ??= {}
    spec.selector.matchLabels = { ...spec.selector.matchLabels, [CONTROLLER_UID_LABEL]: uid }
  }
  if (Object.keys(metadata.labels ?? {}).length === 0 && spec.template.metadata?.labels)
    metadata.labels = { ...spec.template.metadata.labels }
}
