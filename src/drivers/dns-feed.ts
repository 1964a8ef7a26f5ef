// The cluster's changes as the DNS server needs them: of pods only their addresses, and those only when they change.
// A pod changes half a dozen times while it starts, and every server would be sent all of it every time.

import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'
import type { Pod } from '../cluster/objects.js'

export class DnsFeed implements ClusterFollower {
  readonly #follower: ClusterFollower
  /** What was told of each pod that has an address. */
  readonly #told = new Map<string, string>()

  constructor(follower: ClusterFollower) {
    this.#follower = follower
  }

  apply(change: ClusterChange): void {
    if (change.resource !== 'pods') return this.#follower.apply(change)
    const { apiVersion, kind, metadata, status } = change.object as Pod
    const { namespace, name } = metadata
    const key = `${namespace}/${name}`
    const { phase, podIP, podIPs } = status ?? {}
    const hasAddress = podIP !== undefined && phase !== 'Succeeded' && phase !== 'Failed'
    const before = this.#told.get(key)
    if (change.type === 'DELETED' || !hasAddress) {
      if (before === undefined) return
      this.#told.delete(key)
    } else {
      const now = [podIP, ...(podIPs ?? []).map(({ ip }) => ip)].join(' ')
      if (now === before) return
      this.#told.set(key, now)
    }
    const trimmed: Pick<Pod, 'apiVersion' | 'kind' | 'metadata' | 'status'> = {
      apiVersion,
      kind,
      metadata: { name, ...(namespace !== undefined && { namespace }) },
      status: { ...(phase && { phase }), ...(podIP && { podIP }), ...(podIPs && { podIPs }) },
    }
    this.#follower.apply({ type: change.type, resource: 'pods', object: trimmed })
  }
}
