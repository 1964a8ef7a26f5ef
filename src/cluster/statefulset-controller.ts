// Keeps the pods of StatefulSets: pod by pod in the order of their numbers, each waiting for the one before it to be
// ready, unless podManagementPolicy is Parallel; a rolling update goes from the last number down to the partition.
// The rules are those of kube-controller-manager's statefulset controller. Simplified: updateStrategy.maxUnavailable,
// an alpha feature upstream, is not read. What the pods are is in stateful-pods.ts.

import { NEVER } from '../base/time.js'
import type { ControllerContext } from './controller-context.js'
import type { Pod } from './objects.js'
import { availableAt, isPodReady } from './pod-condition.js'
import { followPods, PodControl, type PodEventTexts } from './pod-control.js'
import { RevisionHistory, templateOf } from './revision-history.js'
import { ordinalOf, podRevision, startOrdinal, statefulPod, statefulReplicas } from './stateful-pods.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'
import type { ControllerRevision, StatefulSet } from './workload-objects.js'

const SOURCE = { component: 'statefulset-controller' }

/** A set while it is looked at. */
interface Round {
  readonly set: StatefulSet
  /** What its pods are made from, and are to become. */
  readonly current: ControllerRevision
  readonly update: ControllerRevision
  /** Each pod waits for those before it. */
  readonly ordered: boolean
}

export class StatefulSetController implements Controller {
  readonly name = 'statefulset'
  readonly #context: ControllerContext
  readonly #pods: PodControl
  readonly #history: RevisionHistory

  constructor(context: ControllerContext) {
    this.#context = context
    this.#pods = new PodControl(context, SOURCE)
    this.#history = new RevisionHistory(context)
    const { store, loop } = context
    store.watch<StatefulSet>('statefulsets', ({ object }) => loop.add(this, keyOf(object)))
    followPods(context, 'StatefulSet', 'statefulsets', (key) => loop.add(this, key))
  }

  reconcile(key: string): void {
    const [namespace, name] = splitKey(key)
    const set = this.#context.store.get<StatefulSet>('statefulsets', namespace, name)
    if (set === undefined || set.metadata.deletionTimestamp) return
    const update = this.#history.newest(set)
    const named = this.#history
      .of(set)
      .find((revision) => revision.metadata.name === set.status?.currentRevision)
    const ordered = set.spec.podManagementPolicy !== 'Parallel'
    const round: Round = { set, current: named ?? update, update, ordered }
    const fits = (pod: Pod) => ordinalOf(set, pod) !== undefined
    const pods = this.#pods.claim(set, set.spec.selector, fits).filter(fits)
    this.#manage(round, pods)
    this.#updateStatus(key, round)
    const live = new Set([round.current, update].map(({ metadata }) => metadata.name))
    for (const pod of pods) live.add(podRevision(pod) ?? '')
    this.#history.truncate(set, live, set.spec.revisionHistoryLimit ?? 10)
  }

