// Which of several equal pods are the least valuable, for controllers that have too many of them.

import type { Pod } from './objects.js'
import { findCondition, isPodReady } from './pod-condition.js'

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/**
 * Which pods go first when there are too many: not scheduled, pending, not ready, sharing a node with more of the
 * same, ready for a shorter time, restarted more often, younger (kube-controller-manager's ActivePodsWithRanks).
 */
export function deletionOrder(pods: readonly Pod[]): Pod[] {
  const perNode = new Map<string, number>()
  for (const pod of pods) {
    const node = pod.spec.nodeName
    if (node) perNode.set(node, (perNode.get(node) ?? 0) + 1)
  }
  const rank = (pod: Pod): (number | string)[] => [
    pod.spec.nodeName ? 1 : 0,
    PHASE_RANK[pod.status?.phase ?? 'Unknown'] ?? 1,
    isPodReady(pod) ? 1 : 0,
    -(perNode.get(pod.spec.nodeName ?? '') ?? 0),
    reversed(findCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime),
    -(pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    reversed(pod.metadata.creationTimestamp),
    pod.metadata.name,
  ]
  const ranked = pods.map((pod) => ({ pod, rank: rank(pod) }))
  ranked.sort((a, b) => {
    for (let i = 0; i < a.rank.length; i++) {
      if (a.rank[i]! < b.rank[i]!) return -1
      if (a.rank[i]! > b.rank[i]!) return 1
    }
    return 0
  })
  return ranked.map(({ pod }) => pod)
}

/** Later times come first. */
function reversed(timestamp: string | undefined): number {
  return timestamp === undefined ? 0 : -Date.parse(timestamp)
}
