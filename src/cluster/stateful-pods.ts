// The pods of a StatefulSet, each with a number and a name of its own that outlive it: `web-0`, its host name, and with
// the set's Service its place in DNS. The order in which they come and go is statefulset-controller.ts.

import type { Labels, Pod, PodTemplateSpec } from './objects.js'
import type { PodDraft } from './pod-control.js'
import { REVISION_LABEL } from './revision-history.js'
import type { StatefulSet } from './workload-objects.js'

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index'

export function startOrdinal({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0
}

export function statefulReplicas({ spec }: StatefulSet): number {
  return spec.replicas ?? 1
}

/** The number in a pod's name; undefined when it is no name that the set gives. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const match = /^(.*)-(\d+)$/.exec(pod.metadata.name)
  return match !== null && match[1] === set.metadata.name ? Number(match[2]) : undefined
}

export function podRevision(pod: Pod): string | undefined {
  return pod.metadata.labels?.[REVISION_LABEL]
}

/** The pod with a number, made from `template`, which is that of `revision`. */
export function statefulPod(
  set: StatefulSet,
  ordinal: number,
  template: PodTemplateSpec,
  revision: string,
): PodDraft {
  const name = `${set.metadata.name}-${ordinal}`
  const labels: Labels = {
    [POD_NAME_LABEL]: name,
    [POD_INDEX_LABEL]: String(ordinal),
    [REVISION_LABEL]: revision,
  }
  const volumes = claimedVolumes(set, template)
  return {
    name,
    labels,
    spec: {
      hostname: name,
      ...(set.spec.serviceName && { subdomain: set.spec.serviceName }),
      ...(volumes.length > 0 && { volumes }),
    },
  }
}

/**
 * Simplified: there are no persistent volumes. What a claim template asks for is an emptyDir, which ends with its pod;
 * admission warns of it.
 */
function claimedVolumes({ spec }: StatefulSet, template: PodTemplateSpec): { name: string }[] {
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name)
  if (claims.length === 0) return []
  const others = (template.spec.volumes ?? []).filter(({ name }) => !claims.includes(name))
  return [...claims.map((name) => ({ name, emptyDir: {} })), ...others]
}
