// Keeps one pod of a DaemonSet on every node that it may be on, and rolls new templates out: within maxUnavailable by
// deleting old pods, within maxSurge by making the new one first. The rules are those of kube-controller-manager's
// daemonset controller; on which nodes is in daemon-pods.ts.

import { type Micros, NEVER, SECOND } from '../base/time.js'
import type { ControllerContext } from './controller-context.js'
import { daemonPodSpec, eligibility, nodeOfDaemonPod, TEMPLATE_GENERATION } from './daemon-pods.js'
import type { IntOrString, Node, Pod } from './objects.js'
import { availableAt, isPodActive, isPodReady } from './pod-condition.js'
import { followPods, PodControl } from './pod-control.js'
import { REVISION_LABEL, RevisionHistory } from './revision-history.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'
import type { ControllerRevision, DaemonSet } from './workload-objects.js'

const SOURCE = { component: 'daemonset-controller' }
/** A pod that fails on its node again and again is made anew after 1 s, then twice as long, at most 15 minutes. */
const MIN_DELAY: Micros = SECOND
const MAX_DELAY: Micros = 15 * 60 * SECOND

/** A set while it is looked at: its pods that have not ended, by their nodes. */
interface Round {
  readonly set: DaemonSet
  readonly nodes: readonly Node[]
  readonly pods: ReadonlyMap<string, readonly Pod[]>
  readonly hash: string
}

export class DaemonSetController implements Controller {
  readonly name = 'daemonset'
  readonly #context: ControllerContext
  readonly #pods: PodControl
  readonly #history: RevisionHistory
  /** Set's uid and node to how long to wait after the next failure, and until when now. */
  readonly #failures = new Map<string, { delay: Micros; until: Micros }>()

