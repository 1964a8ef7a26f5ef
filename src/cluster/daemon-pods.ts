// On which nodes a DaemonSet has a pod, and what that pod has beyond its template: it names its node by affinity, so
// that the scheduler puts it there and nowhere else, and it stands what drives other pods away.

import { equalJson } from './json.js'
import { matchesNodeAffinity, tolerates, UNSCHEDULABLE_TAINT } from './node-placement.js'
import type { Node, NodeSelectorTerm, Pod, PodSpec, Taint, Toleration } from './objects.js'
import type { DaemonSet } from './workload-objects.js'

const CONDITION_TAINTS: readonly Taint[] = [
  { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', effect: 'NoSchedule' },
  UNSCHEDULABLE_TAINT,
]
const NETWORK_TAINT: Taint = { key: 'node.kubernetes.io/network-unavailable', effect: 'NoSchedule' }

export interface Eligibility {
  /** A pod is made when there is none. */
  readonly shouldRun: boolean
  /** A pod that is there may stay. */
  readonly shouldStay: boolean
}

export function eligibility(set: DaemonSet, node: Node): Eligibility {
  const spec = daemonPodSpec(set, node.metadata.name)
  const named = set.spec.template.spec.nodeName
  if ((named && named !== node.metadata.name) || !matchesNodeAffinity(spec, node))
    return { shouldRun: false, shouldStay: false }
  const taints = node.spec.taints ?? []
  const repelled = (effects: readonly Taint['effect'][]) =>
    taints.some((taint) => effects.includes(taint.effect) && !tolerates(spec, taint))
  return { shouldRun: !repelled(['NoSchedule', 'NoExecute']), shouldStay: !repelled(['NoExecute']) }
}

/** What the pod for a node has in place of the template's. */
export function daemonPodSpec({ spec }: DaemonSet, node: string): PodSpec {
  const { tolerations = [], affinity, hostNetwork } = spec.template.spec
  const added = [...CONDITION_TAINTS, ...(hostNetwork ? [NETWORK_TAINT] : [])]
    .map(({ key, effect }): Toleration => ({ key, operator: 'Exists', effect }))
    .filter(({ key, effect }) => !tolerations.some((other) => other.key === key && other.effect === effect))
  const field = { key: 'metadata.name', operator: 'In' as const, values: [node] }
  const own = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const nodeSelectorTerms: NodeSelectorTerm[] =
    own === undefined ? [{ matchFields: [field] }] : own.map((term) => ({ ...term, matchFields: [field] }))
  return {
    ...spec.template.spec,
    tolerations: [...tolerations, ...added],
    affinity: {
      ...affinity,
      nodeAffinity: {
        ...affinity?.nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
      },
    },
  }
}

/** The node that a daemon's pod is on, or waits for. */
export function nodeOfDaemonPod({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return terms?.[0]?.matchFields?.find(({ key }) => key === 'metadata.name')?.values?.[0]
}

/** How often the template has changed, as DaemonSets have always told it. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

/** Counts a new template of `set`, which is changed in place; `stored` is the set before. */
export function countTemplate(set: DaemonSet, stored: DaemonSet | undefined): void {
  const before = Number(stored?.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0)
  const same = stored !== undefined && equalJson(stored.spec.template, set.spec?.template)
  set.metadata.annotations = {
    ...set.metadata.annotations,
    [TEMPLATE_GENERATION]: String(before + (same ? 0 : 1)),
  }
}
