// What is told of nodes: that their kubelets have started and are ready, that they are known to the control plane,
// that they are cordoned. Simplified: of a kubelet's start, upstream tells some more.

import type { ControllerContext } from './controller-context.js'
import type { Node } from './objects.js'

/** Has events recorded of every node that joins or is cordoned from now on. */
export function tellOfNodes({ store, events }: ControllerContext): void {
  store.watch<Node>('nodes', ({ type, object, previous }) => {
    const { name } = object.metadata
    // A kubelet does not know its node's uid, and puts the name there.
    const known = { ...object, metadata: { ...object.metadata, uid: name } }
    const kubelet = { component: 'kubelet', host: name }
    const status = (reason: string) =>
      events.record(known, 'Normal', reason, `Node ${name} status is now: ${reason}`, kubelet)
    if (type === 'ADDED') {
      events.record(known, 'Normal', 'Starting', 'Starting kubelet.', kubelet)
      const message = `Node ${name} event: Registered Node ${name} in Controller`
      events.record(object, 'Normal', 'RegisteredNode', message, { component: 'node-controller' })
      status('NodeReady')
    } else if (type === 'MODIFIED' && !object.spec.unschedulable !== !previous?.spec.unschedulable)
      status(object.spec.unschedulable ? 'NodeNotSchedulable' : 'NodeSchedulable')
  })
}