  constructor(context: ControllerContext) {
    this.#context = context
    this.#pods = new PodControl(context, SOURCE)
    this.#history = new RevisionHistory(context, REVISION_LABEL)
    const { store, loop } = context
    store.watch<DaemonSet>('daemonsets', ({ type, object }) => {
      if (type === 'DELETED')
        for (const key of this.#failures.keys())
          if (key.startsWith(object.metadata.uid!)) this.#failures.delete(key)
      loop.add(this, keyOf(object))
    })
    followPods(context, 'DaemonSet', 'daemonsets', (key) => loop.add(this, key))
    store.watch<Node>('nodes', ({ object, previous }) => {
      const same =
        previous !== undefined &&
        JSON.stringify([previous.spec, previous.metadata.labels]) ===
          JSON.stringify([object.spec, object.metadata.labels])
      if (!same) for (const set of store.list<DaemonSet>('daemonsets')) loop.add(this, keyOf(set))
    })
  }

  reconcile(key: string): void {
    const { store } = this.#context
    const [namespace, name] = splitKey(key)
    const set = store.get<DaemonSet>('daemonsets', namespace, name)
    if (set === undefined || set.metadata.deletionTimestamp) return
    const newest = this.#history.newest(set)
    this.#pods.claim(set, set.spec.selector)
    const hash = this.#history.hashOf(newest)
    this.#removeFailed(key, set)
    this.#manage(key, this.#round(set, hash))
    if (set.spec.updateStrategy?.type !== 'OnDelete') this.#roll(this.#round(set, hash))
    this.#updateStatus(key, hash)
    this.#cleanUp(set, newest)
  }

  #round(set: DaemonSet, hash: string): Round {
    const pods = new Map<string, Pod[]>()
    for (const pod of this.#context.ownedPods.of(set.metadata.uid!)) {
      const node = nodeOfDaemonPod(pod)
      if (node === undefined) continue
      const list = pods.get(node)
      if (list === undefined) pods.set(node, [pod])
      else list.push(pod)
    }
    return { set, nodes: this.#context.store.list<Node>('nodes'), pods, hash }
  }

  /** A pod that has ended is taken away, so that another may come after a while. */
  #removeFailed(key: string, set: DaemonSet): void {
    const { clock, loop, events } = this.#context
    for (const pod of this.#context.ownedPods.of(set.metadata.uid!)) {
      const phase = pod.status?.phase
      if (pod.metadata.deletionTimestamp || (phase !== 'Failed' && phase !== 'Succeeded')) continue
      const node = nodeOfDaemonPod(pod) ?? ''
      const place = `${set.metadata.uid} ${node}`
      const delay = Math.min((this.#failures.get(place)?.delay ?? MIN_DELAY / 2) * 2, MAX_DELAY)
      this.#failures.set(place, { delay, until: clock.now + delay })
      loop.addAt(this, key, clock.now + delay)
      const [how, type] =
        phase === 'Failed' ? (['failed', 'Warning'] as const) : (['succeeded', 'Normal'] as const)
      const reason = phase === 'Failed' ? 'FailedDaemonPod' : 'SucceededDaemonPod'
      const message = `Found ${how} daemon pod ${keyOf(pod)} on node ${node}, will try to ${phase === 'Failed' ? 'kill' : 'delete'} it`
      events.record(set, type, reason, message, SOURCE)
      this.#pods.delete(set, pod)
    }
  }

  /** Pods for nodes without one; none where none may be. */
  #manage(key: string, { set, nodes, pods, hash }: Round): void {
    const { clock, loop } = this.#context
    const known = new Set(nodes.map(({ metadata }) => metadata.name))
    for (const [name, list] of pods) if (!known.has(name)) for (const pod of list) this.#remove(set, pod)
    for (const node of nodes) {
      const { name } = node.metadata
      const { shouldRun, shouldStay } = eligibility(set, node)
      const there = pods.get(name) ?? []
      if (!shouldStay) for (const pod of there) this.#remove(set, pod)
      // One that is going is waited for, as the node has one place for it.
      if (!shouldRun || there.length > 0) continue
      const { until } = this.#failures.get(`${set.metadata.uid} ${name}`) ?? { until: 0 }
      if (until > clock.now) loop.addAt(this, key, until)
      else this.#create(set, name, hash)
    }
  }

  #create(set: DaemonSet, node: string, hash: string): void {
    const generation = set.metadata.annotations?.[TEMPLATE_GENERATION]
    this.#pods.create(set, set.spec.template, {
      generateName: `${set.metadata.name}-`,
      labels: {
        [REVISION_LABEL]: hash,
        ...(generation !== undefined && { 'pod-template-generation': generation }),
      },
      spec: daemonPodSpec(set, node),
    })
  }

  #remove(set: DaemonSet, pod: Pod): void {
    if (!pod.metadata.deletionTimestamp) this.#pods.delete(set, pod)
  }

  /** One step of a rolling update: old pods that do not work go at once, others as the bounds allow. */
  #roll({ set, nodes, pods, hash }: Round): void {
    const wanted = nodes.filter((node) => eligibility(set, node).shouldRun)
    const { maxUnavailable = 1, maxSurge = 0 } = set.spec.updateStrategy?.rollingUpdate ?? {}
    const surge = amountOf(maxSurge, wanted.length)
    const unavailable = surge === 0 ? Math.max(1, amountOf(maxUnavailable, wanted.length)) : 0
    const places = wanted.map(({ metadata: { name } }) => {
      const active = (pods.get(name) ?? []).filter(isPodActive)
      const old = active.find((pod) => pod.metadata.labels?.[REVISION_LABEL] !== hash)
      const fresh = active.find((pod) => pod !== old && pod.metadata.labels?.[REVISION_LABEL] === hash)
      return { name, old, fresh }
    })
    if (surge > 0) {
      let room = surge
      for (const { name, old, fresh } of places) {
        if (old === undefined) continue
        if (fresh !== undefined) {
          if (this.#isAvailable(set, fresh)) this.#pods.delete(set, old)
          else room--
        } else if (!this.#isAvailable(set, old)) this.#create(set, name, hash)
        else if (room-- > 0) this.#create(set, name, hash)
      }
      return
    }
    let room = unavailable
    for (const { old, fresh } of places) {
      const pod = old ?? fresh
      if (pod === undefined || (old === undefined && !this.#isAvailable(set, pod))) room--
      else if (old !== undefined && !this.#isAvailable(set, old)) {
        this.#pods.delete(set, old)
        room--
      }
    }
    for (const { old } of places) {
      if (old === undefined || !this.#isAvailable(set, old) || room <= 0) continue
      this.#pods.delete(set, old)
      room--
    }
  }

  #isAvailable(set: DaemonSet, pod: Pod): boolean {
    const { clock } = this.#context
    return availableAt(pod, set.spec.minReadySeconds ?? 0, clock) <= clock.now
  }

  #updateStatus(key: string, hash: string): void {
    const { store, clock, loop } = this.#context
    const [namespace, name] = splitKey(key)
    const set = store.get<DaemonSet>('daemonsets', namespace, name)
    if (set === undefined) return
    const { nodes, pods } = this.#round(set, hash)
    let [desired, current, misscheduled, ready, updated, available] = [0, 0, 0, 0, 0, 0]
    for (const node of nodes) {
      const there = (pods.get(node.metadata.name) ?? []).filter(isPodActive)
      if (!eligibility(set, node).shouldRun) {
        if (there.length > 0) misscheduled++
        continue
      }
      desired++
      if (there.length === 0) continue
      current++
      // During a surge the older pod still does the work.
      const best = there.find(isPodReady)
      if (best !== undefined) ready++
      const at = best === undefined ? NEVER : availableAt(best, set.spec.minReadySeconds ?? 0, clock)
      if (at <= clock.now) available++
      else if (at !== NEVER) loop.addAt(this, key, at)
      if (there.some((pod) => pod.metadata.labels?.[REVISION_LABEL] === hash)) updated++
    }
    const status: DaemonSet['status'] = {
      currentNumberScheduled: current,
      numberMisscheduled: misscheduled,
      desiredNumberScheduled: desired,
      numberReady: ready,
      observedGeneration: set.metadata.generation ?? 1,
      ...(updated && { updatedNumberScheduled: updated }),
      ...(available && { numberAvailable: available }),
      ...(desired > available && { numberUnavailable: desired - available }),
    }
    store.update({ ...set, status })
  }

  #cleanUp(set: DaemonSet, newest: ControllerRevision): void {
    const hashes = new Set(
      this.#context.ownedPods.of(set.metadata.uid!).map((pod) => pod.metadata.labels?.[REVISION_LABEL]),
    )
    const live = this.#history.of(set).filter((revision) => hashes.has(this.#history.hashOf(revision)))
    const names = new Set([newest, ...live].map(({ metadata }) => metadata.name))
    this.#history.truncate(set, names, set.spec.revisionHistoryLimit ?? 10)
  }
}

/** A number of pods, or a percentage of `total`, rounded up. */
function amountOf(value: IntOrString, total: number): number {
  return typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100)
}
