// The signs of life of nodes: a Lease for each in kube-node-lease, that its kubelet renews every ten seconds, and the
// heartbeat of its conditions every five minutes. Nobody here waits for them, so they are no work of the control plane:
// they are written when it works anyway, dated as if they had been written in time.

import { MINUTE, type Micros, SECOND } from '../base/time.js'
import { formatTimestamp } from './clock.js'
import { type ControllerContext, controllerReference } from './controller-context.js'
import type { Lease, Node } from './objects.js'

const NAMESPACE = 'kube-node-lease'
const LEASE_SECONDS = 40
const RENEWAL: Micros = 10 * SECOND
const HEARTBEAT: Micros = 5 * MINUTE

export class NodeLeases {
  readonly #context: ControllerContext
  #renewedAt: Micros = -1
  #beatAt: Micros = 0

  constructor(context: ControllerContext) {
    this.#context = context
    context.store.watch<Node>('nodes', ({ type }) => {
      // A node that has joined has its lease at once.
      if (type !== 'MODIFIED') this.#renewedAt = -1
    })
  }

  /** When the next renewal is due. */
  deadline(): Micros {
    return this.#renewedAt < 0 ? this.#context.clock.now : this.#renewedAt + RENEWAL
  }

  /** Writes what is due by now. */
  renew(): void {
    const { store, clock } = this.#context
    if (clock.now < this.deadline()) return
    const namespace = store.get('namespaces', undefined, NAMESPACE)
    const at = clock.now - (clock.now % RENEWAL)
    this.#renewedAt = at
    const beats = at - (at % HEARTBEAT) > this.#beatAt
    if (beats) this.#beatAt = at - (at % HEARTBEAT)
    for (const node of store.list<Node>('nodes')) {
      if (namespace !== undefined && !namespace.metadata.deletionTimestamp) this.#renewLease(node, at)
      if (beats) this.#beat(node)
    }
  }

  #renewLease(node: Node, at: Micros): void {
    const { store, clock } = this.#context
    const { name } = node.metadata
    const stored = store.get<Lease>('leases', NAMESPACE, name)
    const renewTime = formatMicroTime(clock.unixMicros() - clock.now + at)
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime }
    if (stored !== undefined) store.update<Lease>({ ...stored, spec: { ...stored.spec, ...spec } })
    else {
      const { controller: _controller, blockOwnerDeletion: _blocks, ...owner } = controllerReference(node)
      store.create<Lease>({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace: NAMESPACE, ownerReferences: [owner] },
        spec,
      })
    }
  }

  #beat(node: Node): void {
    const { store, clock } = this.#context
    const lastHeartbeatTime = clock.timestampAt(this.#beatAt)
    const conditions = (node.status?.conditions ?? []).map((condition) => ({
      ...condition,
      lastHeartbeatTime,
    }))
    store.update<Node>({ ...node, status: { ...node.status, conditions } })
  }
}

/** metav1.MicroTime: `2021-09-13T12:36:38.000000Z`. */
function formatMicroTime(unixMicros: number): string {
  const micros = String(Math.floor(unixMicros % 1_000_000)).padStart(6, '0')
  return `${formatTimestamp(unixMicros / 1000).slice(0, -1)}.${micros}Z`
}
