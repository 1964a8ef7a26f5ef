// Changes of the cluster as its clients hear of them - kube-proxy, the DNS server - in whichever thread they are.

import type { KubeObject } from './objects.js'

/** One change. `resource` is the plural name: services, endpointslices, pods, namespaces, nodes. */
export interface ClusterChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly resource: string
  readonly object: KubeObject
}

/** Something that follows the cluster's state. */
export interface ClusterFollower {
  apply(change: ClusterChange): void
}
