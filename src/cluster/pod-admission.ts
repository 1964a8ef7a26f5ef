// The kubelet's own look at a pod before it starts it: a pod that names its node has not been through the scheduler,
// and two pods may have been given the same last place. What is refused here has failed and is not tried again.
// Source: pkg/kubelet/lifecycle/predicate.go, whose words these are. Simplified: no taints.

import { hostPortsOf } from './host-ports.js'
import { type NodeLoad, requestsOf } from './node-load.js'
import { matchesNodeAffinity } from './node-placement.js'
import type { Node, Pod } from './objects.js'
import { parseQuantity } from './quantity.js'

/** As `status.reason` and, after `Pod was rejected: `, `status.message` of the pod tell it. */
export interface Rejection {
  readonly reason: string
  readonly message: string
}

/** How a quantity is counted in a message: CPU in thousandths of a core, memory in bytes. */
const SCALES = { cpu: 1000, memory: 1 } as const

/** Why `node`, which carries `load` already, does not take `pod`; undefined when it does. */
export function rejectionOf(pod: Pod, node: Node | undefined, load: NodeLoad): Rejection | undefined {
  const allocatable = node?.status?.allocatable ?? {}
  const capacity = parseQuantity(allocatable['pods'] ?? '')
  if (capacity !== undefined && load.podCount + 1 > capacity) return outOf('pods', 1, load.podCount, capacity)
  const wanted = requestsOf(pod.spec)
  for (const name of ['cpu', 'memory'] as const) {
    const scale = SCALES[name]
    const [requested, used] = [Math.round(wanted[name] * scale), Math.round(load.requests[name] * scale)]
    const limit = Math.round((parseQuantity(allocatable[name] ?? '') ?? Number.POSITIVE_INFINITY) * scale)
    if (requested > 0 && used + requested > limit) return outOf(name, requested, used, limit)
  }
  if (node !== undefined && !matchesNodeAffinity(pod.spec, node))
    return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
  if (load.hasPortOf(hostPortsOf(pod.spec)))
    return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports")
  return undefined
}

function outOf(resource: string, requested: number, used: number, capacity: number): Rejection {
  const amounts = `requested: ${requested}, used: ${used}, capacity: ${capacity}`
  return { reason: `OutOf${resource}`, message: `Node didn't have enough resource: ${resource}, ${amounts}` }
}

function failed(predicate: string, why: string): Rejection {
  return { reason: predicate, message: `Predicate ${predicate} failed: ${why}` }
}
