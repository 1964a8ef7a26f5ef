// Gives pods their nodes: first the nodes that can take a pod at all, then the one with the fewest pods of the same
// owner, then with the fewest pods, then the first by name.
// Simplified: no preferred affinity, none between pods, no preemption; requests only decide whether a pod fits.

import type { ControllerContext } from './controller-context.js'
import { controllerOf, isOnlyDescribed } from './controller-context.js'
import { hostPortsOf } from './host-ports.js'
import { cloneJson } from './json.js'
import { NodeLoad, requestsOf } from './node-load.js'
import { matchesNodeAffinity, tolerates, UNSCHEDULABLE_TAINT } from './node-placement.js'
import type { Node, Pod } from './objects.js'
import { isPodActive, setCondition } from './pod-condition.js'
import { parseQuantity } from './quantity.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

const SOURCE = { component: 'default-scheduler' }
const DEFAULT_MAX_PODS = 110
const TOO_MANY_PODS = 'Too many pods'
const NO_FREE_PORTS = "node(s) didn't have free ports for the requested pod ports"
/** Sums of decimal fractions are not exact. */
const ROUNDING = 1e-9

export class Scheduler implements Controller {
  readonly name = 'scheduler'
  readonly #context: ControllerContext
  /** Pods that no node could take when last tried. */
  readonly #unschedulable = new Set<string>()
  /** What active pods take, by node. */
  readonly #loads = new Map<string, NodeLoad>()

  constructor(context: ControllerContext) {
    this.#context = context
    const { store, loop } = context
    store.watch<Pod>('pods', ({ type, object, previous }) => {
      this.#count(object, type === 'DELETED')
      if (type === 'DELETED' || (previous && isPodActive(previous) && !isPodActive(object))) this.#retry()
      if (!object.spec?.nodeName && !isOnlyDescribed(object, context)) loop.add(this, keyOf(object))
    })
    store.watch<Node>('nodes', ({ type, object, previous }) => {
      if (type === 'DELETED') return
      const same =
        previous !== undefined &&
        JSON.stringify([previous.spec, previous.metadata.labels]) ===
          JSON.stringify([object.spec, object.metadata.labels]) &&
        JSON.stringify(previous.status?.allocatable) === JSON.stringify(object.status?.allocatable)
      if (!same) this.#retry()
    })
  }

  reconcile(key: string): void {
    const { store } = this.#context
    const [namespace, name] = splitKey(key)
    const pod = store.get<Pod>('pods', namespace, name)
    if (pod?.spec === undefined || pod.spec.nodeName || !isPodActive(pod)) {
      this.#unschedulable.delete(key)
      return
    }
    const nodes = store.list<Node>('nodes')
    const refusals = new Map<Node, string[]>(nodes.map((node) => [node, this.#refusals(pod, node)]))
    const feasible = nodes.filter((node) => refusals.get(node)!.length === 0)
    if (feasible.length === 0) return this.#fail(pod, nodes.length, [...refusals.values()])
    this.#unschedulable.delete(key)
    this.#bind(pod, this.#best(pod, feasible))
  }

  /** Why a node cannot take a pod, in the words of the scheduler's plugins; the first plugin that refuses speaks. */
  #refusals(pod: Pod, node: Node): string[] {
    if (node.spec.unschedulable && !tolerates(pod.spec, UNSCHEDULABLE_TAINT))
      return ['node(s) were unschedulable']
    const taint = (node.spec.taints ?? []).find(
      (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(pod.spec, taint),
    )
    if (taint) return [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`]
    if (!matchesNodeAffinity(pod.spec, node)) return ["node(s) didn't match Pod's node affinity/selector"]
    if (this.#load(node.metadata.name).hasPortOf(hostPortsOf(pod.spec))) return [NO_FREE_PORTS]
    return this.#shortages(pod, node)
  }

  /** What of the node would not be enough for the pod. */
  #shortages(pod: Pod, node: Node): string[] {
    const load = this.#load(node.metadata.name)
    const allocatable = node.status?.allocatable ?? {}
    const reasons: string[] = []
    if (load.podCount >= Number(allocatable['pods'] ?? DEFAULT_MAX_PODS)) reasons.push(TOO_MANY_PODS)
    const wanted = requestsOf(pod.spec)
    for (const name of ['cpu', 'memory'] as const) {
      const limit = parseQuantity(allocatable[name] ?? '')
      if (wanted[name] > 0 && limit !== undefined && load.requests[name] + wanted[name] > limit + ROUNDING)
        reasons.push(`Insufficient ${name}`)
    }
    return reasons
  }

  #best(pod: Pod, nodes: readonly Node[]): Node {
    const owner = controllerOf(pod)?.uid
    const score = (node: Node): [number, number] => {
      const load = this.#load(node.metadata.name)
      return [owner ? load.countOf(owner) : 0, load.podCount]
    }
    let best = nodes[0]!
    let bestScore = score(best)
    for (const node of nodes.slice(1)) {
      const [siblings, pods] = score(node)
      if (siblings > bestScore[0] || (siblings === bestScore[0] && pods >= bestScore[1])) continue
      best = node
      bestScore = [siblings, pods]
    }
    return best
  }

  #load(node: string): NodeLoad {
    let load = this.#loads.get(node)
    if (load === undefined) this.#loads.set(node, (load = new NodeLoad()))
    return load
  }

  #bind(pod: Pod, node: Node): void {
    const { admission, events } = this.#context
    admission.bind(pod, node.metadata.name)
    const message = `Successfully assigned ${keyOf(pod)} to ${node.metadata.name}`
    events.record(pod, 'Normal', 'Scheduled', message, SOURCE)
  }

  #fail(pod: Pod, nodeCount: number, refusals: readonly string[][]): void {
    const { store, clock, events } = this.#context
    this.#unschedulable.add(keyOf(pod))
    const counts = new Map<string, number>()
    for (const reason of refusals.flat()) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort()
    const message =
      nodeCount === 0
        ? 'no nodes available to schedule pods'
        : `0/${nodeCount} nodes are available: ${reasons.join(', ')}. preemption: 0/${nodeCount} nodes are available: ${preemption(refusals)}.`
    const next = cloneJson(pod)
    const conditions = (next.status ??= {}).conditions ?? []
    const condition = {
      type: 'PodScheduled',
      status: 'False' as const,
      lastProbeTime: null,
      reason: 'Unschedulable',
      message,
    }
    const known = conditions.some((old) => old.type === 'PodScheduled' && old.message === message)
    setCondition(conditions, condition, clock.timestamp())
    next.status.conditions = conditions
    store.update(next)
    if (!known) events.record(next, 'Warning', 'FailedScheduling', message, SOURCE)
  }

  #retry(): void {
    for (const key of this.#unschedulable) this.#context.loop.add(this, key)
  }

  #count(pod: Pod, deleted: boolean): void {
    const node = pod.spec?.nodeName
    if (!node) return
    if (deleted || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
      this.#load(node).remove(keyOf(pod))
    else this.#load(node).add(keyOf(pod), pod)
  }
}

/** What became of looking for pods to put aside: there are none of lower priority, or it would not help. */
function preemption(refusals: readonly string[][]): string {
  const full = refusals.filter((reasons) =>
    reasons.every(
      (reason) => reason === TOO_MANY_PODS || reason === NO_FREE_PORTS || reason.startsWith('Insufficient '),
    ),
  ).length
  const other = refusals.length - full
  return [
    ...(full > 0 ? [`${full} No preemption victims found for incoming pod`] : []),
    ...(other > 0 ? [`${other} Preemption is not helpful for scheduling`] : []),
  ].join(', ')
}
