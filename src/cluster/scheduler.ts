// Gives pods their nodes: first the nodes that can take a pod at all, then the one with the fewest pods of the same
// owner, then with the fewest pods, then the first by name.
// Simplified: no preferred affinity, none between pods, no preemption; requests only decide whether a pod fits.

import type { ControllerContext } from './controller-context.js'
import { controllerOf, isOnlyDescribed } from './controller-context.js'
import { hostPortsOf } from './host-ports.js'
import { cloneJson } from './json.js'
import { NodeLoad, type Requests, requestsOf } from './node-load.js'
import { matchesNodeAffinity, tolerates, UNSCHEDULABLE_TAINT } from './node-placement.js'
import type { Node, Pod, PodSpec, Taint } from './objects.js'
import { isPodActive, setCondition } from './pod-condition.js'
import { parseQuantity } from './quantity.js'
import type { HostPort } from './sandbox.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

const SOURCE = { component: 'default-scheduler' }
const DEFAULT_MAX_PODS = 110
const TOO_MANY_PODS = 'Too many pods'
const NO_FREE_PORTS = "node(s) didn't have free ports for the requested pod ports"
/** Sums of decimal fractions are not exact. */
const ROUNDING = 1e-9

const NO_REFUSAL: readonly string[] = []

/** What a pod wants of a node. */
interface Wish {
  readonly spec: PodSpec
  readonly owner: string | undefined
  readonly requests: Requests
  readonly hostPorts: readonly HostPort[]
}

/** A node and what it has to give: pods, cores, bytes. */
interface Candidate {
  readonly node: Node
  readonly load: NodeLoad
  /** Those that keep pods away. */
  readonly taints: readonly Taint[]
  readonly pods: number
  readonly cpu: number | undefined
  readonly memory: number | undefined
}

export class Scheduler implements Controller {
  readonly name = 'scheduler'
  readonly #context: ControllerContext
  /** Pods that no node could take when last tried. */
  readonly #unschedulable = new Set<string>()
  /** What active pods take, by node. */
  readonly #loads = new Map<string, NodeLoad>()
  #known: readonly Candidate[] | undefined

  constructor(context: ControllerContext) {
    this.#context = context
    const { store, loop } = context
    store.watch<Pod>('pods', ({ type, object, previous }) => {
      this.#count(object, type === 'DELETED')
      if (type === 'DELETED' || (previous && isPodActive(previous) && !isPodActive(object))) this.#retry()
      if (!object.spec?.nodeName && !isOnlyDescribed(object, context)) loop.add(this, keyOf(object))
    })
    store.watch<Node>('nodes', ({ type, object, previous }) => {
      this.#known = undefined
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
    const wish: Wish = {
      spec: pod.spec,
      owner: controllerOf(pod)?.uid,
      requests: requestsOf(pod.spec),
      hostPorts: hostPortsOf(pod.spec),
    }
    const candidates = this.#candidates()
    const best = this.#best(wish, candidates)
    if (best === undefined) {
      const refusals = candidates.map((candidate) => this.#refusals(wish, candidate))
      return this.#fail(pod, candidates.length, refusals)
    }
    this.#unschedulable.delete(key)
    this.#bind(pod, best.node)
  }

  /** The nodes by their names, with what of them every pod is held against; kept until one changes. */
  #candidates(): readonly Candidate[] {
    this.#known ??= this.#context.store.list<Node>('nodes').map((node) => {
      const allocatable = node.status?.allocatable ?? {}
      return {
        node,
        load: this.#load(node.metadata.name),
        taints: (node.spec.taints ?? []).filter(({ effect }) => effect !== 'PreferNoSchedule'),
        pods: Number(allocatable['pods'] ?? DEFAULT_MAX_PODS),
        cpu: parseQuantity(allocatable['cpu'] ?? ''),
        memory: parseQuantity(allocatable['memory'] ?? ''),
      }
    })
    return this.#known
  }

  /** Why a node cannot take a pod, in the words of the scheduler's plugins; the first plugin that refuses speaks. */
  #refusals({ spec, requests, hostPorts }: Wish, candidate: Candidate): readonly string[] {
    const { node, load, taints } = candidate
    if (node.spec.unschedulable && !tolerates(spec, UNSCHEDULABLE_TAINT))
      return ['node(s) were unschedulable']
    const taint = taints.length === 0 ? undefined : taints.find((taint) => !tolerates(spec, taint))
    if (taint) return [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`]
    if (!matchesNodeAffinity(spec, node)) return ["node(s) didn't match Pod's node affinity/selector"]
    if (load.hasPortOf(hostPorts)) return [NO_FREE_PORTS]
    const isFull = load.podCount >= candidate.pods
    if (!isFull && requests.cpu === 0 && requests.memory === 0) return NO_REFUSAL
    const reasons = isFull ? [TOO_MANY_PODS] : []
    for (const name of ['cpu', 'memory'] as const) {
      const limit = candidate[name]
      const wanted = requests[name]
      if (wanted > 0 && limit !== undefined && load.requests[name] + wanted > limit + ROUNDING)
        reasons.push(`Insufficient ${name}`)
    }
    return reasons
  }

  /** The node for a pod; undefined when all refuse it. One look at each: a large cluster asks this for every pod. */
  #best(wish: Wish, candidates: readonly Candidate[]): Candidate | undefined {
    let best: Candidate | undefined
    let fewestSiblings = 0
    let fewestPods = 0
    for (const candidate of candidates) {
      const { load } = candidate
      const siblings = wish.owner === undefined ? 0 : load.countOf(wish.owner)
      const pods = load.podCount
      if (best !== undefined && siblings > fewestSiblings) continue
      if (best !== undefined && siblings === fewestSiblings && pods >= fewestPods) continue
      if (this.#refusals(wish, candidate).length > 0) continue
      best = candidate
      fewestSiblings = siblings
      fewestPods = pods
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

  #fail(pod: Pod, nodeCount: number, refusals: readonly (readonly string[])[]): void {
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
function preemption(refusals: readonly (readonly string[])[]): string {
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
