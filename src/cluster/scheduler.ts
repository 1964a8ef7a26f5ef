// Gives pods their nodes: first the nodes that can take a pod at all, then the one with the fewest pods of the same
// owner, then with the fewest pods, then the first by name.
// Simplified: no resource requests, no affinity beyond nodeSelector, no preemption.

import type { ControllerContext } from './controller-context.js'
import { controllerOf, isOnlyDescribed } from './controller-context.js'
import { cloneJson } from './json.js'
import type { Node, Pod, PodSpec, Taint } from './objects.js'
import { isPodActive, setCondition } from './pod-condition.js'
import { matchesLabels } from './selector.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

const SOURCE = { component: 'default-scheduler' }
const DEFAULT_MAX_PODS = 110

export class Scheduler implements Controller {
  readonly name = 'scheduler'
  readonly #context: ControllerContext
  /** Pods that no node could take when last tried. */
  readonly #unschedulable = new Set<string>()
  /** Active pods by node. */
  readonly #podsOnNode = new Map<string, Map<string, Pod>>()

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
          JSON.stringify([object.spec, object.metadata.labels])
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
    if (!matchesLabels(pod.spec.nodeSelector ?? {}, node.metadata.labels))
      return ["node(s) didn't match Pod's node affinity/selector"]
    const capacity = Number(node.status?.allocatable?.['pods'] ?? DEFAULT_MAX_PODS)
    if ((this.#podsOnNode.get(node.metadata.name)?.size ?? 0) >= capacity) return ['Too many pods']
    return []
  }

  #best(pod: Pod, nodes: readonly Node[]): Node {
    const owner = controllerOf(pod)?.uid
    const score = (node: Node): [number, number] => {
      const pods = [...(this.#podsOnNode.get(node.metadata.name)?.values() ?? [])]
      const siblings = owner ? pods.filter((other) => controllerOf(other)?.uid === owner).length : 0
      return [siblings, pods.length]
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

  #bind(pod: Pod, node: Node): void {
    const { store, clock, events } = this.#context
    const next = cloneJson(pod)
    next.spec.nodeName = node.metadata.name
    const conditions = (next.status ??= {}).conditions ?? []
    setCondition(conditions, { type: 'PodScheduled', status: 'True', lastProbeTime: null }, clock.timestamp())
    next.status.conditions = conditions
    store.update(next)
    const message = `Successfully assigned ${keyOf(pod)} to ${node.metadata.name}`
    events.record(next, 'Normal', 'Scheduled', message, SOURCE)
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
        : `0/${nodeCount} nodes are available: ${reasons.join(', ')}. preemption: 0/${nodeCount} nodes are available: ${nodeCount} Preemption is not helpful for scheduling.`
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
    let pods = this.#podsOnNode.get(node)
    if (pods === undefined) this.#podsOnNode.set(node, (pods = new Map()))
    if (deleted || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
      pods.delete(keyOf(pod))
    else pods.set(keyOf(pod), pod)
  }
}

const UNSCHEDULABLE_TAINT: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** Whether one of a pod's tolerations covers `taint`. */
function tolerates(spec: PodSpec, taint: Taint): boolean {
  return (spec.tolerations ?? []).some(
    ({ key, operator = 'Equal', value, effect }) =>
      (!effect || effect === taint.effect) &&
      (key ? key === taint.key : operator === 'Exists') &&
      (operator === 'Exists' || (value ?? '') === (taint.value ?? '')),
  )
}
