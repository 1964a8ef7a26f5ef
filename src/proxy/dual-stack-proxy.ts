// kube-proxy on a node with both families: one proxy for each, side by side, each with the changes of the cluster and
// rules of its own. After pkg/proxy/metaproxier of Kubernetes.

import type { Micros } from '../base/time.js'
import type { ClusterChange } from '../cluster/feed.js'
import type { ProxyMode } from './proxy-mode.js'
import type { ServiceProxy, ServiceRow } from './service-proxy.js'

export class DualStackProxy implements ServiceProxy {
  readonly mode: ProxyMode
  readonly #proxies: readonly [ServiceProxy, ServiceProxy]

  /** Both of one mode; the node's primary family first. */
  constructor(proxies: readonly [ServiceProxy, ServiceProxy]) {
    this.mode = proxies[0].mode
    this.#proxies = proxies
  }

  apply(change: ClusterChange): void {
    for (const proxy of this.#proxies) proxy.apply(change)
  }

  sync(now: Micros): void {
    for (const proxy of this.#proxies) proxy.sync(now)
  }

  advance(now: Micros): void {
    for (const proxy of this.#proxies) proxy.advance(now)
  }

  deadline(): Micros {
    return Math.min(...this.#proxies.map((proxy) => proxy.deadline()))
  }

  get synced(): boolean {
    return this.#proxies.every(({ synced }) => synced)
  }

  rows(): ServiceRow[] {
    return this.#proxies.flatMap((proxy) => proxy.rows())
  }

  get skipped(): ReadonlyMap<string, string> {
    return new Map(this.#proxies.flatMap(({ skipped }) => [...skipped]))
  }

  close(): void {
    for (const proxy of this.#proxies) proxy.close()
  }
}
