// Places pods in the network's thread of their node (network-sandboxes.ts): those with hostNetwork, and with `all` every pod. The
// others go where the placement behind this one brings them.

import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import type { PodEvent } from '../pod/protocol.js'
import type { NetworkThread } from './network-threads.js'
import type { ResolvedOptions } from './options.js'
import type { PodLink, PodPlacement } from './pod-supervisor.js'

export interface NetworkThreadPodsOptions {
  readonly options: ResolvedOptions
  readonly others: PodPlacement
  /** The network's thread of a node. */
  readonly networkOf: (node: string) => NetworkThread
  /** Something happened that the control plane may have to look at. */
  readonly onEvent: () => void
}

export class NetworkThreadPods implements PodPlacement {
  readonly #options: NetworkThreadPodsOptions
  readonly #listeners = new Map<PodUid, (event: PodEvent) => void>()

  constructor(options: NetworkThreadPodsOptions) {
    this.#options = options
  }

  create(spec: SandboxSpec, emit: (event: PodEvent) => void): PodLink {
    const { options, others, networkOf } = this.#options
    if (!spec.hostNetwork && options.podsPerThread !== 'all') return others.create(spec, emit)
    this.#listeners.set(spec.uid, emit)
    const network = networkOf(spec.nodeName)
    network.send({ type: 'create-sandbox', spec, name: options.podName(spec), dns: options.dns })
    return { send: (command) => network.send({ type: 'pod-command', uid: spec.uid, command }) }
  }

  /** What such a pod tells. */
  handle(uid: PodUid, event: PodEvent): void {
    const emit = this.#listeners.get(uid)
    if (event.type === 'sandbox' && event.event.type === 'sandbox-gone') this.#listeners.delete(uid)
    emit?.(event)
    if (event.type === 'sandbox') this.#options.onEvent()
  }
}
