// Places pods with hostNetwork in the network's thread (node-sandboxes.ts), and every other pod where the placement
// behind this one does.

import type { PodUid, SandboxSpec } from '../cluster/sandbox.js'
import type { PodCommand, PodEvent } from '../pod/protocol.js'
import type { DnsImageOptions } from '../pod/sandbox.js'
import type { NetworkCommand } from './network-protocol.js'
import type { PodPlacement } from './pod-supervisor.js'

export interface HostNetworkPodsOptions {
  readonly others: PodPlacement
  readonly dns: DnsImageOptions
  readonly toNetwork: (command: NetworkCommand) => void
  /** Something happened that the control plane may have to look at. */
  readonly onEvent: () => void
}

export class HostNetworkPods implements PodPlacement {
  readonly #options: HostNetworkPodsOptions
  readonly #listeners = new Map<PodUid, (event: PodEvent) => void>()

  constructor(options: HostNetworkPodsOptions) {
    this.#options = options
  }

  create(spec: SandboxSpec, emit: (event: PodEvent) => void): { send(command: PodCommand): void } {
    const { others, dns, toNetwork } = this.#options
    if (!spec.hostNetwork) return others.create(spec, emit)
    this.#listeners.set(spec.uid, emit)
    toNetwork({ type: 'create-sandbox', spec, dns })
    return { send: (command) => toNetwork({ type: 'pod-command', uid: spec.uid, command }) }
  }

  /** What such a pod tells. */
  handle(uid: PodUid, event: PodEvent): void {
    const emit = this.#listeners.get(uid)
    if (event.type === 'sandbox' && event.event.type === 'sandbox-gone') this.#listeners.delete(uid)
    emit?.(event)
    this.#options.onEvent()
  }
}
