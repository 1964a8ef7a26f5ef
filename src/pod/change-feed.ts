// The cluster's state as a program in a pod follows it (the DNS server does): the newest form of every object, and
// those who listen. Stands in for the program's own watch on the API server.

import type { ClusterChange, ClusterFollower } from '../cluster/feed.js'

export class ChangeFeed {
  readonly #objects = new Map<string, ClusterChange>()
  readonly #followers = new Set<ClusterFollower>()

  apply(change: ClusterChange): void {
    const { namespace, name } = change.object.metadata
    const key = `${change.resource}/${namespace ?? ''}/${name}`
    if (change.type === 'DELETED') this.#objects.delete(key)
    else this.#objects.set(key, { ...change, type: 'ADDED' })
    for (const follower of this.#followers) follower.apply(change)
  }

  /** Gives the follower all that there is as ADDED, then every change; the returned function ends it. */
  follow(follower: ClusterFollower): () => void {
    for (const change of this.#objects.values()) follower.apply(change)
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }
}
