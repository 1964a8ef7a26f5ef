// Keeps the status of PodDisruptionBudgets: how many pods may be evicted now.

import type { ControllerContext } from './controller-context.js'
import { countDisruptions, type PodDisruptionBudget } from './disruption-budget.js'
import { equalJson } from './json.js'
import type { Pod } from './objects.js'
import { setCondition } from './pod-condition.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

const RESOURCE = 'poddisruptionbudgets'

export class DisruptionController implements Controller {
  readonly name = 'disruption'
  readonly #context: ControllerContext

  constructor(context: ControllerContext) {
    this.#context = context
    const { store, loop } = context
    store.watch<PodDisruptionBudget>(RESOURCE, ({ object }) => loop.add(this, keyOf(object)))
    const all = (namespace: string | undefined) => {
      for (const budget of store.list<PodDisruptionBudget>(RESOURCE, namespace)) loop.add(this, keyOf(budget))
    }
    store.watch<Pod>('pods', ({ object }) => all(object.metadata.namespace))
    for (const owner of ['deployments', 'replicasets', 'replicationcontrollers', 'statefulsets'])
      store.watch(owner, ({ object }) => all(object.metadata.namespace))
  }

  reconcile(key: string): void {
    const { store, clock, events } = this.#context
    const [namespace, name] = splitKey(key)
    const budget = store.get<PodDisruptionBudget>(RESOURCE, namespace, name)
    if (budget === undefined) return
    const counts = countDisruptions(this.#context, budget)
    const conditions = (budget.status?.conditions ?? []).map((condition) => ({ ...condition }))
    const none = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }
    const known = typeof counts === 'string' ? { ...none, ...budget.status, disruptionsAllowed: 0 } : counts
    const { generation = 0 } = budget.metadata
    const allowed = known.disruptionsAllowed > 0
    const reason = allowed ? 'SufficientPods' : 'InsufficientPods'
    const failed =
      typeof counts === 'string' ? { reason: 'SyncFailed', message: counts } : { reason, message: '' }
    setCondition(
      conditions,
      {
        type: 'DisruptionAllowed',
        status: allowed ? 'True' : 'False',
        ...failed,
      },
      clock.timestamp(),
    )
    const status = { ...known, observedGeneration: generation, conditions }
    if (equalJson(status, budget.status)) return
    store.update<PodDisruptionBudget>({ ...budget, status })
    if (typeof counts === 'string')
      events.record(budget, 'Warning', 'CalculateExpectedPodCountFailed', counts, SOURCE)
  }
}

const SOURCE = { component: 'controllermanager' }