  /** One look: what is missing is made, what is too much is deleted, what is old is replaced. */
  #manage(round: Round, pods: readonly Pod[]): void {
    const { set, ordered } = round
    const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod)!, pod]))
    const start = startOrdinal(set)
    const end = start + statefulReplicas(set)
    const replicas = Array.from({ length: end - start }, (_none, i) => start + i)
    const condemned = [...byOrdinal.keys()].filter((n) => n < start || n >= end).sort((a, b) => b - a)
    for (const ordinal of replicas) if (!this.#keep(round, ordinal, byOrdinal.get(ordinal)) && ordered) return
    const unhealthy = [...replicas, ...[...condemned].reverse()].find(
      (ordinal) => !this.#isRunningAndReady(byOrdinal.get(ordinal)),
    )
    for (const ordinal of condemned) {
      const pod = byOrdinal.get(ordinal)!
      if (pod.metadata.deletionTimestamp) {
        if (ordered) return
        continue
      }
      // A pod that is not ready holds up the others, but for itself.
      if (ordered && !this.#isAvailable(set, pod) && ordinal !== unhealthy) return
      this.#pods.delete(set, pod, textsOf(set))
      if (ordered) return
    }
    if (set.spec.updateStrategy?.type !== 'OnDelete') this.#update(round, replicas, byOrdinal)
  }

  /** Whether the pod with this number is there and has no need of anything, so that the next may come. */
  #keep(round: Round, ordinal: number, pod: Pod | undefined): boolean {
    const { set, ordered } = round
    const ended = pod?.status?.phase === 'Succeeded' || pod?.status?.phase === 'Failed'
    if (pod !== undefined && ended && !pod.metadata.deletionTimestamp)
      this.#pods.delete(set, pod, textsOf(set))
    const there = this.#context.store.get<Pod>(
      'pods',
      set.metadata.namespace,
      `${set.metadata.name}-${ordinal}`,
    )
    if (there === undefined) {
      this.#create(round, ordinal)
      // In order, the next one waits for this one to be ready.
      return !ordered
    }
    return !there.metadata.deletionTimestamp && this.#isAvailable(set, there)
  }

  #create({ set, current, update }: Round, ordinal: number): void {
    const { type, rollingUpdate } = set.spec.updateStrategy ?? {}
    // Below the partition, a pod that is made anew is made as it was.
    const keeps = type !== 'OnDelete' && ordinal < startOrdinal(set) + (rollingUpdate?.partition ?? 0)
    const revision = keeps ? current : update
    const template = templateOf(revision)
    const draft = statefulPod(set, ordinal, template, revision.metadata.name)
    this.#pods.create(set, template, draft, textsOf(set, draft.name))
  }

  /** The pod of the highest number that is of another revision goes, when all above it are well. */
  #update({ set, update }: Round, replicas: readonly number[], byOrdinal: ReadonlyMap<number, Pod>): void {
    const first = startOrdinal(set) + (set.spec.updateStrategy?.rollingUpdate?.partition ?? 0)
    for (const ordinal of [...replicas].reverse()) {
      if (ordinal < first) return
      const pod = byOrdinal.get(ordinal)
      if (pod === undefined) return
      if (podRevision(pod) !== update.metadata.name && !pod.metadata.deletionTimestamp)
        return this.#pods.delete(set, pod, textsOf(set))
      if (!this.#isAvailable(set, pod)) return
    }
  }

  #isRunningAndReady(pod: Pod | undefined): boolean {
    return pod !== undefined && pod.status?.phase === 'Running' && isPodReady(pod)
  }

  #isAvailable(set: StatefulSet, pod: Pod): boolean {
    const at = availableAt(pod, set.spec.minReadySeconds ?? 0, this.#context.clock)
    return this.#isRunningAndReady(pod) && at <= this.#context.clock.now
  }

  #updateStatus(key: string, { current, update }: Round): void {
    const { store, clock, loop, ownedPods } = this.#context
    const [namespace, name] = splitKey(key)
    const set = store.get<StatefulSet>('statefulsets', namespace, name)
    if (set === undefined) return
    const pods = ownedPods.of(set.metadata.uid!).filter((pod) => ordinalOf(set, pod) !== undefined)
    const times = pods.map((pod) => availableAt(pod, set.spec.minReadySeconds ?? 0, clock))
    const next = Math.min(...times.filter((at) => at > clock.now), NEVER)
    if (next !== NEVER) loop.addAt(this, key, next)
    const ready = pods.filter((pod) => this.#isRunningAndReady(pod)).length
    const active = pods.filter((pod) => !pod.metadata.deletionTimestamp)
    const of = ({ metadata }: ControllerRevision) =>
      active.filter((pod) => podRevision(pod) === metadata.name).length
    const updated = of(update)
    const rolls = set.spec.updateStrategy?.type !== 'OnDelete'
    const complete = rolls && updated === pods.length && ready === pods.length
    const now = complete ? update : current
    const currentReplicas = of(now)
    // As in Go's JSON, counts of zero are left out, but for two.
    const status: StatefulSet['status'] = {
      observedGeneration: set.metadata.generation ?? 1,
      replicas: pods.length,
      ...(ready && { readyReplicas: ready }),
      ...(currentReplicas && { currentReplicas }),
      ...(updated && { updatedReplicas: updated }),
      availableReplicas: times.filter((at) => at <= clock.now).length,
      currentRevision: now.metadata.name,
      updateRevision: update.metadata.name,
      collisionCount: 0,
    }
    store.update({ ...set, status })
  }
}

/** Upstream's words; a pod that could not be made is named by `name`. */
const textsOf = ({ metadata }: StatefulSet, name = ''): PodEventTexts => ({
  created: (pod) => `create Pod ${pod.metadata.name} in StatefulSet ${metadata.name} successful`,
  deleted: (pod) => `delete Pod ${pod.metadata.name} in StatefulSet ${metadata.name} successful`,
  failed: (why) => `create Pod ${name} in StatefulSet ${metadata.name} failed error: ${why}`,
})
